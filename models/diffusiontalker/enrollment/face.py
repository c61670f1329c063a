"""Learns a new speaker's embedding from captured face data: 32 numbers move, the model does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from diffusiontalker.denoiser.model import Denoiser
from diffusiontalker.denoiser.schedule import Schedule
from diffusiontalker.enrollment.voice import EnrollmentError
from diffusiontalker.training.losses import LossWeights, curve_losses
from diffusiontalker.training.scenes import SceneCrops, Scenes

LEAST_SCENES: Final = 2
"""Ten-second scenes below which a face is not known well enough."""


def fit_embedding(
    denoiser: Denoiser,
    schedule: Schedule,
    scenes: Scenes,
    start: NDArray[np.float32],
    *,
    steps: int = 300,
    batch: int = 8,
    learning_rate: float = 0.03,
    seed: int = 0,
    report: Callable[[int, float], None] | None = None,
) -> NDArray[np.float32]:
    """Minimise the paper's losses (eqs. 11 to 13) over the embedding alone.

    Args:
        denoiser: frozen.
        schedule: of its denoise steps.
        scenes: of one speaker, encoded with the model's encoder.
        start: ``[E]``, such as the blend by voice.
        steps: of Adam.
        batch: crops per step.
        learning_rate: peak; falls linearly to zero.
        seed: of crops and noise.
        report: called with the step and its loss.

    Returns:
        ``[E]``.

    Raises:
        EnrollmentError: there are too few scenes.
    """
    if len(scenes.speakers) < LEAST_SCENES:
        raise EnrollmentError(
            f"{10 * len(scenes.speakers)} s of face data is too little for a style; capture a few minutes"
        )
    torch.manual_seed(seed)
    denoiser = denoiser.requires_grad_(False).train()  # cuDNN wants training mode for gradients through a GRU
    for module in denoiser.modules():
        if isinstance(module, nn.GRU):
            module.dropout = 0.0
    embedding = nn.Parameter(torch.from_numpy(np.array(start, np.float32)))
    crops = SceneCrops(scenes, (), seed=seed)
    optimizer = torch.optim.Adam([embedding], lr=learning_rate)
    timesteps = torch.from_numpy(schedule.timesteps)
    alpha, sigma = (torch.from_numpy(x).float()[:, None, None] for x in (schedule.alpha, schedule.sigma))
    for step in range(steps):
        rows = [crops[step * batch + i] for i in range(batch)]
        audio, truth, preset = (torch.stack([row[key] for row in rows]) for key in ("audio", "curves", "preset"))
        at = torch.randint(len(schedule), (batch,))
        loss = _loss(denoiser, embedding, audio, truth, preset, timesteps[at], alpha[at], sigma[at])
        optimizer.param_groups[0]["lr"] = learning_rate * (1 - step / steps)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if report is not None:
            report(step, float(loss.detach()))
    learned: NDArray[np.float32] = embedding.detach().numpy()
    return learned


def _loss(
    denoiser: Denoiser,
    embedding: Tensor,
    audio: Tensor,
    truth: Tensor,
    preset: Tensor,
    timesteps: Tensor,
    alpha: Tensor,
    sigma: Tensor,
) -> Tensor:
    identity = embedding.expand(*truth.shape[:2], -1)
    condition = denoiser.condition(audio, identity, preset)
    clean = denoiser.normalize(truth)
    noised = alpha * clean + sigma * torch.randn_like(clean)
    predicted, _ = denoiser(condition, noised, timesteps)
    loss, _ = curve_losses(denoiser.denormalize(predicted), truth, LossWeights())
    return loss
