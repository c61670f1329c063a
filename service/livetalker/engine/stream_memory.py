"""What one stream remembers of itself for the day its connection breaks, and when it is time to say so."""

from __future__ import annotations

from collections import deque
from typing import Final

from diffusiontalker.geometry import MODEL_FPS, SAMPLE_RATE
from livetalker.core.config import Shaping
from livetalker.core.identity_tracker import IdentityTracker
from livetalker.core.stream_state import ShapingState, StreamState

INTERVAL: Final = MODEL_FPS
"""Frames at 30 fps between checkpoints: 1 s. A client goes back two, so that its newest checkpoint lies within."""
LEVELS: Final = 5
"""Levels remembered, one a checkpoint: further back than a resumed stream begins."""
LEVEL_SPACING: Final = SAMPLE_RATE // 2
"""Samples at 16 kHz between remembered levels, at least."""


class StreamMemory:
    """The memory of one stream.

    Attributes:
        flushed: sample at the client's rate of the last flush; 0 for none.
        shaping: the adjustments in force.

    Args:
        shaping: that the stream begins with.
    """

    def __init__(self, shaping: Shaping) -> None:
        self.flushed = 0
        self.shaping = ShapingState(shaping, shaping)
        self._levels: deque[tuple[int, float]] = deque(maxlen=LEVELS)
        self._next = INTERVAL
        self._changed = False

    def due(self, frame: int) -> bool:
        """Whether a checkpoint is due before a frame at 30 fps."""
        return self._changed or frame >= self._next

    def changed(self) -> None:
        """Something changed that a resumed stream must know."""
        self._changed = True

    def shape(self, frame: int, shaping: Shaping) -> None:
        """The adjustments change from a frame at 30 fps on."""
        self.shaping = ShapingState(shaping, self.shaping.current, frame)

    def flush(self, sample: int) -> None:
        """Everything before a sample at the client's rate is forgotten."""
        self.flushed = sample
        self._levels.clear()

    def level(self, sample: int, held: float) -> None:
        """The level follower held so many dBFS at a sample at 16 kHz."""
        if not self._levels or sample >= self._levels[-1][0] + LEVEL_SPACING:
            self._levels.append((sample, held))

    def state(self, frame: int, tracker: IdentityTracker) -> StreamState:
        """What the stream could go on with before a frame at 30 fps; the next checkpoint counts from here."""
        self._changed = False
        self._next = frame + INTERVAL
        return StreamState(frame, tuple(self._levels), self.flushed, tracker.state, self.shaping)

    def restore(self, state: StreamState) -> None:
        """Remembers what another object did; checkpoints begin after its frame."""
        self.flushed = state.flushed
        self.shaping = state.shaping
        self._levels.extend(state.levels)
        self._next = state.frame + INTERVAL
