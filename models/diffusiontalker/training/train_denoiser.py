"""Trains the denoiser and the identity library on encoded scenes, with the encoder frozen."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from diffusiontalker.arkit import BROWS, COUNT, EYES, JAW_AND_MOUTH
from diffusiontalker.denoiser.config import DenoiserConfig
from diffusiontalker.denoiser.identity import IdentityLibrary
from diffusiontalker.denoiser.model import Denoiser
from diffusiontalker.denoiser.schedule import Schedule
from diffusiontalker.errors import MendableError
from diffusiontalker.training.loop import LoopConfig, Report, train
from diffusiontalker.training.losses import STEADY, LossWeights, curve_losses
from diffusiontalker.training.scenes import SceneCrops, Scenes
from diffusiontalker.training.train_voice import read_people
from diffusiontalker.training.voice_crops import HELD_BACK

WEIGHTS_FILE: Final = "denoiser.safetensors"
MOUTH_TEMPERATURE: Final = 0.1
EYES_AND_BROWS_TEMPERATURE: Final = 0.5
OTHER_TEMPERATURE: Final = 0.3
"""What the sampler's first noise is scaled by on jaw and mouth, on eyes and brows, and on cheeks and nose. Where speech
decides, takes should agree and nothing tremble. Eyes and brows have slow noise, of which little is averaged away: at
half its height they move nine tenths as far as the faces they learned from, with the same jerk; white noise of full
height moved them half as far, with five times the jerk."""


class ScenesError(MendableError, ValueError):
    """Scenes that a denoiser cannot be trained on."""


class DenoiserTask(nn.Module):
    """Denoiser and library, trained together."""

    timesteps: Tensor
    alpha: Tensor
    sigma: Tensor

    def __init__(
        self, denoiser: Denoiser, library: IdentityLibrary, steps: int, weights: LossWeights | None = None
    ) -> None:
        super().__init__()
        self.denoiser = denoiser
        self.library = library
        self.weights = weights or LossWeights()
        schedule = Schedule.spaced(steps)
        self.register_buffer("timesteps", torch.from_numpy(schedule.timesteps), persistent=False)
        self.register_buffer("alpha", torch.from_numpy(schedule.alpha).float(), persistent=False)
        self.register_buffer("sigma", torch.from_numpy(schedule.sigma).float(), persistent=False)

    def identity(self, speaker: Tensor) -> Tensor:
        """Embeddings ``[B, E]``; nobody has the library's mean, as a stream has before it was matched."""
        table = self.library.embeddings.weight
        known = table[speaker.clamp_min(0)]
        return torch.where((speaker >= 0)[:, None], known, table.mean(0, keepdim=True).detach())

    def forward(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, float]]:
        """Loss of a batch of ``SceneCrops`` at random denoise steps, and its parts."""
        truth = batch["curves"]
        size, frames, _ = truth.shape
        identity = self.identity(batch["speaker"])
        # Streams begin with the neutral identity: every tenth sample learns what it looks like.
        neutral = self.library.embeddings.weight.mean(0, keepdim=True).detach()
        identity = torch.where(torch.rand(size, 1, device=truth.device) < 0.1, neutral, identity)
        condition = self.denoiser.condition(batch["audio"], identity[:, None].expand(-1, frames, -1), batch["preset"])
        clean = self.denoiser.normalize(truth)
        step = torch.randint(len(self.timesteps), (size,), device=truth.device)
        noised = self.alpha[step, None, None] * clean + self.sigma[step, None, None] * torch.randn_like(clean)
        predicted, _ = self.denoiser(condition, noised, self.timesteps[step])
        curves = self.denoiser.denormalize(predicted)
        loss, parts = curve_losses(curves, truth, self.weights, batch.get("phone_spans"))
        voiced = batch["voiced"] & (batch["speaker"] >= 0)
        if voiced.any():
            contrastive = self.library.contrastive_loss(batch["voice"][voiced], batch["speaker"][voiced])
            loss = loss + self.weights.contrastive * contrastive
            parts["contrastive"] = float(contrastive.detach())
        return loss, parts


