from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from livetalker.core.speech_gate import CLOSING_FRAMES, SpeechGate, opening
from tests.core.splits import ranges, splits


def gate(*speech: float) -> NDArray[np.float32]:
    return opening(np.array(SpeechGate().follow(speech), np.float32))


def test_silence_keeps_it_shut() -> None:
    assert not gate(*[0.49] * 20).any()


def test_speech_opens_it_within_two_frames() -> None:
    levels = gate(0.0, 0.9, 0.9)
    assert levels[0] == 0.0
    assert levels[1] >= 0.5
    assert levels[2] == 1.0


def test_it_closes_smoothly_and_within_150_ms() -> None:
    closing = gate(1.0, 1.0, *[0.0] * CLOSING_FRAMES)[1:]
    assert closing[0] == 1.0
    assert closing[-1] == 0.0
    assert np.all(np.diff(closing) < 0)
    assert np.diff(closing).min() > -0.4
    assert CLOSING_FRAMES / 30 <= 0.15


def test_a_wavering_probability_does_not_make_it_flutter() -> None:
    assert np.all(gate(1.0, 1.0, *[0.35, 0.45] * 10)[1:] == 1.0)
    assert not gate(*[0.35, 0.45] * 10).any()


def test_reset_shuts_it() -> None:
    speaking = SpeechGate()
    speaking.follow([1.0] * 5)
    speaking.reset()
    assert speaking.follow([0.4]) == [0.0]


@settings(deadline=None)
@given(speech=st.lists(st.floats(0, 1, width=32), min_size=30, max_size=30), sizes=splits(30))
def test_any_split_gives_the_same_opening(speech: list[float], sizes: list[int]) -> None:
    whole = gate(*speech)
    split = SpeechGate()
    pieces = [split.follow(speech[piece]) for piece in ranges(sizes)]
    np.testing.assert_array_equal(opening(np.array(sum(pieces, []), np.float32)), whole)
