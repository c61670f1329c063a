"""FaceDiffuser's decoder (Stan et al. 2023), the paper's closest baseline: no identity, a cosine schedule.

Audio features, noised curves and a one-hot step's embedding side by side, a layer norm, a two-layer GRU, one linear
layer; it predicts the clean curve. Written to the same interface as ``Denoiser``, so that the same loop trains it and
the same sampler runs it; the identity and the latency preset it is given are ignored, as it knows neither.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diffusiontalker.denoiser.config import DenoiserConfig
from diffusiontalker.denoiser.model import Denoiser
from diffusiontalker.denoiser.schedule import GRID, Schedule

STEP_WIDTH: Final = 256
DROPOUT: Final = 0.3
_OFFSET: Final = 0.008
_LARGEST_BETA: Final = 0.999


def cosine_schedule(steps: int) -> Schedule:
    """The cosine schedule of Nichol and Dhariwal (2021) over 1000 steps, respaced to ``steps``.

    Raises:
        ValueError: ``steps`` is not in 1..1000.
    """
    angle = (np.arange(GRID + 1) / GRID + _OFFSET) / (1 + _OFFSET) * np.pi / 2
    level = np.cos(angle) ** 2
    beta = np.minimum(1 - level[1:] / level[:-1], _LARGEST_BETA)
    timesteps = Schedule.spaced(steps).timesteps
    power = np.cumprod(1 - beta)[timesteps]
    return Schedule(timesteps, np.sqrt(power), np.sqrt(1 - power))


class FaceDiffuserDecoder(Denoiser):
    """The baseline decoder; ``hidden``, ``layers`` and the audio's width are the configuration's, the rest its own.

    It hears the audio features as they are, without the projection ``Denoiser`` has.
    """

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__(config)
        del self.audio, self.preset, self.step_encoder
        width = 2 * config.feature_width + config.coefficients + STEP_WIDTH
        # A linear layer on one-hot steps: a table of its columns, and its bias.
        self.step_table = nn.Embedding(GRID, STEP_WIDTH)
        bound = GRID**-0.5
        nn.init.uniform_(self.step_table.weight, -bound, bound)
        self.step_bias = nn.Parameter(torch.empty(STEP_WIDTH).uniform_(-bound, bound))
        self.norm = nn.LayerNorm(width)
        self.gru = nn.GRU(width, config.hidden, config.layers, batch_first=True, dropout=DROPOUT)

    def condition(self, audio: Tensor, identity: Tensor, preset: Tensor) -> Tensor:
        """The audio, ``[B, T, 2 * feature_width]``."""
        return audio

    def forward(
        self, condition: Tensor, noised: Tensor, timesteps: Tensor, hidden: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """One denoise step over frames; arguments and result as of ``Denoiser.forward``."""
        step = F.mish(self.step_table(timesteps) + self.step_bias)[:, None].expand(-1, condition.shape[1], -1)
        states, hidden = self.gru(self.norm(torch.cat([condition, noised, step], dim=-1)), hidden)
        clean: Tensor = self.output(states)
        return clean, hidden
