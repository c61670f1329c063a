"""The shipped model's face: a mouth that is a mouth, silence that is silent, and level that does not matter.

The demo's clip is the ear witness here; on real speech, where recordings are at hand, the same is asked of people the
model has never heard.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from diffusiontalker.corpus.recordings import read_recordings
from diffusiontalker.geometry import MODEL_FPS, SAMPLE_RATE
from diffusiontalker.metrics.lips import gap
from diffusiontalker.metrics.motion import Motion, lip_motion, mean_motion, motion_ratio
from diffusiontalker.metrics.mouth import mouth_sanity
from diffusiontalker.metrics.phonetic import ScoredClip, phonetic_lip_score
from diffusiontalker.metrics.speech import as_float, speech_mask, voiced_mask
from diffusiontalker.phones import TimedPhone
from livetalker.core.config import StreamConfig
from livetalker.engine.engine import Engine
from livetalker.engine.offline import animate_offline
from livetalker.media.audio_files import read_audio

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("LIVETALKER_SHARED", "no-recordings"))
CAPTURED_SPEED, CAPTURED_JERK = 1.85, 1595.0
"""Speech frames of five captured takes at 30 fps: lip gap per second, and per second cubed."""
CLIPS = 60
"""Held-out real clips scored here; ``benchmarks/lip_score.py`` scores all of them."""

Samples = NDArray[np.float32]


@cache
def engine() -> Engine:
    return Engine.load(max_streams=1, threads=1)


def animate(samples: Samples) -> NDArray[np.float32]:
    return animate_offline(engine(), samples, StreamConfig(seed=1))


@cache
def demo_clip() -> tuple[Samples, tuple[TimedPhone, ...]]:
    audio = read_audio(REPOSITORY / "demo" / "clip.flac")
    assert audio.rate == SAMPLE_RATE
    rows = [line.split("\t") for line in (REPOSITORY / "demo" / "clip.phones.tsv").read_text().splitlines()]
    return audio.samples, tuple(TimedPhone(phone, float(start), float(end)) for phone, start, end in rows)


def pink_noise(seconds: float, dbfs: float) -> Samples:
    length = int(seconds * SAMPLE_RATE)
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(length))
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), length)
    return np.asarray(noise / noise.std() * 10 ** (dbfs / 20), np.float32)


def test_the_mouth_follows_the_phones() -> None:
    samples, phones = demo_clip()
    frames = animate(samples)
    sanity = mouth_sanity(frames, voiced_mask(phones, len(frames), MODEL_FPS))
    assert sanity.in_range
    assert sanity.voiced_gap_p90 >= 0.25
    assert sanity.lip_crossing <= 0.05
    score = phonetic_lip_score([ScoredClip(frames, MODEL_FPS, phones)])
    assert score.open >= 0.93
    assert score.rounding >= 0.9
    assert score.closure >= 0.85


def test_silence_closes_the_mouth_and_keeps_it_closed() -> None:
    samples, _ = demo_clip()
    speech = samples[: 3 * SAMPLE_RATE]
    frames = animate(np.concatenate([speech, np.zeros(5 * SAMPLE_RATE, np.float32)]))
    settled = frames[int(3.3 * MODEL_FPS) :]
    assert np.abs(gap(settled)).max() < 0.05
    assert np.ptp(settled[:, :14], axis=0).max() > 0.3, "a listening face still blinks"


def test_noise_does_not_make_it_talk() -> None:
    opened = gap(animate(pink_noise(10, -40)))
    assert np.percentile(opened, 95) < 0.1
    assert opened.max() < 0.25


def test_a_quiet_and_a_loud_voice_move_the_lips_alike() -> None:
    samples, _ = demo_clip()
    peak = samples / np.abs(samples).max()
    loud, quiet = (gap(animate(np.asarray(peak * 10 ** (db / 20), np.float32))) for db in (-3, -40))
    assert np.corrcoef(loud, quiet)[0, 1] > 0.98
    assert np.abs(loud - quiet).mean() < 0.02


@pytest.mark.skipif(not (SHARED / "speech").is_dir(), reason="needs real recordings (set LIVETALKER_SHARED)")
def test_real_speech_of_people_never_heard() -> None:
    recordings = [r for r in read_recordings(SHARED / "speech") if r.well_aligned and r.split == "held_out"]
    recordings = recordings[:: max(1, len(recordings) // CLIPS)]
    clips: list[ScoredClip] = []
    motions: list[Motion] = []
    for recording in recordings:
        samples = np.asarray(as_float(recording.samples()), np.float32)
        frames = animate(samples)
        clips.append(ScoredClip(frames, MODEL_FPS, recording.phones(len(samples) / SAMPLE_RATE), recording.clip))
        motions.append(lip_motion(frames, MODEL_FPS, speech_mask(samples, SAMPLE_RATE, len(frames), MODEL_FPS)))
    score = phonetic_lip_score(clips)
    assert score.open >= 0.98
    assert score.rounding >= 0.90  # the aim is 0.93; the model card says what is reached
    assert score.closure >= 0.93
    captured = Motion(CAPTURED_SPEED, CAPTURED_JERK, spread=0.344, frames=1)
    ratio = motion_ratio(mean_motion(motions), captured)
    assert ratio.speed <= 1.3
    assert ratio.jerk <= 1.4
