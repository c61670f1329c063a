"""A stream without company is heard ahead while its frames are made: the same frames, the same errors."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from diffusiontalker.bundle import open_bundle
from diffusiontalker.geometry import SAMPLE_RATE
from livetalker.core.config import StreamConfig
from livetalker.engine.backend import Array, EncoderResult, Floats, Integers
from livetalker.engine.backends.onnx_backend import OnnxBackend, cpu_backend
from livetalker.engine.engine import Engine
from livetalker.engine.offline import animate_offline
from livetalker.engine.scheduler import LONGEST
from tests.engine.chunks import chunked
from tests.engine.test_exactness import TOLERANCE, voice


class Watched(OnnxBackend):
    """Knows on which threads it encoded, and breaks at a call if told to."""

    def __init__(self, inner: OnnxBackend, breaks_at: int | None = None) -> None:
        super().__init__(inner._runners, "watched")
        self.threads: list[str] = []
        self._breaks_at = breaks_at

    def encode(self, samples: Floats, position: Integers, past: Mapping[str, Array]) -> EncoderResult:
        if len(self.threads) == self._breaks_at:
            raise RuntimeError("the encoder broke")
        self.threads.append(threading.current_thread().name)
        return super().encode(samples, position, past)


@pytest.fixture(scope="module")
def long() -> NDArray[np.float32]:
    return voice(9.0, SAMPLE_RATE, seed=2)  # four calls of two seconds, and a shorter one


def test_whoever_is_heard_ahead_gets_the_same_frames(tiny_bundle: Path, long: NDArray[np.float32]) -> None:
    bundle = open_bundle(tiny_bundle)
    backend = Watched(cpu_backend(bundle, 1))
    engine = Engine(bundle, backend, max_streams=1)
    config = StreamConfig(seed=3)
    ahead = animate_offline(engine, long, config)
    assert len({*backend.threads}) == 2, "one thread hears, the other one makes frames"
    assert len(backend.threads) >= 9 * 50 // LONGEST
    np.testing.assert_allclose(ahead, chunked(engine, long, config, [640]).faces, atol=TOLERANCE)


@pytest.mark.parametrize("breaks_at", [0, 1, 3])
def test_an_error_ahead_is_the_streams_own(tiny_bundle: Path, long: NDArray[np.float32], breaks_at: int) -> None:
    bundle = open_bundle(tiny_bundle)
    engine = Engine(bundle, Watched(cpu_backend(bundle, 1), breaks_at), max_streams=1)
    with pytest.raises(RuntimeError, match="the encoder broke"):
        animate_offline(engine, long, StreamConfig())
    engine.tick()
    assert engine.open_streams == 0, "and the slot is free again"
