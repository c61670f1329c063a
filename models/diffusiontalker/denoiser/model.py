"""The talker decoder: predicts clean curves from noised ones, the voice, the identity and the step (eq. 6).

A two-layer GRU over frames, unidirectional: a stream keeps one hidden state per denoise step and each new frame
costs only itself. The identity *embedding* is concatenated, as section 3.5.1 of the paper writes; identity *features*
serve matching only (``identity.py``).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diffusiontalker.denoiser.config import DenoiserConfig
from diffusiontalker.denoiser.schedule import Schedule
from diffusiontalker.geometry import PRESETS


class StepEncoder(nn.Module):
    """Embedding of a position on the 1000-step grid: sinusoids and one layer."""

    frequencies: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        half = width // 2
        rates = torch.exp(-math.log(10_000) * torch.arange(half) / half)
        self.register_buffer("frequencies", rates, persistent=False)
        self.linear = nn.Linear(2 * half, width)

    def forward(self, timesteps: Tensor) -> Tensor:
        """``[...]`` integers to ``[..., width]``."""
        angle = timesteps[..., None].to(self.frequencies.dtype) * self.frequencies
        return F.mish(self.linear(torch.cat([angle.sin(), angle.cos()], dim=-1)))


class Denoiser(nn.Module):
    """x_0-predicting network over normalised curves (zero mean, unit scale per coefficient).

    ``mean`` and ``scale`` (``[52]``) bring its output to ARKit's 0..1. ``temperature`` (``[52]``) scales the noise its
    sampler starts from: 1 is the process as trained; less makes a coefficient steadier and all takes more alike
    (``train_denoiser`` says how much where).
    """

    mean: Tensor
    scale: Tensor
    temperature: Tensor

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        self.config = config
        self.audio = nn.Linear(2 * config.feature_width, config.audio_width)
        self.step_encoder = StepEncoder(config.step_width)
        self.preset = nn.Embedding(len(PRESETS), config.preset_width)
        self.gru = nn.GRU(config.input_width, config.hidden, config.layers, batch_first=True, dropout=config.dropout)
        self.output = nn.Linear(config.hidden, config.coefficients)
        self.register_buffer("mean", torch.zeros(config.coefficients))
        self.register_buffer("scale", torch.ones(config.coefficients))
        self.register_buffer("temperature", torch.ones(config.coefficients))

    def condition(self, audio: Tensor, identity: Tensor, preset: Tensor) -> Tensor:
        """What all denoise steps share.

        Args:
            audio: ``[B, T, 2 * feature_width]`` the two features of each frame.
            identity: ``[B, T, identity_width]`` (constant or cross-faded over time).
            preset: ``[B]`` preset indexes.

        Returns:
            ``[B, T, audio_width + identity_width + preset_width]``.
        """
        heard = F.gelu(self.audio(audio))
        patience = self.preset(preset)[:, None].expand(-1, audio.shape[1], -1)
        return torch.cat([heard, identity, patience], dim=-1)

    def forward(
        self, condition: Tensor, noised: Tensor, timesteps: Tensor, hidden: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """One denoise step over frames.

        Args:
            condition: of ``condition``.
            noised: ``[B, T, 52]`` normalised curves at this step's noise level.
            timesteps: ``[B]`` positions on the 1000-step grid.
            hidden: ``[layers, B, hidden]`` of this step after the frame before, zero at a stream's start.

        Returns:
            predicted clean curves ``[B, T, 52]`` (normalised) and the new hidden state.
        """
        step = self.step_encoder(timesteps)[:, None].expand(-1, condition.shape[1], -1)
        states, hidden = self.gru(torch.cat([condition, noised, step], dim=-1), hidden)
        clean: Tensor = self.output(states)
        return clean, hidden

    def normalize(self, curves: Tensor) -> Tensor:
        """Curves in 0..1 to the network's scale."""
        return (curves - self.mean) / self.scale

    def denormalize(self, curves: Tensor) -> Tensor:
        """The network's scale to curves in about 0..1."""
        return curves * self.scale + self.mean


def sample(
    denoiser: Denoiser,
    schedule: Schedule,
    audio: Tensor,
    identity: Tensor,
    preset: Tensor,
    noise: Tensor,
    hidden: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """DDIM with eta 0 (eq. 8) over new frames of running streams.

    Args:
        denoiser: the network.
        schedule: its ``N`` steps.
        audio: ``[B, T, 2 * feature_width]``.
        identity: ``[B, T, identity_width]``.
        preset: ``[B]``.
        noise: ``[B, T, 52]`` standard normal, a function of (seed, frame).
        hidden: ``[N, layers, B, hidden]`` from the frames before, None at a stream's start.

    Returns:
        curves ``[B, T, 52]`` in about 0..1 and the new hidden states.
    """
    c = denoiser.config
    if hidden is None:
        hidden = noise.new_zeros(len(schedule), c.layers, noise.shape[0], c.hidden)
    condition = denoiser.condition(audio, identity, preset)
    x = noise * denoiser.temperature
    states = []
    for step, (from_clean, from_noised) in enumerate(schedule.ddim()):
        timestep = int(schedule.timesteps[len(schedule) - 1 - step])
        timesteps = torch.full((noise.shape[0],), timestep, device=noise.device)
        clean, state = denoiser(condition, x, timesteps, hidden[step])
        states.append(state)
        x = from_clean * clean + from_noised * x
    return denoiser.denormalize(x), torch.stack(states)
