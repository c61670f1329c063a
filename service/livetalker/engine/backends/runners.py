"""Run one ONNX graph on arrays: straight from memory, or through buffers that stay on a device.

On a device every batch is padded to a power of two, so that few shapes occur; each shape has its own input and output
buffers, allocated once, and its own captured CUDA graph. Rows are independent of each other, so padding changes none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import onnxruntime

from livetalker.engine.backend import Array
from livetalker.engine.backends.batches import bucket, padded

_GRAPH_ID: Final = "gpu_graph_id"
_NO_GRAPH: Final = "-1"
MAX_SHAPES: Final = 256
"""Shapes that keep buffers; beyond that the first ones are given up. Hops, runs and batches together make fewer."""


class Runner(Protocol):
    """Runs one graph."""

    def __call__(self, inputs: Mapping[str, Array]) -> Sequence[Array]:
        """All outputs, in the graph's order."""
        ...


class HostRunner:
    """Runs a session on arrays in memory.

    Args:
        session: whose inputs and outputs have the batch as their first axis, if any batch has to be padded.
        least: rows of a batch; smaller ones are padded.
    """

    def __init__(self, session: Any, least: int = 1) -> None:
        self._session = session
        self._least = least

    def __call__(self, inputs: Mapping[str, Array]) -> Sequence[Array]:
        """See ``Runner``."""
        batch = len(next(iter(inputs.values())))
        full = inputs
        if batch < self._least:
            full = {name: padded(x, self._least) for name, x in inputs.items()}
        outputs: Sequence[Array] = self._session.run(None, dict(full))
        return outputs if full is inputs else [array[:batch] for array in outputs]


@dataclass(slots=True)
class _Bound:
    """Buffers of one shape.

    Attributes:
        binding: of inputs and outputs.
        inputs: by name.
        options: of its runs: which captured graph it is.
    """

    binding: Any
    inputs: dict[str, Any]
    options: Any


class DeviceRunner:
    """Runs a session through IO binding.

    Attributes:
        cuda_graphs: whether each shape is captured as a CUDA graph.

    Args:
        session: whose inputs and outputs all have the batch as their first axis.
        device_type: ``cuda``; ``cpu`` for tests.
        device: index.
        cuda_graphs: whether the session was made to capture CUDA graphs.
    """

    def __init__(self, session: Any, device_type: str, device: int, *, cuda_graphs: bool) -> None:
        self._session = session
        self._type, self._device = device_type, device
        self.cuda_graphs = cuda_graphs
        self._outputs = [output.name for output in session.get_outputs()]
        self._bound: dict[tuple[tuple[int, ...], ...], _Bound] = {}
        self._graphs = 0

    def __call__(self, inputs: Mapping[str, Array]) -> Sequence[Array]:
        """See ``Runner``."""
        batch = len(next(iter(inputs.values())))
        full = {name: padded(array, bucket(batch)) for name, array in inputs.items()}
        key = tuple(array.shape for array in full.values())
        bound = self._bound.get(key)
        if bound is None:
            if len(self._bound) >= MAX_SHAPES:
                self._bound.clear()
            bound = self._bound[key] = self._bind(full)
        for name, array in full.items():
            bound.inputs[name].update_inplace(array)
        bound.binding.synchronize_inputs()
        self._session.run_with_iobinding(bound.binding, bound.options)
        bound.binding.synchronize_outputs()
        return [array[:batch] for array in bound.binding.copy_outputs_to_cpu()]

    def _bind(self, full: Mapping[str, Array]) -> _Bound:
        """Buffers for these shapes; what the outputs' shapes are, one run tells that captures nothing."""
        inputs = {
            name: onnxruntime.OrtValue.ortvalue_from_shape_and_type(
                array.shape, array.dtype.type, self._type, self._device
            )
            for name, array in full.items()
        }
        for name, array in full.items():
            inputs[name].update_inplace(array)
        binding = self._session.io_binding()
        for name, value in inputs.items():
            binding.bind_ortvalue_input(name, value)
        for name in self._outputs:
            binding.bind_output(name, self._type, self._device)
        self._session.run_with_iobinding(binding, self._run_options(_NO_GRAPH))
        shapes = [value.shape() for value in binding.get_outputs()]
        binding.clear_binding_outputs()
        for name, shape in zip(self._outputs, shapes, strict=True):
            value = onnxruntime.OrtValue.ortvalue_from_shape_and_type(shape, np.float32, self._type, self._device)
            binding.bind_ortvalue_output(name, value)
        self._graphs += 1
        return _Bound(binding, inputs, self._run_options(str(self._graphs) if self.cuda_graphs else _NO_GRAPH))

    @staticmethod
    def _run_options(graph: str) -> Any:
        options = onnxruntime.RunOptions()
        options.add_run_config_entry(_GRAPH_ID, graph)
        return options
