"""A captured corpus holds what is usable, lists the rest, goes on where it was stopped and is the same every time."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from rich.progress import Progress

from diffusiontalker.captures.beat import beat_takes
from diffusiontalker.captures.build import build_captures, prepare
from diffusiontalker.captures.live_link import live_link_takes
from diffusiontalker.captures.store import CaptureCorpus, CapturedTake, CaptureWriter, holes_of, sides
from diffusiontalker.captures.take import CaptureError, Take, TakeSource
from diffusiontalker.corpus.store import CorpusError
from tests.captures.writers import BEAT_NAMES, curves, timecode, tone, write_beat, write_live_link


@pytest.fixture
def beat(tmp_path: Path) -> Path:
    """Three good takes of two speakers."""
    folder = tmp_path / "beat"
    write_beat(folder, "1_wayne_0_1_1", curves(160, 51))
    write_beat(folder, "1_wayne_0_2_2", curves(120, 51, seed=1))
    write_beat(folder, "2_scott_0_1_1", curves(130, 51, seed=2), sound=tone(130 / 60 - 0.4))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_takes_come_back_as_they_were_captured(tmp_path: Path, beat: Path) -> None:
    report = build_captures(tmp_path / "out", beat_takes(beat))
    corpus = CaptureCorpus.open(tmp_path / "out")
    assert [take.take for take in corpus.takes] == ["beat/1_wayne_0_1_1", "beat/1_wayne_0_2_2", "beat/2_scott_0_1_1"]
    first, _, last = corpus.takes
    np.testing.assert_allclose(
        corpus.curves(first)[:, 17], curves(160, 51)[::2, BEAT_NAMES.index("jawOpen")], atol=5e-4
    )
    np.testing.assert_allclose(corpus.audio(first) / 32768, tone(160 / 60)[:42666], atol=1e-4)
    assert first.missing == ("tongueOut",) and first.holes == ()
    assert (last.frames, last.samples) == (53, 53 * 16000 // 30)  # sound and face end together
    assert corpus.audio(last).shape == (last.samples,) and corpus.curves(last).shape == (last.frames, 52)
    assert sum(report.takes.values()) == 3 and report.converted == 3 and not report.left_out
    assert sum(report.seconds.values()) == pytest.approx(sum(take.seconds for take in corpus.takes))


def test_the_same_takes_give_the_same_bytes(tmp_path: Path, beat: Path) -> None:
    for out in ("a", "b"):
        build_captures(tmp_path / out, beat_takes(beat))
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert set(contents(tmp_path / "a")) == {"audio.i16", "curves.f16", "takes.jsonl", "left_out.tsv"}


def test_a_second_build_converts_only_what_changed(tmp_path: Path, beat: Path) -> None:
    out = tmp_path / "out"
    build_captures(out, beat_takes(beat))
    before = contents(out)
    assert build_captures(out, beat_takes(beat)).converted == 0
    assert contents(out) == before
    sound = beat / "2" / "2_scott_0_1_1.wav"
    soundfile.write(sound, tone(2.0) / 2, 16000)
    os.utime(sound, ns=(1, 1))
    write_beat(beat, "3_solomon_0_1_1", curves(70, 51))
    (beat / "1" / "1_wayne_0_2_2.json").unlink()
    assert build_captures(out, beat_takes(beat)).converted == 2
    takes = CaptureCorpus.open(out).takes
    assert [take.speaker for take in takes] == ["beat/wayne", "beat/scott", "beat/solomon"]
    assert len(list((tmp_path / "out.cache").iterdir())) == 3


def test_a_stopped_build_leaves_the_old_corpus_and_goes_on(tmp_path: Path, beat: Path) -> None:
    out = tmp_path / "out"
    build_captures(out, beat_takes(beat)[:1])
    before = contents(out)

    def pull_the_plug() -> Take:
        raise KeyboardInterrupt

    sources = beat_takes(beat)
    stopped = [*sources[:2], TakeSource("x", "x", sources[2].files, pull_the_plug)]
    with pytest.raises(KeyboardInterrupt):
        build_captures(out, stopped)
    assert contents(out) == before
    assert not (tmp_path / "out.unfinished").exists()
    assert build_captures(out, sources).converted == 1


def test_a_damaged_cache_is_converted_anew(tmp_path: Path, beat: Path) -> None:
    build_captures(tmp_path / "out", beat_takes(beat))
    before = contents(tmp_path / "out")
    for number, file in enumerate(sorted((tmp_path / "out.cache").iterdir())):
        file.write_bytes(file.read_bytes()[: 100 * number])
    assert build_captures(tmp_path / "out", beat_takes(beat)).converted == 3
    assert contents(tmp_path / "out") == before


def test_what_cannot_be_used_is_left_out_and_listed(tmp_path: Path, beat: Path) -> None:
    write_beat(beat, "4_carla_0_1_1", curves(70, 51)).with_suffix(".wav").unlink()
    write_beat(beat, "4_carla_0_2_2", curves(70, 51), sound=tone(70 / 60) * np.float32(1e-4))
    write_beat(beat, "4_carla_0_3_3", curves(30, 51))
    write_beat(beat, "4_carla_0_4_4", curves(200, 51), sound=tone(200 / 60 + 0.6))
    write_beat(beat, "4_carla_0_5_5", np.full((70, 51), 0.2))
    write_beat(beat, "4_carla_0_6_6", curves(70, 51)).write_text('{"names":\n  [')
    weights = curves(70, 51)
    weights[31, 7] = 9.0
    write_beat(beat, "4_carla_0_7_7", weights)
    write_beat(beat, "4_carla_0_8_8", curves(70, 51)).with_suffix(".wav").write_bytes(b"RIFF")
    with Progress(disable=True) as progress:
        report = build_captures(tmp_path / "out", beat_takes(beat), progress=progress)
        assert progress.tasks[0].completed == progress.tasks[0].total == 11
    assert [(entry.take.removeprefix("beat/4_carla_0_"), entry.reason) for entry in report.left_out] == [
        ("1_1", "no sound"),
        ("2_2", "silent"),
        ("3_3", "too short"),
        ("4_4", "misaligned"),
        ("5_5", "still"),
        ("6_6", "broken"),
        ("7_7", "broken"),
        ("8_8", "no sound"),
    ]
    assert report.reasons["broken"] == 2
    problems = [entry.problem for entry in report.left_out]
    assert "4_carla_0_1_1.wav: there is no such file" in problems[0]
    assert "3.93 s of sound for 3.33 s of face" in problems[3]
    assert "4_carla_0_6_6.json, line 2, column 4" in problems[5]
    assert "4_carla_0_7_7.json, frame 31" in problems[6]
    assert len(CaptureCorpus.open(tmp_path / "out").takes) == 3
    rows = [line.split("\t") for line in (tmp_path / "out" / "left_out.tsv").read_text().splitlines()]
    assert rows == [[entry.reason, entry.take, entry.problem] for entry in report.left_out]


def test_nothing_usable_is_one_error_and_leaves_nothing(tmp_path: Path) -> None:
    write_beat(tmp_path / "beat", "4_carla_0_3_3", curves(30, 51))
    with pytest.raises(CorpusError, match=r"none of 1 takes can be used; the first was left out: .*3_3.json: 0.50 s"):
        build_captures(tmp_path / "out", beat_takes(tmp_path / "beat"))
    assert not (tmp_path / "out").exists() and not (tmp_path / "out.unfinished").exists()


def test_two_takes_of_one_name_are_not_mixed_up(tmp_path: Path, beat: Path) -> None:
    write_beat(beat / "copy", "1_wayne_0_1_1", curves(120, 51))
    report = build_captures(tmp_path / "out", beat_takes(beat))
    assert ["another take is named beat/1_wayne_0_1_1" in entry.problem for entry in report.left_out] == [True]


def test_a_lost_face_is_a_hole_and_no_chunk(tmp_path: Path) -> None:
    kept = [n for n in range(1500) if not 700 <= n < 760]
    path = write_live_link(tmp_path / "own" / "ann" / "a.csv", curves(1500)[kept], [timecode(n) for n in kept])
    soundfile.write(path.with_suffix(".wav"), tone(25), 16000)
    report = build_captures(tmp_path / "out", live_link_takes(tmp_path / "own"))
    (take,) = CaptureCorpus.open(tmp_path / "out").takes
    assert take.holes == ((350, 380),)
    assert take.frames == 750 and take.chunks() == [0]
    assert sum(report.chunks.values()) == 1


@given(st.lists(st.booleans(), max_size=60))
def test_holes_are_the_runs_of_false(tracked: list[bool]) -> None:
    mask = np.array(tracked, np.bool_)
    filled = np.ones(len(mask), np.bool_)
    for start, end in holes_of(mask):
        assert start < end and filled[start:end].all()
        filled[start:end] = False
    np.testing.assert_array_equal(filled, mask)


@given(st.sets(st.text(min_size=1, max_size=6), min_size=1, max_size=40), st.data())
def test_a_split_keeps_together_what_it_must_and_leaves_no_side_empty(names: set[str], data: st.DataObject) -> None:
    speakers = sorted(names)[: max(1, len(names) // 3)]
    takes = [(name, data.draw(st.sampled_from(speakers))) for name in sorted(names)]
    for by in ("take", "speaker"):
        found = sides(takes, by)
        where: dict[str, set[str]] = {}
        for (name, speaker), side in zip(takes, found, strict=True):
            where.setdefault(speaker if by == "speaker" else name, set()).add(side)
        assert all(len(side) == 1 for side in where.values())
        assert len(set(found)) == min(2, len(where))


def test_a_tenth_is_held_out_and_newcomers_change_nobodys_side() -> None:
    many = [(f"take{n}", f"speaker{n}") for n in range(3000)]
    for by in ("take", "speaker"):
        found = sides(many, by)
        assert 0.08 < found.count("held_out") / len(found) < 0.12
        assert sides(many[:2000], by) == found[:2000]


def test_whole_chunks_only() -> None:
    take = CapturedTake("t", "s", "train", 0, 0, 0, 912, holes=((320, 321),))
    assert take.chunks() == [0, 600]
    assert take.chunks(450) == [450]
    assert CapturedTake("t", "s", "train", 0, 0, 0, 299).chunks() == []


def test_prepare_is_exact_about_lengths() -> None:
    def take(face: float, sound: float) -> Take:
        return Take("t", "s", tone(sound), curves(round(face * 30), fps=30).astype(np.float32))

    whole = prepare(take(2, 2), Path("t"))
    assert whole.samples.shape == (32000,) and whole.curves.shape == (60, 52) and whole.tracked.all()
    assert prepare(take(2, 2.49), Path("t")).samples.shape == (32000,)
    assert prepare(take(2.4, 2), Path("t")).curves.shape == (60, 52)
    for face, sound in ((2, 2.6), (2.6, 2)):
        with pytest.raises(CaptureError, match="of sound for") as error:
            prepare(take(face, sound), Path("t"))
        assert error.value.reason == "misaligned"


def written(folder: Path) -> NDArray[np.float16]:
    values = np.linspace(0, 1, 40 * 52, dtype=np.float16).reshape(40, 52)
    with CaptureWriter(folder, "take") as writer:
        for name in ("a", "b"):
            writer.add(take=name, speaker="s", samples=np.arange(21333, dtype=np.int16), curves=values, holes=[(1, 2)])
    return values


def test_a_corpus_that_is_none_or_was_cut_says_so(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"is no captured corpus: 'diffusiontalker corpus .* makes one"):
        CaptureCorpus.open(tmp_path)
    folder = tmp_path / "c"
    values = written(folder)
    corpus = CaptureCorpus.open(folder)
    np.testing.assert_array_equal(corpus.curves(corpus.takes[1]), values)
    assert corpus.takes[1].holes == ((1, 2),)
    for name, unit in (("curves.f16", 104), ("audio.i16", 2)):
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[:-unit])
        with pytest.raises(CorpusError, match=rf"{name} holds \d+ values where the takes need \d+: build it again"):
            CaptureCorpus.open(folder)
        (folder / name).write_bytes(whole)
    for line in ("{", '{"take": "x"}', "[]", json.dumps({"take": 1, "missing": 0, "holes": 0})):
        (folder / "takes.jsonl").write_text((folder / "takes.jsonl").read_text().splitlines()[0] + "\n" + line + "\n")
        with pytest.raises(CaptureError, match=r"takes.jsonl, line 2: is not a take"):
            CaptureCorpus.open(folder)


def test_captures_do_not_import_torch() -> None:
    import subprocess
    import sys

    modules = "beat, build, live_link, store, take, vocaset"
    code = f"import sys; from diffusiontalker.captures import {modules}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
