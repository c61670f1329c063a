"""The compact encoder's served graph: one call per tick, state in and state out.

Inputs: ``samples [B, 320 h + 80]``, ``positional [B, P, W]``, ``position [B]`` int64, and the rings of the last ``C``
features, as ``attention`` keeps them. Outputs: ``features [B, h, W]``, ``speech [B, h, presets]``,
``new_positional [B, P, W]``, and what the caller writes into the rings.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import onnx
from onnx import TensorProto

from diffusiontalker.encoder.filterbank import SHORT_WINDOWS
from diffusiontalker.encoder.phone_head import PhoneHead
from diffusiontalker.encoder.streaming_hubert import StreamingHubert
from diffusiontalker.export.attention import Attention, FloatAttention, Int8Attention
from diffusiontalker.export.graph import Graph
from diffusiontalker.export.numerics import Int8, Numerics
from diffusiontalker.export.spectra import Call, Parameters, log_mel, windows
from diffusiontalker.geometry import FEATURE_OVERLAP, PRESETS
from diffusiontalker.phones import PHONE_INDEX, SILENCE

_HIDDEN: Final = -1e9
"""Added to the scores of features that may not be heard."""


class StreamingGraph:
    """Writes the graph of one encoder.

    Args:
        encoder: in evaluation mode.
        phone_head: its speech detector.
        numerics: of the transformer's products. Spectra are always in float32: what lies 50 dB below the loudest
            partial is heard too.
    """

    def __init__(self, encoder: StreamingHubert, phone_head: PhoneHead, numerics: Numerics) -> None:
        self._config = encoder.config
        self._numerics = numerics
        self._graph = Graph("encoder")
        self._weight = Parameters(self._graph, {"encoder": encoder, "phone_head": phone_head})
        attention = Int8Attention if isinstance(numerics, Int8) else FloatAttention
        self._attention: Attention = attention(self._graph, self._config)

    def write(self) -> onnx.ModelProto:
        """The graph."""
        g, c = self._graph, self._config
        call = Call.of(g, "samples")
        spectra = self._spectra(call)
        x, positional = self._embedded(spectra, call)
        ring_mask, call_mask = self._masks(call)
        for index in range(c.layers):
            x = self._layer(x, index, call, ring_mask, call_mask)
        features = self._norm(x, "encoder.final_norm")
        whole = g.joined(call.streams, call.hop, g.ints([c.width]))
        past = c.positional_kernel - 1
        return g.model(
            [
                ("samples", TensorProto.FLOAT, ["streams", "samples"]),
                ("positional", TensorProto.FLOAT, ["streams", past, c.width]),
                ("position", TensorProto.INT64, ["streams"]),
                *self._attention.inputs(),
            ],
            {
                "features": (g.op("Reshape", features, whole), TensorProto.FLOAT, ["streams", "hop", c.width]),
                "speech": (self._speech(features, call), TensorProto.FLOAT, ["streams", "hop", len(PRESETS)]),
                "new_positional": (positional, TensorProto.FLOAT, ["streams", past, c.width]),
                **self._attention.outputs(),
            },
        )

    def _norm(self, x: str, name: str) -> str:
        weight, bias = self._weight(f"{name}.weight"), self._weight(f"{name}.bias")
        return self._graph.op("LayerNormalization", x, weight, bias, axis=-1, epsilon=1e-5)

    def _spectra(self, call: Call) -> str:
        """Log-mel spectra of each feature's long window and its short ones, ``[B, h, bands]``."""
        g, c = self._graph, self._config
        long = log_mel(g, self._weight, windows(g, "samples", call), "encoder.front_end.long")
        length, overlap = g.size("samples", 1), g.ints([FEATURE_OVERLAP])
        blocks = g.joined(call.streams, g.op("Mul", call.hop, g.ints([SHORT_WINDOWS])), overlap)
        before = g.part("samples", g.ints([0]), g.op("Sub", length, overlap), 1)
        after = g.part("samples", overlap, length, 1)
        halves = g.joined(*(g.op("Reshape", x, blocks) for x in (before, after)), axis=2)
        short = log_mel(g, self._weight, halves, "encoder.front_end.short")
        short = g.op("Reshape", short, g.joined(*call, g.ints([SHORT_WINDOWS * c.short_bands])))
        return g.joined(long, short, axis=2)

    def _embedded(self, spectra: str, call: Call) -> tuple[str, str]:
        """What enters the first layer, ``[B h, W]``, and the next positional state.

        The positional convolution as one product per group of channels: a convolution operator would spend its time on
        starting ``B`` times ``groups`` tiny ones.
        """
        g, c = self._graph, self._config
        layer = self._weight.affine("encoder.front_end.projection")
        weight = g.op("Transpose", self._weight(layer.weight_name), perm=[1, 0])
        x = g.op("Add", g.op("MatMul", spectra, weight), self._weight(layer.bias_name))
        heard = g.joined("positional", x, axis=1)
        state = g.part(heard, call.hop, g.op("Add", call.hop, g.ints([c.positional_kernel - 1])), 1)
        kernel, groups = c.positional_kernel, c.positional_groups
        channels = c.width // groups
        new = g.op("Unsqueeze", self._counting(call.hop), g.ints([1]))
        windows = g.op("Gather", heard, g.op("Add", new, g.ints(np.arange(kernel)[None])), axis=1)
        windows = g.op("Reshape", windows, g.ints([-1, kernel, groups, channels]))
        windows = g.op("Transpose", windows, perm=[2, 0, 1, 3])
        windows = g.op("Reshape", windows, g.ints([groups, -1, kernel * channels]))
        weight = g.op(
            "Reshape", self._weight("encoder.positional.weight"), g.ints([groups, channels, channels, kernel])
        )
        weight = g.op("Transpose", weight, perm=[0, 3, 2, 1])
        weight = g.op("Reshape", weight, g.ints([groups, kernel * channels, channels]))
        moved = g.rows(g.op("Transpose", g.op("MatMul", windows, weight), perm=[1, 0, 2]), c.width)
        moved = g.op("Gelu", g.op("Add", moved, self._weight("encoder.positional.bias")))
        return g.op("Add", g.rows(x, c.width), moved), state

    def _counting(self, count: str) -> str:
        """``0 .. count - 1``."""
        g = self._graph
        return g.op("Range", g.ints(0), g.op("Squeeze", count, g.ints([0])), g.ints(1))

    def _masks(self, call: Call) -> tuple[str, str]:
        """What new features may hear of the ring, ``[B, 1, h, C]``, and of each other, ``[h, h]``: ``ring_mask``."""
        g, c = self._graph, self._config
        context = g.ints(c.context)
        new = self._counting(call.hop)
        position = g.op("Unsqueeze", "position", g.ints([1]))
        newest = g.op("Sub", g.op("Sub", position, g.ints(1)), g.ints(np.arange(c.context)[None]))
        age = g.op("Add", g.op("Mod", newest, context), g.ints(1))
        written = g.op("Unsqueeze", g.op("LessOrEqual", age, position), g.ints([1]))
        reach = g.op("Add", g.op("Unsqueeze", age, g.ints([1])), g.op("Unsqueeze", new, g.ints([1])))
        in_ring = g.op("And", written, g.op("LessOrEqual", reach, context))
        between = g.op("Sub", g.op("Unsqueeze", new, g.ints([1])), g.op("Unsqueeze", new, g.ints([0])))
        in_call = g.op("And", g.op("GreaterOrEqual", between, g.ints(0)), g.op("LessOrEqual", between, context))
        ring, call_mask = (g.op("Where", heard, g.floats(0.0), g.floats(_HIDDEN)) for heard in (in_ring, in_call))
        return g.op("Unsqueeze", ring, g.ints([1])), call_mask

    def _layer(self, x: str, index: int, call: Call, ring_mask: str, call_mask: str) -> str:
        """One layer over rows ``[B h, W]``."""
        g, c, name = self._graph, self._config, f"encoder.layers.{index}"
        heard = self._norm(x, f"{name}.attention_norm")
        projected = self._numerics.linear(g, heard, self._weight.affine(f"{name}.query_key_value"))
        projected = g.op("Reshape", projected, g.joined(*call, g.ints([3, c.heads, c.width // c.heads])))
        projected = g.op("Transpose", projected, perm=[2, 0, 3, 1, 4])
        attended = self._attention.attend(projected, index, ring_mask, call_mask)
        attended = g.rows(g.op("Transpose", attended, perm=[0, 2, 1, 3]), c.width)
        x = g.op("Add", x, self._numerics.linear(g, attended, self._weight.affine(f"{name}.attention_out")))
        inner = self._norm(x, f"{name}.feed_forward_norm")
        inner = g.op("Gelu", self._numerics.linear(g, inner, self._weight.affine(f"{name}.feed_forward_in")))
        return g.op("Add", x, self._numerics.linear(g, inner, self._weight.affine(f"{name}.feed_forward_out")))

    def _speech(self, features: str, call: Call) -> str:
        """See ``PhoneHead.speech``: of each preset, the share of all phones but silence."""
        g = self._graph
        logits = self._numerics.linear(g, features, self._weight.affine("phone_head.linear"))
        logits = g.op("Reshape", logits, g.joined(*call, g.ints([len(PRESETS), -1])))
        quiet = g.op("Gather", g.op("Softmax", logits, axis=-1), g.ints(PHONE_INDEX[SILENCE]), axis=3)
        return g.op("Sub", g.floats(1.0), quiet)
