"""The phone classifier over features: an objective in training, the speech detector in serving."""

from __future__ import annotations

from torch import Tensor, nn

from diffusiontalker.geometry import PRESETS
from diffusiontalker.phones import PHONE_INDEX, PHONES, SILENCE


class PhoneHead(nn.Module):
    """Phone logits of the frame each preset serves when a feature is its newest."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, len(PRESETS) * len(PHONES))

    def forward(self, features: Tensor) -> Tensor:
        """``[B, T, width]`` to logits ``[B, presets, T, phones]``."""
        logits: Tensor = self.linear(features).unflatten(-1, (len(PRESETS), len(PHONES)))
        return logits.transpose(1, 2)

    def speech(self, features: Tensor) -> Tensor:
        """Probability that the frame is not silence, ``[B, T, presets]``."""
        quiet: Tensor = self(features).softmax(-1)[..., PHONE_INDEX[SILENCE]]
        return 1 - quiet.transpose(1, 2)
