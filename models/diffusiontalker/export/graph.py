"""Writes ONNX graphs node by node: operators, constants, and a network's parameters under their own names.

A traced network carries a copy of every weight per use, and copies of its state where a person would read it in place;
what is served a hundred times a second is worth writing down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

OPSET = 20
MICROSOFT = "com.microsoft"
"""Domain of ONNX Runtime's own operators."""

Shape = Sequence[int | str]
Port = tuple[str, int, Shape]
"""Name, element type and shape of an input."""


class Graph:
    """Collects nodes; each method returns the name of its output.

    Args:
        name: of the graph.
        outer: the graph whose initializers a subgraph shares, where it is the body of one of its nodes.
    """

    def __init__(self, name: str, outer: Graph | None = None) -> None:
        self.name = name
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: dict[str, onnx.TensorProto] = outer.initializers if outer else {}
        self._constants: dict[tuple[bytes, tuple[int, ...], str], str] = outer._constants if outer else {}

    def op(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """An operator of one output."""
        return self.ops(kind, *inputs, outputs=1, domain=domain, **attributes)[0]

    def ops(self, kind: str, *inputs: str, outputs: int, domain: str = "", **attributes: Any) -> list[str]:
        """An operator of several outputs."""
        names = [f"{self.name}_{kind.lower()}_{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, domain=domain, **attributes))
        return names

    def named(self, name: str, value: str) -> None:
        """Give a value another name: that of an output."""
        self.nodes.append(helper.make_node("Identity", [value], [name]))

    def parameter(self, name: str, values: NDArray[Any]) -> str:
        """An initializer under a name of its own: a weight, which lies in the bundle's weights file."""
        if name not in self.initializers:
            self.initializers[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        return name

    def ints(self, values: Any) -> str:
        """A constant of int64; equal ones are one."""
        return self.constant(np.asarray(values, np.int64))

    def floats(self, values: Any) -> str:
        """A constant of float32; equal ones are one."""
        return self.constant(np.asarray(values, np.float32))

    def constant(self, values: NDArray[Any]) -> str:
        """A constant of any type; equal ones are one."""
        key = values.tobytes(), values.shape, values.dtype.str
        if key not in self._constants:
            self._constants[key] = name = f"constant_{len(self._constants)}"
            self.initializers[name] = numpy_helper.from_array(values, name)
        return self._constants[key]

    def size(self, x: str, axis: int) -> str:
        """Length of an axis, ``[1]``."""
        return self.op("Shape", x, start=axis, end=axis + 1)

    def counting(self, count: str) -> str:
        """``0 .. count - 1``, of a ``[1]``."""
        return self.op("Range", self.ints(0), self.op("Squeeze", count, self.ints([0])), self.ints(1))

    def joined(self, *parts: str, axis: int = 0) -> str:
        """Concatenation."""
        return self.op("Concat", *parts, axis=axis)

    def part(self, x: str, start: str, end: str, axis: int) -> str:
        """``x[start:end]`` along an axis; both are ``[1]``."""
        return self.op("Slice", x, start, end, self.ints([axis]))

    def pieces(self, x: str, sizes: Sequence[int]) -> list[str]:
        """The last axis cut into pieces of these sizes."""
        return self.ops("Split", x, self.ints(list(sizes)), outputs=len(sizes), axis=-1)

    def rows(self, x: str, width: int) -> str:
        """``[..., width]`` as ``[R, width]``."""
        return self.op("Reshape", x, self.ints([-1, width]))

    def model(self, inputs: Sequence[Port], outputs: Mapping[str, tuple[str, int, Shape]]) -> onnx.ModelProto:
        """The finished graph; each output is ``name: (value, element type, shape)``."""
        for name, (value, _, _) in outputs.items():
            self.named(name, value)
        graph = helper.make_graph(
            self.nodes,
            self.name,
            [helper.make_tensor_value_info(*port) for port in inputs],
            [helper.make_tensor_value_info(name, kind, shape) for name, (_, kind, shape) in outputs.items()],
            list(self.initializers.values()),
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10)
