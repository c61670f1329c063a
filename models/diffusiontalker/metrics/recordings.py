"""Real clips with known phones to score on, from aligned recordings or from a corpus folder's held-out split."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from diffusiontalker.corpus.store import Corpus
from diffusiontalker.geometry import SAMPLE_RATE
from diffusiontalker.phones import PHONE_INDEX, SILENCE, TimedPhone

LEAST_WORD_SCORE: Final = 0.90
MOST_LOUD_OUTSIDE_WORDS: Final = 0.15
"""An alignment with worse figures is not trusted."""

_PHONES_FILE: Final = "phones_pocketsphinx.tsv"
_QUALITY_FILE: Final = "alignment_quality.tsv"


@dataclass(frozen=True, slots=True)
class Recording:
    """A clip to animate and score.

    Attributes:
        clip: its name within its corpus.
        corpus: where it comes from.
        speaker: unique over all corpora, ``<corpus>/<speaker>`` for recordings.
        samples: ``[N]`` int16, 16 kHz mono.
        phones: its phones in order.
    """

    clip: str
    corpus: str
    speaker: str
    samples: NDArray[np.int16] = field(repr=False)
    phones: tuple[TimedPhone, ...] = field(repr=False)


def aligned_recordings(speech: Path) -> Iterator[Recording]:
    """All clips with a trustworthy alignment of ``<speech>/<corpus>/<speaker>/<clip>.flac``.

    Args:
        speech: a folder of corpora; those without ``phones_pocketsphinx.tsv`` are passed over.

    Yields:
        Recordings, by corpus and clip name.

    Raises:
        FileNotFoundError: no corpus in the folder has alignments.
        ValueError: a recording is not 16 kHz mono, or an alignment is malformed.
    """
    tables = sorted(speech.glob(f"*/{_PHONES_FILE}"))
    if not tables:
        raise FileNotFoundError(f"{speech}: no <corpus>/{_PHONES_FILE} in it; give the folder that holds the corpora")
    for table in tables:
        corpus = table.parent
        trusted = _trusted(corpus / _QUALITY_FILE)
        phones = _phones(table)
        for path in sorted(corpus.glob("*/*.flac")):
            if path.stem in trusted and path.stem in phones:
                speaker = f"{corpus.name}/{path.parent.name}"
                yield Recording(path.stem, corpus.name, speaker, read_16k(path), tuple(phones[path.stem]))


def held_out_recordings(corpus: Path) -> Iterator[Recording]:
    """Real recordings of a corpus folder's held-out split.

    Args:
        corpus: a folder written by ``diffusiontalker.corpus``.

    Yields:
        Recordings that have phones.

    Raises:
        CorpusError: the folder is not a corpus (a ValueError).
    """
    store = Corpus.open(corpus)
    for clip in store.clips:
        kind, _, name = clip.corpus.partition("/")
        if clip.split == "held_out" and kind == "recording" and any(p.phone != SILENCE for p in clip.phones):
            yield Recording(clip.clip, name, clip.speaker, store.audio(clip), tuple(clip.phones))


def read_16k(path: Path) -> NDArray[np.int16]:
    """Samples ``[N]`` of a 16 kHz mono file.

    Raises:
        ValueError: another rate or more channels.
    """
    samples, rate = soundfile.read(path, dtype="int16")
    if rate != SAMPLE_RATE or samples.ndim != 1:
        raise ValueError(f"{path}: expected {SAMPLE_RATE} Hz mono, got {rate} Hz with shape {samples.shape}")
    return np.asarray(samples, np.int16)


def _trusted(path: Path) -> set[str]:
    with path.open(newline="", encoding="utf-8") as file:
        return {
            row["clip"]
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            if float(row["mean_word_score"]) >= LEAST_WORD_SCORE
            and float(row["loud_outside_words"]) <= MOST_LOUD_OUTSIDE_WORDS
        }


def _phones(path: Path) -> dict[str, list[TimedPhone]]:
    clips: dict[str, list[TimedPhone]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE), start=2):
            phone, start, end = row["phone"], float(row["start"]), float(row["end"])
            if phone not in PHONE_INDEX or end <= start:
                raise ValueError(f"{path}, line {number}: not a phone with its times: {phone} {start} {end}")
            clips.setdefault(row["clip"], []).append(TimedPhone(phone, start, end))
    return clips
