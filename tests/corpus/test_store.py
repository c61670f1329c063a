"""A corpus comes back as it was written, and half a corpus never takes the place of a whole one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from diffusiontalker.corpus.store import AUDIO_FILE, Clip, Corpus, CorpusError, CorpusWriter
from diffusiontalker.phones import TimedPhone

PHONES = (TimedPhone("SIL", 0.0, 0.25), TimedPhone("B", 0.25, 0.5), TimedPhone("AA", 0.5, 1.0))


def add(writer: CorpusWriter, name: str, level: int = 1, phones: tuple[TimedPhone, ...] = PHONES) -> Clip:
    samples = np.full(16000, level, dtype=np.int16)
    return writer.add(
        clip=name, corpus="flite", speaker="flite/slt+1", samples=samples, phones=phones, text="Bah – «b».", weight=0.5
    )


def test_round_trip(tmp_path: Path) -> None:
    with CorpusWriter(tmp_path / "c") as writer:
        written = [add(writer, "one", 7), add(writer, "two", -9)]
    corpus = Corpus.open(tmp_path / "c")
    assert corpus.clips == written
    assert [int(corpus.audio(clip)[0]) for clip in corpus.clips] == [7, -9]
    assert all(len(corpus.audio(clip)) == clip.samples == 16000 for clip in corpus.clips)
    assert corpus.clips[0].phones == PHONES


def test_failure_leaves_the_old_corpus(tmp_path: Path) -> None:
    with CorpusWriter(tmp_path / "c") as writer:
        add(writer, "old")
    with pytest.raises(RuntimeError, match="power cut"), CorpusWriter(tmp_path / "c") as writer:
        add(writer, "new")
        raise RuntimeError("power cut")
    assert [clip.clip for clip in Corpus.open(tmp_path / "c").clips] == ["old"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c"]


def test_a_draft_left_by_a_kill_is_replaced(tmp_path: Path) -> None:
    draft = tmp_path / "c.unfinished"
    draft.mkdir()
    (draft / AUDIO_FILE).write_bytes(b"half")
    with CorpusWriter(tmp_path / "c") as writer:
        add(writer, "new")
    assert Corpus.open(tmp_path / "c").clips[0].offset == 0


@pytest.mark.parametrize(
    ("phones", "message"),
    [
        (PHONES[1:], "does not follow"),
        (PHONES[:2], "phones end at"),
        ((TimedPhone("SIL", 0.0, 0.4), TimedPhone("B", 0.5, 1.0)), "does not follow"),
        ((TimedPhone("AH0", 0.0, 1.0),), "unknown phone AH0"),
    ],
)
def test_phones_must_cover_the_clip(tmp_path: Path, phones: tuple[TimedPhone, ...], message: str) -> None:
    with pytest.raises(CorpusError, match=message), CorpusWriter(tmp_path / "c") as writer:
        add(writer, "bad", phones=phones)


def test_names_are_unique(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="already"), CorpusWriter(tmp_path / "c") as writer:
        add(writer, "same")
        add(writer, "same")


def test_what_is_no_corpus_says_so(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="is no corpus"):
        Corpus.open(tmp_path)
    with CorpusWriter(tmp_path / "c") as writer:
        add(writer, "one")
    audio = tmp_path / "c" / AUDIO_FILE
    audio.write_bytes(audio.read_bytes()[:-2])
    with pytest.raises(CorpusError, match="holds 15999 samples where the clips need 16000"):
        Corpus.open(tmp_path / "c")
