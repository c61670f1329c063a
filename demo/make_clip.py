"""Makes the demo's clip: ``demo/clip.flac`` and, for the picture, ``demo/clip.phones.tsv``.

Needs flite 2 (``apt-get install flite``); its voice slt was built from the recordings of a real speaker. Run it from
anywhere: ``python demo/make_clip.py``.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile

HERE = Path(__file__).parent
SENTENCES = (
    "Papa bought a big blue balloon for the whole family.",
    "Who knew? Up above the farm it flew, over warm, open water.",
    "Boom! Now mama laughs out loud.",
)
PAUSE = 0.6
"""Seconds of silence between sentences, beside flite's own."""
STRETCH = 1.15
"""flite talks fast; a demo should not."""
NAMES = {"pau": "SIL", "ax": "AH"}


def speak(sentence: str, wav: Path) -> list[tuple[str, float]]:
    """Let flite say a sentence into ``wav``; its phones and the second at which each ends."""
    command = [
        "flite",
        "-voice",
        "slt",
        "--setf",
        f"duration_stretch={STRETCH}",
        "-psdur",
        "-t",
        sentence,
        "-o",
        str(wav),
    ]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    ends = (item.split(":") for item in printed.split())
    return [(NAMES.get(phone, phone.upper()), float(end)) for phone, end in ends]


def main() -> None:
    """Say the sentences, join them and write both files."""
    parts: list[np.ndarray] = []
    rows: list[tuple[str, float, float]] = []
    samples = 0
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "sentence.wav"
        for number, sentence in enumerate(SENTENCES):
            phones = speak(sentence, wav)
            audio, rate = soundfile.read(wav, dtype="int16")
            if number:
                parts.append(np.zeros(round(PAUSE * rate), np.int16))
                rows.append(("SIL", samples / rate, samples / rate + PAUSE))
                samples += len(parts[-1])
            start, offset, length = 0.0, samples / rate, len(audio) / rate
            # The durations are flite's plan; the voice it renders can be a few milliseconds shorter or longer.
            phones[-1] = (phones[-1][0], length)
            for phone, end in phones:
                rows.append((phone, offset + start, offset + end))
                start = end
            parts.append(audio)
            samples += len(audio)
    soundfile.write(HERE / "clip.flac", np.concatenate(parts), rate)
    lines = (f"{phone}\t{start:.3f}\t{end:.3f}\n" for phone, start, end in rows)
    (HERE / "clip.phones.tsv").write_text("".join(lines), encoding="ascii")
    print(f"{HERE / 'clip.flac'}: {samples / rate:.1f} s, {len(rows)} phones")


if __name__ == "__main__":
    main()