def library_of(scenes: Scenes, people: Mapping[str, Tensor] | None = None, *, least: int = 3) -> IdentityLibrary:
    """A library of the scenes' speakers, with the voice side fitted and the embeddings untrained.

    Args:
        scenes: encoded scenes.
        people: more described voices ``[n, D]`` of some of their speakers (``train_voice.read_people``). Where they are
            given, speakers who are taken for each other all the same are not listed twice.
        least: natural, voiced scenes a speaker needs to be listed.

    Raises:
        ScenesError: fewer than two speakers have so many scenes.
    """
    speakers = np.array(scenes.speakers)
    voices = np.asarray(scenes.voices, np.float32)
    voiced = scenes.natural[:, None] & voices.any(-1)
    names = [n for n in sorted(set(scenes.speakers)) if n and voiced[speakers == n].any(1).sum() >= least]
    if len(names) < 2:
        raise ScenesError(
            f"{len(names)} speakers have {least} scenes or more, and a library needs two: add people, "
            "or enrol a single one into a model that exists with 'diffusiontalker enroll'"
        )
    row = {name: i for i, name in enumerate(names)}
    rows = np.array([row.get(name, -1) for name in scenes.speakers])
    use = voiced & (rows >= 0)[:, None]
    described, owners = voices[use], np.repeat(rows[:, None], voices.shape[1], axis=1)[use]
    # Whom recognition by voice is measured on must be strangers here too, listed or not.
    known = np.array([f"recording/{name.split('/')[0]}" not in HELD_BACK for name in names])
    if known.sum() < 2:
        known[:] = True
    library = IdentityLibrary(names, voices.shape[-1])
    heard, speaking = torch.from_numpy(described), torch.from_numpy(owners)
    for name, more in (people or {}).items():
        if name in row:
            heard = torch.cat([heard, more.float()])
            speaking = torch.cat([speaking, torch.full((len(more),), row[name])])
    contrasted = torch.from_numpy(known)
    library.voice_mean.copy_(heard[contrasted[speaking]].mean(0))
    library.hear(heard, speaking, contrasted)
    if people:
        library.list_distinct(heard, speaking, contrasted)
    return library


def train_denoiser(
    scenes_folder: Path,
    out: Path,
    *,
    people: Path | None = None,
    denoise_steps: int = 8,
    steps: int,
    batch: int = 32,
    learning_rate: float = 1e-3,
    seed: int = 0,
    weights: LossWeights | None = None,
    report: Report | None = None,
) -> Path:
    """Train on a ``denoise_steps`` grid, going on from a checkpoint in ``out``.

    Args:
        scenes_folder: encoded scenes.
        out: folder of checkpoint, log and result.
        people: file of more voices of their speakers (``train_voice.PEOPLE_FILE``).
        denoise_steps: of the sampler.
        steps: updates.
        batch: crops an update.
        learning_rate: peak.
        seed: of everything random.
        weights: of the losses; None for ``STEADY``.
        report: called after every update.

    Returns:
        The path of the saved weights, ``out/denoiser.safetensors``; its metadata lists the library's names.
    """
    torch.manual_seed(seed)
    scenes = Scenes.open(scenes_folder)
    library = library_of(scenes, read_people(people) if people else None)
    denoiser = Denoiser(DenoiserConfig(feature_width=scenes.features.shape[-1]))
    some = scenes.curves[:: max(1, len(scenes.curves) // 500)]
    curves = np.asarray(some, np.float32).reshape(-1, some.shape[-1])
    denoiser.mean.copy_(torch.from_numpy(curves.mean(0)))
    # A coefficient that hardly moves must not become all noise: its scale has a floor.
    denoiser.scale.copy_(torch.from_numpy(curves.std(0)).clamp_min(0.03))
    task = DenoiserTask(denoiser, library, denoise_steps, weights or STEADY)
    averaged = train(
        task,
        task,
        SceneCrops(scenes, library.names, seed=seed),
        LoopConfig(steps=steps, batch=batch, learning_rate=learning_rate, seed=seed, bfloat16=False, ema=0.998),
        out,
        report=report,
    )
    # The sampler's, not the training's: a checkpoint to go on from may be of a release that had others.
    averaged["denoiser.temperature"] = _temperature()
    return save_denoiser(averaged, denoiser.config, out / WEIGHTS_FILE, names=library.names, steps=denoise_steps)


def _temperature() -> Tensor:
    temperature = torch.full((COUNT,), OTHER_TEMPERATURE)
    temperature[list(JAW_AND_MOUTH)] = MOUTH_TEMPERATURE
    temperature[[*EYES, *BROWS]] = EYES_AND_BROWS_TEMPERATURE
    return temperature


def save_denoiser(
    state: Mapping[str, Tensor],
    config: DenoiserConfig,
    path: Path,
    *,
    names: Sequence[str],
    steps: int,
    notes: Mapping[str, str] | None = None,
) -> Path:
    """Write the state of a ``DenoiserTask`` as ``pipeline.load_denoiser`` reads it, whole or not at all."""
    metadata = {"names": "\n".join(names), "steps": str(steps), "noise_period": str(config.noise_period)}
    partial = path.with_suffix(".partial")
    save_file({k: v.contiguous() for k, v in state.items()}, partial, metadata={**(notes or {}), **metadata})
    os.replace(partial, path)
    return path
