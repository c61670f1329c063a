"""How a served graph multiplies: in float32, or in 8-bit integers with scales that no neighbour can change.

Weights have one scale per output channel. Activations have one scale per row, or a fixed one where they are bounded by
construction (a GRU's state lies within -1..1), so that what one stream sends never changes how another is rounded, and
no calibration is needed. Products are exact sums of int8 x uint8 in int32 (Jacob et al. 2018, section 2.2).
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.export.graph import MICROSOFT, Graph

Array = NDArray[np.float32]

ROUNDED: Final = (".int8", ".scales")
"""How the names of rounded weights and of their scales end."""
_LEVELS: Final = 127
_ZERO: Final = 128
"""The unsigned value that stands for 0."""
_TINY: Final = 1e-6
"""Least largest value of a row: a row of zeros stays one of zeros."""


class Affine(NamedTuple):
    """A layer ``x W^T + b`` and the names of its parameters in the bundle.

    Attributes:
        weight_name: of the weight.
        weight: ``[outputs, inputs]``.
        bias_name: of the bias.
        bias: ``[outputs]``.
    """

    weight_name: str
    weight: Array
    bias_name: str
    bias: Array


class Numerics(Protocol):
    """Multiplies rows by a layer's weights."""

    def linear(self, graph: Graph, x: str, layer: Affine) -> str:
        """Of rows ``[R, inputs]`` of any size."""
        ...

    def bounded(self, graph: Graph, x: str) -> str:
        """Rows within -1..1, ready for any number of ``bounded_linear``."""
        ...

    def bounded_linear(self, graph: Graph, x: str, layer: Affine) -> str:
        """Of what ``bounded`` returned."""
        ...


class Float32:
    """Plain float32; weights are the bundle's own, transposed once when the graph is loaded."""

    def linear(self, graph: Graph, x: str, layer: Affine) -> str:
        """See ``Numerics``."""
        weight = graph.op("Transpose", graph.parameter(layer.weight_name, layer.weight), perm=[1, 0])
        return graph.op("Add", graph.op("MatMul", x, weight), graph.parameter(layer.bias_name, layer.bias))

    def bounded(self, graph: Graph, x: str) -> str:
        """See ``Numerics``."""
        return x

    def bounded_linear(self, graph: Graph, x: str, layer: Affine) -> str:
        """See ``Numerics``."""
        return self.linear(graph, x, layer)


class Int8:
    """8-bit integers, for processors with instructions for them (AVX-512 VNNI, AVX-VNNI, Arm dot product)."""

    def linear(self, graph: Graph, x: str, layer: Affine) -> str:
        """See ``Numerics``."""
        whole, scales = per_row(graph, x)
        y = graph.op("Mul", self._product(graph, whole, layer, 1.0), scales)
        return graph.op("Add", y, graph.parameter(layer.bias_name, layer.bias))

    def bounded(self, graph: Graph, x: str) -> str:
        """See ``Numerics``."""
        return _rounded(graph, x, 1 / _LEVELS)

    def bounded_linear(self, graph: Graph, x: str, layer: Affine) -> str:
        """See ``Numerics``."""
        return self._product(graph, x, layer, 1 / _LEVELS, graph.parameter(layer.bias_name, layer.bias))

    @staticmethod
    def _product(graph: Graph, x: str, layer: Affine, scale: float, bias: str = "") -> str:
        whole, scales = quantized(layer.weight)
        return graph.op(
            "MatMulIntegerToFloat",
            x,
            graph.parameter(f"{layer.weight_name}.int8", whole),
            graph.floats(scale),
            graph.parameter(f"{layer.weight_name}.scales", scales),
            graph.constant(np.array(_ZERO, np.uint8)),
            *(("", bias) if bias else ()),
            domain=MICROSOFT,
        )


def per_row(graph: Graph, x: str) -> tuple[str, str]:
    """``[..., n]`` as uint8 around 128, and the scales ``[..., 1]`` that its last axis' rows then have."""
    largest = graph.op("ReduceMax", graph.op("Abs", x), graph.ints([-1]), keepdims=1)
    largest = graph.op("Max", largest, graph.floats(_TINY))
    levels = graph.op("Mul", x, graph.op("Div", graph.floats(_LEVELS), largest))
    return _rounded(graph, levels, 1.0), graph.op("Mul", largest, graph.floats(1 / _LEVELS))


def _rounded(graph: Graph, x: str, scale: float) -> str:
    return graph.op("QuantizeLinear", x, graph.floats(scale), graph.constant(np.array(_ZERO, np.uint8)))


def quantized(weight: Array) -> tuple[NDArray[np.int8], Array]:
    """Weights ``[outputs, inputs]`` as integers ``[inputs, outputs]`` and their scales ``[outputs]``."""
    scales = np.maximum(np.abs(weight).max(1), _TINY) / _LEVELS
    whole: NDArray[Any] = np.round(weight / scales[:, None])
    return np.ascontiguousarray(whole.astype(np.int8).T), scales.astype(np.float32)
