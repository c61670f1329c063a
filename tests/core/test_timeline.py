from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from livetalker.core.timeline import AudioTimeline, GapTooLongError, Span
from tests.core.splits import ranges, splits

RATE = 8_000


def ramp(start: int, count: int) -> NDArray[np.float32]:
    """Audio in which every sample says where it belongs."""
    return np.arange(start + 1, start + count + 1, dtype=np.float32)


def test_chunks_without_a_start_follow_one_another() -> None:
    timeline = AudioTimeline(RATE)
    placed = [timeline.place(ramp(0, 3)), timeline.place(ramp(3, 4))]
    assert np.array_equal(np.concatenate([p.samples for p in placed]), ramp(0, 7))
    assert all(p.gap is None and p.overlap is None for p in placed)
    assert timeline.position == 7


def test_a_gap_is_filled_with_silence_and_reported() -> None:
    timeline = AudioTimeline(RATE)
    timeline.place(ramp(0, 2))
    placed = timeline.place(ramp(5, 2), start=5)
    assert placed.samples.tolist() == [0, 0, 0, 6, 7]
    assert placed.gap == Span(2, 3)
    assert timeline.position == 7


def test_ten_seconds_are_filled_and_a_sample_more_is_not() -> None:
    timeline = AudioTimeline(RATE)
    timeline.place(ramp(0, 5))
    with pytest.raises(GapTooLongError, match="80006 but 5 was due") as error:
        timeline.place(ramp(0, 1), start=5 + 10 * RATE + 1)
    assert (error.value.expected, error.value.got, error.value.limit) == (5, 80_006, 80_000)
    assert timeline.position == 5
    assert timeline.place(ramp(0, 1), start=5 + 10 * RATE).gap == Span(5, 10 * RATE)


def test_an_overlap_is_dropped_and_reported() -> None:
    timeline = AudioTimeline(RATE)
    timeline.place(ramp(0, 5))
    placed = timeline.place(ramp(3, 4), start=3)
    assert np.array_equal(placed.samples, ramp(5, 2))
    assert placed.overlap == Span(3, 2)


def test_a_chunk_that_is_all_old_adds_nothing() -> None:
    timeline = AudioTimeline(RATE)
    timeline.place(ramp(0, 5))
    placed = timeline.place(ramp(1, 2), start=1)
    assert len(placed.samples) == 0
    assert placed.overlap == Span(1, 2)
    assert timeline.position == 5


def test_an_empty_chunk_can_still_open_a_gap() -> None:
    timeline = AudioTimeline(RATE)
    placed = timeline.place(ramp(0, 0), start=4)
    assert placed.samples.tolist() == [0, 0, 0, 0]
    assert placed.gap == Span(0, 4)


def test_muted_audio_is_silent_but_counts() -> None:
    timeline = AudioTimeline(RATE)
    timeline.muted = True
    assert timeline.place(ramp(0, 3)).samples.tolist() == [0, 0, 0]
    timeline.muted = False
    assert np.array_equal(timeline.place(ramp(3, 2), start=3).samples, ramp(3, 2))


@settings(deadline=None)
@given(sizes=splits(200), repeats=st.lists(st.integers(0, 40), min_size=13, max_size=13))
def test_any_split_with_any_repeats_gives_the_signal(sizes: list[int], repeats: list[int]) -> None:
    timeline = AudioTimeline(RATE)
    signal = ramp(0, 200)
    pieces = []
    for piece, repeat in zip(ranges(sizes), repeats, strict=False):
        start = max(0, piece.start - repeat)
        pieces.append(timeline.place(signal[start : piece.stop], start=start).samples)
    assert np.array_equal(np.concatenate(pieces), signal)
