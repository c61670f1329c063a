"""The compact encoder's served graph: one call per tick, state in and state out.

Inputs: ``samples [B, 320 h + 80]``, ``position [B]`` int64, the positional convolution's past (see ``positional``), and
the rings of the last ``C`` features (see ``float_layers`` and ``int8_layers``). Outputs: ``features [B, h, W]``,
``speech [B, h, presets]``, the positional convolution's next past, and what the caller writes into the rings.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import onnx
from onnx import TensorProto

from diffusiontalker.encoder.filterbank import SHORT_WINDOWS
from diffusiontalker.encoder.phone_head import PhoneHead
from diffusiontalker.encoder.streaming_hubert import StreamingHubert
from diffusiontalker.export.float_layers import FloatLayers
from diffusiontalker.export.graph import Graph
from diffusiontalker.export.int8_layers import Int8Layers
from diffusiontalker.export.layers import Layers, layer_norm
from diffusiontalker.export.numerics import float_product
from diffusiontalker.export.positional import AnyHop, FixedHop, Positional
from diffusiontalker.export.spectra import Call, Parameters, log_mel, windows
from diffusiontalker.geometry import FEATURE_OVERLAP, FEATURE_STRIDE, PRESETS
from diffusiontalker.phones import PHONE_INDEX, PHONES, SILENCE

_HIDDEN: Final = -1e9
"""Added to the scores of features that may not be heard."""


class StreamingGraph:
    """Writes the graph of one encoder.

    Args:
        encoder: in evaluation mode.
        phone_head: its speech detector.
        hop: of a graph in 8 bits, how many features a call has: the less is left to decide at run time, the less a
            call costs. None for a graph in float32, of any hop. Spectra are always in float32: what lies 50 dB below
            the loudest partial is heard too.
    """

    def __init__(self, encoder: StreamingHubert, phone_head: PhoneHead, hop: int | None = None) -> None:
        g, c = Graph("encoder"), encoder.config
        self._graph, self._config, self._hop = g, c, hop
        self._weight = Parameters(g, {"encoder": encoder, "phone_head": phone_head})
        self._positional: Positional = AnyHop(g, c) if hop is None else FixedHop(g, c, hop)
        self._layers: Layers = (FloatLayers if hop is None else Int8Layers)(g, c, self._weight)

    def write(self) -> onnx.ModelProto:
        """The graph."""
        g, c = self._graph, self._config
        call = Call.of(g, "samples", self._hop)
        x = self._placed(self._embedded(self._spectra(call)), call)
        x = self._layers.apply(x, call, *self._masks(call))
        features = layer_norm(g, self._weight, x, "encoder.final_norm")
        whole = g.joined(call.streams, call.hop, g.ints([c.width]))
        samples = "samples" if self._hop is None else FEATURE_STRIDE * self._hop + FEATURE_OVERLAP
        return g.model(
            [
                ("samples", TensorProto.FLOAT, ["streams", samples]),
                ("position", TensorProto.INT64, ["streams"]),
                *self._positional.inputs(),
                *self._layers.inputs(),
            ],
            {
                "features": (g.op("Reshape", features, whole), TensorProto.FLOAT, ["streams", "hop", c.width]),
                "speech": (self._speech(features, call), TensorProto.FLOAT, ["streams", "hop", len(PRESETS)]),
                **self._positional.outputs(),
                **self._layers.outputs(),
            },
        )

    def _spectra(self, call: Call) -> str:
        """Log-mel spectra of each feature's long window and its short ones, ``[B, h, bands]``."""
        g, c = self._graph, self._config
        long = log_mel(g, self._weight, windows(g, "samples", call), "encoder.front_end.long")
        length, overlap = call.samples(g), g.ints([FEATURE_OVERLAP])
        blocks = g.joined(call.streams, g.op("Mul", call.hop, g.ints([SHORT_WINDOWS])), overlap)
        before = g.part("samples", g.ints([0]), g.op("Sub", length, overlap), 1)
        after = g.part("samples", overlap, length, 1)
        halves = g.joined(*(g.op("Reshape", x, blocks) for x in (before, after)), axis=2)
        short = log_mel(g, self._weight, halves, "encoder.front_end.short")
        short = g.op("Reshape", short, g.joined(*call, g.ints([SHORT_WINDOWS * c.short_bands])))
        return g.joined(long, short, axis=2)

    def _embedded(self, spectra: str) -> str:
        """What enters the positional convolution, ``[B, h, W]``."""
        return float_product(self._graph, spectra, self._weight.affine("encoder.front_end.projection"))

    def _placed(self, x: str, call: Call) -> str:
        """What enters the first layer, ``[B h, W]``."""
        g = self._graph
        moved = self._positional.convolve(x, self._weight("encoder.positional.weight"), call)
        moved = g.op("Gelu", g.op("Add", moved, self._weight("encoder.positional.bias")))
        return g.op("Add", g.rows(x, self._config.width), moved)

    def _masks(self, call: Call) -> tuple[str, str]:
        """What new features may hear of the ring, ``[B, 1, h, C]``, and of each other, ``[h, h]``: ``ring_mask``."""
        g, c = self._graph, self._config
        context = g.ints(c.context)
        new = g.counting(call.hop)
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

    def _speech(self, features: str, call: Call) -> str:
        """See ``PhoneHead.speech``: of each preset, the share of all phones but silence."""
        g = self._graph
        logits = float_product(g, features, self._weight.affine("phone_head.linear"))
        logits = g.op("Reshape", logits, g.joined(*call, g.ints([len(PRESETS), len(PHONES)])))
        quiet = g.op("Gather", g.op("Softmax", logits, axis=-1), g.ints(PHONE_INDEX[SILENCE]), axis=3)
        return g.op("Sub", g.floats(1.0), quiet)
