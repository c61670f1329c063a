"""Who speaks, feature by feature: two descriptions of the voice, to be averaged over what is voiced.

A network over the spectrum and the pitch (a d-vector of single windows, Variani et al. 2014): its hidden units say
which sound a window is and how this throat makes it. And a mixture over cepstra (a universal background model,
Reynolds et al. 2000) with its statistics of first order: how much of each sound was heard, and where its cepstra lay.
They miss different people, so both are kept, side by side. Whoever pools needs no more than a sum; what is compared of
a pooled voice (``describe``) follows from the means. Nothing here is learned by the encoder or changes with it;
``training.train_voice`` fits it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diffusiontalker.encoder.filterbank import LOG_MEAN, LOG_SCALE
from diffusiontalker.geometry import FEATURE_OVERLAP, FEATURE_STRIDE, FEATURE_WINDOW, SAMPLE_RATE
from diffusiontalker.voice_space import RELEVANCE

LAGS: Final = 48
"""Pitch periods listened for, evenly spaced on a logarithmic scale."""
_LOWEST, _HIGHEST = 80.0, 420.0
"""Pitch range in Hz; the lower end is half a window, where a circular autocorrelation folds back."""
_PERIODIC_BINS = slice(2, 26)
"""Bins of a window's DFT that periodicity is heard in: 80 Hz to 1 kHz, below most noise and inside every codec."""
POWER_FLOOR: Final = 1e-3
"""Power a band is never heard below: speech has a power of 1 in all, and what lies below this in a band is more
often noise than voice."""
AUDIBLE_MEAN, AUDIBLE_SCALE = -3.0, 2.0
"""Bring the logarithms of power above that floor to about zero mean and unit variance."""
TINY_POWER: Final = 1e-6
"""Keeps silence from being divided by."""
LAYERS: Final = 3
"""Layers of the network before the mean; the last is twice as wide as the others."""


