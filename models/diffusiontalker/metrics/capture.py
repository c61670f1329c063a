"""Captured performances: reading their curves, and how well an animated mouth agrees with a captured one."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.arkit import COUNT, INDEX
from diffusiontalker.metrics.lips import Curve

_LAG_STEPS_PER_SECOND: Final = 60


@dataclass(frozen=True, slots=True)
class CapturedTake:
    """A captured face.

    Attributes:
        name: the file's stem.
        frames: ``[T, 52]``; coefficients the capture lacks are 0.
        fps: frames per second.
        captured: names the capture has.
        sound: the recording of the same stem beside it, if there is one.
    """

    name: str
    frames: NDArray[np.float32] = field(repr=False)
    fps: int
    captured: tuple[str, ...] = field(repr=False)
    sound: Path | None = None


@dataclass(frozen=True, slots=True)
class Agreement:
    """Best correlation of two curves within a window of shifts.

    Attributes:
        correlation: Pearson's, ``nan`` where a curve never moves.
        lag_ms: the shift that gives it; positive where the first curve trails the second.
    """

    correlation: float
    lag_ms: float


def read_take(path: Path) -> CapturedTake:
    """Read a capture: a header ``time,<coefficient names>``, then one row a frame with the time in seconds.

    Args:
        path: the csv file.

    Returns:
        The take.

    Raises:
        ValueError: the file is not such a table; names the line.
    """
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    if len(rows) < 3 or rows[0][:1] != ["time"]:
        raise ValueError(f"{path}: expected a header 'time,jawOpen,...' and at least two frames")
    names = tuple(rows[0][1:])
    unknown = [name for name in names if name not in INDEX]
    if unknown:
        raise ValueError(f"{path}, line 1: not an ARKit coefficient: {', '.join(unknown)}")
    values = np.empty((len(rows) - 1, len(names) + 1))
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(names) + 1 or not _finite(row):
            raise ValueError(f"{path}, line {number}: expected {len(names) + 1} finite numbers")
        values[number - 2] = [float(cell) for cell in row]
    times = values[:, 0]
    if times[-1] <= times[0]:
        raise ValueError(f"{path}: times must rise from frame to frame")
    frames = np.zeros((len(values), COUNT), np.float32)
    frames[:, [INDEX[name] for name in names]] = values[:, 1:]
    sound = next((path.with_suffix(s) for s in (".flac", ".wav") if path.with_suffix(s).exists()), None)
    return CapturedTake(path.stem, frames, round((len(times) - 1) / (times[-1] - times[0])), names, sound)


def agreement(curve: Curve, captured: Curve, fps: int, window_s: float = 0.05) -> Agreement:
    """Correlate a curve with a captured one at every shift of 1/60 s within a window.

    Args:
        curve: ``[T]``, animated.
        captured: ``[T]``, at the same rate; the longer of the two is cut.
        fps: frames per second of both.
        window_s: largest shift to either side, seconds.

    Returns:
        The best correlation and its shift.

    Raises:
        ValueError: fewer than two frames in common.
    """
    frames = min(curve.size, captured.size)
    if frames < 2:
        raise ValueError(f"two frames in common are needed to correlate, got {frames}")
    instants = np.arange(frames, dtype=np.float64)
    reach = int(np.floor(window_s * _LAG_STEPS_PER_SECOND + 1e-9))
    shifts = np.arange(-reach, reach + 1) / _LAG_STEPS_PER_SECOND
    found = []
    for shift in shifts:
        positions = instants + shift * fps
        inside = (positions >= 0) & (positions <= frames - 1)
        found.append(_pearson(np.interp(positions[inside], instants, curve[:frames]), captured[:frames][inside]))
    if not np.isfinite(found).any():
        return Agreement(float("nan"), float("nan"))
    best = max(range(len(shifts)), key=lambda i: (np.nan_to_num(found[i], nan=-2.0), -abs(shifts[i])))
    return Agreement(found[best], 1000.0 * float(shifts[best]))


def _finite(cells: list[str]) -> bool:
    try:
        return all(isfinite(float(cell)) for cell in cells)
    except ValueError:
        return False


def _pearson(a: NDArray[Any], b: NDArray[Any]) -> float:
    if a.size < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])
