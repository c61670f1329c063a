"""Trains the streaming encoder on labelled corpora and saves its averaged weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

from diffusiontalker.corpus.store import Corpus
from diffusiontalker.encoder.config import StreamingHubertConfig
from diffusiontalker.encoder.weights_file import save_encoder
from diffusiontalker.geometry import PRESETS, SAMPLE_RATE
from diffusiontalker.training.augment import Acoustics
from diffusiontalker.training.encoder_task import EncoderTask
from diffusiontalker.training.loop import LoopConfig, Report, train
from diffusiontalker.training.speech_batches import SpeechSamples


def load_acoustics(speech: Path | None) -> Acoustics:
    """Noises and impulse responses of a speech folder's ``noise/`` (rooms in ``rir_*``); none without a folder."""
    noises: list[NDArray[np.float32]] = []
    rooms: list[NDArray[np.float32]] = []
    for path in sorted((speech / "noise").rglob("*.flac")) if speech else []:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        if rate == SAMPLE_RATE and len(samples):
            (rooms if path.parent.name.startswith("rir_") else noises).append(samples[:, 0])
    return Acoustics(noises, rooms)


def train_encoder(
    corpora: Sequence[Path],
    out: Path,
    *,
    speech: Path | None = None,
    steps: int,
    batch: int = 8,
    seconds: float = 4.0,
    real_share: float = 0.5,
    learning_rate: float = 1e-3,
    pretrained: Path | None = None,
    seed: int = 0,
    report: Report | None = None,
) -> Path:
    """Train an encoder, going on from a checkpoint in ``out``.

    Args:
        corpora: labelled speech; only training clips are used.
        out: folder of checkpoint, log and result.
        speech: folder of recordings, for its noises and rooms.
        steps: optimiser steps.
        batch: crops per step.
        seconds: length of a crop.
        real_share: share of crops from recordings.
        learning_rate: peak.
        pretrained: encoder weights to start from.
        seed: of everything random.
        report: called after every step.

    Returns:
        The path of the saved weights, ``out/encoder.safetensors``.
    """
    torch.manual_seed(seed)
    opened = [Corpus.open(folder) for folder in corpora]
    samples = SpeechSamples(opened, load_acoustics(speech), seconds=seconds, real_share=real_share, seed=seed)
    task = EncoderTask(StreamingHubertConfig())
    if pretrained:
        task.encoder.load_state_dict(load_file(pretrained))
    spread = torch.stack([samples[i]["mouth"].flatten(0, 1) for i in range(64)]).flatten(0, 1).std(0)
    task.mouth_std.copy_(spread.clamp_min(0.02))

    def objective(rows: dict[str, Tensor]) -> tuple[Tensor, Mapping[str, float]]:
        losses = task(rows)
        figures = {"phone": float(losses.phone.detach()), "mouth": float(losses.mouth.detach())}
        for name, share in zip(PRESETS, losses.accuracy.tolist(), strict=True):
            figures[f"accuracy_{name}"] = share
        return losses.total, figures

    weights = train(
        task,
        objective,
        samples,
        LoopConfig(steps=steps, batch=batch, learning_rate=learning_rate, seed=seed),
        out,
        report=report,
    )
    return save_encoder(task.encoder.config, weights, out)
