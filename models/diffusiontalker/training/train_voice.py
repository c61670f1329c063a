"""Trains the voice head on telling speakers apart, with the encoder frozen, as the paper keeps its audio encoder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from diffusiontalker.encoder.voice_head import pool_voiced
from diffusiontalker.encoder.weights_file import save_encoder
from diffusiontalker.training.encoder_task import EncoderTask
from diffusiontalker.training.loop import LoopConfig, Report, train
from diffusiontalker.training.voice_batches import VoiceSamples


class VoiceTask(nn.Module):
    """A classifier of speakers over pooled voices, with an additive angular margin (ArcFace, Deng et al. 2019).

    Args:
        task: the trained encoder; only its voice head learns.
        classes: speakers.
        margin: radians by which the true speaker must win.
        scale: inverse temperature.
    """

    def __init__(self, task: EncoderTask, classes: int, margin: float = 0.2, scale: float = 24.0) -> None:
        super().__init__()
        self.task = task.requires_grad_(False)
        self.task.encoder.voice_head.requires_grad_(True)
        self.centres = nn.Parameter(torch.randn(classes, task.encoder.config.voice_width))
        self.margin = margin
        self.scale = scale

    def train(self, mode: bool = True) -> VoiceTask:
        """Training mode, but for the encoder: it hears as it will when it serves."""
        super().train(mode)
        self.task.eval()
        return self

    def forward(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Loss of a batch of ``VoiceSamples`` and the share of speakers recognised."""
        features, voice = self.task.encoder(batch["samples"])
        speech = self.task.phone_head.speech(features.float())[..., 0]
        pooled = pool_voiced(voice.float(), speech)
        cosine = F.normalize(pooled, dim=-1) @ F.normalize(self.centres, dim=-1).T
        angle = cosine.clamp(-1 + 1e-6, 1 - 1e-6).acos()
        true = F.one_hot(batch["speaker"], cosine.shape[1]).bool()
        logits = self.scale * torch.where(true, (angle + self.margin).cos(), cosine)
        hits = (cosine.argmax(-1) == batch["speaker"]).float().mean()
        return F.cross_entropy(logits, batch["speaker"]), hits


def train_voice(
    task: EncoderTask, samples: VoiceSamples, out: Path, config: LoopConfig, *, report: Report | None = None
) -> Path:
    """Train the voice head of an encoder, going on from a checkpoint in ``out``.

    Returns:
        The path of the encoder's weights with the new head, ``out/encoder.safetensors``.
    """
    torch.manual_seed(config.seed)
    voice = VoiceTask(task, samples.classes)

    def objective(rows: dict[str, Tensor]) -> tuple[Tensor, Mapping[str, float]]:
        loss, hits = voice(rows)
        return loss, {"hits": float(hits)}

    averaged = train(voice, objective, samples, config, out, report=report)
    kept = {k.removeprefix("task."): v for k, v in averaged.items() if k.startswith("task.")}
    return save_encoder(task.encoder.config, kept, out)
