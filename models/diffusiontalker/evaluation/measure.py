"""Animates test scenes with trained models and measures what comes out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diffusiontalker.denoiser.identity import IdentityLibrary
from diffusiontalker.denoiser.model import sample
from diffusiontalker.evaluation.scenes import PRESET, StudyScenes, window_audio
from diffusiontalker.evaluation.study import Trained
from diffusiontalker.evaluation.vertices import VertexBasis
from diffusiontalker.metrics.faces import (
    FaceErrors,
    InferenceTime,
    brow_diversity,
    face_errors,
    inference_time,
    lip_diversity,
    lve,
)
from diffusiontalker.metrics.identity import IdentityScores, identity_scores
from diffusiontalker.noise import face_noise
from diffusiontalker.training.scenes import Scenes

Curves = NDArray[np.float32]

_BATCH: Final = 16
_DIVERSE_SCENES: Final = 4
_TAKES: Final = 3


@torch.no_grad()
def animate(trained: Trained, audio: Tensor, identity: Tensor, seeds: NDArray[np.uint64]) -> Curves:
    """Curves of whole scenes, as a stream of the same seeds makes them, held in 0..1.

    Args:
        trained: the model.
        audio: ``[B, T, 2 W]``.
        identity: ``[B, E]``.
        seeds: ``[B]`` of the noise.

    Returns:
        ``[B, T, 52]``.
    """
    frames = np.arange(audio.shape[1], dtype=np.uint64)
    noise = torch.from_numpy(face_noise(seeds, np.tile(frames, (len(seeds), 1)), trained.denoiser.config.noise_period))
    preset = torch.full((len(audio),), PRESET.index)
    spread = identity[:, None].expand(-1, audio.shape[1], -1)
    curves, _ = sample(trained.denoiser, trained.schedule, audio, spread, preset, noise)
    faces: Curves = curves.clamp(0, 1).numpy()
    return faces


def animate_scenes(trained: Trained, scenes: Scenes, rows: NDArray[np.int64], seed: int) -> Curves:
    """Curves of scenes by index, ``[N, F, 52]``, with the identity ``embeddings`` gives them."""
    identity = embeddings(trained, scenes, rows)
    made = []
    for start in range(0, len(rows), _BATCH):
        part = rows[start : start + _BATCH]
        seeds = (part + 100_003 * seed).astype(np.uint64)
        made.append(animate(trained, scene_audio(scenes, part), identity[start : start + _BATCH], seeds))
    return np.concatenate(made)


def scene_audio(scenes: Scenes, rows: NDArray[np.int64]) -> Tensor:
    """What the frames of whole scenes hear, ``[N, F, 2 W]``."""
    frames = scenes.curves.shape[1]
    return torch.from_numpy(np.stack([window_audio(scenes.features[i], 0, frames) for i in rows]))


@torch.no_grad()
def match(library: IdentityLibrary, voices: NDArray[np.float16]) -> NDArray[np.int64]:
    """Rows of the library most alike to pooled voices ``[N, V]``; -1 where nobody is heard (section 3.3)."""
    similarity = library.voice(torch.from_numpy(np.asarray(voices, np.float32))) @ library.voiceprints.T
    similarity = similarity.masked_fill(~library.listed, -2.0)
    best: NDArray[np.int64] = similarity.argmax(1).numpy()
    return np.where(np.any(voices, axis=1), best, -1)


def _listed(library: IdentityLibrary) -> dict[str, int]:
    """Rows of the speakers a voice may be matched to, by name."""
    return {library.names[row]: row for row in library.listed.nonzero()[:, 0].tolist()}


@torch.no_grad()
def embeddings(trained: Trained, scenes: Scenes, rows: NDArray[np.int64]) -> Tensor:
    """The identity each scene is animated with, ``[N, E]``.

    A listed speaker of the library has their own; anyone else has that of the most similar voice, as at inference;
    where nobody speaks, and for a model without identity, it is the library's mean.
    """
    table = trained.library.embeddings.weight
    index = _listed(trained.library)
    voices = np.asarray(scenes.voices[rows], np.float32)
    heard = voices.sum(1) / np.maximum(voices.any(2).sum(1), 1)[:, None]
    found = match(trained.library, heard.astype(np.float16))
    own = np.array([index.get(scenes.speakers[i], -1) for i in rows])
    nobody = np.array([not scenes.speakers[i] for i in rows])
    chosen = torch.from_numpy(np.where(own >= 0, own, np.where(nobody, -1, found)))
    if not trained.identity:
        chosen = torch.full_like(chosen, -1)
    return torch.where((chosen >= 0)[:, None], table[chosen.clamp_min(0)], trained.library.neutral())


def score(trained: Trained, study: StudyScenes, seed: int, basis: VertexBasis | None = None) -> dict[str, float]:
    """All errors of a model on the test scenes, and how much its takes differ; ``lve`` only with a vertex basis."""
    truth = np.asarray(study.test.curves[study.test_rows], np.float32)
    figures = _errors(animate_scenes(trained, study.test, study.test_rows, seed), truth, basis)
    made = [takes(trained, study, int(row)) for row in study.test_rows[:_DIVERSE_SCENES]]
    figures["brow_diversity"] = float(np.mean([brow_diversity(t) for t in made]))
    figures["lip_diversity"] = float(np.mean([lip_diversity(t) for t in made]))
    return figures


def constant_pose(study: StudyScenes, basis: VertexBasis | None = None) -> dict[str, float]:
    """Errors of a face that never moves: the training scenes' mean. A model worse than this has learned nothing."""
    rows = study.train_rows
    some = study.train.curves[rows[:: max(1, len(rows) // 200)]]
    mean = np.asarray(some, np.float64).reshape(-1, some.shape[-1]).mean(0)
    truth = np.asarray(study.test.curves[study.test_rows], np.float32)
    return _errors(np.broadcast_to(mean, truth.shape), truth, basis)


def _errors(made: NDArray[Any], truth: NDArray[Any], basis: VertexBasis | None) -> dict[str, float]:
    figures = asdict(face_errors(made, truth))
    if basis is not None:
        figures["lve"] = lve(made, truth, basis.deltas, basis.lips)
    return figures


def cached_score(
    folder: Path, trained: Callable[[], Trained], study: StudyScenes, seed: int, basis: VertexBasis | None = None
) -> dict[str, float]:
    """``score``, kept in ``folder/scores.json`` under the test scenes it was taken on.

    Args:
        folder: the model's.
        trained: loads it, if need be.
        study: test scenes.
        seed: of the noise.
        basis: of LVE; with one, everything is measured anew.
    """
    path = folder / "scores.json"
    kept: dict[str, dict[str, float]] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    key = f"{study.test_digest}-{seed}"
    wanted = {*(figure.name for figure in fields(FaceErrors)), "brow_diversity", "lip_diversity"}
    if basis is not None or not wanted <= kept.get(key, {}).keys():
        kept[key] = score(trained(), study, seed, basis)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(kept, indent=1), "utf-8")
        os.replace(partial, path)
    return kept[key]


def identity_matching(trained: Trained, study: StudyScenes) -> IdentityScores | None:
    """Matching of the library's speakers in all test scenes, every third of a scene (3.3 s) an utterance.

    Returns:
        None where no test scene has a speaker of the library in their own voice.
    """
    truth: list[str] = []
    voices = []
    listed = _listed(trained.library)
    for i in study.voices:
        if study.test.natural[i] and study.test.speakers[i] in listed:
            heard = [voice for voice in np.asarray(study.test.voices[i]) if voice.any()]
            voices += heard
            truth += [study.test.speakers[i]] * len(heard)
    if not truth:
        return None
    found = match(trained.library, np.stack(voices))
    return identity_scores(truth, [trained.library.names[row] for row in found])


def inference(trained: Trained, study: StudyScenes) -> InferenceTime:
    """ITF on one whole scene at a time: the sampler's steps alone, without the audio encoder and at batch 1."""
    rows = study.test_rows[:1]
    audio, identity = scene_audio(study.test, rows), embeddings(trained, study.test, rows)
    seeds = np.zeros(1, np.uint64)
    return inference_time(lambda: animate(trained, audio, identity, seeds), clip_frames=audio.shape[1])


def takes(trained: Trained, study: StudyScenes, row: int, count: int = _TAKES) -> Curves:
    """The same scene with ``count`` seeds, ``[count, F, 52]``."""
    rows = np.repeat(np.array([row]), count)
    audio = scene_audio(study.test, rows[:1]).expand(count, -1, -1)
    identity = embeddings(trained, study.test, rows)
    return animate(trained, audio, identity, np.arange(1, count + 1, dtype=np.uint64))
