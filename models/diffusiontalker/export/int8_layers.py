"""Transformer layers of the compact encoder's served graph, in 8-bit integers with scales fixed in advance.

Nothing is calibrated. A normalised row has a mean of 0 and a variance of 1, so what a layer makes of it spreads about
its bias by the length of the layer's weights: a few lengths either way are all there is to tell apart. Scales go where
they cost nothing. Queries and keys leave their product as levels, those of a head alike; a key's bias, which adds the
same to all scores of a query, is left out; shares sum to 1, so a value's bias and scale pass on to the next layer; gain
and shift of each normalisation go into the product that follows. What one stream sends changes nothing of another.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from onnx import TensorProto

from diffusiontalker.export.graph import MICROSOFT, Port, Shape
from diffusiontalker.export.layers import EPSILON, Layers, ring_ports
from diffusiontalker.export.numerics import LEVELS, MIDDLE, Affine, Array, integer_product, levels, zero_level
from diffusiontalker.export.spectra import Call

_NORMALISED: Final = 12.0
"""Largest normalised value that is told from larger ones. Of ``n`` values none exceeds ``sqrt(n - 1)``, 16 for 256; but
finer steps for all of them are worth more than the few beyond 12."""
_LENGTHS: Final = 8.0
"""How many lengths of its weights a query, key or value may be away from 0, or an inner value from its bias."""
_ATTENDED: Final = 0.75
"""Levels in a step of what attention returns: an average is less far away than what it is an average of."""
_SHARES: Final = 255
"""Levels of shares, which lie within 0..1."""
_GELU_ZERO: Final = 32
"""The level that stands for 0 after GELU, which goes far up and hardly down."""
_GELU_LOWEST: Final = 0.17
"""GELU is never below minus this."""


class _Attention(NamedTuple):
    """A layer's attention with scales, gains and shifts in its weights.

    Attributes:
        projection: from normalised rows to levels of queries, keys and values.
        score: ``[heads]`` what a product of levels counts.
        out: from levels of values to what is added.
    """

    projection: Affine
    score: Array
    out: Affine


class Int8Layers(Layers):
    """Over the rings of *all* streams, of which the graph picks the ``rows [B]`` it needs.

    Inputs are ``rows`` (int64), ``keys_l [S, heads, d, C]`` and ``values_l [S, heads, C, d]`` (int8); outputs are
    ``new_keys [L, B, heads, h, d]`` and ``new_values``.
    """

    def inputs(self) -> list[Port]:
        """See ``Layers``."""
        return [("rows", TensorProto.INT64, ["streams"]), *ring_ports(self._config, TensorProto.INT8, "slots")]

    def apply(self, x: str, call: Call, ring_mask: str, call_mask: str) -> str:
        """See ``Layers``."""
        for index in range(self._config.layers):
            x = self._attention(x, index, call, ring_mask, call_mask)
            x = self._feed_forward(x, index)
        return x

    def outputs(self) -> Mapping[str, tuple[str, int, Shape]]:
        """See ``Layers``."""
        c = self._config
        return self._remembered(0, TensorProto.INT8, [c.layers, "streams", c.heads, "hop", c.width // c.heads])

    def _attention(self, x: str, index: int, call: Call, ring_mask: str, call_mask: str) -> str:
        g, c = self._graph, self._config
        folded = self._folded_attention(index)
        projected = self._from_normalised(x, folded.projection)
        query, key, value = g.pieces(projected, (c.width, c.width, c.width))
        score = g.parameter(f"encoder.layers.{index}.score.folded", folded.score)
        present = g.op("Add", self._present(query, key, call, score), call_mask)
        query = self._by_head(levels(g, query, 1.0, MIDDLE), call)
        key, value = (
            self._by_head(g.op("QuantizeLinear", x, g.floats(1.0), g.constant(np.array(0, np.int8))), call)
            for x in (key, value)
        )
        self._keys.append(key)
        self._values.append(value)
        by_head = g.op("Reshape", score, g.ints([c.heads, 1, 1]))
        past = self._product(query, g.op("Gather", f"keys_{index}", "rows", axis=0), by_head, MIDDLE)
        scores = g.joined(g.op("Add", past, ring_mask), present, axis=3)
        shares = levels(g, g.op("Softmax", scores, axis=-1), 1 / _SHARES, 0)
        values = g.joined(g.op("Gather", f"values_{index}", "rows", axis=0), value, axis=2)
        attended = self._product(shares, values, g.floats(1 / _SHARES), 0)
        attended = g.rows(g.op("Transpose", attended, perm=[0, 2, 1, 3]), c.width)
        attended = levels(g, attended, _ATTENDED, MIDDLE)
        return g.op("Add", x, integer_product(g, attended, folded.out, _ATTENDED, MIDDLE))

    def _present(self, query: str, key: str, call: Call, score: str) -> str:
        """Scores of a call's features among themselves, ``[B, heads, h, h]``: too few for products of matrices."""
        g, c = self._graph, self._config
        shape = g.ints([c.heads, c.width // c.heads])
        query = g.op("Reshape", query, g.joined(*call, g.ints([1]), shape))
        key = g.op("Reshape", key, g.joined(call.streams, g.ints([1]), call.hop, shape))
        products = g.op("ReduceSum", g.op("Mul", query, key), g.ints([-1]), keepdims=0)
        return g.op("Transpose", g.op("Mul", products, score), perm=[0, 3, 1, 2])

    def _by_head(self, x: str, call: Call) -> str:
        """Rows ``[B h, W]`` to ``[B, heads, h, d]``."""
        g, c = self._graph, self._config
        x = g.op("Reshape", x, g.joined(*call, g.ints([c.heads, c.width // c.heads])))
        return g.op("Transpose", x, perm=[0, 2, 1, 3])

    def _feed_forward(self, x: str, index: int) -> str:
        g, name = self._graph, f"encoder.layers.{index}"
        into = self._after_norm(f"{name}.feed_forward_norm", f"{name}.feed_forward_in")
        out = self._weight.affine(f"{name}.feed_forward_out")
        top = MIDDLE + LEVELS - _GELU_ZERO
        # A step is no finer than what GELU's lowest value needs.
        step = np.maximum((_LENGTHS * _lengths(into.weight) + into.bias) / top, _GELU_LOWEST / _GELU_ZERO)
        to_levels = g.parameter(f"{name}.gelu.scales", (1 / step).astype(np.float32))
        inner = g.op("Mul", g.op("Gelu", self._from_normalised(x, into)), to_levels)
        inner = levels(g, inner, 1.0, _GELU_ZERO)
        return g.op("Add", x, integer_product(g, inner, out._replace(weight=out.weight * step), 1.0, _GELU_ZERO))

    def _from_normalised(self, x: str, layer: Affine) -> str:
        """A layer that has taken gain and shift in, on the normalised rows of ``x``."""
        g, width = self._graph, self._config.width
        plain = g.floats(np.ones(width)), g.floats(np.zeros(width))
        rows = g.op("LayerNormalization", x, *plain, axis=-1, epsilon=EPSILON)
        step = _NORMALISED / LEVELS
        return integer_product(g, levels(g, rows, step, MIDDLE), layer, step, MIDDLE)

    def _product(self, a: str, b: str, scale: str, zero: int) -> str:
        """Of levels ``a`` around ``zero`` and int8 levels ``b``, times a scale that fits the result."""
        g = self._graph
        return g.op("MatMulIntegerToFloat", a, b, scale, g.floats(1.0), zero_level(g, zero), domain=MICROSOFT)

    def _after_norm(self, norm: str, layer: str) -> Affine:
        """A layer with the gain and the shift of the normalisation before it."""
        gain, shift = (self._weight.value(f"{norm}.{part}") for part in ("weight", "bias"))
        plain = self._weight.affine(layer)
        return _with_bias(plain._replace(weight=plain.weight * gain), plain.bias + plain.weight @ shift)

    def _folded_attention(self, index: int) -> _Attention:
        c, name = self._config, f"encoder.layers.{index}"
        layer = self._after_norm(f"{name}.attention_norm", f"{name}.query_key_value")
        query, key, value = np.split(layer.weight, 3)
        # A head's products stay as they are if a query is made longer and its key shorter: both as long as their mean.
        together = np.sqrt(_lengths(query) * _lengths(key))
        head = together.reshape(c.heads, -1).max(1) * (_LENGTHS / LEVELS)
        unit = np.repeat(head, c.width // c.heads)
        to_levels = np.concatenate(
            [together / _lengths(query) / unit, together / _lengths(key) / unit, LEVELS / _LENGTHS / _lengths(value)]
        )
        bias = np.split(layer.bias * to_levels, 3)[0]
        projection = layer._replace(
            weight=layer.weight * to_levels[:, None], bias=np.concatenate([bias, np.zeros(2 * c.width)])
        )
        of_values = slice(2 * c.width, None)
        out = self._weight.affine(f"{name}.attention_out")
        return _Attention(
            projection,
            (head**2 / math.sqrt(c.width // c.heads)).astype(np.float32),
            _with_bias(
                out._replace(weight=out.weight / to_levels[of_values]), out.bias + out.weight @ layer.bias[of_values]
            ),
        )


def _with_bias(layer: Affine, bias: Array) -> Affine:
    """A layer whose bias took something in, and has a name of its own for that."""
    return layer._replace(bias_name=f"{layer.bias_name}.folded", bias=bias)


def _lengths(weight: Array) -> Array:
    """Of the rows of a weight."""
    lengths: Array = np.maximum(np.linalg.norm(weight, axis=1), 1e-6)
    return lengths
