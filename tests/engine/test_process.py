"""The engine in a process of its own: the same streams as in this one, and what happens when one of the two dies."""

from __future__ import annotations

import asyncio
import logging
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from diffusiontalker.bundle import BundleError
from livetalker.client import LiveTalkerClient, LiveTalkerError, StreamConfig
from livetalker.core.admission import EngineFull, EngineLost
from livetalker.core.config import IdentityChoice, Shaping, UnknownIdentityError
from livetalker.core.outputs import Checkpoint, Failed, Finished, Frames, Output, Skipped
from livetalker.core.stream_state import Resumption
from livetalker.engine.engine import Engine
from livetalker.engine.process import remote as remote_module
from livetalker.engine.process.messages import BatchSender, EngineSetup, receive_batch
from livetalker.engine.process.remote import RemoteEngine
from livetalker.spawning import SPAWN
from tests.engine.chunks import Audio, chunked
from tests.engine.test_exactness import TOLERANCE, voice
from tests.engine.test_resume import indexes

PATIENCE_S = 60
SLOTS = 2


def setup(bundle: Path) -> EngineSetup:
    return EngineSetup(bundle, max_streams=SLOTS, threads=1, backend="cpu", device=0, log_level=logging.WARNING)


class Waiting:
    """Collects what a stream hands out on another thread, and waits for its end."""

    def __init__(self) -> None:
        self.outputs: list[Output] = []
        self._ended = threading.Event()

    def __call__(self, output: Output) -> None:
        self.outputs.append(output)
        if isinstance(output, Finished | Failed):
            self._ended.set()

    def wait(self) -> None:
        assert self._ended.wait(PATIENCE_S)

    @property
    def faces(self) -> Audio:
        return np.concatenate([output.values for output in self.outputs if isinstance(output, Frames)])


@pytest.fixture(scope="module")
def remote(tiny_bundle: Path) -> Iterator[RemoteEngine]:
    with RemoteEngine(setup(tiny_bundle)) as engine:
        yield engine


@pytest.fixture(scope="module")
def here(tiny_bundle: Path) -> Engine:
    return Engine.load(tiny_bundle, max_streams=SLOTS, threads=1, backend="cpu")


def test_it_makes_the_frames_it_makes_here(remote: RemoteEngine, here: Engine) -> None:
    audio, config = voice(2.0, 48_000), StreamConfig(sample_rate=48_000, fps=60, seed=5)
    listener = Waiting()
    stream = remote.open(config, listener)
    for start in range(0, len(audio), 960):
        stream.push(audio[start : start + 960])
    stream.finish()
    listener.wait()
    stream.close()
    np.testing.assert_allclose(listener.faces, chunked(here, audio, config, [960]).faces, atol=TOLERANCE)
    assert listener.outputs[-1] == Finished(120)
    assert stream.backlog_samples == 0


def test_controls_reach_it(remote: RemoteEngine) -> None:
    listener = Waiting()
    stream = remote.open(StreamConfig(), listener)
    stream.push(voice(1.0, 16_000))
    stream.flush()
    stream.shape(Shaping(expression={"mouthSmileLeft": 0.75}))
    stream.rematch_identity(IdentityChoice.pinned(remote.info.identities[0]))
    stream.push(voice(1.0, 16_000))
    stream.finish()
    listener.wait()
    stream.close()
    assert any(isinstance(output, Skipped) for output in listener.outputs)
    assert listener.faces[-1].max() >= 0.75


def test_a_stream_goes_on_there(remote: RemoteEngine) -> None:
    audio, config, next_frame = voice(4.0, 16_000), StreamConfig(seed=3), 90
    before = Waiting()
    stream = remote.open(config, before)
    stream.push(audio)
    stream.finish()
    before.wait()
    stream.close()
    state = [o.state for o in before.outputs if isinstance(o, Checkpoint) and o.frame <= next_frame][-1]
    after = Waiting()
    again = remote.resume(config, after, Resumption(next_frame, state))
    origin = again.begin(16_000)
    again.push(np.concatenate([np.zeros(16_000 - origin, np.float32), audio[16_000:]]))
    again.finish()
    after.wait()
    again.close()
    assert indexes(after) == list(range(next_frame, 120))  # type: ignore[arg-type]  # it has outputs, too
    np.testing.assert_allclose(after.faces, before.faces[next_frame:], atol=0.02)


def test_it_is_full_when_it_is_full_and_not_for_ever(remote: RemoteEngine) -> None:
    held = [remote.open(StreamConfig(), lambda _: None) for _ in range(SLOTS)]
    with pytest.raises(EngineFull, match=f"all {SLOTS} streams are taken"):
        remote.open(StreamConfig(), lambda _: None)
    for stream in held:
        stream.close()
        stream.close()
    assert remote.open_streams == 0
    listener = Waiting()
    stream = remote.open(StreamConfig(), listener)
    stream.push(voice(0.5, 16_000))
    stream.finish()
    listener.wait()
    stream.close()
    assert len(listener.faces) == 15


