"""What the benchmark over languages measures without text: languages by table and name, voices, mouths that stand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from benchmarks.languages import bridged, languages_of, longest_still, voice_band, voiced, watch
from diffusiontalker.arkit import COUNT, INDEX
from diffusiontalker.corpus.recordings import read_recordings
from diffusiontalker.geometry import MODEL_FPS


def test_a_language_is_told_or_named_or_english(tmp_path: Path) -> None:
    places = {"told/ann": "es", "told/bob_de": "de", "corpus_zh/cid": "zh", "plain/dan": "en"}
    for place in places:
        (tmp_path / place).mkdir(parents=True)
        corpus, speaker = place.split("/")
        soundfile.write(tmp_path / place / f"{speaker}.flac", np.zeros(1600, np.int16), 16000)
        with (tmp_path / corpus / "transcripts.tsv").open("a") as table:
            table.write(f"{speaker}\t{speaker}\t\n")
    (tmp_path / "told" / "speakers.tsv").write_text("speaker\tsex\tlanguage\nann\tF\tes-419\nbob_de\tM\t\n")
    recordings = read_recordings(tmp_path)
    found = dict(zip((f"{r.corpus}/{r.speaker}" for r in recordings), languages_of(tmp_path, recordings), strict=True))
    assert found == places


def syllables(rng: np.random.Generator) -> NDArray[np.int16]:
    """Three seconds of hiss and rumble; a voice of 120 Hz, 1 to 1.4 s and 1.6 to 2 s."""
    time = np.arange(48000) / 16000
    buzz = sum(np.sin(2 * np.pi * 120 * k * time) / k for k in range(1, 25))
    speaking = ((time > 1) & (time < 1.4)) | ((time > 1.6) & (time < 2))
    rumble = 8000 * np.sin(2 * np.pi * 25 * time)
    return np.asarray(rumble + 2000 * buzz * speaking + rng.normal(0, 300, 48000)).astype(np.int16)


def test_a_voice_is_heard_through_hiss_and_rumble() -> None:
    voice = voiced(voice_band(syllables(np.random.default_rng(0))), 90)
    expected = np.zeros(90, bool)
    expected[30:42] = expected[48:60] = True
    assert (voice != expected).sum() <= 4
    assert np.flatnonzero(bridged(voice)).tolist() == list(
        range(int(np.flatnonzero(voice)[0]), int(np.flatnonzero(voice)[-1]) + 1)
    )


def test_a_still_mouth_counts_in_speech_only() -> None:
    frames = np.zeros((60, COUNT), np.float32)
    frames[20:40, INDEX["jawOpen"]] = np.arange(20) / 20
    speech = np.zeros(60, bool)
    speech[10:50] = True
    # still until it begins to open, and after it has closed
    assert longest_still(frames, speech) == pytest.approx(11 / MODEL_FPS)
    assert longest_still(frames, np.zeros(60, bool)) == 0
    frames[:, INDEX["mouthPucker"]] = np.arange(60) % 2 / 10
    assert longest_still(frames, speech) == pytest.approx(1 / MODEL_FPS)


def test_a_shut_mouth_is_found_out() -> None:
    samples = syllables(np.random.default_rng(1))
    voice = voiced(voice_band(samples), 90)
    shut = np.zeros((90, COUNT), np.float32)
    found = watch(shut, samples)
    assert (found.opened, found.follows) == (0.0, 0.0)
    assert found.still == pytest.approx(1.0, abs=0.15)
    shut[voice, INDEX["jawOpen"]] = 0.3
    assert watch(shut, samples).opened == 1.0
    assert watch(shut, samples).follows > 0.7
