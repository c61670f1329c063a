"""Transformer layers of the compact encoder's served graph, in float32."""

from __future__ import annotations

import math
from collections.abc import Mapping

from onnx import TensorProto

from diffusiontalker.export.graph import Port, Shape
from diffusiontalker.export.layers import Layers, layer_norm, ring_ports
from diffusiontalker.export.numerics import float_product
from diffusiontalker.export.spectra import Call


class FloatLayers(Layers):
    """Over rings that the caller has brought together: row ``b`` is stream ``b``'s.

    Inputs are ``keys_l [B, heads, d, C]`` and ``values_l [B, heads, C, d]``, as they are read; outputs are
    ``new_keys [B, L, heads, h, d]`` and ``new_values``.
    """

    def inputs(self) -> list[Port]:
        """See ``Layers``."""
        return ring_ports(self._config, TensorProto.FLOAT, "streams")

    def apply(self, x: str, call: Call, ring_mask: str, call_mask: str) -> str:
        """See ``Layers``."""
        for index in range(self._config.layers):
            x = self._layer(x, index, call, ring_mask, call_mask)
        return x

    def outputs(self) -> Mapping[str, tuple[str, int, Shape]]:
        """See ``Layers``."""
        c = self._config
        return self._remembered(1, TensorProto.FLOAT, ["streams", c.layers, c.heads, "hop", c.width // c.heads])

    def _layer(self, x: str, index: int, call: Call, ring_mask: str, call_mask: str) -> str:
        g, c, weight, name = self._graph, self._config, self._weight, f"encoder.layers.{index}"
        heard = layer_norm(g, weight, x, f"{name}.attention_norm")
        projected = float_product(g, heard, weight.affine(f"{name}.query_key_value"))
        projected = g.op("Reshape", projected, g.joined(*call, g.ints([3, c.heads, c.width // c.heads])))
        projected = g.op("Transpose", projected, perm=[2, 0, 3, 1, 4])
        attended = self._attend(projected, index, ring_mask, call_mask)
        attended = g.rows(g.op("Transpose", attended, perm=[0, 2, 1, 3]), c.width)
        x = g.op("Add", x, float_product(g, attended, weight.affine(f"{name}.attention_out")))
        inner = layer_norm(g, weight, x, f"{name}.feed_forward_norm")
        inner = g.op("Gelu", float_product(g, inner, weight.affine(f"{name}.feed_forward_in")))
        return g.op("Add", x, float_product(g, inner, weight.affine(f"{name}.feed_forward_out")))

    def _attend(self, projected: str, layer: int, ring_mask: str, call_mask: str) -> str:
        """From queries, keys and values ``[3, B, heads, h, d]`` to ``[B, heads, h, d]``."""
        g, c = self._graph, self._config
        parts = g.ops("Split", projected, outputs=3, axis=0, num_outputs=3)
        query, key, value = (g.op("Squeeze", part, g.ints([0])) for part in parts)
        self._keys.append(key)
        self._values.append(value)
        query = g.op("Mul", query, g.floats(1 / math.sqrt(c.width // c.heads)))
        past = g.op("Add", g.op("MatMul", query, f"keys_{layer}"), ring_mask)
        present = g.op("Add", g.op("MatMul", query, g.op("Transpose", key, perm=[0, 1, 3, 2])), call_mask)
        shares = g.op("Softmax", g.joined(past, present, axis=3), axis=-1)
        context = g.ints([c.context])
        past = g.part(shares, g.ints([0]), context, 3)
        present = g.part(shares, context, g.size(shares, 3), 3)
        return g.op("Add", g.op("MatMul", past, f"values_{layer}"), g.op("MatMul", present, value))
