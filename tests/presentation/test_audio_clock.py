"""The audio clock follows a sound device for hours, and neither steps nor believes a single late callback."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetalker.client.presentation import AudioClock


@pytest.mark.parametrize("ppm", [-200, 0, 200])
@pytest.mark.parametrize("late_s", [0.0, 0.015])
def test_drift_does_not_add_up_over_an_hour(ppm: int, late_s: float) -> None:
    clock, draw, block = AudioClock(), random.Random(ppm), 0.02
    worst = 0.0
    for number in range(3600 * 50):
        at = number * block
        clock.observe(at + late_s * draw.random(), at * (1 + ppm * 1e-6))
        if number > 500:
            # A callback is late by half of its jitter on average, which no clock can know.
            truth = (at + block) * (1 + ppm * 1e-6) - late_s / 2
            worst = max(worst, abs(clock.position(at + block) - truth))
    assert worst < 0.003 if late_s else worst < 0.0005


@given(
    jitters=st.lists(st.floats(0.0, 0.08), min_size=2, max_size=60),
    every=st.floats(0.005, 0.2),
    ppm=st.floats(-200.0, 200.0),
)
def test_it_never_steps(jitters: list[float], every: float, ppm: float) -> None:
    """Whatever the callbacks' jitter below the threshold of a jump, time passes at 0.95 to 1.05 of its pace."""
    clock, last = AudioClock(), math.nan
    local = 10.0
    for number, jitter in enumerate(jitters):
        clock_time = max(local, 10.0 + number * every + jitter)
        for step in range(1, 4):
            now = local + (clock_time - local) * step / 3
            position = clock.position(now)
            if not math.isnan(last):
                passed = (clock_time - local) / 3
                assert 0.9499 * passed - 1e-9 <= position - last <= 1.0501 * passed + 1e-9
            last = position
        local = clock_time
        jumped = clock.observe(local, number * every * (1 + ppm * 1e-6))
        assert jumped == (number == 0)
        after = clock.position(local)
        assert math.isnan(last) or after == pytest.approx(last, abs=1e-9)
        last = after


def test_one_late_callback_is_doubted_and_a_lasting_jump_is_followed() -> None:
    clock = AudioClock()
    for number in range(10):
        clock.observe(number * 0.02, number * 0.02)
    assert not clock.observe(0.6, 0.2)
    assert clock.position(0.6) == pytest.approx(0.6)
    assert not clock.observe(0.601, 0.601), "and what came of the doubt is forgotten"
    assert not clock.observe(0.72, 5.72)
    assert not clock.observe(0.81, 5.81)
    assert clock.observe(0.83, 5.83)
    assert clock.position(0.9) == pytest.approx(5.9)


def test_an_error_is_made_good_once_however_long_nothing_follows() -> None:
    clock = AudioClock()
    clock.observe(0.0, 0.0)
    clock.observe(1.0, 1.1)
    assert clock.position(1.0) == pytest.approx(1.0)
    assert clock.position(2.0) == pytest.approx(2.05)
    assert clock.position(3.0) == pytest.approx(3.1)
    assert clock.position(60.0) == pytest.approx(60.1)


def test_it_stands_still_until_the_first_observation_and_after_a_reset() -> None:
    clock = AudioClock()
    assert math.isnan(clock.position(1.0)) and not clock.running
    assert clock.observe(1.0, 7.0)
    assert clock.running and clock.position(1.5) == 7.5
    clock.reset()
    assert math.isnan(clock.position(1.6))


def test_what_cannot_be_is_ignored() -> None:
    clock = AudioClock()
    assert not clock.observe(math.nan, 1.0)
    assert not clock.observe(1.0, math.inf)
    assert not clock.running
    clock.observe(2.0, 0.0)
    assert not clock.observe(1.0, 5.0)
    assert clock.position(3.0) == 1.0
