"""Speech from espeak-ng with the times of its phonemes, through a helper process (see ``espeak_events``).

espeak-ng names phonemes by mnemonics that depend on the accent. They are brought to ARPAbet here; a mnemonic that the
tables do not know fails the clip by name, so that none is lost unseen.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from diffusiontalker.corpus.engine import Delivery, EngineFailed, EngineMissing
from diffusiontalker.corpus.espeak_languages import foreign_phones, language_of
from diffusiontalker.corpus.utterance import Utterance, timeline, to_int16
from diffusiontalker.geometry import SAMPLE_RATE
from diffusiontalker.phones import SILENCE

_PACKAGES: Final = "packages libespeak-ng1 and espeak-ng-data"

# People: variants that sound like a human voice. Robots, echoes, whispers and jokes are not here.
_VARIANTS: Final = (
    "Alex Alicia Andrea Andy Annie Denis Diogo Gene Gene2 Henrique Jacky Lee Mario Michael Mike Nguyen Storm adam "
    "anika antonio aunty belinda benjamin boris david ed edward edward2 f1 f2 f3 f4 f5 grandma grandpa iven3 "
    "klatt klatt2 klatt3 linda m1 m2 m3 m4 m5 m6 m7 m8 marcelo norbert paul pedro quincy robert shelby steph steph3 "
    "travis victor"
).split()
_ACCENTS: Final[dict[str, float]] = {
    "en-us": 40,
    "en": 20,
    "en-gb-x-rp": 14,
    "en-gb-scotland": 12,
    "en-029": 9,
    "en-gb-x-gbcwmd": 5,
}
"""Accents by espeak-ng's voice name (``en`` is British) and how often each is drawn."""
_RHOTIC: Final = frozenset({"en-us"})
"""Accents whose vowel mnemonics with ``@`` contain the r; Scottish sounds it as a phoneme of its own."""
_NO_R_IN_3: Final = frozenset(_ACCENTS) - {"en-us", "en-gb-scotland"}
"""Accents whose ``3``, the end of "mother", is a plain schwa."""

_PLAIN: Final[dict[str, tuple[str, ...]]] = {
    mnemonic: tuple(phones.split())
    for mnemonic, phones in {
        # consonants
        **{c: c.upper() for c in "p b t d k g f v s z m n l r w".split()},
        **{"h": "HH", "j": "Y", "N": "NG", "T": "TH", "D": "DH", "S": "SH", "Z": "ZH", "tS": "CH", "dZ": "JH"},
        # variants of consonants: flapped and unreleased t, glottal stop, syllabic n, dark l, linking r, voiceless w
        **{"t#": "T", "t2": "T", "?": "T", "n-": "N", "l#": "L", "r-": "R", "w#": "W", "d#": "D", "x": "K"},
        **{"t[": "T"},
        # single vowels
        **{"@": "AH", "@2": "AH", "@5": "UH", "@#": "AH", "a#": "AH", "V": "AH", "a": "AE", "aa": "AE", "A:": "AA"},
        **{"A": "AA", "A#": "AA", "0": "AA", "02": "AH", "0#": "AA", "O": "AO", "O:": "AO", "O2": "AO", "E": "EH"},
        **{"E2": "EH", "E#": "EH", "e": "EH", "I": "IH", "I2": "IH", "I#": "IH", "i": "IY", "i:": "IY", "U": "UH"},
        **{"u": "UW", "u:": "UW", "3": "ER", "3:": "ER", "VR": "ER", "IR": "ER", "ER": "ER"},
        # the glide between "i" and a vowel has no phone of its own
        ";": "",
        # diphthongs and syllabic l
        **{"eI": "EY", "aI": "AY", "OI": "OY", "aU": "AW", "oU": "OW", "@L": "AH L"},
        **{"i@": "IY AH", "aI@": "AY AH", "aI3": "AY ER", "aU@": "AW AH", "aI2": "AY", "@-": "AH"},
    }.items()
}
_R_COLOURED: Final[dict[str, str]] = {
    "A@": "AA",
    "O@": "AO",
    "o@": "AO",
    "e@": "EH",
    "i@3": "IH",
    "U@": "UH",
}
_SECOND_SHARE: Final = 0.35
"""Part of a two-phone mnemonic that belongs to its second phone; to its first where that is a glide."""
_GLIDES: Final = frozenset({"W", "Y"})
_STOPS: Final = frozenset("P B T D K G CH JH".split())
_CLOSURE_AFTER_SILENCE: Final = 0.07
"""Seconds a stop is closed before its burst when nothing was said before it."""


