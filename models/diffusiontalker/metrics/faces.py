"""The paper's measures of an animated face against the true one: MBE, LBE, FDD, LVE, ITF and diversity.

Sequences are ``[T, 52]`` arrays of ARKit coefficients in 0..1; a set of them is any sequence of such arrays, or one
``[N, T, 52]`` array. Every error is first averaged over the frames of a sequence and then over the sequences, as the
public evaluation of FaceDiffuser does, whose preprocessing DiffusionTalker follows.

There are two lip masks, and figures under one say nothing about figures under the other. ``PUBLISHED_LIPS`` is the
mask the published LBE figures stand on; it leaves out jawOpen and mouthClose, and so does not see whether a mouth is
open. ``FULL_LIPS`` is everything ``L_lip`` is trained on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.arkit import BROWS, EYES, JAW_AND_MOUTH, indices
from diffusiontalker.geometry import MODEL_FPS

Faces = Sequence[NDArray[Any]] | NDArray[Any]
"""Sequences ``[T, 52]``."""

PUBLISHED_LIPS: Final = indices(
    "jawLeft",
    "jawRight",
    "mouthDimpleLeft",
    "mouthDimpleRight",
    "mouthFunnel",
    "mouthPucker",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    "mouthUpperUpLeft",
    "mouthUpperUpRight",
)
"""FaceDiffuser's lip coefficients: without jawOpen, mouthClose, mouthLowerDown and mouthSmile."""

FULL_LIPS: Final = JAW_AND_MOUTH
"""Jaw, mouth, cheekPuff and tongueOut: the coefficients of ``L_lip``."""

FDD_FACE: Final = (*EYES, *indices("noseSneerLeft", "noseSneerRight"))
"""What the published FDD calls the upper face: eyes and nose, no brows."""

_ITF_UNIT: Final = 1e-4


@dataclass(frozen=True, slots=True)
class FaceErrors:
    """The paper's errors over a set of sequences, in units of ARKit coefficients; smaller is better.

    Attributes:
        mbe: all coefficients.
        lbe_published: the lips of ``PUBLISHED_LIPS``.
        lbe_full: the lips of ``FULL_LIPS``.
        fdd_signed: truth minus prediction: positive where the predicted face is too still.
        fdd_absolute: mean of the sequences' absolute differences.
        velocity: ``velocity_error``, per second.
    """

    mbe: float
    lbe_published: float
    lbe_full: float
    fdd_signed: float
    fdd_absolute: float
    velocity: float


def face_errors(predicted: Faces, truth: Faces) -> FaceErrors:
    """All of the paper's errors that need no vertices, and one of ours, of frames at 30 per second.

    Raises:
        ValueError: the sets are empty, or differ in their number or shapes.
    """
    signed, absolute = fdd(predicted, truth)
    return FaceErrors(
        mbe(predicted, truth),
        lbe_published(predicted, truth),
        lbe_full(predicted, truth),
        signed,
        absolute,
        velocity_error(predicted, truth, MODEL_FPS),
    )


def mbe(predicted: Faces, truth: Faces) -> float:
    """Mean blendshape error: Euclidean distance over all coefficients, per frame.

    The published figures leave out tongueOut, which their data lacks; here it counts.

    Args:
        predicted: sequences ``[T, C]``.
        truth: the same shapes.

    Raises:
        ValueError: the sets are empty, or differ in their number or shapes.
    """
    return _distance(predicted, truth, None)


def lbe_published(predicted: Faces, truth: Faces) -> float:
    """Lip blendshape error under ``PUBLISHED_LIPS``, the mask without jawOpen and mouthClose: as ``mbe``."""
    return _distance(predicted, truth, PUBLISHED_LIPS)


def lbe_full(predicted: Faces, truth: Faces) -> float:
    """Lip blendshape error under ``FULL_LIPS``, the mask ``L_lip`` is trained on: as ``mbe``."""
    return _distance(predicted, truth, FULL_LIPS)


def fdd(predicted: Faces, truth: Faces) -> tuple[float, float]:
    """Difference in the upper face's motion dynamics.

    The dynamics of a sequence are the standard deviation over time of the sum of squares over ``FDD_FACE``.

    Args:
        predicted: sequences ``[T, 52]``.
        truth: the same shapes.

    Returns:
        truth minus prediction, averaged over the sequences: signed, and of absolute values.

    Raises:
        ValueError: the sets are empty, or differ in their number or shapes.
    """
    differences = [_dynamics(b) - _dynamics(a) for a, b in _pairs(predicted, truth)]
    return float(np.mean(differences)), float(np.mean(np.abs(differences)))


