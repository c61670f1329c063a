"""Alignment with pocketsphinx, held against a synthesiser that knows its own phone times."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from diffusiontalker.corpus import alignments
from diffusiontalker.corpus.align import Aligner, AlignerMissing, AlignmentFailed, HeardWord, surest_stretch
from diffusiontalker.corpus.alignments import aligned_recordings
from diffusiontalker.corpus.engine import EngineMissing
from diffusiontalker.corpus.flite import Flite
from diffusiontalker.corpus.recordings import Recording, read_recordings
from diffusiontalker.corpus.utterance import Utterance, timeline

TEXT = "Maybe Bob should move the brown piano before Monday."


@pytest.fixture(scope="module")
def aligner() -> Aligner:
    try:
        return Aligner()
    except AlignerMissing as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def spoken() -> Utterance:
    try:
        flite = Flite()
    except EngineMissing as error:
        pytest.skip(str(error))
    speaker = next(speaker for speaker in flite.speakers if speaker.startswith("flite/slt"))
    delivery = replace(flite.delivery(speaker, random.Random(1)), pitch=170.0, stretch=1.0, tract=1.0)
    return flite.say(TEXT, delivery)


def test_phones_are_found_where_they_were_spoken(aligner: Aligner, spoken: Utterance) -> None:
    found = aligner.align(spoken.samples, TEXT)
    assert found.word_score > 0.85
    assert found.loud_outside < 0.1
    assert found.text == "maybe bob should move the brown piano before monday"
    # What matters for lips: every m, b and p is heard within 40 ms of where it was spoken.
    heard = [p.start for p in timeline(found.spans, spoken.seconds) if p.phone in "MBP"]
    said = [p.start for p in spoken.phones if p.phone in "MBP"]
    assert len(heard) == len(said) == 9
    assert max(abs(a - b) for a, b in zip(heard, said, strict=True)) < 0.04


def test_a_wrong_text_scores_worse_or_fails(aligner: Aligner, spoken: Utterance) -> None:
    right = aligner.align(spoken.samples, TEXT).word_score
    try:
        wrong = aligner.align(spoken.samples, "seven sisters saw sixty snakes").word_score
    except AlignmentFailed:
        wrong = 0.0
    assert wrong < right - 0.05


@pytest.mark.parametrize(
    ("text", "message"),
    [("bob xyzzyq", "no pronunciation for xyzzyq"), ("...", "no words"), ("room 12", "numbers must be written")],
)
def test_texts_that_cannot_be_aligned(aligner: Aligner, spoken: Utterance, text: str, message: str) -> None:
    with pytest.raises(AlignmentFailed, match=message):
        aligner.align(spoken.samples, text)


def recording_of(folder: Path, samples: np.ndarray[tuple[int], np.dtype[np.int16]]) -> Recording:
    (folder / "mine/ann").mkdir(parents=True)
    (folder / "mine/transcripts.tsv").write_text(f"a1\tann\t{TEXT}\n")
    soundfile.write(folder / "mine/ann/a1.flac", samples, 16000)
    return read_recordings(folder)[0]


def test_results_are_kept(tmp_path: Path, aligner: Aligner, spoken: Utterance, monkeypatch: pytest.MonkeyPatch) -> None:
    recording = recording_of(tmp_path, spoken.samples)
    cache = tmp_path / "cache.jsonl"
    first = list(aligned_recordings([recording, recording], cache=cache, workers=1))
    assert first[0] == first[1]
    assert first[0].well_aligned
    assert len(cache.read_text().splitlines()) == 1
    with cache.open("a") as file:
        file.write('{"key": "cut sho')
    monkeypatch.setattr(alignments, "Aligner", None)
    assert list(aligned_recordings([recording], cache=cache)) == first[:1]


def test_a_recording_without_text_is_cut_to_what_was_recognised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = replace(recording_of(tmp_path, np.arange(16000, dtype=np.int16)), text=None)
    quality = {"word_score": 0.95, "loud_outside": 0.0}
    entry = {"spans": [["B", 0.1, 0.3]], "text": "bee", "start": 1600, "end": 8000, **quality}
    monkeypatch.setattr(alignments, "_read_cache", lambda cache: {alignments._key(recording): entry})
    (cut,) = aligned_recordings([recording], cache=tmp_path / "cache.jsonl")
    assert cut.well_aligned
    assert (cut.recognised, cut.text) == ("bee", None)
    assert np.array_equal(cut.samples(), np.arange(1600, 8000))


def heard(*words: tuple[str, float]) -> list[HeardWord]:
    """Words of half a second each."""
    return [HeardWord(word, 50 * i, 50 * i + 50, posterior) for i, (word, posterior) in enumerate(words)]


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ([("<s>", 1.0), ("one", 0.9), ("two", 0.8), ("</s>", 1.0)], "one two"),
        ([("a", 0.1), ("one", 0.9), ("two", 0.9), ("three", 0.1), ("<sil>", 1.0), ("b", 0.6)], "one two"),
        ([("one", 0.9), ("a", 0.4), ("two", 0.9)], "one a two"),
        ([("one", 0.6), ("a", 0.1), ("two", 0.9), ("[NOISE]", 0.2), ("three", 0.7)], "two [NOISE] three"),
        ([("a", 0.5), ("b", 0.2)], ""),
        ([], ""),
    ],
)
def test_the_surest_stretch(words: list[tuple[str, float]], kept: str) -> None:
    assert " ".join(word.word for word in surest_stretch(heard(*words))) == kept


def test_recognised_speech_is_cut_and_aligned(aligner: Aligner, spoken: Utterance) -> None:
    found = aligner.transcribe(spoken.samples)
    assert 0 <= found.start < found.end <= len(spoken.samples)
    assert found.end - found.start >= 24000
    assert found.spans[-1][2] == pytest.approx((found.end - found.start) / 16000, abs=0.02)
    assert "piano" in found.text


def test_silence_is_not_recognised(aligner: Aligner) -> None:
    with pytest.raises(AlignmentFailed, match="not sure"):
        aligner.transcribe(np.zeros(32000, dtype=np.int16))
