"""What every served graph of the denoiser has: its weights, what no denoise step changes, its inputs and outputs."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto

from diffusiontalker.denoiser.model import Denoiser
from diffusiontalker.denoiser.schedule import Schedule
from diffusiontalker.export.graph import Graph, Shape
from diffusiontalker.export.numerics import Affine, Array, float_product


class DenoiserParts:
    """Of one denoiser.

    Args:
        denoiser: the network.
        schedule: the denoise steps, of which a stream keeps one state each.
    """

    def __init__(self, denoiser: Denoiser, schedule: Schedule) -> None:
        self._config = denoiser.config
        self._weights: dict[str, Array] = {
            f"denoiser.{name}": tensor.detach().cpu().numpy() for name, tensor in denoiser.state_dict().items()
        }
        self._steps = len(schedule)
        self._mixtures = np.array(schedule.ddim(), np.float32)  # [N, 2]: of the clean and the noised curves
        timesteps = [int(schedule.timesteps[self._steps - 1 - step]) for step in range(self._steps)]
        angles = np.array(timesteps)[:, None] * denoiser.step_encoder.frequencies.cpu().numpy()
        self._sinusoids = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)  # [N, step width]
        c = self._config
        self._condition_width = c.audio_width + c.identity_width + c.preset_width

    def _weight(self, g: Graph, name: str) -> str:
        return g.parameter(f"denoiser.{name}", self._weights[f"denoiser.{name}"])

    def _affine(self, weight: str, bias: str) -> Affine:
        weight, bias = f"denoiser.{weight}", f"denoiser.{bias}"
        return Affine(weight, self._weights[weight], bias, self._weights[bias])

    def _columns(self, g: Graph, start: int, count: int) -> str:
        """What the first layer's gates make of ``count`` of its inputs, ``[count, 3 H]``."""
        weight = self._weight(g, "gru.weight_ih_l0")
        return g.op("Transpose", g.part(weight, g.ints([start]), g.ints([start + count]), 1), perm=[1, 0])

    def _condition(self, g: Graph) -> tuple[str, str]:
        """What the first layer's gates get from all that no step changes: of audio and identity, and of the preset."""
        c = self._config
        heard = g.op("Gelu", float_product(g, "audio", self._affine("audio.weight", "audio.bias")))
        known = g.joined(heard, "identity", axis=-1)
        width = c.audio_width + c.identity_width
        shared = g.op("Add", g.op("MatMul", known, self._columns(g, 0, width)), self._weight(g, "gru.bias_ih_l0"))
        patience = g.op("MatMul", self._weight(g, "preset.weight"), self._columns(g, width, c.preset_width))
        return shared, g.op("Gather", patience, "preset")

    def _from_step(self, g: Graph) -> str:
        """What the first layer's gates get from each step, ``[N, 3 H]``: of constants, so computed once."""
        c = self._config
        layer = self._affine("step_encoder.linear.weight", "step_encoder.linear.bias")
        linear = float_product(g, g.floats(self._sinusoids), layer)
        # mish(x) = x tanh(softplus(x))
        embedded = g.op("Mul", linear, g.op("Tanh", g.op("Softplus", linear)))
        return g.op("MatMul", embedded, self._columns(g, self._condition_width + c.coefficients, c.step_width))

    def _cell(self, g: Graph, gates: str, new_in: str, new_own: str, state: str) -> str:
        """A GRU cell (Cho et al. 2014, with the reset gate after the product, as cuDNN and torch have it).

        Args:
            g: to write to.
            gates: ``[R, 2 H]`` all that the reset and the update gate get.
            new_in: ``[R, H]`` what the new state gets from below.
            new_own: ``[R, H]`` what it gets from the old one, which the reset gate holds back.
            state: ``[R, H]`` the old one.
        """
        size = self._config.hidden
        reset, update = g.pieces(g.op("Sigmoid", gates), (size, size))
        new = g.op("Tanh", g.op("Add", new_in, g.op("Mul", reset, new_own)))
        return g.op("Add", new, g.op("Mul", update, g.op("Sub", state, new)))

    def _scaled(self, g: Graph, x: str) -> str:
        return g.op("Add", g.op("Mul", x, self._weight(g, "scale")), self._weight(g, "mean"))

    def _model(self, g: Graph, curves: str, state: str, batch: list[int | str], kept: Shape) -> onnx.ModelProto:
        c = self._config
        return g.model(
            [
                ("audio", TensorProto.FLOAT, [*batch, 2 * c.feature_width]),
                ("identity", TensorProto.FLOAT, [*batch, c.identity_width]),
                ("preset", TensorProto.INT64, ["streams"]),
                ("noise", TensorProto.FLOAT, [*batch, c.coefficients]),
                ("hidden", TensorProto.FLOAT, kept),
            ],
            {
                "curves": (curves, TensorProto.FLOAT, [*batch, c.coefficients]),
                "new_hidden": (state, TensorProto.FLOAT, kept),
            },
        )


def mixed(g: Graph, clean: str, from_clean: str, noised: str, from_noised: str) -> str:
    """The next step's curves: DDIM with eta 0 (eq. 8)."""
    return g.op("Add", g.op("Mul", clean, from_clean), g.op("Mul", noised, from_noised))
