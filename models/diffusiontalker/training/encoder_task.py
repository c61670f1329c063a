"""What the encoder is trained for: to know, at every look-ahead, the phone and the mouth of the frame it serves.

Three heads per feature, one per latency preset: a classifier over phones and a regression of the neutral speaker's
mouth. The phone head stays in the served graph, as the stream's speech detector; the mouth head is an aid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diffusiontalker.arkit import JAW_AND_MOUTH
from diffusiontalker.encoder.config import StreamingHubertConfig
from diffusiontalker.encoder.phone_head import PhoneHead
from diffusiontalker.encoder.streaming_hubert import StreamingHubert
from diffusiontalker.geometry import PRESETS
from diffusiontalker.phones import PHONES

_PHONE_WEIGHTS: Final = {"P": 2.0, "B": 2.0, "M": 2.0} | dict.fromkeys(("F", "V", "W", "UW", "OW", "OY", "UH"), 1.5)
"""Phones whose lips a viewer checks weigh more than those made behind the teeth; all others weigh 1."""


@dataclass(frozen=True, slots=True)
class EncoderLosses:
    """Parts of the objective and what one reads off them.

    Attributes:
        total: what is minimised.
        phone: cross-entropy.
        mouth: mean squared error of the mouth, in variances.
        accuracy: ``[presets]`` share of labels whose phone is the most probable one.
    """

    total: Tensor
    phone: Tensor
    mouth: Tensor
    accuracy: Tensor


class EncoderTask(nn.Module):
    """The encoder with its training heads."""

    mouth_std: Tensor
    phone_weights: Tensor

    def __init__(self, config: StreamingHubertConfig, mouth_weight: float = 1.0) -> None:
        super().__init__()
        self.encoder = StreamingHubert(config)
        self.phone_head = PhoneHead(config.width)
        self.mouth_head = nn.Linear(config.width, len(PRESETS) * len(JAW_AND_MOUTH))
        self.mouth_weight = mouth_weight
        weights = torch.tensor([_PHONE_WEIGHTS.get(phone, 1.0) for phone in PHONES])
        self.register_buffer("phone_weights", weights, persistent=False)
        self.register_buffer("mouth_std", torch.full((len(JAW_AND_MOUTH),), 0.1))

    def forward(self, batch: dict[str, Tensor]) -> EncoderLosses:
        """Losses of a batch of ``SpeechSamples``."""
        features, _ = self.encoder(batch["samples"])
        features = features.float()
        known = batch["known"]
        logits = self.phone_head(features)[known]
        labels = batch["phones"][known]
        phone = F.cross_entropy(logits, labels, self.phone_weights, label_smoothing=0.03)
        mouth = self.mouth_head(features).unflatten(-1, (len(PRESETS), -1)).transpose(1, 2)
        error = (mouth - batch["mouth"] / self.mouth_std)[known].square().mean()
        hits = (self.phone_head(features).argmax(-1) == batch["phones"]) & known
        accuracy = hits.sum((0, 2)) / known.sum((0, 2))
        return EncoderLosses(phone + self.mouth_weight * error, phone, error, accuracy)
