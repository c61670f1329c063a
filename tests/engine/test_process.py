"""The engine in a process of its own: the same streams as in this one, and what happens when one of the two dies."""

from __future__ import annotations

import asyncio
import logging
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import numpy as np
import psutil
import pytest
import pytest_asyncio

from diffusiontalker.bundle import BundleError
from livetalker.client import LiveTalkerClient, LiveTalkerError, StreamConfig
from livetalker.core.admission import EngineFull, EngineLost
from livetalker.core.config import IdentityChoice, Shaping, UnknownIdentityError
from livetalker.core.outputs import Checkpoint, Failed, Finished, Frames, Output, Skipped
from livetalker.core.stream_state import Resumption
from livetalker.engine.engine import Engine
from livetalker.engine.process import remote as remote_module
from livetalker.engine.process.link import EngineLink
from livetalker.engine.process.messages import EngineSetup, Unpacker, packed, received
from livetalker.engine.process.remote import RemoteEngine
from tests.engine.chunks import Audio, chunked
from tests.engine.test_exactness import TOLERANCE, voice
from tests.engine.test_resume import indexes

PATIENCE_S = 60
SLOTS = 2


def setup(bundle: Path) -> EngineSetup:
    return EngineSetup(bundle, max_streams=SLOTS, threads=1, backend="cpu", device=0, log_level=logging.WARNING)


class Waiting:
    """Collects what a stream hands out, and waits for its end."""

    def __init__(self) -> None:
        self.outputs: list[Output] = []
        self._ended = asyncio.Event()

    def __call__(self, output: Output) -> None:
        self.outputs.append(output)
        if isinstance(output, Finished | Failed):
            self._ended.set()

    async def wait(self) -> None:
        await asyncio.wait_for(self._ended.wait(), PATIENCE_S)

    @property
    def faces(self) -> Audio:
        return np.concatenate([output.values for output in self.outputs if isinstance(output, Frames)])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def remote(tiny_bundle: Path) -> AsyncIterator[RemoteEngine]:
    with RemoteEngine(setup(tiny_bundle)) as engine:
        async with engine.connected():
            yield engine


on_its_loop = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def here(tiny_bundle: Path) -> Engine:
    return Engine.load(tiny_bundle, max_streams=SLOTS, threads=1, backend="cpu")


@on_its_loop
async def test_it_makes_the_frames_it_makes_here(remote: RemoteEngine, here: Engine) -> None:
    audio, config = voice(2.0, 48_000), StreamConfig(sample_rate=48_000, fps=60, seed=5)
    listener = Waiting()
    stream = remote.open(config, listener)
    for start in range(0, len(audio), 960):
        stream.push(audio[start : start + 960])
    stream.finish()
    await listener.wait()
    stream.close()
    np.testing.assert_allclose(listener.faces, chunked(here, audio, config, [960]).faces, atol=TOLERANCE)
    assert listener.outputs[-1] == Finished(120)
    assert stream.backlog_samples == 0


@on_its_loop
async def test_controls_reach_it(remote: RemoteEngine) -> None:
    listener = Waiting()
    stream = remote.open(StreamConfig(), listener)
    stream.push(voice(1.0, 16_000))
    stream.flush()
    stream.shape(Shaping(expression={"mouthSmileLeft": 0.75}))
    stream.rematch_identity(IdentityChoice.pinned(remote.info.identities[0]))
    stream.push(voice(1.0, 16_000))
    stream.finish()
    await listener.wait()
    stream.close()
    assert any(isinstance(output, Skipped) for output in listener.outputs)
    assert listener.faces[-1].max() >= 0.75