class VoiceHead(nn.Module):
    """Voice features from a feature's own window.

    Its weights are buffers: whatever trains the encoder around it leaves it alone.

    Args:
        bands: of the log-mel spectrum.
        hidden: units of a layer of the network, ``H``; the last has ``2 H``.
        mixtures: Gaussians, ``K``.
        cepstra: coefficients from the first on (the zeroth is the level), ``C``.
        network: numbers the network gives, ``U``.

    Attributes:
        width: of a voice feature, ``V = U + K (C + 1)``.
        description_width: of what is compared of a pooled voice, ``D = U + K C``.
    """

    partials: Tensor
    periods: Tensor
    cepstrum: Tensor
    cepstra_mean: Tensor
    cepstra_scale: Tensor
    means: Tensor
    variances: Tensor
    shares: Tensor
    network_projection: Tensor
    network_offset: Tensor

    def __init__(self, bands: int, hidden: int, mixtures: int, cepstra: int, network: int) -> None:
        super().__init__()
        bins = np.arange(FEATURE_WINDOW // 2 + 1)[_PERIODIC_BINS]
        phase = 2 * np.pi * np.arange(FEATURE_WINDOW)[:, None] * bins / FEATURE_WINDOW
        window = np.hanning(FEATURE_WINDOW + 1)[:-1]
        lags = np.geomspace(SAMPLE_RATE / _HIGHEST, SAMPLE_RATE / _LOWEST, LAGS)
        # Windowing alone makes long lags look less periodic: divide by the window's own circular autocorrelation.
        spectrum = np.abs(np.fft.rfft(window)) ** 2
        own = np.fft.irfft(spectrum, FEATURE_WINDOW)
        taper = np.interp(lags, np.arange(FEATURE_WINDOW), own / own[0])
        band = (np.arange(bands) + 0.5) / bands
        rng = np.random.default_rng(0)  # untrained, yet no two voices alike; the global generator stays as it was
        values = {
            "partials": np.concatenate([np.cos(phase), np.sin(phase)], axis=1) * window[:, None],
            "periods": np.cos(2 * np.pi * bins[:, None] * lags / FEATURE_WINDOW) / taper,
            "cepstrum": np.cos(np.pi * band[:, None] * np.arange(1, cepstra + 1)) * np.sqrt(2 / bands),
            "cepstra_mean": np.zeros(cepstra),
            "cepstra_scale": np.ones(cepstra),
            "means": rng.standard_normal((mixtures, cepstra)),
            "variances": np.ones((mixtures, cepstra)),
            "shares": np.full(mixtures, 1 / mixtures),
        }
        sizes = [bands + LAGS, *[hidden] * (LAYERS - 1), 2 * hidden]
        for i, (inputs, outputs) in enumerate(zip(sizes, sizes[1:], strict=False)):
            values[f"weight_{i}"] = rng.standard_normal((inputs, outputs)) * np.sqrt(2 / inputs)
            values[f"bias_{i}"] = np.zeros(outputs)
        values["network_projection"] = rng.standard_normal((sizes[-1], network)) / np.sqrt(sizes[-1])
        values["network_offset"] = np.zeros(network)
        for name, array in values.items():
            self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(array, np.float32)))

        self.width = network + mixtures * (cepstra + 1)
        self.description_width = network + mixtures * cepstra

    def audible(self, log_mel: Tensor) -> Tensor:
        """Log-mel spectra ``[..., bands]`` to their logarithms of power with a floor, about zero mean for speech."""
        power = (LOG_SCALE * log_mel + LOG_MEAN).exp() + POWER_FLOOR
        return (power.log() - AUDIBLE_MEAN) / AUDIBLE_SCALE

    def cepstra(self, audible: Tensor) -> Tensor:
        """Spectra with a floor ``[..., bands]`` to cepstra ``[..., C]`` of zero mean and unit variance over speech."""
        return (audible @ self.cepstrum - self.cepstra_mean) / self.cepstra_scale

    def responsibilities(self, cepstra: Tensor) -> Tensor:
        """Probability of each Gaussian, ``[..., C]`` to ``[..., K]``."""
        precision = 1 / self.variances
        distance = cepstra.square() @ precision.T - 2 * cepstra @ (self.means * precision).T
        constant = (self.means.square() * precision + self.variances.log()).sum(1)
        return (self.shares.log() - 0.5 * (distance + constant)).softmax(-1)

    def statistics(self, cepstra: Tensor) -> Tensor:
        """Per Gaussian its probability times the cepstra and times 1: ``[..., C]`` to ``[..., K (C + 1)]``."""
        extended = torch.cat([cepstra, torch.ones_like(cepstra[..., :1])], dim=-1)
        return (self.responsibilities(cepstra)[..., None] * extended[..., None, :]).flatten(-2)

    def periodicity(self, samples: Tensor) -> Tensor:
        """How periodic each window is at each lag, ``[B, 320 h + 80]`` samples to ``[B, h, 48]`` of at most about 1."""
        blocks = samples.unflatten(1, (-1, FEATURE_OVERLAP))  # type: ignore[no-untyped-call]
        strides = blocks[:, :-1].flatten(1).unflatten(1, (-1, FEATURE_STRIDE))
        last = blocks[:, 1:].flatten(1).unflatten(1, (-1, FEATURE_STRIDE))[..., -FEATURE_OVERLAP:]
        real, imaginary = (torch.cat([strides, last], dim=-1) @ self.partials).chunk(2, dim=-1)
        power = real.square() + imaginary.square()
        return power @ self.periods / (power.sum(-1, keepdim=True) + TINY_POWER)

    def heard(self, samples: Tensor, log_mel: Tensor) -> Tensor:
        """What a voice is told from, ``[B, h, bands + 48]``; arguments as those of ``forward``."""
        return torch.cat([self.audible(log_mel), self.periodicity(samples)], dim=-1)

    def voice(self, heard: Tensor) -> Tensor:
        """Voice features ``[..., V]`` of what ``heard`` returned."""
        x = heard
        for i in range(LAYERS):
            x = (x @ self.get_buffer(f"weight_{i}") + self.get_buffer(f"bias_{i}")).relu()
        network = x @ self.network_projection + self.network_offset
        return torch.cat([network, self.statistics(self.cepstra(heard[..., : len(self.cepstrum)]))], dim=-1)

    def describe(self, pooled: Tensor) -> Tensor:
        """What is compared of pooled voices: ``[..., V]`` to ``[..., D]``, two parts of unit length each.

        The first is the network's. The second says where the speaker's own Gaussians lie: their means about those of
        all speakers in standard deviations, adapted by what was heard of each (maximum a posteriori, Reynolds et al.
        2000, eqs. 11 to 13). What is zero, for nobody spoke, stays so. ``voice_space`` says the same without torch.
        """
        mixtures, cepstra = self.means.shape
        network, statistics = torch.split(pooled, [len(self.network_offset), mixtures * (cepstra + 1)], dim=-1)
        heard = statistics.unflatten(-1, (mixtures, cepstra + 1))  # type: ignore[no-untyped-call]
        share = heard[..., -1:]
        adapted = (heard[..., :-1] - share * self.means) / (share + RELEVANCE) / self.variances.sqrt()
        return torch.cat([F.normalize(network, dim=-1), F.normalize(adapted.flatten(-2), dim=-1)], dim=-1)

    def forward(self, samples: Tensor, log_mel: Tensor) -> Tensor:
        """Voice features ``[B, h, V]``.

        Args:
            samples: ``[B, 320 h + 80]`` level-normalised.
            log_mel: ``[B, h, bands]`` of each feature's window (``filterbank.LogMel``).
        """
        return self.voice(self.heard(samples, log_mel))


def pool_voiced(voice: Tensor, speech: Tensor) -> Tensor:
    """Mean voice ``[B, V]`` of ``[B, T, V]`` over features whose speech probability ``[B, T]`` is above one half."""
    weight = (speech > 0.5).to(voice.dtype)[..., None]
    return (voice * weight).sum(1) / weight.sum(1).clamp_min(1)
