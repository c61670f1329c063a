"""What a tick computes beside its networks, on compiled kernels where there are some, else in numpy as training does.

The two differ in the last digits. Small batches gain most: numpy spends more time on starting than on computing them.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from diffusiontalker import level, noise
from diffusiontalker.arkit import COUNT
from diffusiontalker.highpass import QUALITIES, section
from diffusiontalker.level import BLOCK, FLOOR_DB, RELEASE_DB, LevelState
from livetalker.engine.kernels.library import at, best_library


def face_noise(seeds: NDArray[np.uint64], frames: NDArray[np.uint64], period: int) -> NDArray[np.float32]:
    """See ``diffusiontalker.noise.face_noise``."""
    library = best_library()
    if library is None:
        return noise.face_noise(seeds, frames, period)
    seeds, frames = np.ascontiguousarray(seeds, np.uint64), np.ascontiguousarray(frames, np.uint64)
    slow, spline = _slow(), noise.spline(max(period, 1))
    out = np.empty((*frames.shape, COUNT), np.float32)
    library.calls.livetalker_noise(
        *frames.shape, at(seeds), at(frames), COUNT, at(slow), len(slow), at(spline), period, at(out)
    )
    return out


def normalize_level(samples: NDArray[np.float32], state: LevelState) -> tuple[NDArray[np.float32], LevelState]:
    """See ``diffusiontalker.level.normalize_level``."""
    library = best_library()
    if library is None or samples.shape[1] % BLOCK:  # what is no whole number of blocks is refused there
        return level.normalize_level(samples, state)
    samples = np.ascontiguousarray(samples, np.float32)
    after = LevelState(*(np.array(part, np.float64, order="C") for part in (state.powers, state.held, state.low_cut)))
    out = np.empty_like(samples)
    library.calls.livetalker_normalize(
        len(samples),
        samples.shape[1] // BLOCK,
        at(_filter()),
        FLOOR_DB,
        RELEASE_DB,
        *(at(array) for array in (samples, after.powers, after.held, after.low_cut, out)),
    )
    return out, after


@cache
def _slow() -> NDArray[np.int32]:
    return noise.SLOW.astype(np.int32)


@cache
def _filter() -> NDArray[np.float64]:
    """``[2, 5]``: see ``livetalker_normalize``."""
    return np.array([[a[0, 0], a[1, 0], *b, d] for a, b, _, d in map(section, QUALITIES)])
