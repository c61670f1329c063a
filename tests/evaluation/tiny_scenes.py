"""Scenes small enough to learn from in a test: the curves are a smooth function of the features and the speaker."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from diffusiontalker.arkit import COUNT
from diffusiontalker.training.scenes import SECONDS, WINDOWS

WIDTH = 8
SPEAKERS = ("hum/anna", "hum/ben", "hum/clara")


def frames_of(seconds: int) -> int:
    """Frames of a scene."""
    return seconds * 30 - 6


def write_scenes(
    folder: Path, count: int, *, seconds: int = SECONDS, seed: int = 0, splits: Sequence[str] | None = None
) -> Path:
    """Write ``count`` scenes in the true format; speakers take turns, each with a voice and a face of its own."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).standard_normal((WIDTH, COUNT)) * 0.08
    voice = np.random.default_rng(98).standard_normal((len(SPEAKERS), WIDTH)) * 3
    habits = np.random.default_rng(97).uniform(0.1, 0.4, (len(SPEAKERS), COUNT))
    times = np.arange(seconds * 50) / 50
    frames = (np.arange(frames_of(seconds)) * 50 / 30).astype(int)
    features = np.empty((count, seconds * 50, WIDTH), np.float16)
    curves = np.empty((count, frames_of(seconds), COUNT), np.float16)
    voices = np.empty((count, WINDOWS, WIDTH), np.float16)
    rows: list[dict[str, object]] = []
    for i in range(count):
        who = i % len(SPEAKERS)
        rate, phase = rng.uniform(3, 20, WIDTH), rng.uniform(0, 6, WIDTH)
        heard = np.sin(times[:, None] * rate + phase)
        features[i] = heard
        curves[i] = np.clip(habits[who] + heard[frames] @ mixing, 0, 1)
        voices[i] = voice[who] + rng.standard_normal((WINDOWS, WIDTH)) * 0.1
        rows.append({"speaker": SPEAKERS[who], "natural": True})
        if splits is not None:
            rows[-1]["split"] = splits[i]
    folder.mkdir(parents=True)
    for name, array in (("features", features), ("curves", curves), ("voices", voices)):
        np.save(folder / f"{name}.npy", array)
    (folder / "scenes.json").write_text(json.dumps(rows), "utf-8")
    return folder
