"""The denoiser's graph for one frame of many streams, in 8-bit integers: all denoise steps in one call.

A GRU's state lies within -1..1, so one scale fits all states, and what a layer hears from below and from itself is one
product over both. The noised curves and what no step changes are multiplied in float32. Inputs and outputs are those of
``denoiser_graphs``, but that states come and go as ``hidden [N, layers, B, H]``, the order in which steps need them.
"""

from __future__ import annotations

import numpy as np
import onnx

from diffusiontalker.export.denoiser_parts import DenoiserParts, mixed
from diffusiontalker.export.graph import Graph
from diffusiontalker.export.numerics import LEVELS, MIDDLE, Affine, integer_product, levels


class Int8Frame(DenoiserParts):
    """Writes the graph of one denoiser."""

    def write(self) -> onnx.ModelProto:
        """The graph."""
        g, c, steps = Graph("frame"), self._config, self._steps
        condition, from_step = g.op("Add", *self._condition(g)), self._from_step(g)
        count = steps * c.layers
        states = g.ops("Split", g.rows("hidden", c.hidden), outputs=count, axis=0, num_outputs=count)
        x = g.op("Mul", "noise", self._weight(g, "temperature"))
        after: list[str] = []
        for step, (from_clean, from_noised) in enumerate(self._mixtures):
            gates = g.op("Add", condition, g.op("Gather", from_step, g.ints(step)))
            below = ""
            for layer in range(c.layers):
                state = states[step * c.layers + layer]
                after.append(self._first(g, gates, x, state) if layer == 0 else self._next(g, below, state, layer))
                below = _levels(g, after[-1])
            clean = _product(g, below, self._affine("output.weight", "output.bias"))
            x = clean if from_noised == 0 else mixed(g, clean, g.floats(from_clean), x, g.floats(from_noised))
        state = g.op("Reshape", g.joined(*after), g.ints([steps, c.layers, -1, c.hidden]))
        return self._model(g, self._scaled(g, x), state, ["streams"], [steps, c.layers, "streams", c.hidden])

    def _from_step(self, g: Graph) -> str:
        """See ``DenoiserParts``; among the weights, where whoever runs no graph finds it too."""
        layer = self._affine("step_encoder.linear.weight", "step_encoder.linear.bias")
        linear = self._sinusoids @ layer.weight.T + layer.bias
        embedded = linear * np.tanh(np.logaddexp(0.0, linear))  # mish
        columns = self._weights["denoiser.gru.weight_ih_l0"][:, -self._config.step_width :]
        return g.parameter("denoiser.from_step.folded", (embedded @ columns.T).astype(np.float32))

    def _first(self, g: Graph, gates: str, x: str, state: str) -> str:
        """The first layer's new state, from its gates' share ``[B, 3 H]`` of everything but curves ``[B, 52]``."""
        size = self._config.hidden
        columns = self._columns(g, self._condition_width, self._config.coefficients)
        open_in, new_in = g.pieces(g.op("Gemm", x, columns, gates), (2 * size, size))
        own = self._affine("gru.weight_hh_l0", "gru.bias_hh_l0")
        open_own, new_own = (_product(g, _levels(g, state), part) for part in self._parts(own))
        return self._cell(g, g.op("Add", open_in, open_own), new_in, new_own, state)

    def _next(self, g: Graph, below: str, state: str, layer: int) -> str:
        """A further layer's new state."""
        own_levels = _levels(g, state)
        into, own = (self._affine(f"gru.weight_{kind}_l{layer}", f"gru.bias_{kind}_l{layer}") for kind in ("ih", "hh"))
        (open_into, new_into), (open_own, new_own) = self._parts(into), self._parts(own)
        both = Affine(
            f"{open_into.weight_name}.and_own",
            np.concatenate([open_into.weight, open_own.weight], axis=1),
            f"{open_into.bias_name}.and_own.folded",
            open_into.bias + open_own.bias,
        )
        gates = _product(g, g.joined(below, own_levels, axis=1), both)
        return self._cell(g, gates, _product(g, below, new_into), _product(g, own_levels, new_own), state)

    def _parts(self, layer: Affine) -> tuple[Affine, Affine]:
        """The gates' rows of a layer, and those of the new state."""
        gates = 2 * self._config.hidden
        open_gates, new = (
            Affine(
                f"{layer.weight_name}.{name}", layer.weight[rows], f"{layer.bias_name}.{name}.folded", layer.bias[rows]
            )
            for name, rows in (("gates", slice(0, gates)), ("new", slice(gates, None)))
        )
        return open_gates, new


def _levels(g: Graph, state: str) -> str:
    return levels(g, state, 1 / LEVELS, MIDDLE)


def _product(g: Graph, x: str, layer: Affine) -> str:
    return integer_product(g, x, layer, 1 / LEVELS, MIDDLE)
