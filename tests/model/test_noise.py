"""Noise is a function of (seed, frame) and looks like noise."""

from __future__ import annotations

import numpy as np
import pytest

from diffusiontalker.arkit import INDEX
from diffusiontalker.noise import face_noise, frame_noise, philox4x32, smooth_noise

ONES = 0xFFFFFFFF


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [  # the known answers of the Random123 distribution for philox4x32-10
        ([0, 0, 0, 0], [0, 0], [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([ONES] * 4, [ONES] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    ],
)
def test_philox_known_answers(counter: list[int], key: list[int], words: list[int]) -> None:
    assert philox4x32(np.array(counter, np.uint64), np.array(key, np.uint64)).tolist() == words


def test_a_frame_is_the_same_in_any_batch() -> None:
    seeds = np.array([[3], [2**63 + 5]], np.uint64)
    frames = np.arange(50, dtype=np.uint64)[None]
    together = frame_noise(seeds, frames, 52)
    alone = frame_noise(np.array([2**63 + 5], np.uint64), np.array([31], np.uint64), 52)
    np.testing.assert_array_equal(together[1, 31], alone[0])
    assert not np.array_equal(together[0], together[1])


def test_it_is_standard_normal_and_uncorrelated() -> None:
    noise = frame_noise(np.array([9], np.uint64), np.arange(20_000, dtype=np.uint64), 52)
    assert abs(noise.mean()) < 0.005
    assert abs(noise.std() - 1) < 0.005
    correlation = np.corrcoef(noise, rowvar=False)
    assert np.abs(correlation - np.eye(52)).max() < 0.04
    assert abs(np.corrcoef(noise[:-1, 0], noise[1:, 0])[0, 1]) < 0.03


def test_smooth_noise_is_standard_normal_and_slow() -> None:
    noise = smooth_noise(np.arange(200, dtype=np.uint64), np.arange(400, dtype=np.uint64)[None].repeat(200, 0), 3, 8)
    assert noise.shape == (200, 400, 3)
    # At every place between two knots alike.
    assert np.abs(noise.reshape(200, 50, 8, 3).std((0, 1, 3)) - 1).max() < 0.03
    assert abs(noise.mean()) < 0.02

    def correlation(frames: int) -> float:
        return float((noise[:, :-frames] * noise[:, frames:]).mean())

    assert correlation(1) > 0.98 and 0.4 < correlation(8) < 0.6 and abs(correlation(32)) < 0.02
    assert np.abs(np.diff(noise, n=2, axis=1)).max() < 0.4


def test_eyes_and_brows_are_slow_and_the_mouth_is_not() -> None:
    seeds, frames = np.array([3, 2**63 + 5], np.uint64), np.arange(2**33, 2**33 + 300, dtype=np.uint64)
    noise = face_noise(seeds, np.stack([frames, frames + 7]), 8)
    steps = np.abs(np.diff(noise, axis=1)).mean((0, 1))
    assert steps[INDEX["browInnerUp"]] < 0.2 and steps[INDEX["eyeLookUpLeft"]] < 0.2 < 1 < steps[INDEX["jawOpen"]]
    white = face_noise(seeds, np.stack([frames, frames + 7]), 1)
    np.testing.assert_array_equal(white, frame_noise(seeds[:, None], np.stack([frames, frames + 7]), 52))
    np.testing.assert_array_equal(noise[..., INDEX["jawOpen"]], white[..., INDEX["jawOpen"]])
    for start in (0, 5, 123):
        alone = face_noise(seeds[1:], frames[None, start : start + 3] + 7, 8)
        np.testing.assert_array_equal(alone[0], noise[1, start : start + 3])
