"""Teaches a public HuBERT's features to tell speech: serving closes the mouth where nobody speaks.

No public HuBERT comes with a speech detector, so one is fitted to the scenes the denoiser is trained on: a logistic
regression whose teacher is the shipped compact encoder, which was trained on noises, rooms and codecs of all kinds. To
scenes, where somebody nearly always speaks, sounds without any speech are added, heard by the same HuBERT.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from diffusiontalker.encoder.interface import AudioEncoder
from diffusiontalker.encoder.speech_head import SpeechHead
from diffusiontalker.geometry import FEATURE_OVERLAP, PRESETS, SAMPLE_RATE
from diffusiontalker.level import LevelState, normalize_level

SPEECH_FILE: Final = "speech.npy"
"""In a folder of scenes: ``[N, T, presets]`` probability of speech, as the teacher hears it."""
Detector = Callable[[Tensor], Tensor]
"""Normalised audio ``[B, 320 T + 80]`` -> probability of speech ``[B, T, presets]``."""

_QUIET_SECONDS: Final = 8
_MOST: Final = 60_000
"""Features used: 20 minutes; 3 x 769 numbers need no more."""
_STEPS: Final = 60
_DECAY: Final = 1e-4


def without_speech(seed: int = 0) -> NDArray[np.float32]:
    """Sounds in which nobody speaks, ``[4, 320 T + 80]`` level-normalised: white, brown and swelling noise, and hum."""
    rng = np.random.default_rng([seed, 77])
    count = _QUIET_SECONDS * SAMPLE_RATE + FEATURE_OVERLAP
    time = np.arange(count) / SAMPLE_RATE
    white, brown = rng.standard_normal((2, count))
    spectrum = np.fft.rfft(brown)
    brown = np.fft.irfft(spectrum / np.maximum(np.arange(len(spectrum)), 50), count)
    swell = rng.standard_normal(count) * np.interp(time, np.linspace(0, _QUIET_SECONDS, 24), rng.random(24) ** 2)
    hum = sum(np.sin(2 * np.pi * 50 * k * time + k) / k for k in range(1, 9)) + 0.01 * rng.standard_normal(count)
    sounds = np.stack([sound / np.sqrt(np.mean(np.square(sound))) for sound in (white, brown, swell, hum)]) * 0.03
    sounds[:, : SAMPLE_RATE // 2] = 0  # a stream often begins in silence
    normalized, _ = normalize_level(sounds.astype(np.float32), LevelState.initial(len(sounds)))
    return normalized


@torch.no_grad()
def hear_without_speech(encoder: AudioEncoder, seed: int = 0) -> NDArray[np.float32]:
    """Features ``[4, T, W]`` of ``without_speech``."""
    features, _ = encoder(torch.from_numpy(without_speech(seed)))
    heard: NDArray[np.float32] = features.float().cpu().numpy()
    return heard


def fit_speech_head(
    features: NDArray[np.floating], speech: NDArray[np.floating], quiet: NDArray[np.floating], *, seed: int = 0
) -> SpeechHead:
    """A detector whose probabilities are nearest the teacher's (cross entropy).

    Args:
        features: ``[N, T, W]`` of scenes.
        speech: ``[N, T, presets]`` what the teacher says of them, 0 to 1.
        quiet: ``[M, T', W]`` features of sounds without speech.
        seed: of the choice of features, where there are more than are needed.
    """
    width = features.shape[-1]
    rng = np.random.default_rng(seed)
    every = features.shape[0] * features.shape[1]
    chosen = np.sort(rng.permutation(every)[:_MOST])
    scenes = np.asarray(features.reshape(every, width)[chosen], np.float32)
    truth = np.asarray(speech.reshape(every, len(PRESETS))[chosen], np.float32)
    silent = np.asarray(quiet, np.float32).reshape(-1, width)
    x = torch.from_numpy(np.concatenate([scenes, silent]))
    y = torch.from_numpy(np.concatenate([truth, np.zeros((len(silent), len(PRESETS)), np.float32)]))
    mean, scale = x.mean(0), x.std(0).clamp_min(1e-3)
    x = (x - mean) / scale
    head = SpeechHead(width)
    with torch.no_grad():
        head.linear.weight.zero_()
        head.linear.bias.zero_()
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = F.binary_cross_entropy_with_logits(head(x), y) + _DECAY * head.linear.weight.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    with torch.enable_grad():
        optimizer.step(loss)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        # Serving need not know that features were standardised.
        head.linear.weight.div_(scale)
        head.linear.bias.sub_(head.linear.weight @ mean)
    return head.eval()


def fit_to_scenes(folder: Path, encoder: AudioEncoder, *, seed: int = 0) -> SpeechHead:
    """A detector for the features of a folder of scenes.

    Args:
        folder: of scenes that hold ``SPEECH_FILE``.
        encoder: the one that heard them.
        seed: see ``fit_speech_head``.
    """
    features = np.load(folder / "features.npy", mmap_mode="r")
    speech = np.load(folder / SPEECH_FILE, mmap_mode="r")
    # The last features of a scene have no teacher's word if its encoder made fewer.
    span = min(features.shape[1], speech.shape[1])
    return fit_speech_head(features[:, :span], speech[:, :span], hear_without_speech(encoder, seed), seed=seed)