class Espeak:
    """espeak-ng in a helper process."""

    name = "espeak"

    def __init__(self) -> None:
        """Start the helper.

        Raises:
            EngineMissing: the library or its data are not installed.
        """
        # Run by path, not as a module of the package: the GPL library shares a process with none of our code.
        script = Path(__file__).with_name("espeak_events.py")
        self._helper = subprocess.Popen(
            [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        try:
            self._rate = int(self._read_head()["ready"])
        except (EngineFailed, KeyError) as error:
            self.close()
            raise EngineMissing(f"espeak-ng is not usable ({_PACKAGES}): {error}") from error
        self.speakers = tuple(f"espeak/{variant}" for variant in _VARIANTS)

    def delivery(self, speaker: str, rng: random.Random) -> Delivery:
        """Any accent, pace 0.75 to 1.25, pitch somewhat around the variant's own."""
        accent = rng.choices(list(_ACCENTS), list(_ACCENTS.values()))[0]
        return Delivery(
            speaker, f"{accent}+{speaker.removeprefix('espeak/')}", rng.uniform(0.75, 1.25), rng.uniform(38, 62)
        )

    def say(self, text: str, delivery: Delivery) -> Utterance:
        """Speak one sentence.

        Raises:
            EngineFailed: espeak-ng failed or named a phoneme that the tables do not know.
        """
        request = {"text": text, "voice": delivery.voice, "rate": 175 / delivery.stretch, "pitch": delivery.pitch}
        assert self._helper.stdin is not None and self._helper.stdout is not None
        self._helper.stdin.write(json.dumps(request).encode() + b"\n")
        self._helper.stdin.flush()
        head = self._read_head()
        raw = np.frombuffer(self._helper.stdout.read(2 * int(head["samples"])), dtype=np.int16)
        if len(raw) == 0:
            raise EngineFailed("espeak-ng gave no audio")
        accent = delivery.voice.partition("+")[0]
        spans = phone_spans(head["phonemes"], raw, self._rate, accent)
        samples = to_int16(resample_poly(raw.astype(np.float64), SAMPLE_RATE, self._rate))
        return Utterance(samples, timeline(spans, len(samples) / SAMPLE_RATE))

    def close(self) -> None:
        """End the helper."""
        for pipe in (self._helper.stdin, self._helper.stdout):
            if pipe is not None:
                pipe.close()
        self._helper.wait()

    def _read_head(self) -> dict[str, Any]:
        assert self._helper.stdout is not None
        line = self._helper.stdout.readline()
        if not line:
            raise EngineFailed("the espeak-ng helper ended early")
        head: dict[str, Any] = json.loads(line)
        if "error" in head:
            raise EngineFailed(str(head["error"]))
        return head


def phone_spans(
    events: Sequence[tuple[str, int]], raw: NDArray[np.int16], rate: int, accent: str
) -> list[tuple[str, float, float]]:
    """Timed ARPAbet phones of espeak-ng's phoneme events.

    espeak-ng reports a stop at its burst: the closure before it is sounded as zeros that count for the phoneme before.
    Here the stop takes its closure back.

    Args:
        events: ``(mnemonic, first sample)`` in order.
        raw: ``[N]`` the audio at ``rate``.
        rate: hertz.
        accent: espeak-ng's name of the accent, which decides whether a vowel contains an r.

    Raises:
        EngineFailed: an unknown mnemonic.
    """
    phones: list[tuple[str, int]] = []
    spoken = accent
    for i, (mnemonic, sample) in enumerate(events):
        if mnemonic.startswith("("):  # a foreign word follows, or the accent's own language again
            spoken = mnemonic.strip("()")
            continue
        end = events[i + 1][1] if i + 1 < len(events) else len(raw)
        names = to_arpabet(mnemonic, spoken)
        if names and names[0] in _STOPS:
            floor = phones[-1][1] if phones else 0
            after_silence = not phones or phones[-1][0] == SILENCE
            sample = _closure_start(raw, sample, floor, round(_CLOSURE_AFTER_SILENCE * rate) if after_silence else None)
        share = 1 - _SECOND_SHARE if names and names[0] in _GLIDES else _SECOND_SHARE
        for part, name in enumerate(names):
            phones.append((name, sample if part == 0 else round(end - share * (end - sample))))
    ends = [sample for _, sample in phones[1:]] + [len(raw)]
    return [(name, start / rate, end / rate) for (name, start), end in zip(phones, ends, strict=True)]


def to_arpabet(mnemonic: str, accent: str) -> tuple[str, ...]:
    """ARPAbet phones of a mnemonic; none for marks that have no sound.

    Raises:
        EngineFailed: the mnemonic is not known.
    """
    if mnemonic.startswith("_"):
        return (SILENCE,)
    if language_of(accent) != "en":
        return foreign_phones(mnemonic, language_of(accent))
    if mnemonic in _R_COLOURED:
        return (_R_COLOURED[mnemonic], "R") if accent in _RHOTIC else (_R_COLOURED[mnemonic],)
    if mnemonic == "3" and accent in _NO_R_IN_3:
        return ("AH",)
    phones = _PLAIN.get(mnemonic)
    if phones is None:
        raise EngineFailed(f"unknown espeak-ng phoneme {mnemonic!r} in {accent}")
    return phones


def _closure_start(raw: NDArray[np.int16], burst: int, floor: int, limit: int | None) -> int:
    """First sample of the run of near-zeros that ends at ``burst``, not before the middle since ``floor``."""
    earliest = (floor + burst) // 2 if limit is None else max(floor, burst - limit)
    stretch = np.abs(raw[earliest:burst].astype(np.int32)) > 4
    loud = np.flatnonzero(stretch)
    return earliest + int(loud[-1]) + 1 if len(loud) else earliest
