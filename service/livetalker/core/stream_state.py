"""What a stream would have to know to go on in another call, perhaps in another process: a few numbers, no audio.

Everything else that a stream carries (keys, values, the decoder's hidden states) comes back by itself from two seconds
of audio that are heard again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from livetalker.core.config import IdentityChoice, Shaping, StreamConfig


@dataclass(frozen=True, slots=True, eq=False)
class Fade:
    """The latest cross-fade of a vector.

    Attributes:
        start: its first frame at 30 fps.
        source: where it comes from.
        target: where it goes, and stays.
    """

    start: int
    source: NDArray[np.float32]
    target: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What was heard of a voice that is being matched.

    Attributes:
        heard: features before this one were counted.
        voiced: those of them with voice.
        listened: those of them whose voice ``cosines`` is about.
        cosines: ``[N]``, how alike it was to each identity of the library; empty where matching is over.
    """

    heard: int
    voiced: int
    listened: int
    cosines: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class IdentityState:
    """Whose style, and how far matching has come.

    Attributes:
        matching: whether the voice is still listened to; False once locked, pinned or blended.
        evidence: as of the latest check.
        identity: name matched; empty for none.
        confidence: of the latest check.
        challenger: name that may replace it; empty for none.
        held: checks in a row that have confirmed it.
        embedding: ``[E]`` and how it is reached.
        pending: choices that take effect at a feature not heard yet.
    """

    matching: bool
    evidence: Evidence
    identity: str
    confidence: float
    challenger: str
    held: int
    embedding: Fade
    pending: tuple[tuple[int, IdentityChoice], ...] = ()


@dataclass(frozen=True, slots=True)
class ShapingState:
    """The adjustments in force.

    Attributes:
        current: the latest ones.
        previous: those before.
        frame: first frame at 30 fps that the latest ones change.
    """

    current: Shaping
    previous: Shaping
    frame: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class StreamState:
    """A stream between two frames.

    Attributes:
        frame: next frame at 30 fps.
        levels: places on the 16 kHz clock, ascending, and the level in dBFS that the level follower held there.
        flushed: sample at the client's rate of the last flush: what came before was forgotten. 0 for none.
        identity: as of its own ``heard``.
        shaping: as of now.
    """

    frame: int
    levels: tuple[tuple[int, float], ...]
    flushed: int
    identity: IdentityState
    shaping: ShapingState


@dataclass(frozen=True, slots=True, eq=False)
class Resumption:
    """A stream that is to go on.

    Attributes:
        next_frame: first frame, at the stream's rate, that is still wanted.
        state: of the stream as it was last known; None where nothing but its configuration is.
    """

    next_frame: int
    state: StreamState | None = field(default=None)

    def instant(self, config: StreamConfig) -> int:
        """Sample at the client's rate where the next frame stands."""
        return self.next_frame * config.sample_rate // config.fps
