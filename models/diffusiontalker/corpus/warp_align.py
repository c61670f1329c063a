"""When each phone of a recording in another language is heard: espeak-ng says the text, and the two are warped.

pocketsphinx knows English only. espeak-ng speaks the language and says when each phoneme sounds; laid over the
recording by dynamic time warping (``warping``), its phone times become the recording's.

Whether to trust an alignment is told by warping wrong sentences as well: the path of the right one is cheaper. The
ratio of the two has no scale of its own: noise, rooms and unlike voices make every path dear, and cancel.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.corpus.align import AlignmentFailed
from diffusiontalker.corpus.engine import Delivery, EngineFailed
from diffusiontalker.corpus.espeak import Espeak
from diffusiontalker.corpus.utterance import Utterance, timeline
from diffusiontalker.corpus.warping import FRAMES_PER_SECOND, Cepstra, Warp, cepstra, warp
from diffusiontalker.phones import SILENCE, TimedPhone

VOICES: Final[dict[str, str]] = {"en": "en-us", "de": "de", "es": "es", "zh": "cmn-latn-pinyin"}
"""espeak-ng's voice for each language, by ISO 639 code."""
MOST_COST_RATIO: Final = 0.95
"""An alignment with a higher ratio is not trusted. Of 160 English recordings (``benchmarks/warp_alignment.py``) no
wrong text came below 0.95 and one in a hundred below 0.96; 78 % of the right ones did, and errors grow from there."""
DECOYS: Final = 5
"""Wrong sentences that are enough."""

_SLOWEST, _FASTEST = 2.15, 0.4
"""Durations relative to the voice's own pace that espeak-ng can do."""
_BRIDGED: Final = 0.05
"""Seconds of silence between phones that are none: espeak-ng breaks before vowels that begin a word."""


@dataclass(frozen=True, slots=True)
class WarpAlignment:
    """Phones of a recording.

    Attributes:
        spans: ``(phone, start_s, end_s)`` in order; holes are silence.
        cost: of the path, per frame.
        ratio: of the cost to the mean cost of wrong sentences; ``nan`` without any.
    """

    spans: tuple[tuple[str, float, float], ...]
    cost: float
    ratio: float

    @property
    def trustworthy(self) -> bool:
        """Whether the alignment is good enough to measure with."""
        return self.ratio <= MOST_COST_RATIO

    def phones(self, seconds: float) -> tuple[TimedPhone, ...]:
        """The phones, brought to cover ``seconds``."""
        return timeline(self.spans, seconds)


class WarpAligner:
    """espeak-ng and the warping."""

    def __init__(self, variant: str = "") -> None:
        """Start espeak-ng.

        Args:
            variant: espeak-ng's name of a variant, as ``f2``, instead of each language's own voice.

        Raises:
            EngineMissing: it is not installed.
        """
        self._espeak = Espeak()
        self._variant = f"+{variant}" if variant else ""

    def align(self, samples: NDArray[np.int16], text: str, language: str, decoys: Sequence[str] = ()) -> WarpAlignment:
        """Align ``[N]`` samples at 16 kHz with what is said in them.

        Args:
            samples: the recording.
            text: what is said; Mandarin as pinyin with tone digits, alone or in parentheses after the characters.
            language: a key of ``VOICES``.
            decoys: wrong sentences in the same language, see ``wrong_sentences``.

        Raises:
            AlignmentFailed: the language has no voice, the text has nothing to say, the recording holds no speech,
                or espeak-ng named a phoneme that the tables do not know.
        """
        try:
            heard = cepstra(samples).trimmed()
        except ValueError as error:
            raise AlignmentFailed(str(error)) from error
        speech, path = self._warped(heard, text, language)
        others = [self._warped(heard, decoy, language)[1].cost for decoy in decoys]
        ratio = path.cost / float(np.mean(others)) if others else float("nan")
        return WarpAlignment(_carried_over(speech, heard, path), path.cost, ratio)

    def close(self) -> None:
        """End espeak-ng's process."""
        self._espeak.close()

    def _warped(self, heard: Cepstra, text: str, language: str) -> tuple[_Spoken, Warp]:
        """A text said as fast as the recording, and the recording's way over it."""
        said = self._say(text, language, 1.0)
        pace = heard.speech.sum() / said.cepstra.speech.sum()
        said = self._say(text, language, float(np.clip(pace, _FASTEST, _SLOWEST)))
        return said, warp(heard, said.cepstra)

    def _say(self, text: str, language: str, stretch: float) -> _Spoken:
        if language not in VOICES:
            raise AlignmentFailed(f"no voice for the language {language!r}: there are {', '.join(VOICES)}")
        try:
            speech = self._espeak.say(
                spoken_text(text, language), Delivery("", VOICES[language] + self._variant, stretch, 50)
            )
            return _Spoken(speech, cepstra(speech.samples).trimmed())
        except (EngineFailed, ValueError) as error:
            raise AlignmentFailed(f"espeak-ng cannot say {text!r}: {error}") from error


