"""Crops the voice head is fitted on: every voice there is, as it is and changed, each time at another microphone.

A channel must never be a cue to who speaks, and most people were recorded once: each crop gets a room, an equaliser,
noise, a codec and a level of its own. Nor must words be: what there is of a voice is cut into two sides without an
utterance in common, or into the halves of its only one. A voice sped up, with its formants moved, counts as another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from diffusiontalker.corpus.recordings import Recording
from diffusiontalker.corpus.store import Corpus
from diffusiontalker.geometry import FEATURE_OVERLAP, FEATURE_STRIDE, FEATURE_WINDOW
from diffusiontalker.level import LevelState, normalize_level
from diffusiontalker.training.augment import Acoustics, Audio, AugmentConfig, change_speed, degrade, shift_formants
from diffusiontalker.training.speech_batches import utterance_part

HELD_BACK: Final = ("recording/an4",)
"""Corpora the voice head never hears, so that ``benchmarks/voice_match.py`` measures on strangers."""
FEATURES: Final = 200
"""Features in a crop: 4 s."""
CHANNELS: Final = AugmentConfig(
    clean_share=0.15, equalise_db=8.0, room_share=0.35, noise_share=0.65, codec_share=0.4, snr_db=(8.0, 40.0)
)
"""Microphones, more of them and rarely none."""
THROATS: Final = 6
"""Voices made of one: itself, and other throats."""
SIDES: Final = 2
_SPEED: Final = (0.82, 1.2)
_FORMANTS: Final = (0.87, 1.15)
_LOUD_DB: Final = 27.0
"""A feature counts as voice if its clean audio is no further below the loudest."""
_SPOKEN_LEVEL: Final = 0.1
_FEW: Final = 8
"""Utterances below which a person's sides are the halves of all of them together."""

Read = Callable[[], NDArray[np.int16]]


def people(corpora: Sequence[Corpus], recordings: Sequence[Recording]) -> dict[str, list[Read]]:
    """Utterances of everybody on the training side: of labelled corpora, and recordings that those left out.

    Utterances kept for testing are left out, unless a person has no other: then the library does not list them.
    """
    found: dict[str, dict[str, Read]] = {}
    for corpus in corpora:
        for clip in corpus.clips:
            if clip.split == "train" and clip.corpus not in HELD_BACK:
                found.setdefault(clip.speaker, {})[clip.clip] = partial(corpus.audio, clip)
    for recording in recordings:
        if recording.split == "train" and f"recording/{recording.corpus}" not in HELD_BACK:
            of = found.setdefault(recording.person, {})
            of.setdefault(f"{recording.corpus}/{recording.clip}", recording.samples)
    chosen = {}
    for person in sorted(found):
        clips = found[person]
        chosen[person] = [clips[name] for name in clips if utterance_part(name) == "train"] or list(clips.values())
    return chosen


class VoiceCrops(Dataset[tuple[Tensor, Tensor]]):
    """Level-normalised crops: ``samples [320 * 200 + 80]`` and ``voiced [200]``.

    They are in the order of person, throat, side and crop of that side.

    Args:
        people: utterances of each.
        acoustics: noises and rooms.
        crops: of each side of each voice.
        seed: with the index, decides everything.
    """

    def __init__(self, people: dict[str, list[Read]], acoustics: Acoustics, *, crops: int = 3, seed: int = 0) -> None:
        self.names = list(people)
        self.shape = (len(people), THROATS, SIDES, crops)
        self.acoustics = acoustics
        self.seed = seed
        self._clips = list(people.values())

    @property
    def natural(self) -> list[int]:
        """Indexes of the crops of everybody's own throat, in the order of person, side and crop."""
        indexes: list[int] = np.arange(len(self)).reshape(self.shape)[:, 0].ravel().tolist()
        return indexes

    def __len__(self) -> int:
        """Crops of all voices."""
        return int(np.prod(self.shape))

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Crop ``index``."""
        person, throat, side, _ = np.unravel_index(index, self.shape)
        rng = np.random.default_rng([self.seed, index])
        speed = formants = 1.0
        if throat:
            shape = np.random.default_rng([self.seed, int(person), int(throat)])
            # Each throat has a part of the range of speeds to itself, so that no two are alike.
            speed = _SPEED[0] + (_SPEED[1] - _SPEED[0]) * (throat - 1 + shape.random()) / (THROATS - 1)
            formants = shape.uniform(*_FORMANTS)
        length = FEATURE_STRIDE * FEATURES + FEATURE_OVERLAP
        spoken = _spoken(self._clips[int(person)], int(side), int(length * speed) + 2, rng)
        clean = spoken[:length]
        if throat:
            clean = shift_formants(change_speed(spoken, speed)[:length], formants)
        windows = np.lib.stride_tricks.sliding_window_view(clean, FEATURE_WINDOW)[::FEATURE_STRIDE]
        level = 10 * np.log10(np.square(windows).mean(1) + 1e-9)
        voiced = level > np.percentile(level, 95) - _LOUD_DB
        heard, _ = normalize_level(degrade(clean, CHANNELS, self.acoustics, rng)[None], LevelState.initial(1))
        return torch.from_numpy(heard[0]), torch.from_numpy(voiced)


def _read(clip: Read) -> Audio:
    """An utterance at one level."""
    samples: Audio = clip().astype(np.float32) / np.float32(32768)
    return samples * np.float32(_SPOKEN_LEVEL / (float(np.sqrt(np.square(samples).mean())) + 1e-5))


def _spoken(clips: Sequence[Read], side: int, length: int, rng: np.random.Generator) -> Audio:
    """Part of what one side of a person says, ``[length]``; what is too short is said again."""
    if len(clips) < _FEW:
        parts = [_read(clip) for clip in clips]
        ends = np.cumsum([len(part) for part in parts])
        middle = ends[-1] // 2 if len(parts) == 1 else ends[:-1][np.abs(ends[:-1] - ends[-1] / 2).argmin()]
        whole = np.concatenate(parts)
        said: Audio = whole[:middle] if side == 0 else whole[middle:]
    else:
        mine, said = clips[side::SIDES], np.zeros(0, np.float32)
        while len(said) < length:
            said = np.concatenate([said, _read(mine[int(rng.integers(len(mine)))])])
    said = np.tile(said, length // len(said) + 2)
    start = int(rng.integers(0, len(said) - length + 1))
    return said[start : start + length]
