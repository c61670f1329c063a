"""Crops the voice head is fitted on: every voice of the corpus, as it is and changed, each time at another microphone.

A channel must never be a cue to who speaks, and most people were recorded once: each crop gets a room, an equaliser,
noise, a codec and a level of its own. A voice sped up, with its formants moved, counts as another person.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from diffusiontalker.corpus.store import Clip, Corpus
from diffusiontalker.geometry import FEATURE_OVERLAP, FEATURE_STRIDE, FEATURE_WINDOW
from diffusiontalker.level import LevelState, normalize_level
from diffusiontalker.training.augment import Acoustics, Audio, AugmentConfig, change_speed, degrade, shift_formants
from diffusiontalker.training.speech_batches import utterance_part

HELD_BACK: Final = ("recording/an4",)
"""Corpora the voice head never hears, so that ``benchmarks/voice_match.py`` measures on strangers."""
FEATURES: Final = 200
"""Features in a crop: 4 s."""
CHANNELS: Final = AugmentConfig(
    clean_share=0.1, equalise_db=9.0, room_share=0.35, noise_share=0.65, codec_share=0.3, snr_db=(8.0, 40.0)
)
"""Microphones, more of them and rarely none."""
_THROATS: Final = 2
"""Voices made of one: itself, and another throat."""
_SPEED: Final = (0.82, 1.2)
_FORMANTS: Final = (0.88, 1.14)
_LOUD_DB: Final = 27.0
"""A feature counts as voice if its clean audio is no further below the loudest."""


class VoiceCrops(Dataset[tuple[Tensor, Tensor, int]]):
    """Level-normalised crops: ``samples [320 * 200 + 80]``, ``voiced [200]`` and the number of the voice.

    Args:
        corpora: opened; training utterances of training speakers are used.
        acoustics: noises and rooms.
        crops: of each voice.
        seed: with the index, decides everything.
    """

    def __init__(self, corpora: Sequence[Corpus], acoustics: Acoustics, *, crops: int = 5, seed: int = 0) -> None:
        self.acoustics = acoustics
        self.crops = crops
        self.seed = seed
        clips: dict[str, list[tuple[Corpus, Clip]]] = {}
        for corpus in corpora:
            for clip in corpus.clips:
                if clip.split == "train" and utterance_part(clip) == "train" and clip.corpus not in HELD_BACK:
                    clips.setdefault(clip.speaker, []).append((corpus, clip))
        self.clips = [clips[name] for name in sorted(clips)]

    def __len__(self) -> int:
        """Crops of all voices."""
        return len(self.clips) * _THROATS * self.crops

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, int]:
        """Crop ``index``; those of one voice follow one another."""
        voice = index // self.crops
        speaker, throat = divmod(voice, _THROATS)
        speed = formants = 1.0
        if throat:
            shape = np.random.default_rng([self.seed, voice])
            speed, formants = shape.uniform(*_SPEED), shape.uniform(*_FORMANTS)
        rng = np.random.default_rng([self.seed, voice, index])
        length = FEATURE_STRIDE * FEATURES + FEATURE_OVERLAP
        parts: list[Audio] = []
        missing = int(length * speed) + 2
        while missing > 0:
            corpus, clip = self.clips[speaker][rng.integers(len(self.clips[speaker]))]
            spoken: Audio = corpus.audio(clip).astype(np.float32) / np.float32(32768)
            spoken *= np.float32(0.1 / (float(np.sqrt(np.square(spoken).mean())) + 1e-5))
            parts.append(spoken)
            missing -= len(spoken)
        joined: Audio = np.concatenate(parts)
        samples = change_speed(joined, speed) if throat else joined
        start = int(rng.integers(0, len(samples) - length + 1))
        clean: Audio = samples[start : start + length]
        if throat:
            clean = shift_formants(clean, formants)
        windows = np.lib.stride_tricks.sliding_window_view(clean, FEATURE_WINDOW)[::FEATURE_STRIDE]
        level = 10 * np.log10(np.square(windows).mean(1) + 1e-9)
        voiced = level > np.percentile(level, 95) - _LOUD_DB
        heard, _ = normalize_level(degrade(clean, CHANNELS, self.acoustics, rng)[None], LevelState.initial(1))
        return torch.from_numpy(heard[0]), torch.from_numpy(voiced), voice
