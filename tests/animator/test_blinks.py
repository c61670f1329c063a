"""Blinks: how many, how shaped, and the same for every split of the stream."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffusiontalker.animator import NEUTRAL, animate, blink_curve, style_for
from diffusiontalker.arkit import BLINKS

MINUTE = 60 * 30

seeds = st.integers(-(2**63), 2**64)


@given(
    seed=seeds,
    first=st.integers(0, 10**9),
    fps=st.sampled_from([30, 60]),
    per_minute=st.floats(1.0, 60.0),
    parts=st.lists(st.integers(0, 40), min_size=1, max_size=12),
)
def test_any_split_of_a_stream_sees_the_same_blinks(
    seed: int, first: int, fps: int, per_minute: float, parts: list[int]
) -> None:
    whole = blink_curve(seed, first, sum(parts), fps, per_minute)
    ends = first + np.cumsum(parts)
    pieces = [blink_curve(seed, int(end) - part, part, fps, per_minute) for end, part in zip(ends, parts, strict=True)]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)


@given(seed=seeds, minute=st.integers(0, 10_000), per_minute=st.floats(11.5, 23.5))
def test_every_minute_has_as_many_blinks_as_asked_for(seed: int, minute: int, per_minute: float) -> None:
    curve = blink_curve(seed, minute * MINUTE, 3 * MINUTE, 30, per_minute)
    blinks = np.count_nonzero((curve[1:] >= 0.5) & (curve[:-1] < 0.5))
    assert abs(blinks - 3 * per_minute) <= 3


@given(seed=seeds)
def test_a_blink_closes_fast_and_opens_slowly_and_ends(seed: int) -> None:
    fps = 1000
    curve = blink_curve(seed, 0, 20 * fps, fps, per_minute=3.0)
    assert curve.min() == 0.0 and 0.85 < curve.max() <= 1.0
    (start,), (peak,) = np.flatnonzero((curve[1:] > 0) & (curve[:-1] == 0)), [int(curve.argmax())]
    (end,) = np.flatnonzero((curve[1:] == 0) & (curve[:-1] > 0))
    assert 60 <= peak - start <= 140 and 150 <= end - peak <= 300


@given(seed=seeds, first=st.integers(0, 10**6), fps=st.sampled_from([30, 60]))
def test_the_lids_meet_in_at_least_one_frame_of_every_blink(seed: int, first: int, fps: int) -> None:
    curve = blink_curve(seed, first, 60 * fps, fps)
    starts = np.flatnonzero((curve[1:] > 0) & (curve[:-1] == 0))[:-1]
    assert all(curve[start : start + fps // 2].max() > 0.8 for start in starts)


def test_blinks_come_at_uneven_times_and_differ_between_seeds() -> None:
    one, other = (blink_curve(seed, 0, 5 * MINUTE, 30) for seed in (0, 1))
    assert not np.array_equal(one, other)
    pauses = np.diff(np.flatnonzero((one[1:] >= 0.5) & (one[:-1] < 0.5))) / 30
    assert pauses.std() > 0.25 * pauses.mean()


def test_none_at_all() -> None:
    assert not blink_curve(0, 0, MINUTE, 30, per_minute=0.0).any()
    assert blink_curve(0, 0, 0, 30).shape == (0,)
    with pytest.raises(ValueError, match="blinks a minute"):
        blink_curve(0, 0, 1, 30, per_minute=-1.0)


def test_a_face_blinks_as_its_style_says_and_not_when_told() -> None:
    style = style_for("somebody")
    face = animate([], MINUTE, seed=5, style=style)
    for side in BLINKS:
        np.testing.assert_array_equal(face[:, side], blink_curve(5, 0, MINUTE, 30, style.blinks))
    assert not animate([], MINUTE, style=NEUTRAL, blinks=False)[:, BLINKS].any()
