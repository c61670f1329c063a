"""When things are due on one simulated microphone: chunks, frames, and the part of the run that is measured.

Every instant is computed from the stream's start by multiplication, never by adding up steps, so nothing drifts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.geometry import (
    FEATURE_STRIDE,
    FEATURE_WINDOW,
    MODEL_FPS,
    PRESETS,
    SAMPLE_RATE,
    frame_count,
    frame_feature,
)
from livetalker.core.resample import hold_back

CHUNK_SECONDS: Final = 0.02
"""What a microphone delivers at a time."""
_OPENINGS_PER_SECOND: Final = 100
_LONGEST_RAMP_S: Final = 1.0
_GOLDEN: Final = 0.6180339887498949


@dataclass(frozen=True, slots=True)
class Schedule:
    """One stream's timetable; instants are seconds on the clock of ``start``.

    Attributes:
        start: when the stream opens and its sample 0 is captured.
        rate: samples per second.
        fps: frames per second asked for.
        chunks: how many chunks the stream sends.
    """

    start: float
    rate: int
    fps: int
    chunks: int

    @property
    def chunk_samples(self) -> int:
        """Samples in every chunk."""
        return chunk_samples(self.rate)

    @property
    def frames(self) -> int:
        """Frames the stream must bring."""
        return frame_count(self.chunks * self.chunk_samples, self.fps, self.rate)

    @property
    def end(self) -> float:
        """When the last sample has been captured."""
        return self.due(self.chunks - 1)

    def due(self, chunk: int) -> float:
        """When a chunk is to be sent: its last sample has been captured then."""
        return self.start + (chunk + 1) * self.chunk_samples / self.rate

    def captured(self) -> NDArray[np.float64]:
        """When the sample of every frame's own instant is captured, ``[frames]``."""
        return self.start + np.arange(self.frames) / self.fps


def chunk_samples(rate: int) -> int:
    """Samples in a chunk at a rate."""
    return round(CHUNK_SECONDS * rate)


def needed_chunks(schedule: Schedule, preset: str) -> NDArray[np.int64]:
    """The chunk that brings the last sample each frame needs.

    A frame needs what the newest feature it may use covers; one at 60 fps that lies between two of the model's frames
    needs the later one's.

    Returns:
        ``[frames]``; ``schedule.chunks`` or more for frames at the end, which need audio that never comes.
    """
    look_ahead, held = PRESETS[preset].look_ahead, hold_back(schedule.rate)
    needed = np.empty(schedule.frames, np.int64)
    for frame in range(schedule.frames):
        feature, _ = frame_feature(-(-frame * MODEL_FPS // schedule.fps), look_ahead)
        samples = -(-(FEATURE_STRIDE * feature + FEATURE_WINDOW) * schedule.rate // SAMPLE_RATE) + held
        needed[frame] = (samples - 1) // schedule.chunk_samples
    return needed


def start_offsets(streams: int, seconds: float) -> list[float]:
    """When each stream opens, in seconds after the first one.

    People do not begin to speak together: openings are spread over up to a second (a quarter of a short run), and their
    phases within a chunk evenly over it.
    """
    ramp = min(_LONGEST_RAMP_S, streams / _OPENINGS_PER_SECOND, seconds / 4)
    return [ramp * i / streams + CHUNK_SECONDS * (i * _GOLDEN % 1.0) for i in range(streams)]
