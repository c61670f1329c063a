"""HuBERT's own objective on untranscribed speech: hide spans of features and name the acoustic units under them.

A causal encoder knows a hidden moment only by what came before and, at a look-ahead, shortly after; so the unit is
asked for at each latency preset's delay, as the phones are later. The units are those of the clean voice while the
encoder hears the degraded one (WavLM's denoising variant, Chen et al. 2022).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.utils.data import Dataset

from diffusiontalker.corpus.recordings import Recording
from diffusiontalker.encoder.config import StreamingHubertConfig
from diffusiontalker.encoder.streaming_hubert import Masked, StreamingHubert
from diffusiontalker.geometry import FEATURE_OVERLAP, FEATURE_STRIDE, PRESETS
from diffusiontalker.training.augment import change_speed, degrade, shift_formants
from diffusiontalker.training.loop import LoopConfig, Report, train
from diffusiontalker.training.speech_batches import SpeechSamples
from diffusiontalker.training.units import AcousticUnits

DELAYS = tuple(preset.look_ahead // FEATURE_STRIDE for preset in PRESETS.values())
"""Features after the hidden one at which it is asked for."""


class MaskedPrediction(nn.Module):
    """The encoder with a mask embedding and a unit classifier per look-ahead.

    Args:
        config: of the encoder.
        start_share: share of features at which a hidden span starts.
        span: features in a span; with a share of 0.08 half of all features are hidden, as in HuBERT.
    """

    def __init__(self, config: StreamingHubertConfig, start_share: float = 0.08, span: int = 10) -> None:
        super().__init__()
        self.encoder = StreamingHubert(config)
        self.units = AcousticUnits(config.long_bands)
        self.mask_embedding = nn.Parameter(0.1 * torch.randn(config.width))
        self.unit_head = nn.Linear(config.width, len(DELAYS) * len(self.units.centroids))
        self.start_share = start_share
        self.span = span

    def hidden(self, like: Tensor) -> Tensor:
        """Which features to hide, bool ``[B, T]`` as ``like``; drawn from torch's generator."""
        starts = torch.rand(len(like), 1, like.shape[1], device=like.device) < self.start_share
        return F.max_pool1d(F.pad(starts.float(), (self.span - 1, 0)), self.span, stride=1)[:, 0] > 0

    def forward(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Cross-entropy under the mask, and the share of hidden units found, of ``heard`` and ``clean [B, N]``."""
        with torch.no_grad():
            units = self.units(self.encoder.front_end.spectra(batch["clean"]))
        hidden = self.hidden(units)
        features, _ = self.encoder(batch["heard"], Masked(hidden, self.mask_embedding))
        logits = self.unit_head(features.float()).unflatten(-1, (len(DELAYS), -1))
        losses, hits = [], []
        for i, delay in enumerate(DELAYS):
            where = hidden[:, : hidden.shape[1] - delay]
            guessed, true = logits[:, delay:, i][where], units[:, : units.shape[1] - delay][where]
            losses.append(F.cross_entropy(guessed, true))
            hits.append((guessed.argmax(-1) == true).float().mean())
        return torch.stack(losses).mean(), torch.stack(hits).mean()


class UntranscribedSamples(Dataset[dict[str, Tensor]]):
    """Crops of labelled corpora and of recordings nobody transcribed, clean and degraded; labels are not looked at."""

    def __init__(self, labelled: SpeechSamples, recordings: Sequence[Recording], share: float = 0.4) -> None:
        self.labelled = labelled
        self.recordings = [r for r in recordings if r.split == "train"]
        self.share = share if self.recordings else 0.0

    def __len__(self) -> int:
        """As many as the labelled samples."""
        return len(self.labelled)

    def _recorded(self, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        augment, acoustics = self.labelled.augment, self.labelled.acoustics
        length = FEATURE_STRIDE * self.labelled.features + FEATURE_OVERLAP
        recording = self.recordings[rng.integers(len(self.recordings))]
        samples = recording.samples().astype(np.float32) / np.float32(32768)
        if rng.random() < augment.speed_share:
            samples = change_speed(samples, rng.uniform(*augment.speed))
        start = int(rng.integers(0, max(1, len(samples) - length + 1)))
        clean = np.zeros(length, np.float32)
        clean[: len(samples) - start] = samples[start : start + length]
        if rng.random() < augment.formant_share:
            clean = shift_formants(clean, rng.uniform(*augment.formants))
        return clean, degrade(clean, augment, acoustics, rng)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Sample ``index``: ``clean`` and ``heard``, both level-normalised, ``[320 T + 80]``."""
        rng = np.random.default_rng([self.labelled.seed, index, 2])
        if rng.random() < self.share:
            clean, heard = self._recorded(rng)
        else:
            speech = self.labelled.speech(index)
            clean, heard = speech.clean, speech.heard
        normalized = self.labelled.normalized
        return {
            "clean": torch.from_numpy(normalized(clean, index)),
            "heard": torch.from_numpy(normalized(heard, index)),
        }


def pretrain_encoder(
    samples: UntranscribedSamples, out: Path, config: LoopConfig, *, report: Report | None = None
) -> Path:
    """Pre-train an encoder, going on from a checkpoint in ``out``.

    Returns:
        The path of the saved encoder, ``out/pretrained.safetensors``.
    """
    torch.manual_seed(config.seed)
    task = MaskedPrediction(StreamingHubertConfig())
    clean = torch.stack([samples[i]["clean"] for i in range(400)])
    task.units.fit(task.encoder.front_end.spectra(clean), config.seed)

    def objective(rows: dict[str, Tensor]) -> tuple[Tensor, Mapping[str, float]]:
        loss, hits = task(rows)
        return loss, {"hits": float(hits)}

    weights = train(task, objective, samples, config, out, report=report)
    path = out / "pretrained.safetensors"
    save_file({k.removeprefix("encoder."): v for k, v in weights.items() if k.startswith("encoder.")}, path)
    return path
