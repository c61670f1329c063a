"""Noise is a function of (seed, frame) and looks like noise."""

from __future__ import annotations

import numpy as np
import pytest

from diffusiontalker.noise import frame_noise, philox4x32

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
