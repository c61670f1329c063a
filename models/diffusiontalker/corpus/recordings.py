"""Real recordings with phone alignments, in folders of one layout.

``<speech>/<corpus>/<speaker>/<clip>.flac`` at 16 kHz mono, beside ``transcripts.tsv`` (clip, speaker, text; no header),
``phones_pocketsphinx.tsv`` (clip, start, end, phone, word) and ``alignment_quality.tsv`` (clip, mean_word_score,
loud_outside_words). The same functions read what ``align`` makes for clips that came without an alignment.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from diffusiontalker.corpus.store import CorpusError, Split
from diffusiontalker.corpus.utterance import timeline
from diffusiontalker.geometry import SAMPLE_RATE
from diffusiontalker.phones import PHONE_INDEX, SILENCE, TimedPhone

MIN_WORD_SCORE: Final = 0.90
MAX_LOUD_OUTSIDE: Final = 0.15
SHORTEST: Final = 0.3
"""Seconds a clip must have."""
_SILENT: Final = 64
"""Peak (16 bit) below which a clip is silent: -54 dBFS."""
_SLACK: Final = 0.1
"""Seconds by which an alignment may run over the end."""
PHONES_FILE: Final = "phones_pocketsphinx.tsv"
_HELD_OUT_OF: Final = 8
"""One real person in this many is kept for measuring."""
_SILENCES: Final = frozenset({"SIL", "+SPN+", "+NSN+", ""})

_OTHER_LANGUAGES: Final = tuple(f"_{code}" for code in "de es fr it ja ko nl pl pt ru zh".split())

_LIBRIVOX: Final = frozenset({"librispeech_resemblyzer", "libritts_lj_excerpts"})
"""Corpora whose speaker folders are ids of the same readers."""
_FORCED: Final[dict[str, Split]] = {
    # the only long recording of one person is for training
    "rhasspy_kathleen_en/kathleen": "train",
    # the few speakers of a small corpus need somebody on each side
    "vctk_excerpts/p226": "held_out",
    "vctk_excerpts/p225": "train",
    "vctk_excerpts/p228": "train",
    # one of these two folders does not say who speaks: they stay on one side
    "cmu_arctic_excerpts/aew": "held_out",
    "cmu_arctic_excerpts/unk": "held_out",
}


@dataclass(frozen=True, slots=True)
class Recording:
    """One clip of real speech.

    Attributes:
        corpus: folder name.
        speaker: folder name in it.
        clip: file name without suffix.
        path: the audio file.
        text: transcript, None where there is none.
        word_score: mean posterior of the words of its alignment, None without one.
        loud_outside: part of the loud frames that the alignment calls silence.
        spans: aligned phones, empty without an alignment.
        part: first sample of the part of the file that is meant, and one past its last; None for all of it.
        recognised: what a recogniser heard in it, for a clip without a transcript.
        language: of its speaker, such as ``de`` or ``en-GB``; empty where the corpus does not say.
    """

    corpus: str
    speaker: str
    clip: str
    path: Path
    text: str | None
    word_score: float | None = None
    loud_outside: float | None = None
    spans: tuple[tuple[str, float, float], ...] = ()
    part: tuple[int, int] | None = None
    recognised: str | None = None
    language: str = ""

    @property
    def well_aligned(self) -> bool:
        """Whether the alignment is good enough to train on and to measure with."""
        if not self.spans or self.word_score is None or self.loud_outside is None:
            return False
        return self.word_score >= MIN_WORD_SCORE and self.loud_outside <= MAX_LOUD_OUTSIDE

    @property
    def english(self) -> bool:
        """Whether it may be English: so it is said, or no name of corpus or speaker ends in another language."""
        if self.language:
            return self.language.lower().startswith("en")
        return not any(name.endswith(_OTHER_LANGUAGES) for name in (self.corpus, self.speaker))

    @property
    def person(self) -> str:
        """Who speaks, whichever corpus the clip is in."""
        return f"librivox/{self.speaker}" if self.corpus in _LIBRIVOX else f"{self.corpus}/{self.speaker}"

    @property
    def split(self) -> Split:
        """The side its speaker is on: the same for every clip and in every run."""
        forced = _FORCED.get(self.person)
        if forced:
            return forced
        return "held_out" if hashlib.sha256(self.person.encode()).digest()[0] % _HELD_OUT_OF == 0 else "train"

    def samples(self) -> NDArray[np.int16]:
        """Read the audio, ``[N]`` at 16 kHz.

        Raises:
            CorpusError: it cannot be read, or is not 16 kHz mono.
        """
        samples = read_16k(self.path)
        start, end = self.part or (0, len(samples))
        return samples[start:end]

    def flaw(self, samples: NDArray[np.int16]) -> str | None:
        """Why the clip is of no use, whatever its alignment says; None where nothing speaks against it."""
        if len(samples) < SHORTEST * SAMPLE_RATE:
            return "too short"
        if np.abs(samples.astype(np.int32)).max() < _SILENT:
            return "silent"
        if self.spans and self.spans[-1][2] > len(samples) / SAMPLE_RATE + _SLACK:
            return "misaligned: phones after its end"
        return None

    def phones(self, seconds: float) -> tuple[TimedPhone, ...]:
        """The aligned phones, brought to cover ``seconds``."""
        return timeline(self.spans, seconds)


def read_16k(path: Path) -> NDArray[np.int16]:
    """Read a file of 16 kHz mono, ``[N]``.

    Raises:
        CorpusError: it cannot be read, or has another rate or more channels.
    """
    try:
        samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
    except (soundfile.LibsndfileError, OSError) as error:
        raise CorpusError(f"{path} cannot be read as sound ({error})") from error
    if rate != SAMPLE_RATE or samples.shape[1] != 1:
        raise CorpusError(f"{path} must be {SAMPLE_RATE} Hz mono, it is {rate} Hz x {samples.shape[1]}")
    return np.asarray(samples[:, 0], dtype=np.int16)


def read_recordings(speech: Path) -> list[Recording]:
    """All clips below ``speech`` that have a line in a transcript file, in a fixed order.

    Raises:
        CorpusError: the folder is missing or holds no corpus of the layout, or a line of a table is broken.
    """
    found = sorted(speech.glob("*/transcripts.tsv"))
    if not found:
        raise CorpusError(f"{speech} holds no recordings: <corpus>/transcripts.tsv, <corpus>/<speaker>/*.flac")
    return [recording for transcripts in found for recording in _read_corpus(transcripts.parent)]


def _read_corpus(folder: Path) -> Iterator[Recording]:
    spans: dict[str, list[tuple[str, float, float]]] = {}
    for where, (clip, start, end, name, *_) in _rows(folder / PHONES_FILE, "clip, start, end, phone"):
        phone = SILENCE if name in _SILENCES else name.rstrip("012").upper()
        if phone not in PHONE_INDEX:
            raise CorpusError(f"{where}: {name!r} is no ARPAbet phone")
        span = phone, _number(start, where), _number(end, where)
        if span[2] <= span[1]:
            raise CorpusError(f"{where}: {name} ends at {end} s and starts at {start} s")
        spans.setdefault(clip, []).append(span)
    quality = {
        clip: (_number(score, where), _number(outside, where))
        for where, (clip, score, outside, *_) in _rows(
            folder / "alignment_quality.tsv", "clip, mean_word_score, loud_outside_words"
        )
    }
    languages = _languages(folder / "speakers.tsv")
    for _, (clip, speaker, *text) in _rows(folder / "transcripts.tsv", "clip, speaker"):
        path = folder / speaker / f"{clip}.flac"
        score, outside = quality.get(clip, (None, None))
        said = text[0].strip() if text else ""
        if path.is_file():
            yield Recording(
                folder.name,
                speaker,
                clip,
                path,
                said or None,
                score,
                outside,
                tuple(spans.get(clip, ())),
                language=languages.get(speaker, ""),
            )


def _languages(table: Path) -> dict[str, str]:
    """Speaker -> language, of a table whose header names both columns; nothing where there is none."""
    if not table.is_file():
        return {}
    with table.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        if not {"speaker", "language"} <= set(rows.fieldnames or ()):
            return {}
        return {row["speaker"]: (row["language"] or "").strip() for row in rows}


def _rows(table: Path, columns: str) -> Iterator[tuple[str, list[str]]]:
    """Rows of a table, each with the place to name when it is wrong; a header and empty lines are passed over."""
    if not table.is_file():
        return
    with table.open(encoding="utf-8", newline="") as lines:
        for number, row in enumerate(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE), start=1):
            if not row or row[0] == "clip":
                continue
            if len(row) < columns.count(",") + 1:
                raise CorpusError(f"{table}, line {number}: expected {columns}, separated by tabs")
            yield f"{table}, line {number}", row


def _number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise CorpusError(f"{where}: {text!r} is no number") from None
