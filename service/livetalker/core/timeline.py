"""Placing a client's chunks on the stream's clock: holes become silence, repeats are dropped, muted audio is silent.

The clock counts samples per channel at the client's rate. A flush drops audio further down and does not move it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

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
        muted: whether audio placed from now on is silence.

    Args:
        rate: hertz of the audio.
    """

    def __init__(self, rate: int) -> None:
        self._max_gap = MAX_GAP_SECONDS * rate
        self.position = 0
        self.muted = False

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
        if start - due > self._max_gap:
            raise GapTooLongError(due, start, self._max_gap)
        repeated = min(max(due - start, 0), len(samples))
        missing = max(start - due, 0)
        fresh = samples[repeated:]
        if self.muted:
            fresh = np.zeros_like(fresh)
        if missing:
            fresh = np.concatenate([np.zeros(missing, np.float32), fresh])
        self.position = due + len(fresh)
        return Placed(
            samples=fresh,
            gap=Span(due, missing) if missing else None,
            overlap=Span(start, repeated) if repeated else None,
        )
