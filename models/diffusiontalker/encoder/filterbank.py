"""The encoder's front end: what a feature's window holds, as log-mel spectra at two resolutions.

HuBERT learns seven strided convolutions over the waveform. They need thousands of hours to settle; log-mel spectra in
their place learn the same units from far less (MelHuBERT, Lin et al. 2022) and cost a seventh of the multiplications.
One long window resolves the formants, four short ones the closures and bursts within it: where lips meet and part.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from diffusiontalker.geometry import FEATURE_OVERLAP, FEATURE_STRIDE, FEATURE_WINDOW, SAMPLE_RATE

SHORT_WINDOW = 2 * FEATURE_OVERLAP
"""Samples of a short window (10 ms); its hop is half of it."""
SHORT_WINDOWS = FEATURE_STRIDE // FEATURE_OVERLAP
"""Short windows in a feature's window."""
LOG_FLOOR = 1e-6
LOG_MEAN, LOG_SCALE = -6.0, 3.0
"""Brings the logarithms of level-normalised speech to about zero mean and unit variance."""


def mel_filters(size: int, bands: int, low: float = 40.0, high: float = 7800.0) -> NDArray[np.float32]:
    """Triangular filters over the bins of a real DFT of ``size`` samples, ``[size // 2 + 1, bands]``.

    Centres are even on the mel scale (O'Shaughnessy 1987); columns sum to 1, so that white noise of unit power has
    unit power in every band. A band narrower than a bin takes the nearest one.
    """
    bottom, top = (2595 * math.log10(1 + edge / 700) for edge in (low, high))
    mel = np.linspace(bottom, top, bands + 2)
    corners = 700 * (10 ** (mel / 2595) - 1)
    frequency = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)[:, None]
    below, centre, above = corners[:-2], corners[1:-1], corners[2:]
    triangles = np.minimum((frequency - below) / (centre - below), (above - frequency) / (above - centre)).clip(0)
    for band in np.flatnonzero(triangles.sum(0) < 0.5):
        triangles[np.abs(frequency[:, 0] - centre[band]).argmin(), band] += 1.0
    return np.asarray(triangles / triangles.sum(0), np.float32)


def windowed_dft(size: int) -> NDArray[np.float32]:
    """Cosines, then sines of a real DFT under a Hann window, ``[size, 2 (size // 2 + 1)]``, of unit noise gain."""
    window = np.hanning(size + 1)[:-1]
    phase = 2 * np.pi * np.arange(size)[:, None] * np.arange(size // 2 + 1)[None, :] / size
    basis = np.concatenate([np.cos(phase), np.sin(phase)], axis=1) * window[:, None]
    return np.asarray(basis / np.sqrt(np.square(window).sum()), np.float32)


class LogMel(nn.Module):
    """Log-mel spectrum of windows of one size."""

    dft: Tensor
    filters: Tensor

    def __init__(self, size: int, bands: int) -> None:
        super().__init__()
        self.register_buffer("dft", torch.from_numpy(windowed_dft(size)))
        self.register_buffer("filters", torch.from_numpy(mel_filters(size, bands)))

    def forward(self, windows: Tensor) -> Tensor:
        """``[..., size]`` samples to ``[..., bands]``, about zero mean and unit variance for speech."""
        real, imaginary = (windows @ self.dft).chunk(2, dim=-1)
        power = (real.square() + imaginary.square()) @ self.filters
        return ((power + LOG_FLOOR).log() - LOG_MEAN) / LOG_SCALE


class FilterbankFrontEnd(nn.Module):
    """Spectra of each feature's window, projected to the model's width."""

    def __init__(self, long_bands: int, short_bands: int, width: int) -> None:
        super().__init__()
        self.long = LogMel(FEATURE_WINDOW, long_bands)
        self.short = LogMel(SHORT_WINDOW, short_bands)
        self.projection = nn.Linear(long_bands + SHORT_WINDOWS * short_bands, width)

    def spectra(self, samples: Tensor) -> Tensor:
        """``[B, 320 h + 80]`` normalised samples to ``[B, h, bands]``: the long window's, then the short ones'."""
        blocks = samples.unflatten(1, (-1, FEATURE_OVERLAP))  # type: ignore[no-untyped-call]
        before, after = blocks[:, :-1], blocks[:, 1:]
        strides = before.flatten(1).unflatten(1, (-1, FEATURE_STRIDE))
        last = after.flatten(1).unflatten(1, (-1, FEATURE_STRIDE))[..., -FEATURE_OVERLAP:]
        short = self.short(torch.cat([before, after], dim=-1)).flatten(1)
        short = short.unflatten(1, (strides.shape[1], -1))
        return torch.cat([self.long(torch.cat([strides, last], dim=-1)), short], dim=-1)

    def forward(self, samples: Tensor) -> Tensor:
        """``[B, 320 h + 80]`` normalised samples to ``[B, h, width]``."""
        if torch.is_autocast_enabled(samples.device.type):
            # Half precision would drown whatever lies 50 dB below the loudest partial.
            with torch.autocast(samples.device.type, enabled=False):
                spectra = self.spectra(samples.float())
        else:
            spectra = self.spectra(samples)
        projected: Tensor = self.projection(spectra)
        return projected
