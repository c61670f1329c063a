"""The animator's own truth on aligned recordings, held against what is asked of the model that learns it."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from diffusiontalker.animator import animate, style_for
from diffusiontalker.arkit import BLENDSHAPES, BROWS, INDEX, JAW_AND_MOUTH
from diffusiontalker.geometry import MODEL_FPS, SAMPLE_RATE, frame_count
from diffusiontalker.metrics.capture import read_take
from diffusiontalker.metrics.lips import gap
from diffusiontalker.metrics.motion import Motion, lip_motion, mean_motion, motion_ratio
from diffusiontalker.metrics.phonetic import ScoredClip, phonetic_lip_score
from diffusiontalker.metrics.recordings import Recording, aligned_recordings, read_16k
from diffusiontalker.metrics.speech import speech_mask, voiced_mask

SHARED = Path(os.environ.get("LIVETALKER_SHARED", "no-recordings"))
CORPORA = {"an4", "libritts_lj_excerpts", "vctk_excerpts", "cmu_arctic_excerpts"}

pytestmark = pytest.mark.skipif(
    not (SHARED / "speech").is_dir(), reason="needs recordings with alignments; set LIVETALKER_SHARED to their folder"
)


@pytest.fixture(scope="module")
def recordings() -> list[Recording]:
    chosen = [r for r in aligned_recordings(SHARED / "speech") if r.corpus in CORPORA]
    return [r for i, r in enumerate(chosen) if r.corpus != "an4" or i % 8 == 0]


@pytest.fixture(scope="module")
def faces(recordings: list[Recording]) -> list[ScoredClip]:
    frames = [frame_count(len(r.samples), MODEL_FPS, SAMPLE_RATE) for r in recordings]
    return [ScoredClip(animate(r.phones, n), MODEL_FPS, r.phones) for r, n in zip(recordings, frames, strict=True)]


def test_lips_say_what_is_said(faces: list[ScoredClip]) -> None:
    score = phonetic_lip_score(faces)
    assert score.open >= 0.99 and score.rounding >= 0.96 and score.closure >= 0.99
    assert -67.0 <= score.lag_ms <= 33.0


def test_lips_open_as_far_as_people_do(faces: list[ScoredClip]) -> None:
    voiced = [gap(face.frames)[voiced_mask(face.phones, len(face.frames), face.fps)] for face in faces]
    assert 0.3 <= np.percentile(np.concatenate(voiced), 90) <= 0.6


@pytest.mark.skipif(not (SHARED / "capture" / "facegood").is_dir(), reason="needs a captured performance")
def test_lips_move_as_a_captured_performance(recordings: list[Recording], faces: list[ScoredClip]) -> None:
    def motion(frames: NDArray[np.float32], samples: NDArray[np.int16]) -> Motion:
        return lip_motion(frames, MODEL_FPS, speech_mask(samples, SAMPLE_RATE, len(frames), MODEL_FPS))

    ours = mean_motion([motion(face.frames, r.samples) for face, r in zip(faces, recordings, strict=True)])
    takes = [read_take(path) for path in sorted((SHARED / "capture" / "facegood").glob("*.csv"))]
    captured = mean_motion([motion(take.frames, read_16k(take.sound)) for take in takes if take.sound])
    ratio = motion_ratio(ours, captured)
    assert 0.5 <= min(ratio.speed, ratio.jerk) and max(ratio.speed, ratio.jerk) <= 1.3
    assert max(ratio.normalised_speed, ratio.normalised_jerk) <= 1.3


@pytest.mark.skipif(not (SHARED / "capture" / "beat-statistics").is_dir(), reason="needs captured statistics")
def test_coefficients_spread_as_peoples_do(recordings: list[Recording]) -> None:
    faces = np.concatenate(
        [
            animate(r.phones, frame_count(len(r.samples), MODEL_FPS, SAMPLE_RATE), style=style_for(r.speaker), seed=i)
            for i, r in enumerate(recordings)
        ]
    )
    with (SHARED / "capture" / "beat-statistics" / "mean_std.csv").open(encoding="utf-8", newline="") as file:
        people = {row["blendshape"]: float(row["std"]) for row in csv.DictReader(file)}
    for group, share in ((JAW_AND_MOUTH, 0.6), (BROWS, 0.9)):
        moved = [BLENDSHAPES[i] for i in group if faces[:, i].std() > 0.005 and BLENDSHAPES[i] in people]
        ratios = np.array([faces[:, INDEX[name]].std() / people[name] for name in moved])
        assert np.mean((ratios > 0.5) & (ratios < 2.0)) >= share
        assert 0.6 < np.median(ratios) < 1.4
