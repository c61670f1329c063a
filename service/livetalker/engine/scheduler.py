"""When the next tick begins and whom it takes: pure decisions over times and counts, so that tests can run the clock.

Audio comes in small chunks at any moment. A tick that starts at the first of them would advance one stream; one that
waits a little advances most. Under load there is nothing to wait for: while a tick runs, the audio of the next one
gathers by itself. Live streams, whose backlog is short, go first and in batches, those that are furthest behind before
the others. Streams with a long backlog (speech that comes faster than real time) share what is left.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

PATIENCE: Final = 0.00025
"""Seconds per open stream that a tick waits, from the first unheard audio on, for more to come: few are answered at
once, many together. A server gathers audio before it is told here, too."""
MOST_PATIENCE: Final = 0.01
"""Seconds it waits at most: beyond that a larger batch saves less time than everybody in it loses."""
MAX_BATCH: Final = 128
"""Live streams that go together: more of them cost the same each, but hold up the frames of all."""
ALL_AT_ONCE: Final = 4
"""Streams up to which a tick begins as soon as all of them have been heard from."""
BACKLOG: Final = 12
"""Features (240 ms) up to which a stream counts as live; more than that comes only faster than real time, or late."""
SHARE: Final = 60
"""Features of backlogs that a tick works off while live streams are open: as much work as a batch of those."""
ALONE: Final = 600
"""The same while none is."""
LONGEST: Final = 100
"""Features (2 s) in a call of a stream without company: attention in a call grows with their square, and while the
frames of one call are made the next one is heard."""


@dataclass(frozen=True, slots=True)
class Ready(Generic[Key]):
    """A stream that can be advanced.

    Attributes:
        key: who.
        features: whose samples are all there.
        needed: of those, the ones that complete its next frame.
    """

    key: Key
    features: int
    needed: int = 1


@dataclass(frozen=True, slots=True)
class Batch(Generic[Key]):
    """Streams to be advanced together.

    Attributes:
        hop: features each of them is advanced by.
        keys: who.
    """

    hop: int
    keys: tuple[Key, ...]


class Scheduler(Generic[Key]):
    """Decides for one engine.

    Args:
        hops: features a stream may be advanced by at a time, descending.
        frame_by_frame: whether it is advanced by no more than its next frame needs.
    """

    def __init__(self, hops: Sequence[int], *, frame_by_frame: bool = False) -> None:
        self._hops = tuple(hops)
        self._frame_by_frame = frame_by_frame
        self._since: float | None = None
        self._served: dict[Key, int] = {}  # features that each stream with a backlog was advanced by

    def arrived(self, now: float) -> None:
        """Notes that there is audio a tick has not looked at."""
        if self._since is None:
            self._since = now

    def delay(self, now: float, streams: int, talking: int) -> float | None:
        """How long to wait before the next tick.

        Args:
            now: seconds of any monotonic clock.
            streams: that are open.
            talking: of those, the ones with audio no tick has looked at.

        Returns:
            Seconds; 0 to begin at once; None while there is nothing to do.
        """
        if self._since is None:
            return None
        if talking >= streams and streams <= ALL_AT_ONCE:
            return 0.0
        return max(0.0, self._since + min(PATIENCE * streams, MOST_PATIENCE) - now)

    def began(self) -> None:
        """Notes that a tick has looked at all audio that has arrived."""
        self._since = None

    def plan(self, ready: Iterable[Ready[Key]], others: int = 0) -> list[list[Batch[Key]]]:
        """Whom a tick advances, and by how much: groups of batches that go together, in the order to run them.

        Nobody is in two batches, but for a stream without company.

        Args:
            ready: every stream that can be advanced.
            others: live streams that have nothing ready now, but may have at any moment.
        """
        live: list[Ready[Key]] = []
        late: list[Ready[Key]] = []
        for stream in ready:
            (live if stream.features <= BACKLOG else late).append(stream)
        if len(late) == 1 and not (live or others) and not self._frame_by_frame and self._hops[-1] == 1:
            alone, features = late[0].key, min(late[0].features, ALONE)  # nobody whose hop should be the same
            return [[Batch(min(LONGEST, features - done), (alone,))] for done in range(0, features, LONGEST)]
        # A frame of every late stream is what live ones would take; only long hops have to be rationed.
        share = ALONE if self._frame_by_frame or not (live or others) else SHARE
        return [*self._live(live), *filter(None, [self._late(late, share)])]

    def _live(self, live: list[Ready[Key]]) -> Iterator[list[Batch[Key]]]:
        live = sorted(live, key=lambda stream: -stream.features)
        for start in range(0, len(live), MAX_BATCH):
            groups: dict[int, list[Key]] = {}
            for stream in live[start : start + MAX_BATCH]:
                groups.setdefault(self._hop(stream, stream.features), []).append(stream.key)
            yield [Batch(hop, tuple(keys)) for hop, keys in groups.items()]

    def _late(self, late: list[Ready[Key]], share: int) -> list[Batch[Key]]:
        # Start-time fair queueing (Goyal et al. 1996): who comes later starts level with the one served least.
        least = min((self._served[stream.key] for stream in late if stream.key in self._served), default=0)
        self._served = {stream.key: self._served.get(stream.key, least) for stream in late}
        groups: dict[int, list[Key]] = {}
        for stream in sorted(late, key=lambda stream: self._served[stream.key]):
            hop = self._hop(stream, min(stream.features, share))
            if groups and hop > share:
                break
            share -= hop
            self._served[stream.key] += hop
            groups.setdefault(hop, []).append(stream.key)
        return [Batch(hop, tuple(keys)) for hop, keys in groups.items()]

    def _hop(self, stream: Ready[Key], features: int) -> int:
        """The largest hop that so many features allow, or that its next frame needs; the smallest where none does."""
        if self._frame_by_frame:
            features = stream.needed
        return next((hop for hop in self._hops if hop <= features), self._hops[-1])
