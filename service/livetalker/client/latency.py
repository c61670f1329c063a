"""How late frames are: a frame's arrival minus the moment the last sample it needs was sent."""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class LatencySummary:
    """Percentiles of frame lateness in milliseconds.

    Attributes:
        frames: how many frames were measured.
        p50, p95, p99, worst: lateness that this share of the frames stayed under.
    """

    frames: int
    p50: float
    p95: float
    p99: float
    worst: float

    def __str__(self) -> str:
        frames = f"{self.frames} frame" + "s" * (self.frames != 1)
        return (
            f"frame lateness over {frames}: p50 {self.p50:.1f} ms, p95 {self.p95:.1f} ms, "
            f"p99 {self.p99:.1f} ms, worst {self.worst:.1f} ms"
        )


class LatencyLog:
    """Matches sent audio with arriving frames. Times are seconds of any one monotonic clock."""

    def __init__(self, sample_rate: int, fps: int, algorithmic_latency_us: int) -> None:
        self._rate = sample_rate
        self._fps = fps
        self._look_ahead = -(-algorithmic_latency_us * sample_rate // 1_000_000)
        self._sent: deque[tuple[int, float]] = deque()
        self._lateness = array("f")

    def sent(self, samples: int, at: float) -> None:
        """Notes that the first ``samples`` samples of the stream were sent by time ``at``."""
        self._sent.append((samples, at))

    def arrived(self, frame: int, at: float) -> float:
        """Notes the arrival of a frame; frames arrive in order.

        Returns:
            Its lateness in seconds. A frame at the end of the stream, which needs audio that never comes, counts
            from the last thing sent.
        """
        needed = frame * self._rate // self._fps + self._look_ahead
        while len(self._sent) > 1 and self._sent[0][0] < needed:
            self._sent.popleft()
        lateness = at - self._sent[0][1] if self._sent else 0.0
        self._lateness.append(lateness)
        return lateness

    @property
    def latest_ms(self) -> float:
        """Median lateness of the last ten frames, milliseconds; 0 before the first."""
        return float(np.median(self._lateness[-10:])) * 1e3 if self._lateness else 0.0

    def summary(self) -> LatencySummary | None:
        """Percentiles over the stream so far; None before the first frame."""
        if not self._lateness:
            return None
        p50, p95, p99 = np.percentile(np.frombuffer(self._lateness, np.float32), [50, 95, 99]) * 1e3
        return LatencySummary(len(self._lateness), float(p50), float(p95), float(p99), max(self._lateness) * 1e3)
