"""Training samples for the encoder: audio crops with the phone and the mouth of every moment.

A sample is several clips of one speaker joined by pauses, sped up or slowed down with its labels, degraded, cropped and
level-normalised as a stream would be. Sample ``i`` is a function of ``(seed, i)``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from diffusiontalker.animator import NEUTRAL, animate
from diffusiontalker.arkit import JAW_AND_MOUTH
from diffusiontalker.corpus.store import Clip, Corpus
from diffusiontalker.geometry import FEATURE_OVERLAP, FEATURE_STRIDE, FEATURE_WINDOW, PRESETS, SAMPLE_RATE
from diffusiontalker.level import FLOOR_DB, LevelState, normalize_level
from diffusiontalker.phones import PHONE_INDEX, SILENCE, TimedPhone
from diffusiontalker.training.augment import Acoustics, AugmentConfig, change_speed, degrade, shift_formants

Part = Literal["train", "test"]
_TEST_SHARE = 20
"""One utterance in this many of the speakers trained on is kept for testing."""

LABEL_RATE = 100
"""Labels per second; a feature stride is two of them."""


@dataclass(frozen=True, slots=True)
class Speech:
    """Audio with its labels.

    Attributes:
        speaker: who speaks, ``""`` for nobody.
        clean: ``[320 T + 80]`` the audio as recorded, for its loudness.
        heard: the same after the microphone and the room, at some level.
        phones: covering it.
        natural: the voice is the speaker's own (neither speed nor formants were changed).
    """

    speaker: str
    clean: NDArray[np.float32]
    heard: NDArray[np.float32]
    phones: tuple[TimedPhone, ...]
    natural: bool


def utterance_part(clip: str) -> Part:
    """The side an utterance of a training speaker is on, by the clip's name; the same in every run."""
    return "test" if hashlib.sha256(clip.encode()).digest()[1] % _TEST_SHARE == 0 else "train"