def velocity_error(predicted: Faces, truth: Faces, fps: int) -> float:
    """Mean Euclidean distance of velocities, which the paper has no measure for but a loss (eq. 15).

    Args:
        predicted: sequences ``[T, C]``, two frames or more.
        truth: the same shapes.
        fps: frames per second.

    Returns:
        In coefficients per second.

    Raises:
        ValueError: the sets are empty, too short, or differ in their number or shapes.
    """
    pairs = _pairs(predicted, truth)
    if min(len(b) for _, b in pairs) < 2:
        raise ValueError("velocities need sequences of two frames or more")
    return float(np.mean([np.linalg.norm(np.diff(a - b, axis=0), axis=1).mean() * fps for a, b in pairs]))


def lve(predicted: Faces, truth: Faces, basis: NDArray[Any], lips: Sequence[int] | NDArray[np.int64]) -> float:
    """Lip vertex error: the largest squared error of any lip vertex in a frame, averaged.

    Args:
        predicted: sequences ``[T, C]``.
        truth: the same shapes.
        basis: ``[C, V, 3]`` displacement of each vertex by each coefficient at 1, in the mesh's unit of length.
        lips: which of the ``V`` vertices are lips.

    Returns:
        In that unit squared.

    Raises:
        ValueError: the sets or the basis do not fit.
    """
    if basis.ndim != 3 or basis.shape[2] != 3 or not len(lips):
        raise ValueError(f"a vertex basis is [coefficients, vertices, 3] with lip vertices, got {basis.shape}")
    moved = np.asarray(basis, np.float64)[:, np.asarray(lips)]
    errors = []
    for a, b in _pairs(predicted, truth):
        if a.shape[1] != len(moved):
            raise ValueError(f"the basis has {len(moved)} coefficients, the frames {a.shape[1]}")
        offsets = np.einsum("tc,cvx->tvx", a - b, moved)
        errors.append(np.square(offsets).sum(2).max(1).mean())
    return float(np.mean(errors))


def diversity(takes: Faces, coefficients: Sequence[int]) -> float:
    """How much takes of the same audio and identity differ: mean distance between pairs of seeds.

    Args:
        takes: two or more takes ``[T, 52]`` of one sequence with different seeds.
        coefficients: over which; ``BROWS`` and ``FULL_LIPS`` are told apart, for lips should agree.

    Returns:
        Euclidean distance over the coefficients, averaged over frames and pairs.

    Raises:
        ValueError: there is only one take, or lengths differ.
    """
    if len(takes) < 2:
        raise ValueError("diversity needs at least two takes of the same sequence")
    distances = [_distance([a], [b], tuple(coefficients)) for a, b in combinations(list(takes), 2)]
    return float(np.mean(distances))


def brow_diversity(takes: Faces) -> float:
    """``diversity`` of the brows."""
    return diversity(takes, BROWS)


def lip_diversity(takes: Faces) -> float:
    """``diversity`` of jaw and mouth."""
    return diversity(takes, FULL_LIPS)


@dataclass(frozen=True, slots=True)
class InferenceTime:
    """How long animating took.

    Attributes:
        itf: inference time per frame, in 1e-4 s as the paper prints it: total time over frames of all clips.
        clip_frames: frames of each clip.
        batch: clips at once.
    """

    itf: float
    clip_frames: int
    batch: int


def inference_time(
    animate: Callable[[], object],
    *,
    clip_frames: int,
    batch: int = 1,
    repeats: int = 3,
    clock: Callable[[], float] = time.perf_counter,
) -> InferenceTime:
    """Time an animator: the fastest of some runs, after one that warms up.

    What ``animate`` includes is the caller's to say: with the audio encoder inside, ITF is another figure.

    Args:
        animate: makes ``batch`` clips of ``clip_frames`` frames.
        clip_frames: frames per clip.
        batch: clips.
        repeats: runs that are timed.
        clock: seconds.
    """
    animate()
    taken = []
    for _ in range(repeats):
        began = clock()
        animate()
        taken.append(clock() - began)
    return InferenceTime(min(taken) / (clip_frames * batch) / _ITF_UNIT, clip_frames, batch)


def _pairs(predicted: Faces, truth: Faces) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    if len(predicted) != len(truth) or not len(truth):
        raise ValueError(f"as many predicted sequences as true ones are needed, got {len(predicted)} and {len(truth)}")
    pairs = []
    for number, (a, b) in enumerate(zip(predicted, truth, strict=True)):
        if a.shape != b.shape or a.ndim != 2 or not a.size:
            raise ValueError(f"sequence {number}: expected two arrays [T, 52] alike, got {a.shape} and {b.shape}")
        pairs.append((np.asarray(a, np.float64), np.asarray(b, np.float64)))
    return pairs


def _distance(predicted: Faces, truth: Faces, coefficients: tuple[int, ...] | None) -> float:
    chosen = slice(None) if coefficients is None else list(coefficients)
    return float(np.mean([np.linalg.norm((a - b)[:, chosen], axis=1).mean() for a, b in _pairs(predicted, truth)]))


def _dynamics(sequence: NDArray[np.float64]) -> float:
    return float(np.square(sequence[:, list(FDD_FACE)]).sum(1).std())
