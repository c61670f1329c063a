"""Speech from festival, a program that reads commands from a pipe; ``utt.save.segs`` says when each phone ends."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from diffusiontalker.corpus.engine import Delivery, EngineFailed, EngineMissing
from diffusiontalker.corpus.flite import arpabet
from diffusiontalker.corpus.utterance import Utterance, timeline, warped
from diffusiontalker.geometry import SAMPLE_RATE

_SPEAKERS: Final[dict[str, tuple[str, float, float]]] = {
    f"festival/{name}+{i}": (voice, pitch, tract)
    for name, voice, people in (
        ("slt_hts", "cmu_us_slt_arctic_hts", ((170, 0.9), (170, 1.0), (170, 1.1))),
        ("kal", "kal_diphone", ((95, 0.96), (125, 1.04))),
    )
    for i, (pitch, tract) in enumerate(people, start=1)
}
"""Speaker: voice, pitch in hertz (only kal follows it), vocal tract factor."""
_DONE: Final = "spoken"
_PROGRAM: Final = f"""
(define (corpus_say text stretch pitch wav segs)
  (Parameter.set 'Duration_Stretch stretch)
  (set! int_lr_params
    (list (list 'target_f0_mean pitch) (list 'target_f0_std (* 0.13 pitch))
          '(model_f0_mean 170) '(model_f0_std 34)))
  (let ((utt (utt.synth (eval (list 'Utterance 'Text text)))))
    (utt.wave.resample utt {SAMPLE_RATE})
    (utt.save.wave utt wav 'riff)
    (utt.save.segs utt segs)))
"""


class Festival:
    """The festival program, kept running."""

    name = "festival"

    def __init__(self) -> None:
        """Find the program and its voices, and start it.

        Raises:
            EngineMissing: it is not installed, or has none of the voices.
        """
        program = shutil.which("festival")
        packages = "packages festival, festvox-kallpc16k and festvox-us-slt-hts"
        if program is None:
            raise EngineMissing(f"festival is not installed ({packages})")
        self._program = program
        self._process = self._started()
        try:
            voices = self._command("(print (voice.list))")
        except EngineFailed as error:
            self.close()
            raise EngineMissing(f"festival does not start; are its voices installed ({packages})?") from error
        self.speakers = tuple(name for name, (voice, _, _) in _SPEAKERS.items() if voice in voices)
        if not self.speakers:
            self.close()
            raise EngineMissing(f"festival has none of the voices it is used with ({packages})")

    def delivery(self, speaker: str, rng: random.Random) -> Delivery:
        """Pace 0.8 to 1.2 where the voice follows it, pitch within 7 %."""
        voice, pitch, tract = _SPEAKERS[speaker]
        return Delivery(speaker, voice, rng.uniform(0.8, 1.2) * tract, pitch * rng.uniform(0.93, 1.07) / tract, tract)

    def say(self, text: str, delivery: Delivery) -> Utterance:
        """Speak one sentence.

        Raises:
            EngineFailed: festival failed or named a phone that is not known.
        """
        with tempfile.TemporaryDirectory(prefix="festival-") as folder:
            wav, segs = Path(folder) / "speech.wav", Path(folder) / "speech.segs"
            self._command(
                f"(voice_{delivery.voice}) (corpus_say {json.dumps(text)} {delivery.stretch:.3f} {delivery.pitch:.1f} "
                f"{json.dumps(str(wav))} {json.dumps(str(segs))})"
            )
            if not wav.is_file() or not segs.is_file():
                raise EngineFailed("festival gave no audio")
            samples, rate = soundfile.read(wav, dtype="int16")
            lines = segs.read_text().splitlines()
        if rate != SAMPLE_RATE:
            raise EngineFailed(f"festival spoke at {rate} Hz, not {SAMPLE_RATE}")
        spans: list[tuple[str, float, float]] = []
        for line in lines[lines.index("#") + 1 :]:
            end, _, name = line.split()
            spans.append((arpabet(name), spans[-1][2] if spans else 0.0, float(end)))
        return warped(
            Utterance(np.asarray(samples, dtype=np.int16), timeline(spans, len(samples) / SAMPLE_RATE)), delivery.tract
        )

    def close(self) -> None:
        """End the program."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()

    def _started(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [self._program, "--pipe"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdin is not None
        process.stdin.write(_PROGRAM)
        return process

    def _command(self, scheme: str) -> str:
        """Run commands and return what they printed.

        Raises:
            EngineFailed: one of them failed, which ends festival; the next command starts it anew.
        """
        if self._process.poll() is not None:
            self.close()
            self._process = self._started()
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f'{scheme}\n(format t "\\n{_DONE}\\n") (fflush nil)\n')
        self._process.stdin.flush()
        printed: list[str] = []
        for line in self._process.stdout:
            if line.strip() == _DONE:
                return "".join(printed)
            printed.append(line)
        self._process.wait()
        raise EngineFailed("festival gave up on a command")