def label_indexes(features: int) -> NDArray[np.int64]:
    """``[presets, features]``: the label (10 ms grid) each preset's frame stands at when feature ``k`` is its newest.

    Feature ``k`` ends at sample ``320 k + 400``; a frame whose look-ahead ends there stands that much earlier. Negative
    where it would stand before the start.
    """
    per_label = SAMPLE_RATE // LABEL_RATE
    ends = FEATURE_STRIDE * np.arange(features) + FEATURE_WINDOW
    return np.stack([(ends - preset.look_ahead) // per_label for preset in PRESETS.values()])


class SpeechSamples(Dataset[dict[str, Tensor]]):
    """Degraded crops with labels, drawn from one or more corpora.

    Args:
        corpora: opened corpora; only clips of speakers on their ``train`` side are used.
        part: which of these speakers' utterances.
        acoustics: noises and rooms to mix in.
        seconds: crop length.
        real_share: share of samples drawn from recordings rather than synthetic speech, where there are any.
        nobody_share: share of samples in which nobody speaks.
        length: samples per epoch (an index range; every index is a new sample).
        seed: with the index, decides everything.
    """

    def __init__(
        self,
        corpora: Sequence[Corpus],
        acoustics: Acoustics,
        *,
        seconds: float = 4.0,
        real_share: float = 0.5,
        nobody_share: float = 0.04,
        length: int = 1 << 20,
        seed: int = 0,
        augment: AugmentConfig | None = None,
        part: Part = "train",
    ) -> None:
        self.features = int(seconds * SAMPLE_RATE) // FEATURE_STRIDE
        self.length = length
        self.seed = seed
        self.acoustics = acoustics
        self.augment = augment or AugmentConfig()
        self.real_share = real_share
        self.nobody_share = nobody_share
        pools: dict[bool, list[tuple[Corpus, Clip]]] = {True: [], False: []}
        self.by_speaker: dict[str, list[tuple[Corpus, Clip]]] = {}
        for corpus in corpora:
            for clip in corpus.clips:
                if clip.split == "train" and utterance_part(clip.clip) == part:
                    pools[clip.corpus.startswith("recording")].append((corpus, clip))
                    self.by_speaker.setdefault(clip.speaker, []).append((corpus, clip))
        self.pools = {real: pool for real, pool in pools.items() if pool}
        if not self.pools:
            raise ValueError("the corpora hold no training clips; build one with 'diffusiontalker corpus'")
        self.weights = {
            real: np.array([clip.weight * clip.samples for _, clip in pool], np.float64)
            for real, pool in self.pools.items()
        }
        for weight in self.weights.values():
            weight /= weight.sum()
        self.labels = label_indexes(self.features)

    def __len__(self) -> int:
        """Samples per epoch."""
        return self.length

    def _joined(
        self, rng: np.random.Generator, seconds: float
    ) -> tuple[str, NDArray[np.float32], tuple[TimedPhone, ...]]:
        """Clips of one speaker with pauses, at least ``seconds`` long: speaker, samples, phones."""
        real = len(self.pools) == 2 and rng.random() < self.real_share or False not in self.pools
        pool = self.pools[bool(real)]
        corpus, clip = pool[rng.choice(len(pool), p=self.weights[bool(real)])]
        mates = self.by_speaker[clip.speaker]
        audio: list[NDArray[Any]] = []
        phones: list[TimedPhone] = []
        now = 0.0
        while now < seconds:
            pause = rng.uniform(0.05, 1.2) if rng.random() < 0.7 else 0.0
            silence = np.zeros(int(pause * SAMPLE_RATE), np.float32)
            spoken = corpus.audio(clip).astype(np.float32) / 32768
            spoken *= np.float32(0.1 / (float(np.sqrt(np.square(spoken).mean())) + 1e-5))
            quiet = (TimedPhone(SILENCE, 0.0, len(silence) / SAMPLE_RATE),) if len(silence) else ()
            for piece, timed in ((silence, quiet), (spoken, clip.phones)):
                audio.append(piece)
                phones.extend(TimedPhone(p.phone, p.start + now, p.end + now) for p in timed)
                now += len(piece) / SAMPLE_RATE
            corpus, clip = mates[rng.integers(len(mates))]
        return clip.speaker, np.concatenate(audio), tuple(phones)

    def _nobody(self, rng: np.random.Generator, length: int) -> Speech:
        """Silence, or noise alone."""
        clean = np.zeros(length, np.float32)
        heard = clean
        if rng.random() < 0.85:
            hiss = rng.standard_normal(length).astype(np.float32) * np.float32(1e-3)
            heard = degrade(hiss, self.augment, self.acoustics, rng) * np.float32(10 ** (-rng.uniform(0, 30) / 20))
        return Speech("", clean, heard, (TimedPhone(SILENCE, 0.0, length / SAMPLE_RATE),), True)

    def speech(self, index: int) -> Speech:
        """Audio and labels number ``index``, before level normalisation."""
        rng = np.random.default_rng([self.seed, index])
        length = FEATURE_STRIDE * self.features + FEATURE_OVERLAP
        if rng.random() < self.nobody_share:
            return self._nobody(rng, length)
        speed = rng.uniform(*self.augment.speed) if rng.random() < self.augment.speed_share else 1.0
        formants = rng.uniform(*self.augment.formants) if rng.random() < self.augment.formant_share else 1.0
        speaker, samples, phones = self._joined(rng, length / SAMPLE_RATE * speed + 0.1)
        if speed != 1.0:
            samples = change_speed(samples, speed)
            phones = tuple(TimedPhone(p.phone, p.start / speed, p.end / speed) for p in phones)
        step = SAMPLE_RATE // LABEL_RATE
        start = int(rng.integers(0, (len(samples) - length) // step + 1)) * step
        clean = samples[start : start + length]
        if formants != 1.0:
            clean = shift_formants(clean, formants)
        begin, end = start / SAMPLE_RATE, (start + length) / SAMPLE_RATE
        phones = tuple(
            TimedPhone(p.phone, max(p.start - begin, 0.0), p.end - begin)
            for p in phones
            if p.end > begin and p.start < end
        )
        return Speech(
            speaker, clean, degrade(clean, self.augment, self.acoustics, rng), phones, speed == formants == 1.0
        )

    def normalized(self, heard: NDArray[np.float32], index: int) -> NDArray[np.float32]:
        """What the encoder is given of ``heard``: half of the time as if the stream had run before."""
        rng = np.random.default_rng([self.seed, index, 1])
        state = LevelState.initial(1)
        if rng.random() < 0.5:
            power = 10 * np.log10(float(np.square(heard).mean()) + 1e-9) + rng.uniform(0, 12)
            state = replace(state, held=np.array([max(power, FLOOR_DB)]))
        out, _ = normalize_level(heard[None], state)
        first: NDArray[np.float32] = out[0]
        return first

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Sample ``index``: ``samples [320 T + 80]``, ``phones [presets, T]``, ``mouth [presets, T, M]``, ``known``."""
        speech = self.speech(index)
        count = len(speech.heard) * LABEL_RATE // SAMPLE_RATE + 1
        classes = np.full(count, PHONE_INDEX[SILENCE], np.int64)
        for p in speech.phones:
            classes[round(p.start * LABEL_RATE) : round(p.end * LABEL_RATE)] = PHONE_INDEX[p.phone]
        curves = animate(speech.phones, count, fps=LABEL_RATE, style=NEUTRAL, blinks=False)[:, list(JAW_AND_MOUTH)]
        where = np.clip(self.labels, 0, count - 1)
        return {
            "samples": torch.from_numpy(self.normalized(speech.heard, index)),
            "phones": torch.from_numpy(classes[where]),
            "mouth": torch.from_numpy(curves[where].astype(np.float32)),
            "known": torch.from_numpy(self.labels >= 0),
        }
