"""How fast and how jerkily the lips move, and how that compares with a captured performance.

Speed and jerk are mean absolute first and third differences of the lip gap at 30 fps, in gap per second and gap per
second cubed. They are taken inside speech spans only: recordings differ in how much of them is pause, a resting mouth
adds zeros, and a flutter in speech would hide behind a long silence. A difference counts when all its frames are
speech.

Normalised values are divided by the gap's 10th to 90th percentile range in the same frames, so that a mouth that opens
less is not taken for a smooth one, nor a lively one for flutter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.metrics.lips import Curve, gap
from diffusiontalker.metrics.phonetic import percentile_range
from diffusiontalker.metrics.speech import Mask

MOTION_FPS: Final = 30
"""Every curve is brought to this rate first: differences at other rates are other quantities."""


@dataclass(frozen=True, slots=True)
class Motion:
    """Motion of the lip gap in speech.

    Attributes:
        speed: mean absolute first difference, gap per second.
        jerk: mean absolute third difference, gap per second cubed.
        spread: 10th to 90th percentile range of the gap.
        frames: frames of speech at 30 fps it stands on.
    """

    speed: float
    jerk: float
    spread: float
    frames: int

    @property
    def normalised_speed(self) -> float:
        """Ranges per second."""
        return self.speed / self.spread if self.spread else float("nan")

    @property
    def normalised_jerk(self) -> float:
        """Ranges per second cubed."""
        return self.jerk / self.spread if self.spread else float("nan")


@dataclass(frozen=True, slots=True)
class MotionRatio:
    """One motion over another, value by value; 1 is alike, above 1.5 is flutter.

    Attributes:
        speed: ratio of speeds.
        jerk: ratio of jerks.
        normalised_speed: ratio of speeds in ranges per second.
        normalised_jerk: ratio of jerks in ranges per second cubed.
    """

    speed: float
    jerk: float
    normalised_speed: float
    normalised_jerk: float


def lip_motion(frames: NDArray[Any], fps: int, speech: Mask | None = None) -> Motion:
    """Measure one clip.

    Args:
        frames: ``[T, 52]``.
        fps: frames per second.
        speech: ``[T]`` frames to measure in, as of ``speech.speech_mask``; all frames if not given.

    Returns:
        Its motion, ``nan`` where no run of four frames of speech exists.

    Raises:
        ValueError: ``speech`` does not have one value per frame.
    """
    mask = np.ones(len(frames), bool) if speech is None else speech
    if len(mask) != len(frames):
        raise ValueError(f"{len(frames)} frames need as many speech flags, got {len(mask)}")
    curve, mask = _at_motion_rate(gap(frames), mask, fps)
    if not mask.any():
        return Motion(float("nan"), float("nan"), float("nan"), 0)
    low, high = percentile_range(curve[mask])
    return Motion(
        speed=_mean_difference(curve, mask, 1),
        jerk=_mean_difference(curve, mask, 3),
        spread=high - low,
        frames=int(mask.sum()),
    )


def mean_motion(motions: Sequence[Motion]) -> Motion:
    """Motion over several clips, each weighted by its frames of speech.

    Raises:
        ValueError: no clip has speech to measure.
    """
    known = [motion for motion in motions if np.isfinite(motion.jerk)]
    if not known:
        raise ValueError("no clip has four frames of speech in a row; give longer or louder clips")
    weights = [motion.frames for motion in known]
    return Motion(
        speed=float(np.average([motion.speed for motion in known], weights=weights)),
        jerk=float(np.average([motion.jerk for motion in known], weights=weights)),
        spread=float(np.average([motion.spread for motion in known], weights=weights)),
        frames=sum(weights),
    )


def motion_ratio(motion: Motion, captured: Motion) -> MotionRatio:
    """An animated motion over a captured one."""
    return MotionRatio(
        motion.speed / captured.speed,
        motion.jerk / captured.jerk,
        motion.normalised_speed / captured.normalised_speed,
        motion.normalised_jerk / captured.normalised_jerk,
    )


def _at_motion_rate(curve: Curve, mask: Mask, fps: int) -> tuple[Curve, Mask]:
    if fps == MOTION_FPS or not curve.size:
        return curve, mask
    positions = np.arange((curve.size - 1) * MOTION_FPS // fps + 1) * fps / MOTION_FPS
    nearest = np.minimum(np.rint(positions).astype(np.int64), curve.size - 1)
    return np.interp(positions, np.arange(curve.size), curve), mask[nearest]


def _mean_difference(curve: Curve, mask: Mask, order: int) -> float:
    if curve.size <= order:
        return float("nan")
    inside = np.lib.stride_tricks.sliding_window_view(mask, order + 1).all(axis=1)
    steps = np.abs(np.diff(curve, order))[inside]
    return float(steps.mean() * MOTION_FPS**order) if steps.size else float("nan")
