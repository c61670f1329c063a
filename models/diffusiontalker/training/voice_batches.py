"""Training samples for the voice head: somebody speaks for three seconds, somewhere, and who it is.

Every speaker counts alike, however long the recordings. A voice played faster or slower is another speaker (Wang et
al. 2020): the recordings have hundreds of people, and telling people apart is learned from thousands.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from diffusiontalker.geometry import FEATURE_OVERLAP, FEATURE_STRIDE, SAMPLE_RATE
from diffusiontalker.training.augment import change_speed, degrade
from diffusiontalker.training.speech_batches import SpeechSamples

SPEEDS: Final = (1.0, 0.88, 1.13)
"""Each makes another class of every speaker."""
MEASURED_ON: Final = "an4/"
"""Speakers whose names begin so are left out: recognising people by voice is measured on them."""


class VoiceSamples(Dataset[dict[str, Tensor]]):
    """Crops of one voice each; sample ``i`` is a function of ``(seed, i)``.

    Args:
        speech: the corpora, with their acoustics and augmentation.
        seconds: length of a crop.
        seed: with the index, decides everything.
    """

    def __init__(self, speech: SpeechSamples, *, seconds: float = 3.0, seed: int = 0) -> None:
        self.speech = speech
        self.names = sorted(name for name in speech.by_speaker if not name.startswith(MEASURED_ON))
        self.length = FEATURE_STRIDE * (int(seconds * SAMPLE_RATE) // FEATURE_STRIDE) + FEATURE_OVERLAP
        self.seed = seed

    @property
    def classes(self) -> int:
        """Speakers, counted once per speed."""
        return len(self.names) * len(SPEEDS)

    def __len__(self) -> int:
        """Samples per epoch."""
        return len(self.speech)

    def _voice(self, name: str, length: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """``[length]`` of a speaker: as many clips as it takes, from a random place on."""
        clips = self.speech.by_speaker[name]
        parts: list[NDArray[np.float32]] = []
        total = 0
        while total < length:
            corpus, clip = clips[rng.integers(len(clips))]
            part = corpus.audio(clip).astype(np.float32) / np.float32(32768)
            parts.append(part)
            total += len(part)
        start = int(rng.integers(0, total - length + 1))
        return np.concatenate(parts)[start : start + length]

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Sample ``index``: ``samples [320 T + 80]``, level-normalised, and its ``speaker``, a class."""
        rng = np.random.default_rng([self.seed, index, 3])
        who, speed = int(rng.integers(len(self.names))), int(rng.integers(len(SPEEDS)))
        clean = self._voice(self.names[who], int(self.length * SPEEDS[speed]) + 2, rng)
        if speed:
            clean = change_speed(clean, SPEEDS[speed])
        heard = degrade(clean[: self.length], self.speech.augment, self.speech.acoustics, rng)
        return {
            "samples": torch.from_numpy(self.speech.normalized(heard, index)),
            "speaker": torch.tensor(who * len(SPEEDS) + speed),
        }
