from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from diffusiontalker.arkit import COUNT
from diffusiontalker.geometry import frame_count
from livetalker.core.frame_rate import FrameRateConverter
from tests.core.splits import ranges, splits


def faces(*values: float) -> NDArray[np.float32]:
    return np.repeat(np.array(values, np.float32)[:, None], COUNT, axis=1)


def test_30_passes_through() -> None:
    converter = FrameRateConverter(30)
    frames = converter.process(faces(1, 2, 3))
    assert (frames.first, frames.values[:, 0].tolist()) == (0, [1, 2, 3])
    assert len(converter.finish(3)) == 0


def test_60_adds_midpoints_and_holds_the_last() -> None:
    converter = FrameRateConverter(60)
    assert converter.process(faces(0, 2)).values[:, 0].tolist() == [0, 1, 2]
    frames = converter.process(faces(6))
    assert (frames.first, frames.values[:, 0].tolist()) == (3, [4, 6])
    last = converter.finish(6)
    assert (last.first, last.values[:, 0].tolist()) == (5, [6])


def test_60_without_a_last_midpoint() -> None:
    converter = FrameRateConverter(60)
    converter.process(faces(0, 2))
    assert len(converter.finish(3)) == 0


@pytest.mark.parametrize("total", [1, 2, 5])
def test_frames_that_do_not_add_up_are_an_error(total: int) -> None:
    converter = FrameRateConverter(60)
    converter.process(faces(0, 2))
    with pytest.raises(ValueError, match=f"{total} frames are due, but the next is 3"):
        converter.finish(total)


def test_other_frame_rates_are_refused() -> None:
    with pytest.raises(ValueError, match="use 30 or 60"):
        FrameRateConverter(24)


def test_no_midpoint_bridges_a_skip() -> None:
    converter = FrameRateConverter(60)
    converter.process(faces(0, 2))
    assert converter.skip_to(10) == 5
    frames = converter.process(faces(8, 4))
    assert (frames.first, frames.values[:, 0].tolist()) == (10, [8, 6, 4])


def test_a_skip_to_between_two_frames_uses_the_right_one() -> None:
    converter = FrameRateConverter(60)
    converter.process(faces(0, 2))
    assert converter.skip_to(9) == 5
    frames = converter.process(faces(8, 4))
    assert (frames.first, frames.values[:, 0].tolist()) == (9, [8, 8, 6, 4])


def test_frames_that_came_out_cannot_be_skipped() -> None:
    converter = FrameRateConverter(30)
    converter.process(faces(0, 2))
    with pytest.raises(ValueError, match="already come out"):
        converter.skip_to(1)


@settings(deadline=None)
@given(fps=st.sampled_from([30, 60]), sizes=splits(20))
def test_any_split_gives_the_same_frames(fps: int, sizes: list[int]) -> None:
    sequence = faces(*np.random.default_rng(2).uniform(size=20).tolist())
    whole = FrameRateConverter(fps).process(sequence)
    converter = FrameRateConverter(fps)
    pieces = [converter.process(sequence[piece]) for piece in ranges(sizes)]
    np.testing.assert_array_equal(np.concatenate([piece.values for piece in pieces]), whole.values)
    firsts = np.cumsum([0, *(len(piece) for piece in pieces)])[:-1]
    assert [piece.first for piece in pieces] == firsts.tolist()


@settings(deadline=None)
@given(
    fps=st.sampled_from([30, 60]),
    rate=st.sampled_from([8_000, 11_025, 16_000, 44_100, 48_000]),
    flushed=st.integers(0, 10_000),
    more=st.integers(0, 10_000),
)
def test_every_length_and_flush_gives_exactly_the_frames_it_should(
    fps: int, rate: int, flushed: int, more: int
) -> None:
    """A flush after ``flushed`` samples, of which nothing was animated, and ``more`` samples after it."""
    converter = FrameRateConverter(fps)
    resume = frame_count(flushed, fps, rate)
    first = converter.skip_to(resume)
    total = frame_count(flushed + more, fps, rate)
    model_frames = frame_count(flushed + more, 30, rate) - first
    made = [converter.process(faces(*[0.5] * model_frames)), converter.finish(total)]
    assert [frames.first for frames in made] == [resume, resume + len(made[0])]
    assert resume + sum(len(frames) for frames in made) == total
