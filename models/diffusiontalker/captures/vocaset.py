"""VOCASET (Cudeiro and others, CVPR 2019): meshes of 12 subjects at 60 frames a second, brought to coefficients.

The folder holds ``data_verts.npy`` (float32 ``[rows, 5023, 3]``), ``subj_seq_to_idx.pkl`` (subject -> sequence ->
{frame: row}), ``raw_audio_fixed.pkl`` (subject -> sequence -> {"audio": int16, "sample_rate": 22000}) and
``templates.pkl`` (subject -> ``[5023, 3]``), as published. Heads are already still. See ``blendshape_fit`` for the
blendshapes that are needed.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.captures.arrays_pickle import read_pickle
from diffusiontalker.captures.blendshape_fit import BlendshapeBasis, BlendshapeFit
from diffusiontalker.captures.take import CaptureError, Take, TakeSource, at_model_rate, in_order, resampled
from diffusiontalker.geometry import SAMPLE_RATE

FPS: Final = 60
VERTICES: Final = "data_verts.npy"
ROWS: Final = "subj_seq_to_idx.pkl"
AUDIO: Final = "raw_audio_fixed.pkl"
TEMPLATES: Final = "templates.pkl"
_LEAST_EXPLAINED: Final = 0.2
"""Share of a sequence's motion; a basis whose vertices are in another order explains almost nothing."""


def vocaset_takes(folder: Path, basis: Path) -> list[TakeSource]:
    """The sequences of VOCASET, by subject and name.

    Args:
        folder: holds the four files.
        basis: blendshapes as ``blendshape_fit`` describes them.

    Raises:
        CaptureError: a file is missing or not what it should be, or the basis is not of this mesh.
    """
    data = _Vocaset(folder, BlendshapeBasis.open(basis))
    files = (*(folder / name for name in (VERTICES, ROWS, AUDIO, TEMPLATES)), basis)
    return [
        TakeSource(f"vocaset/{subject}/{sequence}", f"vocaset/{subject}", files, partial(data.take, subject, sequence))
        for subject in sorted(data.rows)
        for sequence in sorted(data.rows[subject])
    ]


class _Vocaset:
    """The opened files."""

    def __init__(self, folder: Path, basis: BlendshapeBasis) -> None:
        self.folder = folder
        self.fit = BlendshapeFit(basis)
        self.vertices = _vertices(folder / VERTICES)
        self.rows = _nested(folder / ROWS)
        self.audio = _nested(folder / AUDIO)
        self.templates = read_pickle(folder / TEMPLATES)
        if not isinstance(self.templates, dict):
            raise CaptureError("broken", folder / TEMPLATES, "is not subject -> neutral")
        for subject in self.rows:
            self.fit.check(self._template(subject), folder / TEMPLATES)

    def _template(self, subject: str) -> NDArray[Any]:
        template = self.templates.get(subject)
        if not isinstance(template, np.ndarray) or template.shape != self.vertices.shape[1:]:
            problem = f"no neutral {list(self.vertices.shape[1:])}"
            raise CaptureError("broken", self.folder / TEMPLATES, problem, place=subject)
        return template

    def take(self, subject: str, sequence: str) -> Take:
        """One sequence."""
        place = f"{subject}, {sequence}"
        path = self.folder / ROWS
        frames = self.rows[subject][sequence]
        if not isinstance(frames, dict) or not frames:
            raise CaptureError("too short", path, "holds no frames", place=place)
        try:
            order = sorted((int(frame), int(row)) for frame, row in frames.items())
        except (TypeError, ValueError) as error:
            raise CaptureError("broken", path, "is not frame -> row", place=place) from error
        numbers, rows = (np.array(column) for column in zip(*order, strict=True))
        if rows.min() < 0 or rows.max() >= len(self.vertices):
            problem = f"row {rows.max()} of {len(self.vertices)} in {VERTICES}: download it again"
            raise CaptureError("broken", path, problem, place=place)
        offsets = self.vertices[rows] - self._template(subject)
        if not np.isfinite(offsets).all():
            frame = int(numbers[np.argwhere(~np.isfinite(offsets))[0, 0]])
            problem = "vertices that are not numbers"
            raise CaptureError("broken", self.folder / VERTICES, problem, place=f"{place}, frame {frame}")
        weights, explained = self.fit.weights(offsets)
        if explained < _LEAST_EXPLAINED:
            problem = f"explains only {explained:.0%} of {place}: are its vertices in the order of {VERTICES}?"
            raise CaptureError("broken", self.fit.basis.path, problem)
        names = self.fit.basis.names
        curves, tracked = at_model_rate(in_order(names, weights, path), numbers / FPS)
        sound = self._sound(subject, sequence, place)[int(numbers[0]) * SAMPLE_RATE // FPS :]
        return Take(f"vocaset/{subject}/{sequence}", f"vocaset/{subject}", sound, curves, names, tracked)

    def _sound(self, subject: str, sequence: str, place: str) -> NDArray[np.float32]:
        path = self.folder / AUDIO
        entry = self.audio.get(subject, {}).get(sequence)
        if entry is None:
            raise CaptureError("no sound", path, "holds none", place=place)
        samples, rate = (entry.get(key) if isinstance(entry, dict) else None for key in ("audio", "sample_rate"))
        if not isinstance(samples, np.ndarray) or samples.dtype != np.int16 or samples.ndim != 1 or not samples.size:
            raise CaptureError("no sound", path, "'audio' is not a row of 16-bit samples", place=place)
        if not isinstance(rate, int | np.integer) or not 4000 <= rate <= 192000:
            raise CaptureError("no sound", path, f"'sample_rate' is {rate!r}", place=place)
        return resampled(samples.astype(np.float32) / np.float32(32768), int(rate))


def _vertices(path: Path) -> NDArray[np.float32]:
    try:
        vertices = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise CaptureError("broken", path, "there is no such file") from error
    except (ValueError, OSError, EOFError) as error:
        raise CaptureError("broken", path, f"is no whole array: {error}") from error
    if not isinstance(vertices, np.ndarray) or vertices.ndim != 3 or vertices.shape[2] != 3:
        raise CaptureError("broken", path, f"is {list(np.shape(vertices))} where [rows, vertices, 3] is needed")
    return vertices


def _nested(path: Path) -> dict[str, dict[str, Any]]:
    content = read_pickle(path)
    if not isinstance(content, dict) or not all(isinstance(inner, dict) for inner in content.values()):
        raise CaptureError("broken", path, "is not subject -> sequence -> ...")
    return content
