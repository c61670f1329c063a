from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from livetalker.core.crossfade import CrossFade
from tests.core.splits import ranges, splits


def vector(value: float) -> NDArray[np.float32]:
    return np.array([value], np.float32)


def test_a_change_is_spread_over_the_fade() -> None:
    fade = CrossFade(vector(0.0), 4)
    fade.change(2, vector(1.0))
    assert fade.at(0, 8)[:, 0].tolist() == [0, 0, 0.25, 0.5, 0.75, 1, 1, 1]


def test_a_change_on_the_way_starts_from_where_it_stands() -> None:
    fade = CrossFade(vector(0.0), 4)
    fade.change(0, vector(1.0))
    fade.change(2, vector(-0.5))
    assert fade.at(0, 7)[:, 0].tolist() == [0.25, 0.5, 0.25, 0.0, -0.25, -0.5, -0.5]


def test_the_later_of_two_changes_at_one_frame_counts() -> None:
    fade = CrossFade(vector(0.0), 2)
    fade.change(1, vector(9.0))
    fade.change(1, vector(1.0))
    assert fade.at(0, 4)[:, 0].tolist() == [0, 0.5, 1, 1]


def test_a_late_change_begins_with_the_next_frame() -> None:
    fade = CrossFade(vector(0.0), 2)
    fade.at(0, 3)
    fade.change(0, vector(1.0))
    assert fade.at(3, 3)[:, 0].tolist() == [0.5, 1, 1]


def test_vectors_of_any_shape_fade() -> None:
    fade = CrossFade(np.zeros((2, 3), np.float32), 2)
    fade.change(0, np.ones((2, 3), np.float32))
    assert fade.at(0, 3).shape == (3, 2, 3)


def test_a_fade_is_as_fine_after_a_fortnight_as_at_the_start() -> None:
    first = 2**25
    fade = CrossFade(vector(0.0), 4)
    fade.change(first, vector(1.0))
    assert fade.at(first, 4)[:, 0].tolist() == [0.25, 0.5, 0.75, 1]


@settings(deadline=None)
@given(sizes=splits(40), changes=st.lists(st.tuples(st.integers(0, 39), st.floats(-1, 1, width=32)), max_size=6))
def test_frames_may_be_asked_for_in_any_pieces(sizes: list[int], changes: list[tuple[int, float]]) -> None:
    def fade() -> CrossFade:
        made = CrossFade(vector(0.5), 5)
        for frame, target in sorted(changes):
            made.change(frame, vector(target))
        return made

    pieces = fade()
    got = np.concatenate([pieces.at(piece.start, piece.stop - piece.start) for piece in ranges(sizes)])
    np.testing.assert_array_equal(got, fade().at(0, 40))


def test_a_vector_is_settled_once_its_last_fade_is_over() -> None:
    fade = CrossFade(np.zeros(2, np.float32), 4)
    target = np.ones(2, np.float32)
    assert fade.settled(2, 1) is None, "the first value counts as a fade too"
    fade.change(10, target)
    assert fade.settled(3, 7) is None, "a change lies ahead"
    assert fade.settled(12, 1) is None, "under way"
    assert fade.settled(13, 5) is target
    np.testing.assert_array_equal(fade.at(18, 2), np.ones((2, 2)))