@on_its_loop
async def test_a_stream_goes_on_there(remote: RemoteEngine) -> None:
    audio, config, next_frame = voice(4.0, 16_000), StreamConfig(seed=3), 90
    before = Waiting()
    stream = remote.open(config, before)
    stream.push(audio)
    stream.finish()
    await before.wait()
    stream.close()
    state = [o.state for o in before.outputs if isinstance(o, Checkpoint) and o.frame <= next_frame][-1]
    after = Waiting()
    again = remote.resume(config, after, Resumption(next_frame, state))
    origin = again.begin(16_000)
    again.push(np.concatenate([np.zeros(16_000 - origin, np.float32), audio[16_000:]]))
    again.finish()
    await after.wait()
    again.close()
    assert indexes(after) == list(range(next_frame, 120))  # type: ignore[arg-type]  # it has outputs, too
    np.testing.assert_allclose(after.faces, before.faces[next_frame:], atol=0.02)


@on_its_loop
async def test_it_is_full_when_it_is_full_and_not_for_ever(remote: RemoteEngine) -> None:
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
    await listener.wait()
    stream.close()
    assert len(listener.faces) == 15


@on_its_loop
async def test_an_unknown_identity_is_refused_at_once(remote: RemoteEngine) -> None:
    with pytest.raises(UnknownIdentityError, match="nobody"):
        remote.open(StreamConfig(identity=IdentityChoice.pinned("nobody")), lambda _: None)
    assert remote.open_streams == 0


def test_what_is_wrong_with_a_bundle_is_said_as_it_is_here(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is no model bundle"):
        RemoteEngine(setup(tmp_path))


@on_its_loop
async def test_a_sink_that_raises_ends_its_own_stream(remote: RemoteEngine) -> None:
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
        await listener.wait()
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


async def test_stopping_waits_for_no_engine_that_hangs(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, process = started(tiny_bundle)
    listener = Waiting()
    async with engine.connected():
        stream = engine.open(StreamConfig(), listener)
        process.suspend()
        for _ in range(4):
            stream.push(np.zeros(1 << 20, np.float32))  # more than the way to it takes
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(engine.lost(), 0.1)
    monkeypatch.setattr(remote_module, "_STOP_S", 0.1)
    stopping = threading.Thread(target=engine.stop, daemon=True)
    stopping.start()
    stopping.join(PATIENCE_S)
    assert not stopping.is_alive()
    assert not process.is_running()
    assert isinstance(listener.outputs[-1], Failed)


async def test_its_streams_fail_when_it_is_killed(tiny_bundle: Path) -> None:
    engine, process = started(tiny_bundle)
    listener = Waiting()
    async with engine.connected():
        engine.open(StreamConfig(), listener)
        process.kill()
        await listener.wait()
        assert isinstance(listener.outputs[-1], Failed)
        await asyncio.wait_for(engine.lost(), PATIENCE_S)
        with pytest.raises(EngineLost):
            engine.open(StreamConfig(), listener)
    engine.stop()


async def test_messages_gather_until_their_time_or_an_answer() -> None:
    ours, theirs = socket.socketpair()
    seconds, came = 0.0, asyncio.Event()
    link = EngineLink(lambda: seconds, lambda message: came.set(), lambda: None)
    await link.open(ours)
    link.send((1,))
    link.send((2,))
    batches = received(theirs)
    assert await asyncio.to_thread(next, batches) == [(1,), (2,)]
    seconds = 2 * PATIENCE_S
    link.send((3,))
    theirs.sendall(packed([(4,)]))
    await asyncio.wait_for(came.wait(), PATIENCE_S)
    assert await asyncio.to_thread(next, batches) == [(3,)]
    link.send((5,))
    link.close()
    assert await asyncio.to_thread(list, batches) == []
    theirs.close()


@pytest.mark.parametrize("size", [1, 7, 8, 9, 1000])
def test_batches_are_found_whatever_the_pieces(size: int) -> None:
    batches = [[(1, b"x" * 500), (2,)], [], [(3, "three")]]
    data = b"".join(map(packed, batches))
    unpacker = Unpacker()
    found = [batch for at in range(0, len(data), size) for batch in unpacker.feed(data[at : at + size])]
    assert found == batches


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
