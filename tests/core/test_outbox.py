from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from livetalker.core.config import Delivery
from livetalker.core.outbox import Outbox
from livetalker.core.outputs import Finished, Frames, IdentityMatched, Output, Skipped, SkipReason

MATCH = IdentityMatched(3, "ann", 0.9)


def frames(first: int, count: int) -> Frames:
    values = np.repeat(np.arange(first, first + count, dtype=np.float32)[:, None], 52, axis=1)
    return Frames(first, values)


def drain(box: Outbox) -> list[Output]:
    taken = []
    while (output := box.take()) is not None:
        taken.append(output)
    return taken


def shown(outputs: list[Output]) -> list[object]:
    """Outputs in a form that compares: frames as ranges."""
    return [range(o.first, o.first + len(o)) if isinstance(o, Frames) else o for o in outputs]


def test_outputs_come_out_in_order() -> None:
    box = Outbox(Delivery.LOSSLESS, 10, 0)
    for output in (frames(0, 2), MATCH, frames(2, 1), Finished(3)):
        box.put(output)
    assert (len(box), box.frames) == (4, 3)
    assert shown(drain(box)) == [range(0, 2), MATCH, range(2, 3), Finished(3)]
    assert (len(box), box.frames) == (0, 0)


def test_empty_frames_are_nothing() -> None:
    box = Outbox(Delivery.LIVE, 10, 0)
    box.put(frames(0, 0))
    assert box.take() is None


def test_lossless_says_full_and_drops_nothing() -> None:
    box = Outbox(Delivery.LOSSLESS, 3, 0)
    box.put(frames(0, 2))
    assert not box.full
    box.put(frames(2, 4))
    assert box.full
    box.take()
    box.take()
    assert not box.full


def test_live_drops_the_oldest_and_says_so() -> None:
    box = Outbox(Delivery.LIVE, 3, 0)
    box.put(frames(0, 2))
    box.put(frames(2, 3))
    assert not box.full
    assert shown(drain(box)) == [Skipped(0, 2, SkipReason.SLOW_READER), range(2, 5)]


def test_live_cuts_into_a_batch_and_merges_what_it_dropped() -> None:
    box = Outbox(Delivery.LIVE, 3, 0)
    for first in range(0, 10, 2):
        box.put(frames(first, 2))
    left = drain(box)
    assert shown(left) == [Skipped(0, 7, SkipReason.SLOW_READER), range(7, 8), range(8, 10)]
    assert isinstance(left[1], Frames)
    assert left[1].values[0, 0] == 7


def test_live_keeps_events_and_other_skips() -> None:
    flushed = Skipped(2, 5, SkipReason.FLUSH)
    box = Outbox(Delivery.LIVE, 2, 0)
    for output in (MATCH, frames(0, 2), flushed, frames(7, 2), frames(9, 2)):
        box.put(output)
    slow = SkipReason.SLOW_READER
    assert shown(drain(box)) == [MATCH, Skipped(0, 2, slow), flushed, Skipped(7, 2, slow), range(9, 11)]


def put_at(*puts: tuple[float, Output]) -> Outbox:
    """A live box for three frames, each of which may stay for a second, after outputs that came at their instants."""
    instants = iter([at for at, _ in puts])
    box = Outbox(Delivery.LIVE, 3, 1.0, lambda: next(instants))
    for _, output in puts:
        box.put(output)
    return box


def test_live_keeps_a_burst_until_its_reader_had_the_time_to_take_it() -> None:
    burst = (10.0, frames(0, 8)), (10.5, frames(8, 2))
    box = put_at(*burst)
    assert (box.frames, len(box)) == (10, 2)
    box = put_at(*burst, (11.0, MATCH))
    assert box.frames == 3
    assert shown(drain(box)) == [Skipped(0, 7, SkipReason.SLOW_READER), range(7, 8), range(8, 10), MATCH]


def test_live_drops_only_what_waited() -> None:
    box = put_at((10.0, frames(0, 2)), (11.0, frames(2, 8)))
    assert shown(drain(box)) == [Skipped(0, 2, SkipReason.SLOW_READER), range(2, 10)]


@settings(deadline=None)
@given(
    counts=st.lists(st.integers(0, 7), max_size=30),
    reads=st.lists(st.booleans(), min_size=30, max_size=30),
    capacity=st.integers(1, 8),
)
def test_live_accounts_for_every_frame_in_order(counts: list[int], reads: list[bool], capacity: int) -> None:
    box = Outbox(Delivery.LIVE, capacity, 0)
    first, taken = 0, []
    for count, read in zip(counts, reads, strict=False):
        box.put(frames(first, count))
        first += count
        assert box.frames <= capacity
        if read and (output := box.take()) is not None:
            taken.append(output)
    due = 0
    for output in [*taken, *drain(box)]:
        assert isinstance(output, Frames | Skipped)
        assert output.first == due
        due += output.count if isinstance(output, Skipped) else len(output)
    assert due == first
