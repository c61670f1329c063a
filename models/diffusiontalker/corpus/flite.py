"""Speech from flite, run as a program: ``-psdur`` prints when each phone ends.

flite's phone set is that of its CMU lexicon, in lower case, with reduced vowels and pauses of its own.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from diffusiontalker.corpus.engine import Delivery, EngineFailed, EngineMissing
from diffusiontalker.corpus.utterance import Utterance, timeline, warped
from diffusiontalker.geometry import SAMPLE_RATE
from diffusiontalker.phones import PHONE_INDEX, SILENCE

_SPECIAL: Final = {"pau": SILENCE, "ssil": SILENCE, "ax": "AH", "axr": "ER", "ix": "IH", "dx": "T"}


@dataclass(frozen=True, slots=True)
class _Speaker:
    """One flite voice as one person: mean pitch in hertz and vocal tract factor."""

    voice: str
    pitch: float
    tract: float


# rms ignores the pitch setting, so its people differ by vocal tract alone.
_SPEAKERS: Final[dict[str, _Speaker]] = {
    f"flite/{voice}+{i}": _Speaker(voice, pitch, tract)
    for voice, people in {
        "kal16": ((85, 0.92), (100, 1.0), (120, 1.06), (150, 1.12), (185, 1.2)),
        "awb": ((95, 0.9), (115, 0.96), (130, 1.0), (155, 1.08), (180, 1.16)),
        "rms": ((100, 0.88), (100, 0.94), (100, 1.0), (100, 1.08), (100, 1.18)),
        "slt": ((125, 0.88), (150, 0.94), (170, 1.0), (200, 1.06), (235, 1.14)),
    }.items()
    for i, (pitch, tract) in enumerate(people, start=1)
}


class Flite:
    """The flite program."""

    name = "flite"

    def __init__(self) -> None:
        """Find the program and its voices.

        Raises:
            EngineMissing: it is not installed, or has none of the voices.
        """
        program = shutil.which("flite")
        if program is None:
            raise EngineMissing("flite is not installed (package flite)")
        self._program = program
        listed = subprocess.run([program, "-lv"], capture_output=True, text=True, check=True).stdout.split()
        self.speakers = tuple(name for name, speaker in _SPEAKERS.items() if speaker.voice in listed)
        if not self.speakers:
            raise EngineMissing("flite has none of the voices kal16, awb, rms, slt (package flite)")

    def delivery(self, speaker: str, rng: random.Random) -> Delivery:
        """Pace 0.78 to 1.25, pitch within 7 % of the speaker's own."""
        person = _SPEAKERS[speaker]
        # The tract factor speeds speech up after synthesis; asking for more time beforehand keeps the pace.
        stretch = rng.uniform(0.78, 1.25) * person.tract
        pitch = person.pitch * rng.uniform(0.93, 1.07) / person.tract
        return Delivery(speaker, person.voice, stretch, pitch, person.tract)

    def say(self, text: str, delivery: Delivery) -> Utterance:
        """Speak one sentence.

        Raises:
            EngineFailed: flite failed or printed phones that do not fit its audio.
        """
        with tempfile.TemporaryDirectory(prefix="flite-") as folder:
            wav = Path(folder) / "speech.wav"
            done = subprocess.run(
                [
                    *(self._program, "-voice", delivery.voice, "-psdur"),
                    *("--setf", f"duration_stretch={delivery.stretch:.3f}"),
                    *("--setf", f"int_f0_target_mean={delivery.pitch:.1f}"),
                    *("--setf", f"int_f0_target_stddev={0.13 * delivery.pitch:.1f}"),
                    *("-t", text, "-o", str(wav)),
                ],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode or not wav.is_file():
                raise EngineFailed(f"flite failed: {done.stderr.strip()[:200]}")
            samples, rate = soundfile.read(wav, dtype="int16")
        if rate != SAMPLE_RATE:
            raise EngineFailed(f"flite voice {delivery.voice} speaks at {rate} Hz, not {SAMPLE_RATE}")
        spans = _spans(done.stdout)
        seconds = len(samples) / SAMPLE_RATE
        # A diphone voice leaves out the second half of the last pause, so the audio may end a little early.
        if not spans or spans[-1][1] > seconds or abs(spans[-1][2] - seconds) > 0.25:
            raise EngineFailed("flite printed phones that do not fit its audio")
        return warped(Utterance(np.asarray(samples, dtype=np.int16), timeline(spans, seconds)), delivery.tract)

    def close(self) -> None:
        """Nothing stays open."""


def _spans(printed: str) -> list[tuple[str, float, float]]:
    """Read ``name:end`` pairs; flite counts on through several sentences."""
    spans: list[tuple[str, float, float]] = []
    at = 0.0
    for word in printed.split():
        name, _, end = word.rpartition(":")
        phone = arpabet(name)
        spans.append((phone, at, float(end)))
        if float(end) < at:
            raise EngineFailed("flite's phone times run backwards")
        at = float(end)
    return spans


def arpabet(name: str) -> str:
    """The ARPAbet phone of a phone of the radio phone set, as flite and festival name it.

    Raises:
        EngineFailed: no phone of that name is known.
    """
    phone = _SPECIAL.get(name, name.upper())
    if phone not in PHONE_INDEX:
        raise EngineFailed(f"unknown phone {name!r}")
    return phone
