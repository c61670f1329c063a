"""The encoder's served graph: one call per tick, state in and state out.

Inputs: ``samples [B, 320 h + 80]``, ``positional [B, P, W]``, ``ring [B, L, 2, C, W]``, ``position [B]`` int64.
Outputs: ``features [B, h, W]``, ``voice [B, h, W]``, ``speech [B, h, presets]``, ``new_positional [B, P, W]``,
``keys_values [B, L, 2, h, W]``.
"""

from __future__ import annotations

import onnx
import torch
from torch import Tensor, nn

from diffusiontalker.encoder.phone_head import PhoneHead
from diffusiontalker.encoder.streaming_hubert import EncoderState, StreamingHubert
from diffusiontalker.export.tracing import traced


class ServedEncoder(nn.Module):
    """Encoder and speech detector as one graph."""

    def __init__(self, encoder: StreamingHubert, phone_head: PhoneHead) -> None:
        super().__init__()
        self.encoder = encoder
        self.phone_head = phone_head

    def forward(
        self, samples: Tensor, positional: Tensor, ring: Tensor, position: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """One step; shapes as in the module's docstring."""
        out = self.encoder.step(samples, EncoderState(positional, ring, position))
        return out.features, out.voice, self.phone_head.speech(out.features), out.positional, out.keys_values


def encoder_graph(encoder: StreamingHubert, phone_head: PhoneHead) -> onnx.ModelProto:
    """Trace the encoder; initializers keep their parameters' names (``encoder.…``, ``phone_head.…``)."""
    state = encoder.initial_state(2)
    samples = torch.zeros(2, 320 * 3 + 80)
    dynamic = torch.export.Dim.DYNAMIC
    return traced(
        ServedEncoder(encoder, phone_head).eval(),
        (samples, *state),
        ({0: dynamic, 1: dynamic}, {0: dynamic}, {0: dynamic}, {0: dynamic}),
        ["samples", "positional", "ring", "position"],
        ["features", "voice", "speech", "new_positional", "keys_values"],
    )
