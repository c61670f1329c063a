from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetalker.bench.microphone import StreamLog, pace
from livetalker.bench.schedule import CHUNK_SECONDS, Schedule, needed_chunks, start_offsets
from livetalker.core.config import StreamConfig
from livetalker.core.outputs import Frames, Output
from livetalker.engine.engine import Engine


class VirtualTime:
    """A clock that moves only when somebody sleeps or works."""

    def __init__(self, now: float, oversleep: float) -> None:
        self.now = now
        self._oversleep = oversleep

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds + self._oversleep


@given(start=st.floats(0, 1e6), oversleep=st.floats(0, 0.019), rate=st.sampled_from([8000, 16000, 44100, 48000]))
async def test_a_microphone_that_oversleeps_every_time_does_not_drift(
    start: float, oversleep: float, rate: int
) -> None:
    log = StreamLog(Schedule(start, rate, 30, 500))
    time = VirtualTime(start, oversleep)

    async def send(chunk: int) -> None:
        assert chunk == len(log.sent) - 1

    await pace(log, send, time.clock, time.sleep)
    due = start + (np.arange(500) + 1) * CHUNK_SECONDS
    np.testing.assert_allclose(np.asarray(log.sent) - due, oversleep, atol=1e-6)
    np.testing.assert_allclose(log.lag, oversleep, atol=1e-6)
    assert not any(log.write_wait)


async def test_a_server_that_holds_the_stream_back_is_not_the_microphones_fault() -> None:
    log = StreamLog(Schedule(100.0, 16000, 30, 10))
    time = VirtualTime(100.0, 0.001)

    async def send(chunk: int) -> None:
        time.now += 0.1 if chunk == 3 else 0.0

    await pace(log, send, time.clock, time.sleep)
    np.testing.assert_allclose(log.lag, [0.001] * 4 + [0.0] * 5 + [0.001], atol=1e-9)
    np.testing.assert_allclose(log.write_wait, [0, 0, 0, 0.1, 0, 0, 0, 0, 0, 0], atol=1e-9)
    np.testing.assert_allclose(log.sent[3:9], [100.081] + [100.181] * 5, atol=1e-9)


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
@pytest.mark.parametrize("fps", [30, 60])
@pytest.mark.parametrize("preset", ["low", "balanced", "quality"])
def test_a_frame_comes_with_the_chunk_it_is_said_to_need(tiny_engine: Engine, rate: int, fps: int, preset: str) -> None:
    schedule = Schedule(0.0, rate, fps, 60)
    came: list[int] = []
    pushed = 0

    def sink(output: Output) -> None:
        if isinstance(output, Frames):
            came.extend([pushed - 1] * len(output))

    stream = tiny_engine.open(StreamConfig(sample_rate=rate, fps=fps, preset=preset), sink)
    noise = np.random.default_rng(0).normal(0, 0.1, (60, schedule.chunk_samples)).astype(np.float32)
    for chunk in noise:
        pushed += 1
        stream.push(chunk)
        while tiny_engine.tick():
            pass
    stream.close()
    tiny_engine.tick()
    needed = needed_chunks(schedule, preset)
    assert len(needed) == schedule.frames
    assert needed[: len(came)].tolist() == came
    assert (needed[len(came) :] >= 60).all()


@given(streams=st.integers(1, 300), seconds=st.floats(0.5, 100))
def test_openings_are_spread_over_the_ramp_and_over_the_chunk(streams: int, seconds: float) -> None:
    offsets = start_offsets(streams, seconds)
    assert len(offsets) == streams and offsets[0] == 0
    assert 0 <= min(offsets) and max(offsets) < min(1.0, seconds / 4) + CHUNK_SECONDS


def test_phases_within_a_chunk_are_spread_evenly() -> None:
    phases = Counter(int(offset % CHUNK_SECONDS / CHUNK_SECONDS * 4) for offset in start_offsets(100, 10))
    assert min(phases[quarter] for quarter in range(4)) >= 10
