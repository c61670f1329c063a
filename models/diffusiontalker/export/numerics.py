"""How a served graph multiplies: in float32, or in 8-bit integers whose scales no neighbour can change.

Weights have one scale per output channel. Activations have one fixed in advance, by what they can be: a GRU's state
lies within -1..1 (``int8_frame``); for the encoder's see ``int8_layers``. So what one stream sends never changes how
another is rounded, and no calibration is needed. Products are exact sums of int8 x uint8 in int32 (Jacob et al. 2018,
section 2.2).
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.export.graph import MICROSOFT, Graph

Array = NDArray[np.float32]

ROUNDED: Final = (".int8", ".scales", ".folded")
"""How the names of rounded weights, of their scales, and of the biases beside them end."""
LEVELS: Final = 127
"""To either side of 0."""
MIDDLE: Final = 128
"""The unsigned level that stands for 0 where values lie on both sides of it."""
_TINY: Final = 1e-6
"""Least largest weight of an output: one of zeros stays one of zeros."""


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


def float_product(graph: Graph, x: str, layer: Affine) -> str:
    """A layer on ``[..., inputs]``."""
    weight = graph.op("Transpose", graph.parameter(layer.weight_name, layer.weight), perm=[1, 0])
    return graph.op("Add", graph.op("MatMul", x, weight), graph.parameter(layer.bias_name, layer.bias))


def zero_level(graph: Graph, level: int) -> str:
    """The unsigned level that stands for 0, as operators take it."""
    return graph.constant(np.array(level, np.uint8))


def levels(graph: Graph, x: str, step: float, zero: int) -> str:
    """Values as unsigned levels, ``step`` apart, of which ``zero`` stands for 0."""
    return graph.op("QuantizeLinear", x, graph.floats(step), zero_level(graph, zero))


def integer_product(graph: Graph, x: str, layer: Affine, step: float, zero: int) -> str:
    """A layer on rows of unsigned levels ``[R, inputs]``.

    Args:
        graph: to write to.
        x: the levels.
        layer: whose weights are rounded here.
        step: what a level counts.
        zero: the level that stands for 0.
    """
    whole, scales = _rounded(layer.weight)
    return graph.op(
        "MatMulIntegerToFloat",
        x,
        graph.parameter(f"{layer.weight_name}.int8", whole),
        graph.floats(step),
        graph.parameter(f"{layer.weight_name}.scales", scales),
        zero_level(graph, zero),
        "",
        graph.parameter(layer.bias_name, layer.bias.astype(np.float32)),
        domain=MICROSOFT,
    )


def _rounded(weight: Array) -> tuple[NDArray[np.int8], Array]:
    """Weights ``[outputs, inputs]`` as integers ``[inputs, outputs]`` and their scales ``[outputs]``."""
    scales = np.maximum(np.abs(weight).max(1), _TINY) / LEVELS
    whole: NDArray[Any] = np.round(weight / scales[:, None])
    return np.ascontiguousarray(whole.astype(np.int8).T), scales.astype(np.float32)
