"""Scenes of a study: which are trained on, which are measured on, and crops of them at one latency preset.

A study compares models, not presets: all of it is at the default preset, so that no update is spent on the others.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from diffusiontalker.errors import MendableError
from diffusiontalker.geometry import DEFAULT_PRESET, MODEL_FPS, PRESETS, STEADY_LOOK_AHEAD, frame_feature
from diffusiontalker.training.scenes import WINDOWS, Scenes

PRESET: Final = PRESETS[DEFAULT_PRESET]
_TEST_SPLITS: Final = ("test", "held_out")
_FILES: Final = ("scenes.json", "features.npy", "curves.npy", "voices.npy")


class EvaluationError(MendableError, ValueError):
    """Scenes or runs that nothing can be measured on, and what to do about it."""


@dataclass(frozen=True)
class StudyScenes:
    """What a study trains on and measures on.

    Attributes:
        train: scenes of which ``train_rows`` are trained on.
        train_rows: ``[N]`` indexes.
        test: scenes of which ``test_rows`` are measured on; the same scenes or others.
        test_rows: ``[M]`` indexes.
        voices: indexes of all test scenes: matching a voice costs nothing, so no limit holds for it.
        digest: names the training scenes.
        test_digest: names the test scenes and which of them are used.
    """

    train: Scenes = field(repr=False)
    train_rows: NDArray[np.int64] = field(repr=False)
    test: Scenes = field(repr=False)
    test_rows: NDArray[np.int64] = field(repr=False)
    voices: NDArray[np.int64] = field(repr=False)
    digest: str
    test_digest: str

    @classmethod
    def open(cls, folder: Path, test_folder: Path | None = None, *, limit: int = 32) -> StudyScenes:
        """Open scenes and divide them.

        Args:
            folder: scenes to train on; rows whose ``split`` is ``test`` or ``held_out`` are not trained on.
            test_folder: scenes to measure on; without it, those rows of ``folder``.
            limit: test scenes at most, spread evenly over all that could be.

        Raises:
            EvaluationError: a folder holds no scenes, no scene is left to measure on, or the encoders differ.
        """
        train, splits, digest = _opened(folder)
        train_rows = np.flatnonzero([split == "train" for split in splits])
        test, test_splits, test_digest = (train, splits, digest) if test_folder is None else _opened(test_folder)
        candidates = np.flatnonzero([split in _TEST_SPLITS for split in test_splits])
        if test_folder is not None and not len(candidates):
            candidates = np.arange(len(test_splits))
        if not len(train_rows):
            raise EvaluationError(f"{folder}: every scene is kept for testing; nothing is left to train on")
        if not len(candidates):
            raise EvaluationError(
                f"{folder}: no scene has 'split': 'test' in scenes.json; mark some, or name others with --test-scenes"
            )
        if test.features.shape[-1] != train.features.shape[-1]:
            raise EvaluationError(
                f"{test_folder} has features of width {test.features.shape[-1]}, {folder} of width "
                f"{train.features.shape[-1]}: encode both with the same encoder"
            )
        chosen = candidates[np.linspace(0, len(candidates) - 1, min(limit, len(candidates))).round().astype(np.int64)]
        return cls(train, train_rows, test, chosen, candidates, digest, f"{test_digest}-{_hash(chosen.tobytes())}")

    def speakers(self) -> Scenes:
        """The training scenes' voices and speakers alone, for ``library_of``."""
        rows = self.train_rows
        return replace(
            self.train,
            voices=np.asarray(self.train.voices[rows]),
            speakers=[self.train.speakers[i] for i in rows],
            natural=self.train.natural[rows],
        )

    def describe(self) -> str:
        """What the figures stand on, as a sentence in Markdown."""
        known = {self.train.speakers[i] for i in self.train_rows}
        heard = [self.test.speakers[i] for i in self.test_rows]
        strangers = sum(bool(name) and name not in known for name in heard)
        return (
            f"Trained on {_amount(self.train, self.train_rows)}: "
            f"{_corpora([self.train.speakers[i] for i in self.train_rows])}. "
            f"Measured on {_amount(self.test, self.test_rows)} kept apart ({_corpora(heard)}), "
            f"{strangers} of these scenes by speakers never trained on."
        )


