"""Writes the demo's clip as raw float32 samples, and the face that the offline baker makes of it at 60 fps.

Run as ``clip.py FLAC FOLDER``; makes ``clip.f32`` (16 kHz, mono) and ``face.f32`` (``[n, 52]``) there.
"""

from __future__ import annotations

import sys
from pathlib import Path

from livetalker.core.config import StreamConfig
from livetalker.engine.engine import Engine
from livetalker.engine.offline import animate_offline
from livetalker.media.audio_files import read_audio


def main(flac: Path, folder: Path) -> None:
    """Writes both files."""
    audio = read_audio(flac)
    engine = Engine.load(max_streams=1, threads=1, backend="auto")
    face = animate_offline(engine, audio.samples, StreamConfig(sample_rate=audio.rate, fps=60))
    (folder / "clip.f32").write_bytes(audio.samples.astype("<f4").tobytes())
    (folder / "face.f32").write_bytes(face.astype("<f4").tobytes())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