@dataclass(frozen=True, slots=True)
class _Spoken:
    """What espeak-ng said, and its cepstra without the silence around it."""

    speech: Utterance
    cepstra: Cepstra


def spoken_text(text: str, language: str) -> str:
    """A transcript as espeak-ng reads it: of Mandarin the pinyin, with pauses (``sp``) as commas.

    Raises:
        AlignmentFailed: a Mandarin text has no pinyin with tone digits.
    """
    if language != "zh":
        return text
    pinyin = re.search(r"\(([^()]*)\)", text)
    written = (pinyin[1] if pinyin else text).lower().split()
    syllables = ["," if syllable == "sp" else syllable for syllable in written]
    if not syllables or any(re.fullmatch(r"[a-zü:]+[1-5]|,", syllable) is None for syllable in syllables):
        raise AlignmentFailed(f"Mandarin needs pinyin with tone digits, as in (ni3 hao3), not {text!r}")
    return " ".join(syllables)


def wrong_sentences(text: str, texts: Sequence[str]) -> list[str]:
    """The ``DECOYS`` of ``texts`` that share the fewest words with ``text``; of equals the nearest in length.

    A sentence of other words may hold the same ones ("the fan", "switch the fan on"), which would not be wrong enough.
    """

    def likeness(other: str) -> tuple[float, int, str]:
        mine, theirs = set(text.lower().split()), set(other.lower().split())
        return len(mine & theirs) / len(mine | theirs), abs(len(other) - len(text)), other

    others = {other for other in texts if other.lower() != text.lower() and other.split()}
    return sorted(others, key=likeness)[:DECOYS]


def _carried_over(said: _Spoken, heard: Cepstra, path: Warp) -> tuple[tuple[str, float, float], ...]:
    """The phones of what was said at their times in the recording, without the pauses the recording has in them."""
    phones = [phone for phone in said.speech.phones if phone.phone != SILENCE]
    times = np.array([(phone.start, phone.end) for phone in phones]) * FRAMES_PER_SECOND - said.cepstra.offset
    found = (path.first_at(times) + heard.offset) / FRAMES_PER_SECOND
    pauses = [tuple((frame + heard.offset) / FRAMES_PER_SECOND for frame in pause) for pause in path.pauses()]
    spans: list[tuple[str, float, float]] = []
    for phone, (start, end) in zip(phones, found.tolist(), strict=True):
        for pause_start, pause_end in pauses:
            if pause_start < end and start < pause_end:
                # A phone is on one side of a pause: where more of it is.
                if max(0.0, pause_start - start) >= max(0.0, end - pause_end):
                    end = max(start, pause_start)
                else:
                    start = min(end, pause_end)
        if spans and 0 < start - spans[-1][2] < _BRIDGED:
            spans[-1] = (spans[-1][0], spans[-1][1], start)
        spans.append((phone.phone, start, end))
    return tuple(spans)
