"""What benchmarks of the engine share: a clip with its phones, streams in chunks, and networks whose time is taken."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.geometry import SAMPLE_RATE
from diffusiontalker.phones import TimedPhone
from livetalker.core.outputs import Failed, Frames, Output
from livetalker.engine.backend import Array, Backend, EncoderResult, Floats, Heard, Integers
from livetalker.engine.engine import Engine
from livetalker.engine.stream import EngineStream
from livetalker.media.audio_files import read_audio

DEMO: Final = Path(__file__).resolve().parents[1] / "demo"
CPU_BACKENDS: Final = ("native", "cpu", "cpu-int8")


def demo_clip() -> NDArray[np.float32]:
    """``[N]`` samples at 16 kHz of the demo's clip, 12 seconds of speech."""
    audio = read_audio(DEMO / "clip.flac")
    assert audio.rate == SAMPLE_RATE
    return audio.samples


def demo_phones() -> tuple[TimedPhone, ...]:
    """Its phones, in seconds of the clip."""
    rows = (line.split("\t") for line in (DEMO / "clip.phones.tsv").read_text(encoding="ascii").splitlines())
    return tuple(TimedPhone(phone, float(start), float(end)) for phone, start, end in rows)


def looped(clip: NDArray[np.float32], seconds: float) -> NDArray[np.float32]:
    """``[seconds * 16000]`` of a clip said over and over."""
    return np.resize(clip, round(seconds * SAMPLE_RATE))


class FrameSink:
    """Collects the frames a stream hands out."""

    def __init__(self) -> None:
        self._values: list[NDArray[np.float32]] = []
        self._error: Exception | None = None

    def __call__(self, output: Output) -> None:
        """Take an output."""
        if isinstance(output, Failed):
            self._error = output.error
        if isinstance(output, Frames):
            self._values.append(output.values)

    @property
    def frames(self) -> NDArray[np.float32]:
        """``[F, 52]`` since the beginning.

        Raises:
            Exception: what ended the stream early.
        """
        if self._error is not None:
            raise self._error
        return np.concatenate(self._values) if self._values else np.zeros((0, 52), np.float32)

    def take(self) -> NDArray[np.float32]:
        """``frames``, and forget them."""
        frames = self.frames
        self._values.clear()
        return frames


def catch_up(engine: Engine) -> None:
    """Tick an engine that was not started until it has nothing left to do."""
    while engine.tick():
        pass


def require_open(streams: Iterable[EngineStream]) -> None:
    """Make sure that none of some streams that were not finished has ended.

    Raises:
        RuntimeError: one has; its sink was told why, and the engine's log says so.
    """
    if any(stream.closed for stream in streams):
        raise RuntimeError("a stream ended early; its figures would say nothing")


def random_pieces(rng: np.random.Generator, samples: int, sizes: Sequence[int]) -> list[slice]:
    """Cuts ``samples`` into pieces whose lengths are drawn from ``sizes``."""
    pieces, start = [], 0
    while start < samples:
        end = start + int(rng.choice(np.asarray(sizes)))
        pieces.append(slice(start, end))
        start = end
    return pieces


class TimedBackend:
    """A backend whose calls are timed.

    Attributes:
        description: see ``Backend``.
        past: likewise.
        frame_by_frame: likewise.
        encoder: seconds spent in the encoder and the voice head.
        denoiser: seconds spent in the denoiser.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.description = backend.description
        self.past, self.frame_by_frame = backend.past, backend.frame_by_frame
        self.encoder = 0.0
        self.denoiser = 0.0

    def encode(self, samples: Floats, position: Integers, past: Mapping[str, Array]) -> EncoderResult:
        """See ``Backend``."""
        began = time.perf_counter()
        result = self._backend.encode(samples, position, past)
        self.encoder += time.perf_counter() - began
        return result

    def voice(self, samples: Floats) -> Floats:
        """See ``Backend``."""
        began = time.perf_counter()
        result = self._backend.voice(samples)
        self.encoder += time.perf_counter() - began
        return result

    def hear(self, windows: Floats) -> Heard:
        """See ``Backend``."""
        began = time.perf_counter()
        result = self._backend.hear(windows)
        self.encoder += time.perf_counter() - began
        return result

    def denoise(
        self, audio: Floats, identity: Floats, preset: Integers, noise: Floats, hidden: Floats
    ) -> tuple[Floats, Floats]:
        """See ``Backend``."""
        began = time.perf_counter()
        result = self._backend.denoise(audio, identity, preset, noise, hidden)
        self.denoiser += time.perf_counter() - began
        return result


def resident_mib() -> float:
    """Resident memory of this process, MiB."""
    import psutil

    memory: Any = psutil.Process().memory_info()
    return float(memory.rss) / 2**20
