"""Folders of recordings are read as described, judged by their alignment, and split by person."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from diffusiontalker.corpus.recordings import Recording, read_recordings
from diffusiontalker.corpus.store import CorpusError

SHARED = Path(os.environ.get("LIVETALKER_SHARED", "no-recordings"))


def put_clip(
    corpus: Path, speaker: str, clip: str, text: str, score: float | None = 0.95, outside: float = 0.0
) -> None:
    """One second of noise with two aligned phones."""
    (corpus / speaker).mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(1).integers(-1000, 1000, 16000).astype(np.int16)
    soundfile.write(corpus / speaker / f"{clip}.flac", noise, 16000)
    with (corpus / "transcripts.tsv").open("a") as table:
        table.write(f"{clip}\t{speaker}\t{text}\n")
    if score is not None:
        with (corpus / "phones_pocketsphinx.tsv").open("a") as table:
            table.write(f"{clip}\t0.10\t0.40\tB\tbee\n{clip}\t0.40\t0.90\tIY1\tbee\n{clip}\t0.90\t0.95\t+NSN+\t<sil>\n")
        with (corpus / "alignment_quality.tsv").open("a") as table:
            table.write(f"{clip}\t{score}\t{outside}\n")


def test_clips_are_read_with_their_alignment(tmp_path: Path) -> None:
    corpus = tmp_path / "mine"
    put_clip(corpus, "ann", "a1", 'the "bee')
    put_clip(corpus, "ann", "a2", "", None)
    first, second = read_recordings(tmp_path)
    assert (first.corpus, first.speaker, first.clip, first.text) == ("mine", "ann", "a1", 'the "bee')
    assert [phone.phone for phone in first.phones(1.0)] == ["SIL", "B", "IY", "SIL"]
    assert first.phones(1.0)[-1].end == 1.0
    assert first.samples().dtype == np.int16
    assert first.well_aligned
    assert second.text is None
    assert not second.well_aligned


@pytest.mark.parametrize(("score", "outside", "good"), [(0.9, 0.15, True), (0.89, 0.0, False), (0.95, 0.16, False)])
def test_doubtful_alignments(tmp_path: Path, score: float, outside: float, good: bool) -> None:
    put_clip(tmp_path / "mine", "ann", "a1", "bee", score, outside)
    assert read_recordings(tmp_path)[0].well_aligned is good


def test_no_recordings_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="holds no recordings"):
        read_recordings(tmp_path / "nowhere")


def test_a_phone_that_ends_before_it_starts_is_named(tmp_path: Path) -> None:
    put_clip(tmp_path / "mine", "ann", "a1", "bee")
    with (tmp_path / "mine" / "phones_pocketsphinx.tsv").open("a") as file:
        file.write("a1\t0.95\t0.9\tAA\tbee\n")
    with pytest.raises(CorpusError, match="phones_pocketsphinx.tsv, line 4: AA ends at 0.9 s and starts at 0.95 s"):
        read_recordings(tmp_path)


def test_other_rates_are_refused(tmp_path: Path) -> None:
    put_clip(tmp_path / "mine", "ann", "a1", "bee")
    path = tmp_path / "mine/ann/a1.flac"
    soundfile.write(path, np.zeros((800, 2), dtype=np.int16), 8000)
    with pytest.raises(CorpusError, match="must be 16000 Hz mono, it is 8000 Hz x 2"):
        read_recordings(tmp_path)[0].samples()


def recording(corpus: str, speaker: str) -> Recording:
    return Recording(corpus, speaker, "c", Path("c.flac"), None)


def test_about_one_person_in_eight_is_held_out() -> None:
    people = [recording("any", f"s{i}") for i in range(4000)]
    share = sum(person.split == "held_out" for person in people) / len(people)
    assert 0.1 < share < 0.15
    assert [person.split for person in people] == [recording("any", f"s{i}").split for i in range(4000)]


def test_a_reader_of_two_corpora_is_one_person() -> None:
    first, second = recording("librispeech_resemblyzer", "1088"), recording("libritts_lj_excerpts", "1088")
    assert first.person == second.person == "librivox/1088"
    assert first.split == second.split


@pytest.mark.parametrize(
    ("corpus", "speaker", "english"),
    [("rhasspy_kerstin_de", "kerstin", False), ("mix", "librivox_de", False), ("rhasspy_kathleen_en", "k", True)],
)
def test_other_languages_are_told_by_name(corpus: str, speaker: str, english: bool) -> None:
    assert recording(corpus, speaker).english is english


@pytest.fixture
def shared_speech() -> Path:
    if not (SHARED / "speech").is_dir():
        pytest.skip("needs the shared recordings; set LIVETALKER_SHARED to their folder")
    return SHARED / "speech"


def test_the_held_out_side_is_a_usable_mix(shared_speech: Path) -> None:
    good = [r for r in read_recordings(shared_speech) if r.well_aligned]
    held = [r for r in good if r.split == "held_out"]
    assert len(good) > 600
    assert {r.corpus for r in held} >= {
        *("an4", "speechocean762", "vctk_excerpts", "libritts_lj_excerpts", "cmu_arctic_excerpts")
    }
    assert not {r.person for r in held} & {r.person for r in good if r.split == "train"}
    assert all(r.split == "train" for r in good if r.corpus == "rhasspy_kathleen_en")
    rows = [line.split("\t") for line in (shared_speech / "speechocean762/speakers.tsv").read_text().splitlines()[1:]]
    age = {row[0]: int(row[2]) for row in rows}
    assert any(age[r.speaker] < 13 for r in held if r.corpus == "speechocean762")


def test_a_speakers_language_is_taken_from_the_table(tmp_path: Path) -> None:
    folder = tmp_path / "words"
    (folder / "ana").mkdir(parents=True)
    (folder / "ben").mkdir()
    for speaker in ("ana", "ben"):
        soundfile.write(folder / speaker / f"{speaker}1.flac", np.zeros(8000, np.int16), 16_000)
    (folder / "transcripts.tsv").write_text("ana1\tana\thola\nben1\tben\thello\n")
    assert [recording.english for recording in read_recordings(tmp_path)] == [True, True], "nobody says otherwise"
    (folder / "speakers.tsv").write_text("speaker\tlanguage\nana\tes\nben\ten-GB\n")
    assert [recording.english for recording in read_recordings(tmp_path)] == [False, True]
