"""The encoder's served graph: one call per tick, state in and state out.

Inputs: ``samples [B, 320 h + 80]``, ``positional [B, P, W]``, ``ring [B, L, 2, C, W]``, ``position [B]`` int64.
Outputs: ``features [B, h, W]``, ``voice [B, h, W]``, ``speech [B, h, presets]``, ``new_positional [B, P, W]``,
``keys_values [B, L, 2, h, W]``.
"""

from __future__ import annotations

import logging
import warnings
from typing import Any

import onnx
import torch
from torch import Tensor, nn

from diffusiontalker.encoder.phone_head import PhoneHead
from diffusiontalker.encoder.streaming_hubert import EncoderState, StreamingHubert
from diffusiontalker.export.plain_split import split_plainly

OPSET = 20


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


def traced(
    served: nn.Module,
    example: tuple[Tensor, ...],
    dynamic_shapes: tuple[dict[int, Any], ...],
    inputs: list[str],
    outputs: list[str],
) -> onnx.ModelProto:
    """A module as a graph whose initializers have its parameters' names.

    Args:
        served: in evaluation mode.
        example: inputs.
        dynamic_shapes: of each input, as ``torch.onnx.export`` takes them.
        inputs: names.
        outputs: names.
    """
    # The exporter warns of operators of libraries that are not installed.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            served,
            example,
            dynamo=True,
            optimize=False,
            verbose=False,
            opset_version=OPSET,
            dynamic_shapes=dynamic_shapes,
            input_names=inputs,
            output_names=outputs,
        )
    assert program is not None
    proto: onnx.ModelProto = program.model_proto
    _strip_traces(proto)
    split_plainly(proto)
    return proto


def _strip_traces(proto: onnx.ModelProto) -> None:
    """Drop the exporter's notes on source files: ten times the graph's size, and paths of whoever exported."""
    for holder in (proto, proto.graph, *proto.graph.node, *proto.graph.value_info, *proto.graph.initializer):
        holder.ClearField("metadata_props")
        holder.ClearField("doc_string")
    proto.graph.ClearField("value_info")
