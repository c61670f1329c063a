"""The denoiser's served graph: all denoise steps of new frames in one call, written node by node.

A GRU exported step by step would carry its weights once per step; here the N steps share them. Inputs:
``audio [B, F, 2 W]``, ``identity [B, F, E]``, ``preset [B]`` int64, ``noise [B, F, 52]``,
``hidden [B, N, layers, H]``. Outputs: ``curves [B, F, 52]`` in about 0..1 and ``new_hidden``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from diffusiontalker.denoiser.model import Denoiser
from diffusiontalker.denoiser.schedule import Schedule
from diffusiontalker.export.tracing import OPSET

_Port = tuple[str, int, list[int | str]]


class _Graph:
    """Collects nodes; each method returns the name of its output."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: dict[str, onnx.TensorProto] = {}

    def op(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> str:
        return self.ops(kind, *inputs, outputs=outputs, **attributes)[0]

    def ops(self, kind: str, *inputs: str, outputs: int, **attributes: Any) -> list[str]:
        names = [f"{kind.lower()}_{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names

    def constant(self, values: Any, dtype: type = np.int64) -> str:
        array: NDArray[Any] = np.asarray(values, dtype)
        name = f"constant_{len(self.initializers)}"
        self.initializers[name] = numpy_helper.from_array(array, name)
        return name

    def linear(self, x: str, weight: str, bias: str) -> str:
        return self.op("Add", self.op("MatMul", x, self.op("Transpose", weight, perm=[1, 0])), bias)

    def row(self, x: str, axis: int, index: int) -> str:
        return self.op("Gather", x, self.constant(index), axis=axis)

    def model(self, inputs: Sequence[_Port], outputs: Sequence[tuple[str, str, list[int | str]]]) -> onnx.ModelProto:
        """The graph with its ports; each output is ``(name, value, shape)``."""
        for name, value, _ in outputs:
            self.nodes.append(helper.make_node("Identity", [value], [name]))
        graph = helper.make_graph(
            self.nodes,
            "denoiser",
            [helper.make_tensor_value_info(*port) for port in inputs],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, _, shape in outputs],
            list(self.initializers.values()),
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)


def _onnx_gates(graph: _Graph, weight: str) -> str:
    """Torch stacks a GRU's gates as reset, update, new; ONNX as update, reset, new."""
    reset, update, new = graph.ops("Split", weight, outputs=3, axis=0, num_outputs=3)
    return graph.op("Concat", update, reset, new, axis=0)


def denoiser_graph(denoiser: Denoiser, schedule: Schedule) -> onnx.ModelProto:
    """Write the graph; its weights are initializers named ``denoiser.`` plus the parameter's name."""
    c = denoiser.config
    graph = _Graph()
    weights = {f"denoiser.{name}": tensor.detach().cpu().numpy() for name, tensor in denoiser.state_dict().items()}
    for name, array in weights.items():
        graph.initializers[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)

    def weight(name: str) -> str:
        return f"denoiser.{name}"

    # Condition: shared by all steps; time first from here on, as the GRU operator wants it.
    heard = graph.op("Gelu", graph.linear("audio", weight("audio.weight"), weight("audio.bias")))
    frames = graph.op("Shape", "noise", start=1, end=2)
    patience = graph.op("Unsqueeze", graph.op("Gather", weight("preset.weight"), "preset"), graph.constant([1]))
    patience = graph.op(
        "Expand", patience, graph.op("Concat", graph.constant([1]), frames, graph.constant([1]), axis=0)
    )
    condition = graph.op("Concat", heard, "identity", patience, axis=2)
    condition = graph.op("Transpose", condition, perm=[1, 0, 2])
    x = graph.op("Transpose", graph.op("Mul", "noise", weight("temperature")), perm=[1, 0, 2])

    layers = []
    for layer in range(c.layers):
        w, r = (
            graph.op("Unsqueeze", _onnx_gates(graph, weight(f"gru.weight_{kind}_l{layer}")), graph.constant([0]))
            for kind in ("ih", "hh")
        )
        biases = [_onnx_gates(graph, weight(f"gru.bias_{kind}_l{layer}")) for kind in ("ih", "hh")]
        layers.append((w, r, graph.op("Unsqueeze", graph.op("Concat", *biases, axis=0), graph.constant([0]))))

    states = []
    for step, (from_clean, from_noised) in enumerate(schedule.ddim()):
        timestep = int(schedule.timesteps[len(schedule) - 1 - step])
        embedded = _step_embedding(graph, denoiser, timestep, x)
        y = graph.op("Concat", condition, x, embedded, axis=2)
        before = graph.row("hidden", 1, step)
        after = []
        for layer, (w, r, b) in enumerate(layers):
            initial = graph.op("Unsqueeze", graph.row(before, 1, layer), graph.constant([0]))
            y, state = graph.ops("GRU", y, w, r, b, "", initial, outputs=2, hidden_size=c.hidden, linear_before_reset=1)
            y = graph.op("Squeeze", y, graph.constant([1]))
            after.append(state)
        states.append(graph.op("Concat", *after, axis=0))
        clean = graph.linear(y, weight("output.weight"), weight("output.bias"))
        if from_noised:
            moved = graph.op("Mul", clean, graph.constant(from_clean, np.float32))
            x = graph.op("Add", moved, graph.op("Mul", x, graph.constant(from_noised, np.float32)))
        else:
            x = clean

    scaled = graph.op("Add", graph.op("Mul", x, weight("scale")), weight("mean"))
    curves = graph.op("Transpose", scaled, perm=[1, 0, 2])
    stacked = graph.op("Concat", *(graph.op("Unsqueeze", s, graph.constant([0])) for s in states), axis=0)
    hidden = graph.op("Transpose", stacked, perm=[2, 0, 1, 3])
    return graph.model(
        inputs=[
            ("audio", TensorProto.FLOAT, ["batch", "frames", 2 * c.feature_width]),
            ("identity", TensorProto.FLOAT, ["batch", "frames", c.identity_width]),
            ("preset", TensorProto.INT64, ["batch"]),
            ("noise", TensorProto.FLOAT, ["batch", "frames", c.coefficients]),
            ("hidden", TensorProto.FLOAT, ["batch", len(schedule), c.layers, c.hidden]),
        ],
        outputs=[
            ("curves", curves, ["batch", "frames", c.coefficients]),
            ("new_hidden", hidden, ["batch", len(schedule), c.layers, c.hidden]),
        ],
    )


def _step_embedding(graph: _Graph, denoiser: Denoiser, timestep: int, like: str) -> str:
    """``StepEncoder`` of one timestep, repeated over the frames and batch of ``like`` (``[F, B, ...]``)."""
    angle = timestep * denoiser.step_encoder.frequencies.numpy()
    sinusoid = graph.constant(np.concatenate([np.sin(angle), np.cos(angle)])[None], np.float32)
    linear = graph.linear(sinusoid, "denoiser.step_encoder.linear.weight", "denoiser.step_encoder.linear.bias")
    # mish(x) = x tanh(softplus(x))
    embedded = graph.op("Mul", linear, graph.op("Tanh", graph.op("Softplus", linear)))
    width = graph.constant([denoiser.config.step_width])
    shape = graph.op("Concat", graph.op("Shape", like, end=2), width, axis=0)
    return graph.op("Expand", graph.op("Unsqueeze", embedded, graph.constant([0])), shape)
