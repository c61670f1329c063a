"""What the transformer layers of the compact encoder's served graph are to it, whatever they compute in.

A ring holds a stream's last ``C`` features, feature ``k`` at place ``k % C``. Queries meet the ring and the call's own
new features apart, so that nothing of the past has to be copied behind the new.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Final

from diffusiontalker.encoder.config import StreamingHubertConfig
from diffusiontalker.export.graph import Graph, Port, Shape
from diffusiontalker.export.spectra import Call, Parameters

EPSILON: Final = 1e-5
"""Of layer normalisation, torch's own."""


class Layers(ABC):
    """All layers of an encoder.

    Args:
        graph: to write to.
        config: of the encoder.
        weight: its parameters.
    """

    def __init__(self, graph: Graph, config: StreamingHubertConfig, weight: Parameters) -> None:
        self._graph = graph
        self._config = config
        self._weight = weight
        self._keys: list[str] = []
        self._values: list[str] = []

    @abstractmethod
    def inputs(self) -> list[Port]:
        """What the graph takes of the past."""

    @abstractmethod
    def apply(self, x: str, call: Call, ring_mask: str, call_mask: str) -> str:
        """Through every layer.

        Args:
            x: rows ``[B h, W]``.
            call: sizes.
            ring_mask: ``[B, 1, h, C]``, added to the scores of the past.
            call_mask: ``[h, h]``, added to those of the new.

        Returns:
            Rows ``[B h, W]``.
        """

    @abstractmethod
    def outputs(self) -> Mapping[str, tuple[str, int, Shape]]:
        """What the caller is to write into the rings after all layers have attended: value, type and shape by name."""

    def _remembered(self, axis: int, kind: int, shape: Shape) -> Mapping[str, tuple[str, int, Shape]]:
        """Every layer's new keys and values, stacked on an axis of their own."""
        g = self._graph
        return {
            name: (g.joined(*(g.op("Unsqueeze", part, g.ints([axis])) for part in parts), axis=axis), kind, shape)
            for name, parts in (("new_keys", self._keys), ("new_values", self._values))
        }


def layer_norm(g: Graph, weight: Parameters, x: str, name: str) -> str:
    """Layer normalisation of rows, with the gain and the shift of that name."""
    return g.op("LayerNormalization", x, weight(f"{name}.weight"), weight(f"{name}.bias"), axis=-1, epsilon=EPSILON)


def ring_ports(config: StreamingHubertConfig, kind: int, rows: str) -> list[Port]:
    """Keys ``[rows, heads, d, C]`` and values ``[rows, heads, C, d]`` of each layer."""
    size = config.width // config.heads
    return [
        (f"{name}_{layer}", kind, [rows, config.heads, *shape])
        for name, shape in (("keys", (size, config.context)), ("values", (config.context, size)))
        for layer in range(config.layers)
    ]
