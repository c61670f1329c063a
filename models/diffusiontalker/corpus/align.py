"""When each phone of a recording is heard: pocketsphinx aligns a text, or first recognises what is said.

pocketsphinx carries its US English acoustic model, dictionary and language model. The measures are those of
``alignment_quality.tsv``: how well the words fit the audio, and how much loud audio lies outside all words.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
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
        confidence: mean posterior of recognised words; 1 where the text was given.
    """

    spans: tuple[tuple[str, float, float], ...]
    word_score: float
    loud_outside: float
    text: str
    confidence: float = 1.0


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
        )

    def transcribe(self, samples: NDArray[np.int16]) -> Alignment:
        """Recognise what is said in ``[N]`` samples at 16 kHz and align that.

        Raises:
            AlignmentFailed: nothing was recognised, or it cannot be aligned.
        """
        if self._recogniser is None:
            self._recogniser = self._make(loglevel="FATAL")
        _decode(self._recogniser, samples)
        heard = [
            (re.sub(r"\(\d+\)$", "", word.word), float(word.prob))
            for word in self._recogniser.seg()
            if not word.word.startswith(("<", "["))
        ]
        if not heard:
            raise AlignmentFailed("nothing was recognised")
        aligned = self.align(samples, " ".join(word for word, _ in heard))
        confidence = float(np.mean([min(1.0, posterior) for _, posterior in heard]))
        return Alignment(aligned.spans, aligned.word_score, aligned.loud_outside, aligned.text, confidence)


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
