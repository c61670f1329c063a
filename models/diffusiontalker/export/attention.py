"""Attention of the compact encoder's served graph, and what it keeps of the past: rings of keys and values.

A ring holds a stream's last ``C`` features, feature ``k`` at place ``k % C``. Queries meet the ring and the call's own
new features apart, so that nothing of the past has to be copied behind the new.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, Protocol

import numpy as np
from onnx import TensorProto

from diffusiontalker.encoder.config import StreamingHubertConfig
from diffusiontalker.export.graph import Graph, Port, Shape
from diffusiontalker.export.numerics import per_row

_QUERY, _KEY, _VALUE = range(3)
_SHARES: Final = 255
"""Levels of shares, which are never below 0."""


class Attention(Protocol):
    """Attends to the past and to the new, layer by layer."""

    def inputs(self) -> list[Port]:
        """What the graph takes of the past."""
        ...

    def attend(self, projected: str, layer: int, ring_mask: str, call_mask: str) -> str:
        """One layer's.

        Args:
            projected: queries, keys and values ``[3, B, heads, h, d]``.
            layer: which.
            ring_mask: ``[B, 1, h, C]``, added to the scores of the past.
            call_mask: ``[h, h]``, added to those of the new.

        Returns:
            ``[B, heads, h, d]``.
        """
        ...

    def outputs(self) -> Mapping[str, tuple[str, int, Shape]]:
        """What the caller is to write into the rings after all layers have attended: value, type and shape by name."""
        ...


class FloatAttention:
    """In float32, over rings that the caller has brought together: row ``b`` is stream ``b``'s.

    Inputs are ``keys_l [B, heads, d, C]`` and ``values_l [B, heads, C, d]``, as they are read; outputs are
    ``new_keys [B, L, heads, h, d]`` and ``new_values``.
    """

    def __init__(self, graph: Graph, config: StreamingHubertConfig) -> None:
        self._graph = graph
        self._config = config
        self._keys: list[str] = []
        self._values: list[str] = []

    def inputs(self) -> list[Port]:
        """See ``Attention``."""
        return _rings(self._config, TensorProto.FLOAT, "streams")

    def attend(self, projected: str, layer: int, ring_mask: str, call_mask: str) -> str:
        """See ``Attention``."""
        g = self._graph
        query, key, value = _parts(g, projected)
        self._keys.append(key)
        self._values.append(value)
        query = g.op("Mul", query, g.floats(1 / math.sqrt(_size(self._config))))
        past = g.op("Add", g.op("MatMul", query, f"keys_{layer}"), ring_mask)
        past, present = _shares(g, self._config, past, _present(g, query, key, call_mask))
        return g.op("Add", g.op("MatMul", past, f"values_{layer}"), g.op("MatMul", present, value))

    def outputs(self) -> Mapping[str, tuple[str, int, Shape]]:
        """See ``Attention``."""
        c = self._config
        shape: Shape = ["streams", c.layers, c.heads, "hop", _size(c)]
        return {
            "new_keys": (_stacked(self._graph, self._keys), TensorProto.FLOAT, shape),
            "new_values": (_stacked(self._graph, self._values), TensorProto.FLOAT, shape),
        }


class Int8Attention:
    """Over rings of 8-bit integers, a quarter of the memory, which is what attention to a short past waits for.

    Each key and value of each head has a scale of its own; queries and shares have one per row. Inputs are ``rows [B]``
    int64, the rings of *all* streams, ``keys_l [S, heads, d, C]`` and ``values_l [S, heads, C, d]`` of uint8 around
    128, and ``scales [S, L, 2, heads, C]``, keys' before values'; the graph takes the rows it needs. Outputs are
    ``new_keys [B, L, heads, h, d]``, ``new_values`` and ``new_scales [B, L, 2, heads, h]``.
    """

    def __init__(self, graph: Graph, config: StreamingHubertConfig) -> None:
        self._graph = graph
        self._config = config
        self._whole: list[str] = []
        self._scales: list[str] = []
        self._past_scales = ""

    def inputs(self) -> list[Port]:
        """See ``Attention``."""
        c = self._config
        return [
            ("rows", TensorProto.INT64, ["streams"]),
            *_rings(c, TensorProto.UINT8, "slots"),
            ("scales", TensorProto.FLOAT, ["slots", c.layers, 2, c.heads, c.context]),
        ]

    def attend(self, projected: str, layer: int, ring_mask: str, call_mask: str) -> str:
        """See ``Attention``."""
        g, c = self._graph, self._config
        if not self._past_scales:
            # [L, 2, B, heads, 1, C]
            taken = g.op("Transpose", g.op("Gather", "scales", "rows", axis=0), perm=[1, 2, 0, 3, 4])
            self._past_scales = g.op("Unsqueeze", taken, g.ints([4]))
        past_scales = g.op("Gather", self._past_scales, g.ints(layer), axis=0)
        key_scales, value_scales = (g.op("Gather", past_scales, g.ints(i), axis=0) for i in range(2))
        whole, scales = per_row(g, projected)
        self._whole.append(whole)
        self._scales.append(scales)
        query, key, value = _parts(g, projected)
        root = g.floats(1 / math.sqrt(_size(c)))
        query_scale = g.op("Mul", g.op("Gather", scales, g.ints(_QUERY), axis=0), root)
        zero, middle = (g.constant(np.array(level, np.uint8)) for level in (0, 128))
        keys = g.op("Gather", f"keys_{layer}", "rows", axis=0)
        products = g.op("MatMulInteger", g.op("Gather", whole, g.ints(_QUERY), axis=0), keys, middle, middle)
        past = g.op("Mul", g.op("Cast", products, to=TensorProto.FLOAT), g.op("Mul", query_scale, key_scales))
        past = g.op("Add", past, ring_mask)
        past, present = _shares(g, c, past, _present(g, g.op("Mul", query, root), key, call_mask))
        # The values' scales go into the shares, which then have one scale per row again.
        weighted = g.op("Mul", past, value_scales)
        largest = g.op("Max", g.op("ReduceMax", weighted, g.ints([-1]), keepdims=1), g.floats(1e-12))
        levels = g.op("Mul", weighted, g.op("Div", g.floats(_SHARES), largest))
        levels = g.op("QuantizeLinear", levels, g.floats(1.0), zero)
        values = g.op("Gather", f"values_{layer}", "rows", axis=0)
        heard = g.op("Cast", g.op("MatMulInteger", levels, values, zero, middle), to=TensorProto.FLOAT)
        heard = g.op("Mul", heard, g.op("Mul", largest, g.floats(1 / _SHARES)))
        return g.op("Add", heard, g.op("MatMul", present, value))

    def outputs(self) -> Mapping[str, tuple[str, int, Shape]]:
        """See ``Attention``."""
        g, c = self._graph, self._config
        whole = g.joined(*(g.op("Unsqueeze", part, g.ints([0])) for part in self._whole))  # [L, 3, B, heads, h, d]
        scales = g.joined(*(g.op("Unsqueeze", part, g.ints([0])) for part in self._scales))
        scales = g.op("Squeeze", scales, g.ints([5]))
        scales = g.part(scales, g.ints([_KEY]), g.ints([_VALUE + 1]), 1)
        keys, values = (
            g.op("Transpose", g.op("Gather", whole, g.ints(part), axis=1), perm=[1, 0, 2, 3, 4])
            for part in (_KEY, _VALUE)
        )
        shape: Shape = ["streams", c.layers, c.heads, "hop", _size(c)]
        return {
            "new_keys": (keys, TensorProto.UINT8, shape),
            "new_values": (values, TensorProto.UINT8, shape),
            "new_scales": (
                g.op("Transpose", scales, perm=[2, 0, 1, 3, 4]),
                TensorProto.FLOAT,
                ["streams", c.layers, 2, c.heads, "hop"],
            ),
        }


def _size(config: StreamingHubertConfig) -> int:
    return config.width // config.heads


def _rings(config: StreamingHubertConfig, kind: int, rows: str) -> list[Port]:
    size = _size(config)
    return [
        (f"{name}_{layer}", kind, [rows, config.heads, *shape])
        for name, shape in (("keys", (size, config.context)), ("values", (config.context, size)))
        for layer in range(config.layers)
    ]


def _parts(g: Graph, projected: str) -> list[str]:
    """Queries, keys and values ``[B, heads, h, d]``."""
    return [g.op("Squeeze", part, g.ints([0])) for part in g.ops("Split", projected, outputs=3, axis=0, num_outputs=3)]


def _present(g: Graph, query: str, key: str, mask: str) -> str:
    """Scores of a call's features among themselves, ``[B, heads, h, h]``."""
    return g.op("Add", g.op("MatMul", query, g.op("Transpose", key, perm=[0, 1, 3, 2])), mask)


def _shares(g: Graph, config: StreamingHubertConfig, past: str, present: str) -> tuple[str, str]:
    """Softmax over both."""
    shares = g.op("Softmax", g.joined(past, present, axis=3), axis=-1)
    context = g.ints([config.context])
    return g.part(shares, g.ints([0]), context, 3), g.part(shares, context, g.size(shares, 3), 3)


def _stacked(g: Graph, parts: list[str]) -> str:
    return g.joined(*(g.op("Unsqueeze", part, g.ints([1])) for part in parts), axis=1)
