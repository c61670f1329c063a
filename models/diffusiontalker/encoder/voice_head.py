"""Who speaks, feature by feature: a weighted sum of all layers (SUPERB, Yang et al. 2021), to be averaged over voice.

The first layers still hear the speaker, the last were taught to forget him: the weights begin on the first two.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

_FIRST: float = 3.0
"""Logit of the first two layers against 0 of the others: nine tenths of the sum."""


class VoiceHead(nn.Module):
    """Voice features from the outputs of every layer."""

    def __init__(self, layers: int) -> None:
        super().__init__()
        weights = torch.zeros(layers)
        weights[:2] = _FIRST
        self.layer_weights = nn.Parameter(weights)

    def forward(self, layers: Sequence[Tensor]) -> Tensor:
        """Outputs ``[B, T, width]`` of each layer to voice features ``[B, T, width]``."""
        shares = self.layer_weights.softmax(0)
        mixed = shares[0] * layers[0]
        for share, layer in zip(shares[1:], layers[1:], strict=True):
            mixed = mixed + share * layer
        return mixed


def pool_voiced(voice: Tensor, speech: Tensor) -> Tensor:
    """Mean voice ``[B, V]`` of ``[B, T, V]`` over features whose speech probability ``[B, T]`` is above one half."""
    weight = (speech > 0.5).to(voice.dtype)[..., None]
    return (voice * weight).sum(1) / weight.sum(1).clamp_min(1)
