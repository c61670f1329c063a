"""Building a corpus: the same for the same seed, with whatever is installed, saying what was left out."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import soundfile

from diffusiontalker.corpus import build
from diffusiontalker.corpus.build import build_corpus, clip_counts
from diffusiontalker.corpus.engine import Delivery, EngineFailed, EngineMissing
from diffusiontalker.corpus.store import Corpus, CorpusError
from diffusiontalker.corpus.utterance import Utterance, timeline


class Hummer:
    """Hums 'pa' once a letter; cannot say question marks. A late one names its phones 60 ms too late."""

    name = "flite"
    late = 0.0

    def __init__(self) -> None:
        self.speakers = ("flite/hum+1", "flite/hum+2", "flite/awb+4")

    def delivery(self, speaker: str, rng: random.Random) -> Delivery:
        return Delivery(speaker, "hum", rng.uniform(0.8, 1.2), rng.uniform(100, 200))

    def say(self, text: str, delivery: Delivery) -> Utterance:
        if "?" in text:
            raise EngineFailed("cannot ask")
        letters = min(len(text), 20)
        quiet, loud = np.zeros(1600), 5000 * np.sin(np.arange(3200) * delivery.pitch * 2 * np.pi / 16000)
        spans = [
            span
            for i in range(letters)
            for span in (("P", 0.3 * i, 0.3 * i + 0.1), ("AA", 0.3 * i + 0.1, 0.3 * i + 0.3))
        ]
        moved = [(phone, start + self.late, end + self.late) for phone, start, end in spans]
        samples = np.tile(np.concatenate([quiet, loud]), letters).astype(np.int16)
        return Utterance(samples, timeline(moved, len(samples) / 16000))

    def close(self) -> None:
        pass


class LateHummer(Hummer):
    late = 0.06


class Missing(Hummer):
    def __init__(self) -> None:
        raise EngineMissing("nothing is not installed (package nothing)")


@pytest.fixture
def hummer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "ENGINES", {"flite": (Hummer, 0.4), "espeak": (Missing, 0.6)})


@pytest.mark.usefixtures("hummer")
def test_the_seed_decides(tmp_path: Path) -> None:
    reports = [
        build_corpus(tmp_path / name, speech=None, hours=0.05, seed=s) for name, s in (("a", 1), ("b", 1), ("c", 2))
    ]
    bytes_of = [(tmp_path / name / "audio.i16").read_bytes() for name in "abc"]
    clips_of = [(tmp_path / name / "clips.jsonl").read_bytes() for name in "abc"]
    assert (bytes_of[0], clips_of[0]) == (bytes_of[1], clips_of[1])
    assert bytes_of[0] != bytes_of[2]
    assert reports[0] == reports[1]


@pytest.mark.usefixtures("hummer")
def test_report_and_splits(tmp_path: Path) -> None:
    report = build_corpus(tmp_path / "c", speech=None, hours=0.05)
    corpus = Corpus.open(tmp_path / "c")
    assert {clip.speaker: clip.split for clip in corpus.clips} == {
        "flite/hum+1": "train",
        "flite/hum+2": "train",
        "flite/awb+4": "held_out",
    }
    assert report.seconds["flite"] == pytest.approx(sum(clip.seconds for clip in corpus.clips))
    assert report.speakers["flite"] == {clip.speaker for clip in corpus.clips}
    assert report.left_out["flite: cannot ask"] > 0
    assert report.left_out["nothing is not installed (package nothing)"] == 1


def test_counts_share_the_hours_of_a_missing_engine() -> None:
    everything, two = clip_counts(["flite", "espeak", "festival"], 10), clip_counts(["flite", "espeak"], 10)
    assert sum(two.values()) == pytest.approx(sum(everything.values()), abs=2)
    assert two["flite"] > everything["flite"]


def test_no_synthesiser_at_all_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "ENGINES", {"flite": (Missing, 1.0)})
    with pytest.raises(EngineMissing, match="at least one is needed: nothing is not installed \\(package nothing\\)"):
        build_corpus(tmp_path / "c", speech=None, hours=0.01)


def test_phone_times_that_do_not_fit_stop_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "ENGINES", {"flite": (LateHummer, 1.0)})
    with pytest.raises(CorpusError, match="-60 ms off"):
        build_corpus(tmp_path / "c", speech=None, hours=0.2)
    assert not (tmp_path / "c").exists()


@pytest.mark.usefixtures("hummer")
def test_recordings_are_part_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "speech/mine"
    (folder / "ann").mkdir(parents=True)
    for clip in ("good", "bad", "wordless"):
        soundfile.write(folder / f"ann/{clip}.flac", np.full(16000, 99, dtype=np.int16), 16000)
    (folder / "transcripts.tsv").write_text("good\tann\tbee\nbad\tann\tbee\nwordless\tann\t\n")
    (folder / "phones_pocketsphinx.tsv").write_text("good\t0.1\t0.4\tB\tbee\nbad\t0.1\t0.4\tB\tbee\n")
    (folder / "alignment_quality.tsv").write_text("good\t0.95\t0.0\nbad\t0.5\t0.0\n")
    report = build_corpus(tmp_path / "c", speech=tmp_path / "speech", hours=0.01, transcribe=False)
    (kept,) = [clip for clip in Corpus.open(tmp_path / "c").clips if clip.corpus == "recording/mine"]
    assert (kept.clip, kept.speaker, kept.text, kept.weight) == ("mine/good", "mine/ann", "bee", 1.0)
    assert report.left_out["recording/mine: doubtful alignment"] == 1
    assert report.left_out["recording/mine: no alignment"] == 1


@pytest.mark.usefixtures("hummer")
def test_what_is_broken_is_left_out_by_name_and_the_rest_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "speech/mine"
    (folder / "ann").mkdir(parents=True)
    loud = np.full(16000, 9999, np.int16)
    clips = {"good": loud, "silent": loud * 0, "short": loud[:2000], "misaligned": loud[:8000]}
    for name, samples in clips.items():
        soundfile.write(folder / f"ann/{name}.flac", samples, 16000)
    soundfile.write(folder / "ann/wide.flac", loud, 44100)
    (folder / "ann/cut.flac").write_bytes((folder / "ann/good.flac").read_bytes()[:30])
    names = [*clips, "wide", "cut"]
    (folder / "transcripts.tsv").write_text("".join(f"{name}\tann\tbee\n" for name in names))
    (folder / "phones_pocketsphinx.tsv").write_text("".join(f"{name}\t0.1\t0.9\tB\tbee\n" for name in names))
    (folder / "alignment_quality.tsv").write_text("".join(f"{name}\t0.95\t0.0\n" for name in names))
    report = build_corpus(tmp_path / "c", speech=tmp_path / "speech", hours=0.01, transcribe=False)
    kept = [clip.clip for clip in Corpus.open(tmp_path / "c").clips if clip.corpus == "recording/mine"]
    assert kept == ["mine/good"]
    reasons = {Path(reason.split(":")[0].split(" ")[0]).stem: reason for reason in report.left_out if "ann/" in reason}
    for name, why in {
        "silent": "silent",
        "short": "too short",
        "misaligned": "phones after its end",
        "wide": "must be 16000 Hz mono, it is 44100 Hz",
        "cut": "cannot be read as sound",
    }.items():
        assert why in reasons[name]


@pytest.mark.parametrize(
    ("table", "text", "message"),
    [
        ("transcripts.tsv", "good\n", "transcripts.tsv, line 1: expected clip, speaker"),
        ("phones_pocketsphinx.tsv", "clip\tstart\tend\tphone\ngood\tx\t1\tB\n", "line 2: 'x' is no number"),
        ("phones_pocketsphinx.tsv", "good\t0\t1\tQQ\n", "line 1: 'QQ' is no ARPAbet phone"),
        ("alignment_quality.tsv", "good\t0.9\n", "alignment_quality.tsv, line 1: expected clip, mean_word_score"),
    ],
)
def test_a_broken_table_is_named_with_its_line(tmp_path: Path, table: str, text: str, message: str) -> None:
    folder = tmp_path / "speech/mine"
    folder.mkdir(parents=True)
    (folder / "transcripts.tsv").write_text("good\tann\tbee\n")
    (folder / table).write_text(text)
    with pytest.raises(CorpusError, match=message):
        build_corpus(tmp_path / "c", speech=tmp_path / "speech", hours=0.01, transcribe=False)
    assert not (tmp_path / "c").exists()


def test_a_folder_without_recordings_stops_the_build(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="holds no recordings"):
        build_corpus(tmp_path / "c", speech=tmp_path, hours=0.01)
