"""Who speaks, feature by feature: a weighted sum of all layers and a small network, to be averaged over voice.

Layers know different things: the first still hear the speaker, the last have learned to forget him. The weights of the
sum are learned (SUPERB, Yang et al. 2021). The network is not linear, so the mean of its outputs tells more of their
distribution than the mean of its inputs would (d-vectors, Variani et al. 2014).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class VoiceHead(nn.Module):
    """Voice features from the outputs of every layer."""

    def __init__(self, layers: int, width: int, inner: int, voice_width: int) -> None:
        super().__init__()
        self.layer_weights = nn.Parameter(torch.zeros(layers))
        self.norm = nn.LayerNorm(width)
        self.hidden = nn.Linear(width, inner)
        self.out = nn.Linear(inner, voice_width)

    def forward(self, layers: Sequence[Tensor]) -> Tensor:
        """Outputs ``[B, T, width]`` of each layer to voice features ``[B, T, voice_width]``."""
        shares = self.layer_weights.softmax(0)
        mixed = shares[0] * layers[0]
        for share, layer in zip(shares[1:], layers[1:], strict=True):
            mixed = mixed + share * layer
        voice: Tensor = self.out(nn.functional.gelu(self.hidden(self.norm(mixed))))
        return voice


def pool_voiced(voice: Tensor, speech: Tensor) -> Tensor:
    """Mean voice ``[B, V]`` of ``[B, T, V]`` over features whose speech probability ``[B, T]`` is above one half."""
    weight = (speech > 0.5).to(voice.dtype)[..., None]
    return (voice * weight).sum(1) / weight.sum(1).clamp_min(1)