def test_an_unknown_identity_is_refused_at_once(remote: RemoteEngine) -> None:
    with pytest.raises(UnknownIdentityError, match="nobody"):
        remote.open(StreamConfig(identity=IdentityChoice.pinned("nobody")), lambda _: None)
    assert remote.open_streams == 0


def test_what_is_wrong_with_a_bundle_is_said_as_it_is_here(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is no model bundle"):
        RemoteEngine(setup(tmp_path))


def test_a_sink_that_raises_ends_its_own_stream(remote: RemoteEngine) -> None:
    class Clumsy(Waiting):
        def __call__(self, output: Output) -> None:
            super().__call__(output)
            if isinstance(output, Frames):
                raise LookupError("dropped it")

    listeners = Clumsy(), Waiting()
    streams = [remote.open(StreamConfig(), listener) for listener in listeners]
    for stream in streams:
        stream.push(voice(1.0, 16_000))
        stream.finish()
    for listener in listeners:
        listener.wait()
    for stream in streams:
        stream.close()
    failed = next(output for output in listeners[0].outputs if isinstance(output, Failed))
    assert isinstance(failed.error, LookupError)
    assert len(listeners[1].faces) == 30


def started(bundle: Path) -> tuple[RemoteEngine, psutil.Process]:
    """An engine and its process."""
    before = set(psutil.Process().children())
    engine = RemoteEngine(setup(bundle))
    (process,) = engine_among(set(psutil.Process().children()) - before)
    return engine, process


def engine_among(children: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Those that are no resource tracker."""
    return [child for child in children if any("spawn_main" in argument for argument in child.cmdline())]


def test_stopping_waits_for_no_engine_that_hangs(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, process = started(tiny_bundle)
    listener = Waiting()
    stream = engine.open(StreamConfig(), listener)
    process.suspend()
    for _ in range(4):
        stream.push(np.zeros(1 << 20, np.float32))  # more than a pipe takes
    monkeypatch.setattr(remote_module, "_STOP_S", 0.1)
    stopping = threading.Thread(target=engine.stop, daemon=True)
    stopping.start()
    stopping.join(PATIENCE_S)
    assert not stopping.is_alive()
    assert not process.is_running()
    assert isinstance(listener.outputs[-1], Failed)


def test_nothing_is_sent_after_the_last_message() -> None:
    here, there = SPAWN.Pipe()
    sender = BatchSender(here, lambda: 0.2)
    sender.send((1,))
    sender.finish()
    sender.send((2,))
    sender.join()
    here.close()
    assert receive_batch(there) == [(1,)]
    with pytest.raises(EOFError):
        receive_batch(there)


def test_its_streams_fail_when_it_is_killed(tiny_bundle: Path) -> None:
    engine, process = started(tiny_bundle)
    listener = Waiting()
    engine.open(StreamConfig(), listener)
    process.kill()
    listener.wait()
    assert isinstance(listener.outputs[-1], Failed)
    asyncio.run(asyncio.wait_for(engine.lost(), PATIENCE_S))
    with pytest.raises(EngineLost):
        engine.open(StreamConfig(), listener)
    engine.stop()


@pytest.mark.parametrize("victim", ["the engine", "the server"])
def test_neither_outlives_the_other(tiny_bundle: Path, victim: str) -> None:
    command = [sys.executable, "-m", "livetalker.cli.main", "serve", "--port", "0", "--threads", "1"]
    command += ["--backend", "cpu", "--model", str(tiny_bundle)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stderr is not None
        found = re.search(r" at (127\.0\.0\.1:\d+),", server.stdout.readline())
        assert found is not None
        (engine,) = engine_among(psutil.Process(server.pid).children())
        if victim == "the engine":
            status = asyncio.run(_refused_when_killed(found[1], engine))
            assert status == "UNAVAILABLE"  # so that clients resume elsewhere
            assert server.wait(PATIENCE_S) == 1
            assert "the engine's process ended" in server.stderr.read()
        else:
            server.send_signal(signal.SIGKILL)
            _, alive = psutil.wait_procs([engine], timeout=PATIENCE_S)
            assert alive == []


async def _refused_when_killed(address: str, engine: psutil.Process) -> str:
    async with LiveTalkerClient(address) as client, client.open(StreamConfig()) as stream:
        await stream.send(voice(0.1, 16_000))
        engine.kill()
        with pytest.raises(LiveTalkerError) as ended:
            async for _ in stream:
                pass
    return ended.value.code.name