class StudyCrops(Dataset[dict[str, Tensor]]):
    """As ``SceneCrops``, at one preset and reading only what a crop needs; crop ``i`` is a function of ``(seed, i)``.

    Args:
        scenes: encoded scenes.
        rows: which of them.
        speakers: of the library, in order; without any, everybody is nobody.
        frames: of a crop.
        seed: with the index, decides everything.
        length: crops per epoch.
    """

    def __init__(
        self,
        scenes: Scenes,
        rows: NDArray[np.int64],
        speakers: Sequence[str],
        *,
        frames: int,
        seed: int = 0,
        length: int = 1 << 20,
    ) -> None:
        self.scenes = scenes
        self.rows = rows
        self.frames = min(frames, scenes.curves.shape[1])
        self.seed = seed
        self.length = length
        index = {name: i for i, name in enumerate(speakers)}
        self.speakers = [index.get(scenes.speakers[i], -1) for i in rows]

    def __len__(self) -> int:
        """Crops per epoch."""
        return self.length

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Crop ``index``: what a crop of ``SceneCrops`` holds, but for phones: the paper's losses know none."""
        rng = np.random.default_rng([self.seed, index])
        number = int(rng.integers(len(self.rows)))
        scene = int(self.rows[number])
        last = self.scenes.curves.shape[1] - self.frames
        # Half of the crops begin with the stream, when hidden states are zero and nothing was heard.
        start = int(rng.integers(0, last + 1)) if rng.random() < 0.5 else 0
        voice = self.scenes.voices[scene, rng.integers(WINDOWS)].astype(np.float32)
        return {
            "audio": torch.from_numpy(window_audio(self.scenes.features[scene], start, self.frames)),
            "curves": torch.from_numpy(self.scenes.curves[scene, start : start + self.frames].astype(np.float32)),
            "preset": torch.tensor(PRESET.index),
            "speaker": torch.tensor(self.speakers[number]),
            "voice": torch.from_numpy(voice),
            "voiced": torch.tensor(bool(self.scenes.natural[scene] and np.any(voice))),
        }


def window_audio(features: NDArray[np.float16], start: int, frames: int) -> NDArray[np.float32]:
    """``frame_audio`` of the frames from ``start`` on at the study's preset, ``[frames, 2 W]``."""
    numbers = range(start, start + frames)
    places = [frame_feature(n, STEADY_LOOK_AHEAD) for n in numbers]
    near = np.array([k for k, _ in places])
    phase = np.array([p for _, p in places], np.float32)[:, None]
    newest = np.array([frame_feature(n, PRESET.look_ahead)[0] for n in numbers])
    low = min(int(near[0]) - 1, int(newest[0]))
    heard = np.asarray(features[max(low, 0) : max(int(near[-1]), int(newest[-1])) + 1], np.float32)
    if low < 0:  # nothing was heard before the stream
        heard = np.concatenate([np.zeros((-low, features.shape[1]), np.float32), heard])
    steady = (1 - phase) * heard[near - 1 - low] + phase * heard[near - low]
    return np.concatenate([steady, heard[newest - low]], axis=1)


def _opened(folder: Path) -> tuple[Scenes, list[str], str]:
    for name in _FILES:
        if not (folder / name).exists():
            raise EvaluationError(f"{folder / name} is missing: name a folder of encoded scenes, made by 'train'")
    listing = (folder / "scenes.json").read_bytes()
    try:
        splits = [str(row.get("split", "train")) for row in json.loads(listing)]
        scenes = Scenes.open(folder)
    except (ValueError, KeyError, AttributeError) as error:
        raise EvaluationError(f"{folder} holds no scenes that can be read ({error}): encode it anew") from error
    if not len(splits) == len(scenes.features) == len(scenes.curves) == len(scenes.voices):
        raise EvaluationError(f"{folder}: scenes.json lists {len(splits)} scenes, the arrays hold another number")
    shape = repr((scenes.features.shape, scenes.curves.shape)).encode()
    return scenes, splits, _hash(listing + shape + np.asarray(scenes.curves[0]).tobytes())


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]


def _amount(scenes: Scenes, rows: NDArray[np.int64]) -> str:
    people = {scenes.speakers[i] for i in rows} - {""}
    minutes = len(rows) * scenes.curves.shape[1] / MODEL_FPS / 60
    return f"{len(rows)} scenes ({minutes:.{0 if minutes >= 10 else 1}f} minutes) of {len(people)} speakers"


def _corpora(speakers: Sequence[str]) -> str:
    counts = Counter(name.split("/")[0] if name else "nobody" for name in speakers)
    return ", ".join(f"{name} {count / len(speakers):.0%}" for name, count in counts.most_common())
