"""Fits the voice head's mixture: Gaussians by expectation maximisation."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from diffusiontalker.encoder.voice_head import VoiceHead

_ROUNDS: Final = 10
_LEAST_VARIANCE: Final = 0.05
_PART: Final = 1 << 14


@torch.no_grad()
def fit_mixture(head: VoiceHead, audible: Tensor, rounds: int = _ROUNDS) -> None:
    """Fit scale and mixture to shuffled voiced spectra ``[M, bands]`` (Dempster et al. 1977; diagonal covariances)."""
    head.cepstra_mean.zero_()
    head.cepstra_scale.fill_(1)
    raw = head.cepstra(audible)
    head.cepstra_mean.copy_(raw.mean(0))
    head.cepstra_scale.copy_(raw.std(0))
    x = head.cepstra(audible)
    mixtures = len(head.shares)
    head.means.copy_(x[torch.linspace(0, len(x) - 1, mixtures).long()])
    head.variances.fill_(1)
    head.shares.fill_(1 / mixtures)
    for _ in range(rounds):
        count = torch.zeros(mixtures)
        first, second = torch.zeros_like(head.means), torch.zeros_like(head.means)
        for part in torch.split(x, _PART):
            share = head.responsibilities(part)
            count += share.sum(0)
            first += share.T @ part
            second += share.T @ part.square()
        count = count.clamp_min(1e-3)
        head.means.copy_(first / count[:, None])
        head.variances.copy_((second / count[:, None] - head.means.square()).clamp_min(_LEAST_VARIANCE))
        head.shares.copy_(count / count.sum())
