"""Trains the voice head's network: of two sides of many voices, which belong together.

The objective is the contrast of pairs within a batch (Sohn 2016, with a margin and normalised vectors), not a softmax
over voices: most people say one sentence, and a network that is asked for a voice by its number learns the sentence.
Other throats of the same person say the same words in the same batch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diffusiontalker.encoder.voice_head import LAYERS, VoiceHead
from diffusiontalker.training.precision import fast_bfloat16

_PEOPLE: Final = 48
_THROATS: Final = 2
"""Voices of each person in a batch."""
_FEATURES: Final = 60
"""Features of a crop that are averaged: about a second of voice."""
_RATE: Final = 2e-3
_DECAY: Final = 1e-2
_WARMUP: Final = 0.1
_MARGIN: Final = 0.1
_DROPPED: Final = 0.2
"""Share of averaged hidden units dropped."""
_SCALE: Final = 15.0
"""What cosines are multiplied by at first; it is learned."""


class VoiceNetwork(nn.Module):
    """The network of a head with batch normalisation (Ioffe and Szegedy 2015), which ``write_into`` folds away."""

    mean: Tensor
    scale: Tensor

    def __init__(self, head: VoiceHead, mean: Tensor, scale: Tensor) -> None:
        super().__init__()
        sizes = [head.get_buffer(f"weight_{i}").shape for i in range(LAYERS)]
        self.layers = nn.ModuleList(nn.Linear(inputs, outputs) for inputs, outputs in sizes)
        self.norms = nn.ModuleList(nn.BatchNorm1d(outputs) for _, outputs in sizes)
        hidden, width = head.network_projection.shape
        self.projection = nn.Linear(hidden, width, bias=False)
        self.norm = nn.BatchNorm1d(width, affine=False)
        self.sharpness = nn.Parameter(torch.tensor(_SCALE).log())
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)

    def forward(self, heard: Tensor) -> Tensor:
        """Voices ``[B, V]`` of unit length of what is heard, ``[B, n, I]``."""
        x = ((heard - self.mean) / self.scale).flatten(0, 1)
        with torch.autocast(x.device.type, torch.bfloat16, enabled=fast_bfloat16(x.device)):
            for layer, norm in zip(self.layers, self.norms, strict=True):
                x = norm(layer(x)).relu()
        pooled = F.dropout(x.float().view(*heard.shape[:2], -1).mean(1), _DROPPED, self.training)
        return F.normalize(self.norm(self.projection(pooled)), dim=-1)

    @torch.no_grad()
    def write_into(self, head: VoiceHead) -> None:
        """Put the weights into the head, with all normalisation folded into them."""
        for i, (layer, norm) in enumerate(zip(self.layers, self.norms, strict=True)):
            assert isinstance(layer, nn.Linear) and isinstance(norm, nn.BatchNorm1d)
            weight = layer.weight.T / self.scale[:, None] if i == 0 else layer.weight.T
            bias = layer.bias - self.mean @ weight if i == 0 else layer.bias
            gain, offset = _gain_and_offset(norm)
            head.get_buffer(f"weight_{i}").copy_(weight * gain)
            head.get_buffer(f"bias_{i}").copy_(bias * gain + offset)
        gain, offset = _gain_and_offset(self.norm)
        head.network_projection.copy_(self.projection.weight.T * gain)
        head.network_offset.copy_(offset)


def _gain_and_offset(norm: nn.BatchNorm1d) -> tuple[Tensor, Tensor]:
    """What a normalisation multiplies by and adds once it is trained."""
    assert norm.running_mean is not None and norm.running_var is not None
    gain = 1 / (norm.running_var + norm.eps).sqrt()
    if not norm.affine:
        return gain, -norm.running_mean * gain
    gain = gain * norm.weight
    return gain, norm.bias - norm.running_mean * gain


def contrast(one: Tensor, other: Tensor, sharpness: Tensor) -> Tensor:
    """Cross-entropy of finding each of ``[B, V]`` among the others, either way round."""
    alike = (one @ other.T - _MARGIN * torch.eye(len(one))) * sharpness
    true = torch.arange(len(one))
    return (F.cross_entropy(alike, true) + F.cross_entropy(alike.T, true)) / 2


def fit_network(
    head: VoiceHead, heard: Tensor, *, steps: int, seed: int = 0, progress: Callable[[int], None] | None = None
) -> None:
    """Train on the voiced features of crops.

    Args:
        head: to write the weights into.
        heard: ``[P, T, 2, R, n, I]`` of ``P`` people's ``T`` throats, ``R`` crops of each side.
        steps: of training.
        seed: decides everything.
        progress: called with the number of steps just done.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    some = heard.flatten(0, 3)[::37].float().flatten(0, 1)
    network = VoiceNetwork(head, some.mean(0), some.std(0).clamp_min(1e-3)).train()
    weights = [p for p in network.parameters() if p is not network.sharpness]
    optimizer = torch.optim.AdamW(
        [{"params": weights, "weight_decay": _DECAY}, {"params": [network.sharpness], "weight_decay": 0.0}], lr=_RATE
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=max(steps, 2), pct_start=_WARMUP)
    people, throats, _, crops, features, _ = heard.shape
    at_once, each = min(_PEOPLE, people), min(_THROATS, throats)
    for _ in range(steps):
        who = rng.permutation(people)[:at_once].repeat(each)
        throat = np.concatenate([rng.permutation(throats)[:each] for _ in range(at_once)])
        sides = []
        for side in range(2):
            crop = rng.integers(crops, size=len(who))
            when = np.stack([rng.permutation(features)[:_FEATURES] for _ in who])
            sides.append(heard[who[:, None], throat[:, None], side, crop[:, None], when])
        one, other = network(torch.cat(sides).float()).chunk(2)
        optimizer.zero_grad()
        contrast(one, other, network.sharpness.exp().clamp_max(60.0)).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        if progress is not None:
            progress(1)
    network.eval().write_into(head)
