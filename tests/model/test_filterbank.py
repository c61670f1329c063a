"""The front end against scipy's and numpy's own spectra, and what it must keep apart."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from diffusiontalker.encoder.filterbank import FilterbankFrontEnd, LogMel, mel_filters, windowed_dft
from diffusiontalker.geometry import FEATURE_OVERLAP, FEATURE_STRIDE, FEATURE_WINDOW, SAMPLE_RATE


def test_the_dft_is_numpys_under_a_hann_window() -> None:
    samples = np.random.default_rng(0).standard_normal(400)
    window = np.hanning(401)[:-1]
    expected = np.fft.rfft(samples * window) / np.sqrt(np.square(window).sum())
    real, imaginary = np.split(samples @ windowed_dft(400).astype(np.float64), 2)
    np.testing.assert_allclose(real, expected.real, atol=1e-5)
    np.testing.assert_allclose(-imaginary, expected.imag, atol=1e-5)


@pytest.mark.parametrize(("size", "bands"), [(400, 64), (160, 24), (400, 12)])
def test_white_noise_fills_every_band_alike(size: int, bands: int) -> None:
    filters = mel_filters(size, bands)
    np.testing.assert_allclose(filters.sum(0), 1, rtol=1e-5)
    spread = LogMel(size, bands)(torch.randn(4000, size, generator=torch.Generator().manual_seed(0)))
    loud = (spread * 3.0 - 6.0).exp().mean(0)
    np.testing.assert_allclose(loud.numpy(), 1, atol=0.12)


def test_a_tone_is_loudest_in_its_own_band_and_bands_rise_with_pitch() -> None:
    t = torch.arange(400) / SAMPLE_RATE
    loudest = [
        int(LogMel(400, 64)(torch.sin(2 * torch.pi * f * t)).argmax()) for f in (200, 400, 800, 1600, 3200, 6400)
    ]
    assert loudest == sorted(set(loudest))


def test_each_feature_is_made_of_its_own_window() -> None:
    """Feature ``k`` covers samples ``[320 k, 320 k + 400)``: the last short window ends where it ends."""
    front_end = FilterbankFrontEnd(12, 6, 8)
    samples = torch.zeros(1, FEATURE_STRIDE * 4 + FEATURE_OVERLAP)
    samples[0, FEATURE_STRIDE + FEATURE_WINDOW - 40] = 1.0  # in the overlap: end of feature 1, start of feature 2
    heard = front_end.spectra(samples)[0]
    silent = front_end.spectra(torch.zeros_like(samples))[0]
    long, short = (heard != silent)[:, :12].any(1), (heard != silent)[:, 12:].reshape(4, 4, 6).any(2)
    assert long.tolist() == [False, True, True, False]
    # Two short windows overlap everywhere; at this place one is feature 1's last, the other feature 2's first.
    assert short.tolist() == [[False] * 4, [False, False, False, True], [True, False, False, False], [False] * 4]
    assert front_end(samples).shape == (1, 4, 8)


def test_half_precision_training_hears_what_is_sixty_decibels_down() -> None:
    t = torch.arange(FEATURE_STRIDE * 2 + FEATURE_OVERLAP) / SAMPLE_RATE
    loud = torch.sin(2 * torch.pi * 200 * t)[None]
    both = loud + 1e-3 * torch.sin(2 * torch.pi * 5000 * t)
    front_end = FilterbankFrontEnd(64, 24, 8)
    front_end.projection = torch.nn.Identity()  # type: ignore[assignment]
    full = front_end(both) - front_end(loud)
    with torch.autocast("cpu", torch.bfloat16):
        half = front_end(both) - front_end(loud)
    assert full.abs().max() > 0.5
    torch.testing.assert_close(half, full)
