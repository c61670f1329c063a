from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from livetalker.core.resample import StreamResampler, hold_back
from tests.core.splits import ranges, splits

RATES = (8_000, 11_025, 16_000, 22_050, 44_100, 48_000)
LENGTH = 3_001


def noise(length: int) -> NDArray[np.float32]:
    return np.random.default_rng(1).uniform(-0.5, 0.5, length).astype(np.float32)


def whole(rate: int, samples: NDArray[np.float32]) -> NDArray[np.float32]:
    resampler = StreamResampler(rate)
    return np.concatenate([resampler.process(samples), resampler.finish()])


def chunked(rate: int, samples: NDArray[np.float32], sizes: list[int]) -> NDArray[np.float32]:
    resampler = StreamResampler(rate)
    return np.concatenate([*(resampler.process(samples[piece]) for piece in ranges(sizes)), resampler.finish()])


@settings(deadline=None)
@given(rate=st.sampled_from(RATES), sizes=splits(LENGTH))
def test_any_split_gives_the_same_output(rate: int, sizes: list[int]) -> None:
    samples = noise(LENGTH)
    np.testing.assert_allclose(chunked(rate, samples, sizes), whole(rate, samples), atol=1e-6)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("size", [1, 2, 3, 160, 441])
def test_equal_chunks_give_the_same_output(rate: int, size: int) -> None:
    samples = noise(LENGTH)
    sizes = [size] * (LENGTH // size) + [LENGTH % size]
    np.testing.assert_allclose(chunked(rate, samples, sizes), whole(rate, samples), atol=1e-6)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("length", [0, 1, 2, 50, 2_999])
def test_the_output_covers_the_input_exactly(rate: int, length: int) -> None:
    assert len(whole(rate, noise(length))) == -(-length * 16_000 // rate)


@pytest.mark.parametrize("rate", RATES)
def test_an_impulse_stays_where_it_is(rate: int) -> None:
    samples = np.zeros(rate, np.float32)
    samples[rate // 3] = 1.0
    assert abs(int(np.argmax(np.abs(whole(rate, samples)))) - (rate // 3) * 16_000 / rate) <= 1.0


@pytest.mark.parametrize("rate", RATES)
def test_hold_back_is_what_an_output_waits_for(rate: int) -> None:
    resampler = StreamResampler(rate)
    produced, waits = 0, []
    for received, sample in enumerate(noise(LENGTH)):
        fresh = len(resampler.process(np.array([sample])))
        if fresh:
            waits.append(received - produced * rate / 16_000)
        produced += fresh
    assert max(waits) <= hold_back(rate) < max(waits) + 1
    assert hold_back(rate) / rate < 0.003


def test_16_khz_passes_through() -> None:
    samples = noise(100)
    assert np.array_equal(whole(16_000, samples), samples)


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000])
def test_what_16_khz_cannot_hold_is_not_folded_back(rate: int) -> None:
    time = np.arange(rate) / rate
    for hertz in (8_400, 9_500, 10_700):
        tone = np.sin(2 * np.pi * hertz * time).astype(np.float32)
        alias = whole(rate, tone)[500:-500]
        assert np.sqrt(np.mean(alias**2)) < 10 ** (-90 / 20)


@pytest.mark.parametrize("rate", RATES)
def test_speech_band_keeps_its_level_and_phase(rate: int) -> None:
    hertz = 1_000
    tone = np.sin(2 * np.pi * hertz * np.arange(rate) / rate).astype(np.float32)
    expected = np.sin(2 * np.pi * hertz * np.arange(16_000) / 16_000)
    np.testing.assert_allclose(whole(rate, tone)[500:-500], expected[500:-500], atol=1e-3)
