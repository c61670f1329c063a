"""What a stream hands to whoever opened it, in order: frames and the things that happen to a stream."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from livetalker.core.stream_state import StreamState


class SkipReason(StrEnum):
    """Why frames will never be delivered."""

    FLUSH = "flush"
    """The client interrupted the character."""
    SLOW_READER = "slow_reader"
    """Delivery is live and the client did not read them in time."""


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """Consecutive frames at the stream's frame rate.

    Attributes:
        first: index of the first.
        values: ``[f, 52]`` coefficients in 0..1.
    """

    first: int
    values: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True)
class IdentityMatched:
    """The voice was matched with an identity, or with another one than before.

    Attributes:
        frame: first frame that uses it; the change is cross-faded from there.
        identity: its name.
        confidence: how sure the match is, 0 to 1.
    """

    frame: int
    identity: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Skipped:
    """Frames that will never be delivered.

    Attributes:
        first: index of the first.
        count: how many.
        reason: why.
    """

    first: int
    count: int
    reason: SkipReason


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the stream could go on with, should its connection break: now and then, and when something changed.

    Attributes:
        frame: next frame at the stream's rate.
        state: of the stream before it.
    """

    frame: int
    state: StreamState


@dataclass(frozen=True, slots=True)
class Finished:
    """The stream is complete.

    Attributes:
        frames: how many frames its audio made, delivered or skipped.
    """

    frames: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The stream ended early through the server's own fault.

    Attributes:
        error: what happened.
    """

    error: Exception


Output = Frames | IdentityMatched | Skipped | Checkpoint | Finished | Failed
