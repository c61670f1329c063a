"""Vertices to coefficients: how much of each blendshape a captured mesh holds, by bounded least squares.

For a mesh ``v`` and the subject's neutral ``n`` the coefficients are

    w = argmin |v - n - sum_k w_k D_k|^2 + r |w|^2,   0 <= w <= 1,

where ``D_k [V, 3]`` are the deltas of blendshape ``k`` and the small ridge ``r`` keeps shapes that look alike from
fighting. The normal equations ``D D^T`` are factored once, so a frame costs one product with the basis and a problem of
at most 52 unknowns, whatever the mesh.

No basis comes with this project: those that exist have licences of their own. Give an ``.npz`` file with

- ``names``: ``K`` ARKit names, up to 52;
- ``neutral``: ``[V, 3]`` the basis's own resting face;
- ``deltas``: ``[K, V, 3]`` full expression minus ``neutral``, of each name,

with the vertices in the order of the captured meshes (for VOCASET: FLAME's 5,023), in the same unit and orientation. A
blendshape that moves no vertex, as eyes and tongue do not on a mesh of skin alone, is not fitted and counts as not
captured.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.arkit import INDEX
from diffusiontalker.captures.take import CaptureError

Floats = NDArray[np.float64]

_RIDGE: Final = 1e-6
"""Of the mean squared length of a blendshape."""
_MOVES: Final = 1e-4
"""A blendshape shorter than this part of the longest moves nothing."""
_SIZES: Final = (0.5, 2.0)
"""How large the basis's face may be, relative to a subject's."""


@dataclass(frozen=True, slots=True)
class BlendshapeBasis:
    """Blendshapes of one mesh topology.

    Attributes:
        path: where it is from.
        names: ``K`` ARKit names; only those that move the mesh.
        neutral: ``[V, 3]``.
        deltas: ``[K, V, 3]``.
    """

    path: Path
    names: tuple[str, ...]
    neutral: Floats = field(repr=False)
    deltas: Floats = field(repr=False)

    @classmethod
    def open(cls, path: Path) -> BlendshapeBasis:
        """Read a basis.

        Raises:
            CaptureError: it is not such a file; says which array is wrong.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                names, neutral, deltas = (np.array(arrays[key]) for key in ("names", "neutral", "deltas"))
        except FileNotFoundError as error:
            raise CaptureError("broken", path, "there is no such file; see docs/data.md for what it holds") from error
        except KeyError as error:
            raise CaptureError("broken", path, f"no array {error.args[0]}; needs names, neutral, deltas") from error
        except (ValueError, OSError, EOFError, BadZipFile, AttributeError, TypeError) as error:
            raise CaptureError("broken", path, "is no .npz file of arrays: names, neutral, deltas") from error
        wanted = (len(names), *np.shape(neutral)) if np.ndim(names) == 1 else ()
        if neutral.ndim != 2 or neutral.shape[1:] != (3,) or deltas.shape != wanted or not len(names):
            shapes = f"names {list(names.shape)}, neutral {list(neutral.shape)}, deltas {list(deltas.shape)}"
            raise CaptureError("broken", path, f"{shapes}; needs [K], [V, 3] and [K, V, 3]")
        if not all(np.issubdtype(array.dtype, np.number) and np.isfinite(array).all() for array in (neutral, deltas)):
            raise CaptureError("broken", path, "neutral and deltas must be finite numbers")
        unknown = [str(name) for name in names if str(name) not in INDEX]
        if unknown or len(set(names.tolist())) != len(names):
            raise CaptureError("broken", path, f"names must be different ARKit names: {', '.join(unknown) or 'double'}")
        lengths = np.linalg.norm(deltas.reshape(len(names), -1), axis=1)
        moving = lengths > _MOVES * lengths.max(initial=0.0)
        if not moving.any():
            raise CaptureError("broken", path, "its deltas move nothing")
        kept = tuple(str(name) for name in names[moving])
        return cls(path, kept, neutral.astype(np.float64), deltas[moving].astype(np.float64))


class BlendshapeFit:
    """Fits one basis to many meshes.

    The bounded problem is solved by non-negative least squares (Lawson and Hanson). Where its answer stays below one it
    is also the bounded answer; only the few frames where it does not go to the bounded-variable method (Stark and
    Parker), which takes several times longer.

    Args:
        basis: of the meshes' topology.
    """

    def __init__(self, basis: BlendshapeBasis) -> None:
        self.basis = basis
        self._flat = basis.deltas.reshape(len(basis.names), -1)
        gram = self._flat @ self._flat.T
        ridge = _RIDGE * np.trace(gram) / len(gram)
        # With gram + r = U^T U the objective is |U w - y|^2 for U^T y = D (v - n), up to a constant.
        self._upper: Floats = np.linalg.cholesky(gram + ridge * np.eye(len(gram))).T

    def weights(self, offsets: NDArray[np.float32] | Floats) -> tuple[Floats, float]:
        """Coefficients of captured meshes.

        Args:
            offsets: ``[N, V, 3]`` meshes minus their subject's neutral.

        Returns:
            ``[N, K]`` in 0..1 in the order of the basis's names, and the share of the motion's energy that they
            explain, at most 1 (1 where nothing moves).
        """
        # scipy.optimize takes a second to import; corpora without meshes do without it.
        from scipy.linalg import solve_triangular
        from scipy.optimize import lsq_linear, nnls

        flat = np.asarray(offsets, np.float64).reshape(len(offsets), -1)
        targets = solve_triangular(self._upper, (flat @ self._flat.T).T, trans="T").T
        weights = np.empty((len(flat), len(self.basis.names)))
        for i, target in enumerate(targets):
            weights[i] = nnls(self._upper, target)[0]
            if weights[i].max() > 1.0:
                weights[i] = lsq_linear(self._upper, target, (0.0, 1.0), method="bvls").x
        weights.clip(0.0, 1.0, out=weights)
        energy = float(np.square(flat).sum())
        unexplained = float(np.square(flat - weights @ self._flat).sum())
        return weights, 1.0 - unexplained / energy if energy else 1.0

    def check(self, template: NDArray[np.floating], path: Path) -> None:
        """Refuse a subject whose mesh the basis cannot belong to.

        Args:
            template: ``[V, 3]`` the subject's neutral.
            path: where it is from.

        Raises:
            CaptureError: another number of vertices, unit or orientation.
        """
        neutral = self.basis.neutral
        if template.shape != neutral.shape:
            problem = f"has {len(neutral)} vertices where {path} has {len(template)}: give a basis of that topology"
            raise CaptureError("broken", self.basis.path, problem)
        extents = [np.ptp(mesh, axis=0) for mesh in (neutral, np.asarray(template, np.float64))]
        ratios = extents[0] / np.maximum(extents[1], 1e-12)
        low, high = _SIZES
        if not ((ratios > low) & (ratios < high)).all():
            sizes = " and ".join(" x ".join(f"{side:.3g}" for side in extent) for extent in extents)
            problem = f"its face and the one in {path} measure {sizes}: bring it to the same unit and axes"
            raise CaptureError("broken", self.basis.path, problem)
