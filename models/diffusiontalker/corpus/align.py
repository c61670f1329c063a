"""When each phone of a recording is heard: pocketsphinx aligns a text, or first recognises what is said.

pocketsphinx carries its US English acoustic model, dictionary and language model. The measures are those of
``alignment_quality.tsv``: how well the words fit the audio, and how much loud audio lies outside all words.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.geometry import SAMPLE_RATE
from diffusiontalker.phones import PHONE_INDEX, SILENCE

if TYPE_CHECKING:
    from pocketsphinx import Decoder

_FRAME: Final = SAMPLE_RATE // 100
"""Samples of one pocketsphinx frame."""
_LOG_BASE: Final = 1.0001
"""Base of pocketsphinx's integer scores."""
_SURE: Final = 0.5
"""Posterior from which a recognised word counts as sure."""
_SHORTEST_STRETCH: Final = 150
"""Frames of sure words below which a recognised clip is not used."""
_LOUD_DB: Final = 20.0
"""A frame is loud within this of the 95th percentile of its clip."""


class AlignerMissing(RuntimeError):
    """pocketsphinx is not installed."""


class AlignmentFailed(RuntimeError):
    """The text holds words without a pronunciation, or does not fit the audio at all."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """Phones of a recording.

    Attributes:
        spans: ``(phone, start_s, end_s)`` in order.
        word_score: mean over the words of pocketsphinx's acoustic score, 0 to 1.
        loud_outside: part of the loud frames that lie in no word.
        text: what was aligned.
        start: first sample of the part of the recording that was aligned; the spans count from there.
        end: one past its last sample.
    """

    spans: tuple[tuple[str, float, float], ...]
    word_score: float
    loud_outside: float
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A recognised word.

    Attributes:
        word: as in the dictionary; fillers and silences begin with ``<`` or ``[``.
        start: first 10 ms frame.
        end: one past its last frame.
        posterior: how sure the recogniser is, 0 to 1.
    """

    word: str
    start: int
    end: int
    posterior: float

    @property
    def filler(self) -> bool:
        """Whether it is silence or noise."""
        return self.word.startswith(("<", "["))


class Aligner:
    """pocketsphinx with one decoder for given texts and, once asked for, one for unknown ones."""

    def __init__(self) -> None:
        """Load the acoustic model.

        Raises:
            AlignerMissing: pocketsphinx is not installed.
        """
        try:
            from pocketsphinx import Decoder
        except ImportError as error:
            raise AlignerMissing("pocketsphinx is needed to align recordings: pip install pocketsphinx") from error
        self._make: Callable[..., Decoder] = Decoder
        # Without bestpath=False the first pass ends in a lattice that the second, phone by phone, often cannot follow.
        self._decoder = Decoder(lm=None, bestpath=False, loglevel="FATAL")
        self._recogniser: Decoder | None = None

    def align(self, samples: NDArray[np.int16], text: str) -> Alignment:
        """Align ``[N]`` samples at 16 kHz with what is said in them.

        Raises:
            AlignmentFailed: see there.
        """
        words = re.findall(r"[a-z][a-z']*", text.lower().replace("\u2019", "'"))
        if not words:
            raise AlignmentFailed("there are no words to align")
        unknown = sorted({word for word in words if self._decoder.lookup_word(word) is None})
        if unknown:
            raise AlignmentFailed(f"no pronunciation for {', '.join(unknown)}")
        if re.search(r"\d", text):
            raise AlignmentFailed("numbers must be written as words")
        decoder = self._decoder
        try:
            decoder.set_align_text(" ".join(words))
            _decode(decoder, samples)
            decoder.set_alignment()
            _decode(decoder, samples)
            aligned = decoder.get_alignment()
        except RuntimeError as error:
            raise AlignmentFailed("the text does not fit the audio") from error
        spoken = [word for word in aligned.words() if not word.name.startswith(("<", "["))]
        inside = np.zeros(len(samples) // _FRAME, dtype=bool)
        for word in spoken:
            inside[word.start : word.start + word.duration] = True
        loud = _loud(samples)
        return Alignment(
            tuple((_phone(p.name), p.start / 100, (p.start + p.duration) / 100) for p in aligned.phones()),
            float(np.mean([math.pow(_LOG_BASE, word.score) for word in spoken])),
            float((loud & ~inside).sum() / max(1, loud.sum())),
            " ".join(words),
            0,
            len(samples),
        )

    def transcribe(self, samples: NDArray[np.int16]) -> Alignment:
        """Recognise ``[N]`` samples at 16 kHz and align the part the recogniser was sure of.

        Raises:
            AlignmentFailed: there is no such part, or it cannot be aligned.
        """
        words = surest_stretch(self.recognise(samples))
        if not words or words[-1].end - words[0].start < _SHORTEST_STRETCH:
            raise AlignmentFailed("the recogniser was not sure of what it heard")
        start, end = words[0].start * _FRAME, min(words[-1].end * _FRAME, len(samples))
        text = " ".join(word.word for word in words if not word.filler)
        return replace(self.align(samples[start:end], text), start=start, end=end)

    def recognise(self, samples: NDArray[np.int16]) -> list[HeardWord]:
        """What pocketsphinx hears in ``[N]`` samples at 16 kHz."""
        if self._recogniser is None:
            self._recogniser = self._make(loglevel="FATAL")
        _decode(self._recogniser, samples)
        return [
            HeardWord(re.sub(r"\(\d+\)$", "", word.word), word.start_frame, word.end_frame + 1, word.prob)
            for word in self._recogniser.seg()
        ]


def surest_stretch(words: Sequence[HeardWord]) -> Sequence[HeardWord]:
    """The longest run of sure words: that of the greatest sum of duration times sureness, without fillers at its ends.

    Whole clips of read speech are seldom recognised without a mistake. A mistake costs more than it brings, so the run
    ends where it must, and a doubtful word stays in only between two sure parts that outweigh it.
    """
    best: tuple[float, int, int] = (0.0, 0, 0)
    total, first = 0.0, 0
    for i, word in enumerate(words):
        if not word.filler:
            total += (word.end - word.start) * (word.posterior - _SURE)
        if total <= 0 or (i == first and word.filler):
            total, first = 0.0, i + 1
        elif total > best[0]:
            best = (total, first, i + 1)
    return words[best[1] : best[2]]


def _decode(decoder: Decoder, samples: NDArray[np.int16]) -> None:
    decoder.start_utt()
    decoder.process_raw(samples.tobytes(), full_utt=True)
    decoder.end_utt()


def _phone(name: str) -> str:
    """Noises and breaths count as silence."""
    return name if name in PHONE_INDEX else SILENCE


def _loud(samples: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Which 10 ms frames ``[N // 160]`` are loud for their clip."""
    frames = samples[: len(samples) // _FRAME * _FRAME].astype(np.float64).reshape(-1, _FRAME)
    level = 10 * np.log10((frames**2).mean(axis=1) + 1)
    return np.asarray(level > np.percentile(level, 95) - _LOUD_DB)
