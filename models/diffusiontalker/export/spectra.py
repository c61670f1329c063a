"""What the served graphs of the compact encoder share: a call's sizes, its parameters, and the windows it hears."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from torch import nn

from diffusiontalker.encoder.filterbank import LOG_FLOOR, LOG_MEAN, LOG_SCALE
from diffusiontalker.export.graph import Graph
from diffusiontalker.export.numerics import Affine, Array
from diffusiontalker.geometry import FEATURE_OVERLAP, FEATURE_STRIDE


class Call(NamedTuple):
    """Sizes of a call, each ``[1]``, as shapes need them.

    Attributes:
        streams: ``B``; -1, for what is left, where everything else is known when the graph is written.
        hop: ``h`` new features of each.
    """

    streams: str
    hop: str

    @staticmethod
    def of(graph: Graph, samples: str, hop: int | None = None) -> Call:
        """Of ``[B, 320 h + 80]`` samples, of any hop or of always this one."""
        if hop is not None:
            return Call(graph.ints([-1]), graph.ints([hop]))
        return Call(graph.size(samples, 0), graph.op("Div", graph.size(samples, 1), graph.ints([FEATURE_STRIDE])))

    def samples(self, graph: Graph) -> str:
        """``320 h + 80``."""
        new = graph.op("Mul", self.hop, graph.ints([FEATURE_STRIDE]))
        return graph.op("Add", new, graph.ints([FEATURE_OVERLAP]))


class Parameters:
    """Modules' parameters and buffers by the names they have in a bundle.

    Args:
        graph: where those that are used become initializers.
        modules: by prefix.
    """

    def __init__(self, graph: Graph, modules: Mapping[str, nn.Module]) -> None:
        self._graph = graph
        self._values: dict[str, Array] = {
            f"{prefix}.{name}": tensor.detach().cpu().numpy()
            for prefix, module in modules.items()
            for name, tensor in module.state_dict().items()
        }

    def __call__(self, name: str) -> str:
        """The initializer of that name."""
        return self._graph.parameter(name, self._values[name])

    def value(self, name: str) -> Array:
        """The values of that name; no initializer comes of it."""
        return self._values[name]

    def affine(self, name: str) -> Affine:
        """A linear layer."""
        weight, bias = f"{name}.weight", f"{name}.bias"
        return Affine(weight, self._values[weight], bias, self._values[bias])


def windows(graph: Graph, samples: str, call: Call) -> str:
    """``[B, 320 h + 80]`` to each feature's window ``[B, h, 400]``."""
    overlap, stride = graph.ints([FEATURE_OVERLAP]), graph.ints([FEATURE_STRIDE])
    length = call.samples(graph)
    shape = graph.joined(*call, stride)
    before = graph.op("Reshape", graph.part(samples, graph.ints([0]), graph.op("Sub", length, overlap), 1), shape)
    after = graph.op("Reshape", graph.part(samples, overlap, length, 1), shape)
    last = graph.part(after, graph.ints([FEATURE_STRIDE - FEATURE_OVERLAP]), stride, 2)
    return graph.joined(before, last, axis=2)


def power(graph: Graph, heard: str, waves: str) -> str:
    """Windows ``[..., size]`` to their power at ``f`` frequencies; ``waves [size, 2 f]``: cosines, then sines."""
    real, imaginary = graph.ops("Split", graph.op("MatMul", heard, waves), outputs=2, axis=-1, num_outputs=2)
    return graph.op("Add", graph.op("Mul", real, real), graph.op("Mul", imaginary, imaginary))


def log_mel(graph: Graph, parameters: Parameters, heard: str, name: str) -> str:
    """Windows ``[..., size]`` to log-mel spectra ``[..., bands]``; see ``LogMel``, whose name it is."""
    mel = graph.op("MatMul", power(graph, heard, parameters(f"{name}.dft")), parameters(f"{name}.filters"))
    logarithm = graph.op("Log", graph.op("Add", mel, graph.floats(LOG_FLOOR)))
    return graph.op("Div", graph.op("Sub", logarithm, graph.floats(LOG_MEAN)), graph.floats(LOG_SCALE))
