"""Who speaks, feature by feature: Gaussian mixture statistics of the spectrum and the pitch, to be averaged over voice.

A mixture over cepstra (a universal background model, Reynolds et al. 2000) says which sound a feature is; how the
cepstra of each sound lie about its mean says whose. Averaged over voice these are the mixture's first-order statistics
(Dehak et al. 2011), and a linear discriminant projection of an average is the average of the projections: each feature
is projected at once, and whoever pools needs no more than a mean. Nothing here is learned by the encoder or changes
with it; ``training.train_voice`` fits it.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from diffusiontalker.encoder.filterbank import LOG_MEAN, LOG_SCALE
from diffusiontalker.geometry import FEATURE_OVERLAP, FEATURE_STRIDE, FEATURE_WINDOW, SAMPLE_RATE

LAGS = 48
"""Pitch periods listened for, evenly spaced on a logarithmic scale."""
_LOWEST, _HIGHEST = 80.0, 420.0
"""Pitch range in Hz; the lower end is half a window, where a circular autocorrelation folds back."""
_PERIODIC_BINS = slice(2, 26)
"""Bins of a window's DFT that periodicity is heard in: 80 Hz to 1 kHz, below most noise and inside every codec."""
SHARPNESS = 12.0
"""What autocorrelations are multiplied by before the softmax over lags."""
POWER_FLOOR = 1e-3
"""Power a band is never heard below: speech has a power of 1 in all, and what lies below this in a band is more
often noise than voice. Without it noise at 15 dB moves the cepstra of every feature."""
STAT_SCALE = 10.0
"""Brings the pitch histogram to the spread of the mixture's statistics."""
TINY_POWER = 1e-6
"""Keeps silence from being divided by."""


class VoiceHead(nn.Module):
    """Voice features from a feature's own window.

    Args:
        bands: of the log-mel spectrum.
        mixtures: Gaussians, ``K``.
        cepstra: coefficients from the first on (the zeroth is the level), ``C``.
        width: of a voice feature, ``V``.
    """

    cepstrum: Tensor
    partials: Tensor
    periods: Tensor
    cepstra_mean: Tensor
    cepstra_scale: Tensor
    means: Tensor
    variances: Tensor
    shares: Tensor
    projection: Tensor
    offset: Tensor

    def __init__(self, bands: int, mixtures: int, cepstra: int, width: int) -> None:
        super().__init__()
        band = (np.arange(bands) + 0.5) / bands
        dct = np.cos(np.pi * band[:, None] * np.arange(1, cepstra + 1)) * np.sqrt(2 / bands)
        bins = np.arange(FEATURE_WINDOW // 2 + 1)[_PERIODIC_BINS]
        phase = 2 * np.pi * np.arange(FEATURE_WINDOW)[:, None] * bins / FEATURE_WINDOW
        window = np.hanning(FEATURE_WINDOW + 1)[:-1]
        lags = np.geomspace(SAMPLE_RATE / _HIGHEST, SAMPLE_RATE / _LOWEST, LAGS)
        # Windowing alone makes long lags look less periodic: divide by the window's own circular autocorrelation.
        spectrum = np.abs(np.fft.rfft(window)) ** 2
        own = np.fft.irfft(spectrum, FEATURE_WINDOW)
        taper = np.interp(lags, np.arange(FEATURE_WINDOW), own / own[0])
        periods = np.cos(2 * np.pi * bins[:, None] * lags / FEATURE_WINDOW) / taper
        rng = np.random.default_rng(0)  # untrained, yet no two voices alike; the global generator stays as it was
        projection = rng.standard_normal((mixtures * (cepstra + 1) + LAGS, width)) / np.sqrt(mixtures * cepstra)
        for name, values in {
            "cepstrum": dct,
            "partials": np.concatenate([np.cos(phase), np.sin(phase)], axis=1) * window[:, None],
            "periods": periods,
            "cepstra_mean": np.zeros(cepstra),
            "cepstra_scale": np.ones(cepstra),
            "means": rng.standard_normal((mixtures, cepstra)),
            "variances": np.ones((mixtures, cepstra)),
            "shares": np.full(mixtures, 1 / mixtures),
            "projection": projection,
            "offset": np.zeros(width),
        }.items():
            self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(values, np.float32)))

    @property
    def width(self) -> int:
        """Width ``V`` of a voice feature."""
        return self.projection.shape[1]

    def cepstra(self, log_mel: Tensor) -> Tensor:
        """Log-mel spectra ``[..., bands]`` to cepstra ``[..., C]`` of zero mean and unit variance over speech."""
        audible = ((LOG_SCALE * log_mel + LOG_MEAN).exp() + POWER_FLOOR).log()
        return (audible @ self.cepstrum - self.cepstra_mean) / self.cepstra_scale

    def responsibilities(self, cepstra: Tensor) -> Tensor:
        """Probability of each Gaussian, ``[..., C]`` to ``[..., K]``."""
        precision = 1 / self.variances
        distance = cepstra.square() @ precision.T - 2 * cepstra @ (self.means * precision).T
        constant = (self.means.square() * precision + self.variances.log()).sum(1)
        return (self.shares.log() - 0.5 * (distance + constant)).softmax(-1)

    def pitch(self, samples: Tensor) -> Tensor:
        """Each pitch period's probability times ten periodicities, ``[B, 320 h + 80]`` samples to ``[B, h, 48]``."""
        blocks = samples.unflatten(1, (-1, FEATURE_OVERLAP))  # type: ignore[no-untyped-call]
        strides = blocks[:, :-1].flatten(1).unflatten(1, (-1, FEATURE_STRIDE))
        last = blocks[:, 1:].flatten(1).unflatten(1, (-1, FEATURE_STRIDE))[..., -FEATURE_OVERLAP:]
        real, imaginary = (torch.cat([strides, last], dim=-1) @ self.partials).chunk(2, dim=-1)
        power = real.square() + imaginary.square()
        alike = power @ self.periods / (power.sum(-1, keepdim=True) + TINY_POWER)
        periodicity = alike.amax(-1, keepdim=True).clamp(0, 1)
        return STAT_SCALE * (SHARPNESS * alike).softmax(-1) * periodicity

    def spectral_statistics(self, cepstra: Tensor) -> Tensor:
        """Per Gaussian its probability times the cepstra and times 1: ``[..., C]`` to ``[..., K (C + 1)]``."""
        extended = torch.cat([cepstra, torch.ones_like(cepstra[..., :1])], dim=-1)
        return (self.responsibilities(cepstra)[..., None] * extended[..., None, :]).flatten(-2)

    def forward(self, samples: Tensor, log_mel: Tensor) -> Tensor:
        """Voice features ``[B, h, V]``.

        Args:
            samples: ``[B, 320 h + 80]`` level-normalised.
            log_mel: ``[B, h, bands]`` of each feature's window (``filterbank.LogMel``).
        """
        spectral = self.spectral_statistics(self.cepstra(log_mel))
        return torch.cat([spectral, self.pitch(samples)], dim=-1) @ self.projection + self.offset


def pool_voiced(voice: Tensor, speech: Tensor) -> Tensor:
    """Mean voice ``[B, V]`` of ``[B, T, V]`` over features whose speech probability ``[B, T]`` is above one half."""
    weight = (speech > 0.5).to(voice.dtype)[..., None]
    return (voice * weight).sum(1) / weight.sum(1).clamp_min(1)
