"""The denoiser's served graphs: all denoise steps in one call.

``frame`` advances many streams by one frame each, step after step: live streams. ``run`` advances few
streams by many frames: whole clips and speech that comes faster than real time. Step ``s`` of frame ``f`` needs step
``s - 1`` of that frame and step ``s`` of the frame before, so the steps of consecutive frames lie on a diagonal and are
computed together, as a wavefront (Lamport 1974): a product of ``B N`` rows where one of ``B`` would wait for memory.

Inputs: ``audio [B, (F,) 2 W]``, ``identity [B, (F,) E]``, ``preset [B]`` int64, ``noise [B, (F,) 52]``,
``hidden [B, N, layers, H]``. Outputs: ``curves [B, (F,) 52]`` in about 0..1 and ``new_hidden``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper

from diffusiontalker.export.denoiser_parts import DenoiserParts, mixed
from diffusiontalker.export.graph import Graph, Shape
from diffusiontalker.export.numerics import float_product

_LAST = 1 << 30
"""An end beyond any."""


class DenoiserGraphs(DenoiserParts):
    """Writes both graphs of one denoiser, in float32."""

    @property
    def _kept(self) -> Shape:
        c = self._config
        return ["streams", self._steps, c.layers, c.hidden]

    def frame(self) -> onnx.ModelProto:
        """One frame of each stream."""
        g, c, steps = Graph("frame"), self._config, self._steps
        condition, from_step = g.op("Add", *self._condition(g)), self._from_step(g)
        states = g.ops(
            "Split", g.op("Transpose", "hidden", perm=[1, 2, 0, 3]), outputs=steps, axis=0, num_outputs=steps
        )
        x = g.op("Mul", "noise", self._weight(g, "temperature"))
        after: list[str] = []
        for step, (from_clean, from_noised) in enumerate(self._mixtures):
            layers = g.ops("Split", states[step], outputs=c.layers, axis=1, num_outputs=c.layers)
            hidden = [g.op("Squeeze", layer, g.ints([0, 1])) for layer in layers]
            gates = g.op("Add", condition, g.op("Gather", from_step, g.ints(step)))
            clean, hidden = self._step(g, gates, x, hidden)
            after += hidden
            x = clean if from_noised == 0 else mixed(g, clean, g.floats(from_clean), x, g.floats(from_noised))
        state = g.joined(*(g.op("Unsqueeze", layer, g.ints([1])) for layer in after), axis=1)
        state = g.op("Reshape", state, g.ints([-1, steps, c.layers, c.hidden]))
        return self._model(g, self._scaled(g, x), state, ["streams"], self._kept)

    def run(self) -> onnx.ModelProto:
        """Any number of frames of each stream."""
        g, c, steps = Graph("run"), self._config, self._steps
        shared, patience = self._condition(g)
        condition = g.op("Transpose", g.op("Add", shared, g.op("Unsqueeze", patience, g.ints([1]))), perm=[1, 0, 2])
        frames, streams = g.size(condition, 0), g.size(condition, 1)
        last = g.op("Sub", frames, g.ints([1]))
        ticks = g.op("Add", frames, g.ints([steps - 1]))
        tick = g.counting(ticks)
        # Which frame every step is at in every tick, [T, N]; some are not there yet or through already.
        frame = g.op("Sub", g.op("Unsqueeze", tick, g.ints([1])), g.ints(np.arange(steps)[None]))
        inside = g.op("And", g.op("GreaterOrEqual", frame, g.ints(0)), g.op("Less", frame, frames))
        frame = g.op("Min", g.op("Max", frame, g.ints(0)), last)
        from_step = g.op("Unsqueeze", self._from_step(g), g.ints([1]))
        gates = g.op("Add", g.op("Gather", condition, frame, axis=0), from_step)
        inside = g.op("Cast", g.op("Unsqueeze", inside, g.ints([2])), to=TensorProto.FLOAT)
        inside = g.op("Expand", inside, g.joined(ticks, g.ints([steps]), streams))
        noise = g.op("Mul", g.op("Transpose", "noise", perm=[1, 0, 2]), self._weight(g, "temperature"))
        noise = g.op("Gather", noise, g.op("Min", tick, last), axis=0)
        hidden = g.ops(
            "Split", g.op("Transpose", "hidden", perm=[2, 1, 0, 3]), outputs=c.layers, axis=0, num_outputs=c.layers
        )
        waiting = g.op(
            "Expand", g.floats([[0.0]]), g.joined(g.op("Mul", streams, g.ints([steps - 1])), g.ints([c.coefficients]))
        )
        names = [*(f"state_{layer}" for layer in range(c.layers)), "waiting", "curves_by_tick"]
        g.nodes.append(
            helper.make_node(
                "Scan",
                [
                    *(g.rows(layer, c.hidden) for layer in hidden),
                    waiting,
                    g.op("Reshape", gates, g.joined(ticks, g.ints([-1, 3 * c.hidden]))),
                    noise,
                    g.op("Reshape", inside, g.joined(ticks, g.ints([-1, 1]))),
                ],
                names,
                num_scan_inputs=3,
                body=self._wavefront(g),
            )
        )
        curves = g.part("curves_by_tick", g.ints([steps - 1]), g.ints([_LAST]), 0)
        curves = g.op("Transpose", self._scaled(g, curves), perm=[1, 0, 2])
        shape = g.joined(g.ints([1, steps]), streams, g.ints([c.hidden]))
        state = g.joined(*(g.op("Reshape", name, shape) for name in names[: c.layers]), axis=0)
        return self._model(g, curves, g.op("Transpose", state, perm=[2, 1, 0, 3]), ["streams", "frames"], self._kept)

    def _wavefront(self, outer: Graph) -> onnx.GraphProto:
        """One tick: every step of the frame it is at, rows ``(step, stream)``; then each hands on to the next step."""
        g, c, steps = Graph("tick", outer), self._config, self._steps
        layers = range(c.layers)
        x = g.joined("fresh", "handed_on") if steps > 1 else "fresh"
        clean, after = self._step(g, "gates", x, [f"before_{layer}" for layer in layers])
        for layer in layers:
            change = g.op("Mul", "inside", g.op("Sub", after[layer], f"before_{layer}"))
            g.named(f"after_{layer}", g.op("Add", f"before_{layer}", change))
        by_step = g.ints([steps, -1, c.coefficients])
        from_clean, from_noised = (g.floats(column[:, None, None]) for column in self._mixtures.T)
        handed = mixed(g, g.op("Reshape", clean, by_step), from_clean, g.op("Reshape", x, by_step), from_noised)
        last = g.ints([steps - 1])
        g.named("done", g.op("Squeeze", g.part(handed, last, g.ints([_LAST]), 0), g.ints([0])))
        g.named("hand_on", g.rows(g.part(handed, g.ints([0]), last, 0), c.coefficients))
        inputs, outputs = (
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names]
            for names in (
                [*(f"before_{layer}" for layer in layers), "handed_on", "gates", "fresh", "inside"],
                [*(f"after_{layer}" for layer in layers), "hand_on", "done"],
            )
        )
        return helper.make_graph(g.nodes, g.name, inputs, outputs)

    def _step(self, g: Graph, gates: str, x: str, hidden: Sequence[str]) -> tuple[str, list[str]]:
        """A denoise step of rows: clean curves ``[R, 52]`` and the layers' new states ``[R, H]``.

        Args:
            g: to write to.
            gates: ``[R, 3 H]`` what the first layer's gates get from everything but ``x``.
            x: ``[R, 52]`` noised curves.
            hidden: the layers' states.
        """
        c = self._config
        from_curves = g.op("MatMul", x, self._columns(g, self._condition_width, c.coefficients))
        after = [self._layer(g, g.op("Add", gates, from_curves), hidden[0], 0)]
        below = after[0]
        for layer in range(1, c.layers):
            into = self._affine(f"gru.weight_ih_l{layer}", f"gru.bias_ih_l{layer}")
            gates = float_product(g, below, into)
            after.append(self._layer(g, gates, hidden[layer], layer))
            below = after[-1]
        return float_product(g, below, self._affine("output.weight", "output.bias")), after

    def _layer(self, g: Graph, gates: str, state: str, layer: int) -> str:
        """A layer's new state, from what its gates get from below."""
        size = self._config.hidden
        own = self._affine(f"gru.weight_hh_l{layer}", f"gru.bias_hh_l{layer}")
        recurrent = float_product(g, state, own)
        (open_in, new_in), (open_own, new_own) = (g.pieces(x, (2 * size, size)) for x in (gates, recurrent))
        return self._cell(g, g.op("Add", open_in, open_own), new_in, new_own, state)
