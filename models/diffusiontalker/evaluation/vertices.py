"""The vertex basis LVE is measured on: the file VOCASET is converted with, and which of its vertices are lips."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.arkit import COUNT, INDEX
from diffusiontalker.captures.blendshape_fit import BlendshapeBasis
from diffusiontalker.evaluation.scenes import EvaluationError


@dataclass(frozen=True)
class VertexBasis:
    """What moves the lips of a mesh.

    Attributes:
        deltas: ``[52, V, 3]`` in the mesh's unit of length; coefficients the basis lacks move nothing.
        lips: ``[L]`` lip vertices.
    """

    deltas: NDArray[np.float64] = field(repr=False)
    lips: NDArray[np.int64] = field(repr=False)

    @classmethod
    def open(cls, path: Path) -> VertexBasis:
        """Read an ``.npz`` file with ``names``, ``neutral``, ``deltas`` and ``lips``, the indexes of lip vertices.

        Raises:
            CaptureError: it is no blendshape basis.
            EvaluationError: it does not say which vertices are lips.
        """
        basis = BlendshapeBasis.open(path)
        with np.load(path, allow_pickle=False) as arrays:
            lips = np.asarray(arrays["lips"]) if "lips" in arrays else np.zeros(0, np.int64)
        vertices = basis.deltas.shape[1]
        whole = lips.ndim == 1 and np.issubdtype(lips.dtype, np.integer)
        if not lips.size or not whole or lips.min() < 0 or lips.max() >= vertices:
            raise EvaluationError(
                f"{path}: LVE needs an array 'lips' with the indexes of the lip vertices, in 0..{vertices - 1}"
            )
        deltas = np.zeros((COUNT, vertices, 3))
        deltas[[INDEX[name] for name in basis.names]] = basis.deltas
        return cls(deltas, lips.astype(np.int64))
