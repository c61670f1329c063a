"""Rewrites splits into a sequence as plain splits: no GPU runtime has kernels for sequences of tensors.

The exporter writes ``chunk`` as ``SplitToSequence`` and one ``SequenceAt`` a part. ``Split`` says the same in one node.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper


def split_plainly(proto: onnx.ModelProto) -> None:
    """Replace, in place, every ``SplitToSequence`` whose parts are all taken at constant places.

    Args:
        proto: a model of opset 13 or later, in which sequences are used in no other way.

    Raises:
        ValueError: a sequence is used otherwise, or its sizes are not constant.
    """
    graph = proto.graph
    constants = _constants(graph)
    places = [node for node in graph.node if node.op_type == "SequenceAt"]
    made: dict[str, onnx.NodeProto] = {}
    kept: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.op_type == "SplitToSequence":
            sequence = node.output[0]
            size = constants.get(node.input[1]) if len(node.input) > 1 else None
            used = [constants.get(place.input[1]) for place in places if place.input[0] == sequence]
            if size is None or size.ndim or not used or any(place is None for place in used):
                raise ValueError(f"{node.name}: not a split into equal parts, taken at constant places")
            count = 1 + max(int(place) for place in used if place is not None)
            sizes = numpy_helper.from_array(np.full(count, size, np.int64), f"{sequence}_sizes")
            graph.initializer.append(sizes)
            parts = [f"{sequence}_{i}" for i in range(count)]
            made[sequence] = helper.make_node("Split", [node.input[0], sizes.name], parts, node.name, axis=_axis(node))
            kept.append(made[sequence])
        elif node.op_type == "SequenceAt" and node.input[0] in made:
            made[node.input[0]].output[int(constants[node.input[1]])] = node.output[0]
        elif any(name in made for name in node.input):
            raise ValueError(f"{node.name} takes a sequence: only its parts can be taken")
        else:
            kept.append(node)
    if made:
        del graph.node[:]
        graph.node.extend(kept)


def _axis(node: onnx.NodeProto) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 0)


def _constants(graph: onnx.GraphProto) -> dict[str, NDArray[Any]]:
    """Name -> value of whatever is constant and small enough to be sizes and places."""
    values = {
        initializer.name: numpy_helper.to_array(initializer)
        for initializer in graph.initializer
        if initializer.data_location != onnx.TensorProto.EXTERNAL and np.prod(initializer.dims) <= 16
    }
    for node in graph.node:
        if node.op_type == "Constant":
            for attribute in node.attribute:
                if attribute.name == "value":
                    values[node.output[0]] = numpy_helper.to_array(attribute.t)
                elif attribute.name in ("value_int", "value_ints"):
                    values[node.output[0]] = np.asarray(helper.get_attribute_value(attribute), np.int64)
    return values
