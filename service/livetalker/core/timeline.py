"""Placing a client's chunks on the stream's clock: holes become silence, repeats are dropped, muted audio is silent.

The clock counts samples per channel at the client's rate. A flush drops audio further down and does not move it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from livetalker.core.mute import MuteTrack

MAX_GAP_SECONDS: Final = 10
"""Longest hole that is filled with silence."""


class GapTooLongError(ValueError):
    """A chunk starts too far ahead of the audio received so far.

    Attributes:
        expected: sample the chunk should have started at.
        got: sample it starts at.
        limit: longest hole that would have been filled, in samples.
    """

    def __init__(self, expected: int, got: int, limit: int) -> None:
        super().__init__(
            f"a chunk starts at sample {got} but {expected} was due: a hole of {got - expected} samples, more than the "
            f"{limit} that are filled with silence; open a new stream, or send the missing audio"
        )
        self.expected = expected
        self.got = got
        self.limit = limit


@dataclass(frozen=True, slots=True)
class Span:
    """A range of samples on the stream's clock.

    Attributes:
        start: first sample.
        count: how many, at least one.
    """

    start: int
    count: int


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """What a chunk adds to the stream.

    Attributes:
        samples: ``[n]`` to feed next: silence for a gap, then what is new of the chunk.
        gap: the hole before the chunk that was filled.
        overlap: the part of the chunk that had been received before.
    """

    samples: NDArray[np.float32]
    gap: Span | None = None
    overlap: Span | None = None


class AudioTimeline:
    """Turns a client's chunks into one contiguous signal.

    Attributes:
        position: samples placed so far; where the next chunk is due.
        mutes: where it was muted.

    Args:
        rate: hertz of the audio.
        mutes: known already.
    """

    def __init__(self, rate: int, mutes: MuteTrack | None = None) -> None:
        self._max_gap = MAX_GAP_SECONDS * rate
        self._known = 0
        self.position = 0
        self.mutes = MuteTrack() if mutes is None else mutes

    @property
    def muted(self) -> bool:
        """Whether audio placed from now on is silence."""
        return self.mutes.muted

    @muted.setter
    def muted(self, muted: bool) -> None:
        self.mutes.change(self.position, muted)

    def begin(self, position: int, known: int) -> None:
        """Begins later than at sample 0.

        Args:
            position: where the first chunk is due.
            known: audio before this was heard in another call; that it comes again or does not is worth no word.
        """
        self.position = position
        self._known = max(position, known)

    def place(self, samples: NDArray[np.float32], start: int | None = None) -> Placed:
        """Places the next chunk.

        Args:
            samples: ``[n]`` mono audio, any ``n``.
            start: its first sample on the stream's clock; ``None`` for right after the last chunk.

        Raises:
            GapTooLongError: the chunk starts more than ten seconds too late; nothing was placed.
        """
        due = self.position
        start = due if start is None else start
        expected = max(due, self._known)
        if start - expected > self._max_gap:
            raise GapTooLongError(expected, start, self._max_gap)
        repeated = min(max(due - start, 0), len(samples))
        missing = max(start - due, 0)
        fresh = self.mutes.applied(samples[repeated:], start + repeated)
        if missing:
            fresh = np.concatenate([np.zeros(missing, np.float32), fresh])
        self.position = due + len(fresh)
        return Placed(
            samples=fresh,
            gap=Span(expected, start - expected) if start > expected else None,
            overlap=Span(start, repeated) if start + repeated > self._known and repeated else None,
        )
