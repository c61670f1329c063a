"""The scheduler in virtual time: when ticks begin, whom they take, and that nobody starves."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from livetalker.engine.scheduler import (
    ALONE,
    BACKLOG,
    LONGEST,
    MAX_BATCH,
    MOST_PATIENCE,
    PATIENCE,
    SHARE,
    Batch,
    Ready,
    Scheduler,
)

HOPS = (50, 10, 5, 2, 1)


def test_a_tick_waits_for_others_but_not_for_ever() -> None:
    scheduler: Scheduler[str] = Scheduler(HOPS)
    assert scheduler.delay(0.0, streams=9, talking=0) is None, "nothing to do"
    scheduler.arrived(1.0)
    scheduler.arrived(1.004)
    assert scheduler.delay(1.004, streams=30, talking=2) == 1.0 + 30 * PATIENCE - 1.004, "counted from the first"
    assert scheduler.delay(1.004, streams=500, talking=2) == 1.0 + MOST_PATIENCE - 1.004
    assert scheduler.delay(1.0 + MOST_PATIENCE, streams=500, talking=2) == 0.0
    assert scheduler.delay(1.0, streams=3, talking=2) == 1.0 + 3 * PATIENCE - 1.0
    assert scheduler.delay(1.0, streams=3, talking=3) == 0.0, "nobody is left to wait for"
    scheduler.began()
    assert scheduler.delay(1.02, streams=9, talking=0) is None


def test_one_stream_alone_never_waits() -> None:
    scheduler: Scheduler[str] = Scheduler(HOPS)
    scheduler.arrived(5.0)
    assert scheduler.delay(5.0, streams=1, talking=1) == 0.0


def test_live_streams_go_first_and_those_furthest_behind_before_the_others() -> None:
    scheduler: Scheduler[str] = Scheduler(HOPS)
    ready = [Ready("late", 400), Ready("b", 1), Ready("a", 3), Ready("c", 4)]
    assert scheduler.plan(ready) == [[Batch(2, ("c", "a")), Batch(1, ("b",))], [Batch(50, ("late",))]]


def test_frame_by_frame_everybody_advances_by_the_next_frame() -> None:
    scheduler: Scheduler[str] = Scheduler(HOPS, frame_by_frame=True)
    ready = [Ready("late", 400, 2), Ready("b", 1, 1), Ready("a", 3, 2)]
    assert scheduler.plan(ready) == [[Batch(2, ("a",)), Batch(1, ("b",))], [Batch(2, ("late",))]]


@given(features=st.lists(st.integers(1, 3000), min_size=1, max_size=200), others=st.integers(0, 5))
@settings(deadline=None)
def test_a_plan_is_sound(features: list[int], others: int) -> None:
    ready = [Ready(key, count) for key, count in enumerate(features)]
    rounds = Scheduler[int](HOPS).plan(ready, others)
    batches = [batch for together in rounds for batch in together]
    planned = [key for batch in batches for key in batch.keys]
    alone = len(features) == 1 and not others and features[0] > BACKLOG
    assert alone or len(planned) == len(set(planned)), "nobody twice, but who is alone"
    assert all(batch.hop <= features[key] for batch in batches for key in batch.keys)
    assert all(batch.hop in HOPS for batch in batches) or (alone and all(batch.hop <= LONGEST for batch in batches))
    live = {key for key, count in enumerate(features) if count <= BACKLOG}
    assert live <= set(planned), "every live stream has its turn in every tick"
    late = sum(batch.hop * len(batch.keys) for batch in batches if not live.issuperset(batch.keys))
    assert late <= (SHARE if live or others else ALONE)
    sizes = [sum(len(batch.keys) for batch in together) for together in rounds if live.issuperset(together[0].keys)]
    assert all(size <= MAX_BATCH for size in sizes)


def test_a_stream_alone_has_all_calls_of_a_tick_to_itself() -> None:
    plan = Scheduler[str](HOPS).plan([Ready("late", 2 * LONGEST + 30)])
    assert plan == [[Batch(LONGEST, ("late",))], [Batch(LONGEST, ("late",))], [Batch(30, ("late",))]]
    longest = Scheduler[str](HOPS).plan([Ready("late", 10 * ALONE)])
    assert sum(batch.hop for group in longest for batch in group) == ALONE


@given(backlogs=st.lists(st.integers(BACKLOG + 1, 2000), min_size=2, max_size=20))
@settings(deadline=None)
def test_backlogs_take_turns(backlogs: list[int]) -> None:
    scheduler: Scheduler[int] = Scheduler(HOPS)
    left = dict(enumerate(backlogs))
    done = dict.fromkeys(left, 0)
    for _ in range(10_000):
        late = {key: count for key, count in left.items() if count > BACKLOG}
        if not late:
            break
        (batches,) = scheduler.plan([Ready(key, count) for key, count in late.items()], others=1)
        for batch in batches:
            for key in batch.keys:
                left[key] -= batch.hop
                done[key] += batch.hop
        waiting = [done[key] for key, count in left.items() if count > BACKLOG]
        if waiting:
            assert max(waiting) - min(waiting) <= 2 * HOPS[0] + SHARE, "turns are fair while all have work"
    assert all(count <= BACKLOG for count in left.values())


def test_a_long_hop_of_a_public_encoder_still_has_its_turn() -> None:
    scheduler: Scheduler[str] = Scheduler((25,))
    assert scheduler.plan([Ready("a", 25), Ready("b", 50)]) == [[Batch(25, ("a", "b"))]]
    assert Scheduler[str]((200,)).plan([Ready("a", 200)], others=1) == [[Batch(200, ("a",))]], "even beyond the share"
