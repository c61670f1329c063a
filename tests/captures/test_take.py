"""Curves come to 30 frames a second without losing their place, and bad ones are named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from diffusiontalker.arkit import BLENDSHAPES, INDEX
from diffusiontalker.captures.take import CaptureError, Take, at_model_rate, in_order, resampled
from tests.captures.writers import curves, tone


@settings(max_examples=40, deadline=None)
@given(frames=st.integers(1, 400), rounding=st.sampled_from([3, 4, 6, 12]), start=st.floats(0, 100))
def test_of_sixty_frames_a_second_every_second_one_is_taken(frames: int, rounding: int, start: float) -> None:
    values = np.random.default_rng(frames).random((frames, 3))
    times = np.round(start + np.arange(frames) / 60, rounding)
    taken, tracked = at_model_rate(values, times)
    np.testing.assert_array_equal(taken, values[::2].astype(np.float32))
    assert tracked.all() and len(tracked) == len(taken)


def test_thirty_frames_a_second_stay_as_they_are() -> None:
    values = curves(90, 4)
    taken, _ = at_model_rate(values, np.arange(90) / 30)
    np.testing.assert_array_equal(taken, values.astype(np.float32))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.004, 0.2), min_size=2, max_size=80), st.floats(-50, 50))
def test_straight_curves_stay_straight_whatever_the_time_stamps(steps: list[float], start: float) -> None:
    times = start + np.cumsum(steps)
    taken, tracked = at_model_rate(np.stack([times - times[0], 1 - (times - times[0])], 1), times)
    instants = np.arange(len(taken)) / 30
    np.testing.assert_allclose(taken[:, 0], instants, atol=0.0011)
    np.testing.assert_allclose(taken[:, 1], 1 - instants, atol=0.0011)
    assert instants[-1] <= times[-1] - times[0] + 0.0011 < instants[-1] + 1 / 30 + 0.0022
    assert tracked.all()


def test_a_long_hole_is_not_tracked() -> None:
    times = np.concatenate([np.arange(60), np.arange(120, 180)]) / 60
    _, tracked = at_model_rate(np.zeros((120, 1)), times)
    (lost,) = np.nonzero(~tracked)
    assert lost.tolist() == list(range(30, 60))  # frame 60 stands on a captured one


def test_times_must_rise() -> None:
    for times in (np.array([0.0, 0.0]), np.array([1.0, 0.5]), np.array([0.0])):
        with pytest.raises(ValueError, match="rising times"):
            at_model_rate(np.zeros((2, 1)), times)


def test_names_are_brought_into_the_contracts_order() -> None:
    frames = in_order(["jawOpen", "browInnerUp"], np.array([[0.25, 1.004], [-0.01, 0.5]]), Path("x"))
    assert frames.shape == (2, 52) and frames.dtype == np.float32
    assert frames[:, INDEX["jawOpen"]].tolist() == [0.25, 0.0]
    assert frames[:, INDEX["browInnerUp"]].tolist() == [1.0, 0.5]
    assert np.count_nonzero(frames) == 3


@pytest.mark.parametrize(
    ("names", "value", "message"),
    [
        (["jawWide"], 0.0, "face.json: 'jawWide' is not an ARKit coefficient"),
        (["jawOpen", "jawOpen"], 0.0, "twice"),
        (["jawOpen"], 37.5, "face.json, frame 1: jawOpen is 37.5; coefficients lie in 0..1"),
        (["jawOpen"], float("nan"), "frame 1: jawOpen is nan"),
        (["jawOpen"], float("-inf"), "frame 1: jawOpen is -inf"),
    ],
)
def test_what_is_no_coefficient_is_named(names: list[str], value: float, message: str) -> None:
    values = np.zeros((2, len(names)))
    values[1, 0] = value
    with pytest.raises(CaptureError, match=message):
        in_order(names, values, Path("face.json"))


def test_a_resampled_click_stays_where_it_was() -> None:
    clicks = np.zeros(22000, np.float32)
    clicks[11000] = 1.0
    heard = resampled(clicks, 22000)
    assert abs(len(heard) - 16000) <= 1
    assert abs(int(np.abs(heard).argmax()) - 8000) <= 1


def test_a_takes_sound_is_mono_at_16_khz(tmp_path: Path) -> None:
    path = tmp_path / "take.wav"
    soundfile.write(path, np.stack([tone(1, 48000), np.zeros(48000, np.float32)], 1), 48000)
    samples = Take("t", "s", path, np.zeros((30, 52), np.float32)).samples()
    assert samples.dtype == np.float32 and abs(len(samples) - 16000) <= 1
    np.testing.assert_allclose(samples[2000:14000], tone(1)[2000:14000] / 2, atol=2e-3)


def test_sound_that_is_missing_or_no_sound_is_named(tmp_path: Path) -> None:
    frames = np.zeros((30, 52), np.float32)
    with pytest.raises(CaptureError, match=r"gone.wav: there is no such file") as gone:
        Take("t", "s", tmp_path / "gone.wav", frames).samples()
    (tmp_path / "bad.wav").write_bytes(b"not sound")
    with pytest.raises(CaptureError, match=r"bad.wav: is not sound that can be read") as bad:
        Take("t", "s", tmp_path / "bad.wav", frames).samples()
    assert gone.value.reason == bad.value.reason == "no sound"


def test_a_take_knows_its_length() -> None:
    take = Take("t", "s", tone(2), np.zeros((60, 52), np.float32))
    assert take.seconds == 2.0 and len(take.samples()) == 32000
    assert take.captured == BLENDSHAPES
