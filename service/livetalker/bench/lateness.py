"""How late frames were, from the times noted while a stream ran."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from livetalker.bench.schedule import Schedule, needed_chunks

Seconds = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Spread of a measured time in milliseconds: what 50, 95 and 99 in a hundred stayed under, and the worst."""

    p50: float
    p95: float
    p99: float
    worst: float


@dataclass(frozen=True, slots=True)
class FrameTimes:
    """The frames of one stream that were measured, all arrays ``[m]``, in seconds.

    Attributes:
        needed: when the last sample each frame needs was due to be sent, on the run's clock.
        lateness: arrival after the chunk with that sample was sent.
        since_capture: arrival after the sample at the frame's own instant was captured; look-ahead included.
    """

    needed: Seconds
    lateness: Seconds
    since_capture: Seconds


def frame_times(
    schedule: Schedule, preset: str, sent: ArrayLike, arrived: ArrayLike, window: tuple[float, float]
) -> FrameTimes:
    """Times of the frames that became due within a window.

    Frames that never came are left out, and so are those at the end of a stream that wait for audio that never comes.

    Args:
        schedule: the stream's.
        preset: its latency preset.
        sent: ``[s]`` when each chunk was sent, ``s`` up to ``schedule.chunks``.
        arrived: ``[schedule.frames]`` when each frame came; NaN for one that did not.
        window: begin and end of what counts; the end is exclusive.
    """
    sent, arrived = np.asarray(sent, np.float64), np.asarray(arrived, np.float64)
    chunks = needed_chunks(schedule, preset)
    needed = schedule.start + (chunks + 1) * schedule.chunk_samples / schedule.rate
    counted = (chunks < len(sent)) & np.isfinite(arrived) & (needed >= window[0]) & (needed < window[1])
    arrived, chunks = arrived[counted], chunks[counted]
    # A frame cannot depend on what had not been sent when it came: other servers may need less than ours.
    chunks = np.minimum(chunks, np.searchsorted(sent, arrived, side="right") - 1)
    since = arrived - schedule.captured()[counted]
    return FrameTimes(needed[counted], arrived - sent[np.maximum(chunks, 0)], since)


def percentiles(seconds: ArrayLike) -> Percentiles | None:
    """Percentiles of ``[n]`` times; None of none."""
    values = np.asarray(seconds, np.float64) * 1e3
    if not len(values):
        return None
    p50, p95, p99 = np.percentile(values, [50, 95, 99])
    return Percentiles(*(round(float(value), 3) for value in (p50, p95, p99, values.max())))
