"""A rolling encoder's served graph: windows of one length in, the features kept of each out.

Input: ``windows [B, 320 w + 80]``, level-normalised; ``w`` is ``hop + right`` at a stream's start and grows to
``window``. Outputs: ``features [B, hop, W]``, ``voice [B, hop, V]``, ``speech [B, hop, presets]``. It has no state:
what a stream carries are its latest samples.
"""

from __future__ import annotations

import onnx
import torch
from torch import Tensor, nn

from diffusiontalker.encoder.rolling_hubert import RollingHubert
from diffusiontalker.encoder.speech_head import SpeechHead
from diffusiontalker.export.tracing import traced
from diffusiontalker.geometry import FEATURE_OVERLAP, FEATURE_STRIDE


class ServedRolling(nn.Module):
    """Encoder and speech detector as one graph."""

    def __init__(self, encoder: RollingHubert, speech_head: SpeechHead) -> None:
        super().__init__()
        self.encoder = encoder
        self.speech_head = speech_head

    def forward(self, windows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Hear windows; shapes as in the module's docstring."""
        features, voice = self.encoder.hear(windows)
        return features, voice, self.speech_head.speech(features)


def rolling_graph(encoder: RollingHubert, speech_head: SpeechHead) -> onnx.ModelProto:
    """Trace the encoder; initializers keep their parameters' names (``encoder.…``, ``speech_head.…``)."""
    c = encoder.config
    # Neither size may be 1 or equal another one: the exporter would take it for a constant.
    some = max(c.hop + c.right + 1, min(c.window, c.hop + c.right + 7))
    windows = torch.zeros(2, FEATURE_STRIDE * some + FEATURE_OVERLAP)
    dynamic = torch.export.Dim.DYNAMIC
    return traced(
        ServedRolling(encoder, speech_head).eval(),
        (windows,),
        ({0: dynamic, 1: dynamic},),
        ["windows"],
        ["features", "voice", "speech"],
    )
