"""Both 8-bit variants: the same frames to the last bit whoever else is served, and close to those in float32."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from diffusiontalker.bundle import open_bundle
from livetalker.core.config import StreamConfig
from livetalker.core.outputs import Frames, Output
from livetalker.engine.backend import BackendError
from livetalker.engine.backends.choose import open_backend
from livetalker.engine.engine import Engine
from livetalker.engine.offline import animate_offline

RATE = 16_000


def speechlike(seconds: float, seed: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE)) / RATE
    pitch = rng.uniform(90, 220)
    tone = sum(np.sin(2 * np.pi * pitch * k * t) / k for k in range(1, 20))
    return (0.05 * tone * (1 + np.sin(2 * np.pi * 4 * t)) + 0.002 * rng.standard_normal(len(t))).astype(np.float32)


def engine_of(backend: str, streams: int) -> Engine:
    bundle = open_bundle()
    try:
        return Engine(bundle, open_backend(bundle, backend, threads=1), max_streams=streams)
    except BackendError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module", params=["cpu-int8", "native"])
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def alone(backend: str) -> NDArray[np.float32]:
    return animate_offline(engine_of(backend, 1), speechlike(4, 0), StreamConfig(seed=5))


def test_neighbours_and_chunks_change_no_bit(backend: str, alone: NDArray[np.float32]) -> None:
    engine = engine_of(backend, 6)
    got: list[NDArray[np.float32]] = []

    def keep(output: Output) -> None:
        if isinstance(output, Frames):
            got.append(output.values)

    voices = [speechlike(4, seed) for seed in range(6)]
    streams = [
        engine.open(StreamConfig(seed=5 + i), keep if i == 0 else lambda output: None) for i in range(len(voices))
    ]
    rng = np.random.default_rng(1)
    at = [0] * len(voices)
    while any(at[i] < len(voice) for i, voice in enumerate(voices)):
        for i, voice in enumerate(voices):
            if rng.random() < 0.6:  # in any order and size, so that batches and backlogs differ from tick to tick
                step = int(rng.choice([160, 320, 1000, 7000]))
                if at[i] < len(voice):
                    streams[i].push(voice[at[i] : at[i] + step])
                at[i] += step
        engine.tick()
    streams[0].finish()
    while engine.tick():
        pass
    np.testing.assert_array_equal(np.concatenate(got), alone)


def test_it_is_close_to_float32(alone: NDArray[np.float32]) -> None:
    exact = animate_offline(engine_of("cpu", 1), speechlike(4, 0), StreamConfig(seed=5))
    assert np.ptp(exact, axis=0).max() > 0.3
    assert np.sqrt(np.square(alone - exact).mean()) < 0.01
