"""Speech or not, heard from the features of an encoder that came without a phone classifier."""

from __future__ import annotations

from torch import Tensor, nn

from diffusiontalker.geometry import PRESETS


class SpeechHead(nn.Module):
    """Logistic regression over features: one probability for the frame each preset serves.

    Satisfies what serving asks of ``PhoneHead``.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, len(PRESETS))

    def forward(self, features: Tensor) -> Tensor:
        """``[..., width]`` to logits ``[..., presets]``."""
        logits: Tensor = self.linear(features)
        return logits

    def speech(self, features: Tensor) -> Tensor:
        """Probability that somebody speaks in the frame, ``[B, T, W]`` to ``[B, T, presets]``."""
        return self.forward(features).sigmoid()
