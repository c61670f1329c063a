"""The causal positional convolution of the compact encoder's served graph, as products.

A convolution operator would spend its time on starting ``B`` times ``groups`` tiny convolutions; here each group of
channels is one product over all streams. ``C`` is a group's channels, ``K`` the kernel, ``P = K - 1`` what is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from onnx import TensorProto

from diffusiontalker.encoder.config import StreamingHubertConfig
from diffusiontalker.export.graph import Graph, Port, Shape
from diffusiontalker.export.spectra import Call


class Positional(Protocol):
    """Convolves past and new inputs."""

    def inputs(self) -> list[Port]:
        """What the graph takes of the past."""
        ...

    def convolve(self, x: str, weight: str, call: Call) -> str:
        """New inputs ``[B, h, W]`` with weights ``[W, C, K]``, to rows ``[B h, W]``."""
        ...

    def outputs(self) -> Mapping[str, tuple[str, int, Shape]]:
        """What the past is next: value, type and shape by name."""
        ...


class AnyHop:
    """Takes and returns ``positional [B, P, W]``; every feature's window is copied out."""

    def __init__(self, graph: Graph, config: StreamingHubertConfig) -> None:
        self._graph = graph
        self._config = config
        self._shape: Shape = ["streams", config.positional_kernel - 1, config.width]
        self._next = ""

    def inputs(self) -> list[Port]:
        """See ``Positional``."""
        return [("positional", TensorProto.FLOAT, self._shape)]

    def convolve(self, x: str, weight: str, call: Call) -> str:
        """See ``Positional``."""
        g, c = self._graph, self._config
        kernel, groups = c.positional_kernel, c.positional_groups
        channels = c.width // groups
        heard = g.joined("positional", x, axis=1)
        self._next = g.part(heard, call.hop, g.op("Add", call.hop, g.ints([kernel - 1])), 1)
        new = g.op("Unsqueeze", g.counting(call.hop), g.ints([1]))
        windows = g.op("Gather", heard, g.op("Add", new, g.ints(np.arange(kernel)[None])), axis=1)
        windows = g.op("Reshape", windows, g.ints([-1, kernel, groups, channels]))
        windows = g.op("Transpose", windows, perm=[2, 0, 1, 3])
        windows = g.op("Reshape", windows, g.ints([groups, -1, kernel * channels]))
        moved = g.op("MatMul", windows, _by_group(g, c, weight))
        return g.rows(g.op("Transpose", moved, perm=[1, 0, 2]), c.width)

    def outputs(self) -> Mapping[str, tuple[str, int, Shape]]:
        """See ``Positional``."""
        return {"new_positional": (self._next, TensorProto.FLOAT, self._shape)}


class FixedHop:
    """Of always ``hop`` new features, which are convolved with one banded matrix a group; no window is ever copied.

    Takes rings of what *all* streams had, ``positional [groups, S, P, C]`` with feature ``k`` at place ``k % P``, and
    the ``rows [B]`` it needs; returns what is new to these, ``new_positional [groups, B, h, C]``.
    """

    def __init__(self, graph: Graph, config: StreamingHubertConfig, hop: int) -> None:
        self._graph = graph
        self._config = config
        self._hop = hop
        self._channels = config.width // config.positional_groups
        self._kept = config.positional_kernel - 1
        self._new = ""

    def inputs(self) -> list[Port]:
        """See ``Positional``; ``rows`` are an input of the attention's."""
        shape: Shape = [self._config.positional_groups, "slots", self._kept, self._channels]
        return [("positional", TensorProto.FLOAT, shape)]

    def convolve(self, x: str, weight: str, call: Call) -> str:
        """See ``Positional``."""
        g, c, hop, channels = self._graph, self._config, self._hop, self._channels
        groups = c.positional_groups
        new = g.op("Reshape", x, g.ints([-1, hop, groups, channels]))
        self._new = g.op("Transpose", new, perm=[2, 0, 1, 3])
        heard = g.joined(self._past(), g.op("Reshape", self._new, g.ints([groups, -1, hop * channels])), axis=2)
        one = _by_group(g, c, weight)
        # Feature i hears what lies between i features in and hop - 1 - i features before the end.
        band = [
            g.op("Pad", one, g.ints([0, i * channels, 0, 0, (hop - 1 - i) * channels, 0]), g.floats(0.0))
            for i in range(hop)
        ]
        moved = g.op("MatMul", heard, g.joined(*band, axis=2))
        moved = g.op("Reshape", moved, g.ints([groups, -1, hop, channels]))
        return g.rows(g.op("Transpose", moved, perm=[1, 2, 0, 3]), c.width)

    def _past(self) -> str:
        """What each row's ring holds, oldest first, ``[groups, B, P C]``."""
        g, groups, kept, channels = self._graph, self._config.positional_groups, self._kept, self._channels
        rings = g.op("Reshape", "positional", g.ints([groups, -1, channels]))
        # The oldest entry lies where the next one will be written.
        place = g.op("Add", g.op("Unsqueeze", "position", g.ints([1])), g.ints(np.arange(kept)[None]))
        first = g.op("Unsqueeze", g.op("Mul", "rows", g.ints(kept)), g.ints([1]))
        entries = g.op("Gather", rings, g.op("Add", first, g.op("Mod", place, g.ints(kept))), axis=1)
        return g.op("Reshape", entries, g.ints([groups, -1, kept * channels]))

    def outputs(self) -> Mapping[str, tuple[str, int, Shape]]:
        """See ``Positional``."""
        shape: Shape = [self._config.positional_groups, "streams", self._hop, self._channels]
        return {"new_positional": (self._new, TensorProto.FLOAT, shape)}


def _by_group(g: Graph, c: StreamingHubertConfig, weight: str) -> str:
    """Weights ``[W, C, K]`` as a matrix for each group, ``[groups, K C, C]``; computed when the graph is loaded."""
    groups, kernel = c.positional_groups, c.positional_kernel
    channels = c.width // groups
    weight = g.op("Reshape", weight, g.ints([groups, channels, channels, kernel]))
    weight = g.op("Transpose", weight, perm=[0, 3, 2, 1])
    return g.op("Reshape", weight, g.ints([groups, kernel * channels, channels]))
