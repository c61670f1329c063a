"""The client's streams outlive their connections, servers and keys, and nobody who reads them sees a frame twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from livetalker.address import AddressInUseError
from livetalker.client import (
    AnimationStream,
    FaceFrame,
    IdentityChoice,
    LiveTalkerClient,
    LiveTalkerError,
    StreamConfig,
    resuming,
)
from livetalker.client.replay import Replay
from livetalker.client.resuming import pause_s
from livetalker.client.sources import LostAudio
from livetalker.client.watch import watch
from livetalker.core.config import Shaping
from livetalker.engine.engine import Engine
from livetalker.rpc.options import ServerOptions
from livetalker.rpc.ports import Animator
from livetalker.rpc.server import FaceServer
from livetalker.v1 import face_animation_pb2 as pb
from tests.engine.test_exactness import voice
from tests.rpc.loopback import RATE
from tests.rpc.scripted_engine import ScriptedEngine, face

KEY = b"k" * 32
CLOSE = 0.02
Samples = NDArray[np.float32]
VOICE = voice(9.0, RATE, seed=3)


@pytest.fixture(scope="module")
def engine(tiny_bundle: Path) -> Iterator[Engine]:
    with Engine.load(tiny_bundle, max_streams=4, threads=1) as running:
        yield running


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resuming, "_FIRST_PAUSE_S", 0.01)


class Servers:
    """One address, at which servers come and go."""

    def __init__(self, engine: Animator, **options: Any) -> None:
        self._engine = engine
        self._options = {"resume_key": KEY, "grace_s": 0.0, **options}
        self._running: FaceServer | None = None
        self.port = 0

    async def start(self, **options: Any) -> None:
        assert self._running is None
        async with asyncio.timeout(20):
            while self._running is None:
                server = FaceServer(self._engine, ServerOptions(**{"port": self.port, **self._options, **options}))
                try:
                    await server.start()
                except AddressInUseError:  # the one before is not gone altogether
                    await asyncio.sleep(0.01)
                else:
                    self._running, self.port = server, server.port

    async def kill(self) -> None:
        """Streams are cut off without a word."""
        running, self._running = self._running, None
        if running is not None:
            await running._server.stop(0)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"


@asynccontextmanager
async def streaming(servers: Servers, **fields: Any) -> AsyncIterator[tuple[AnimationStream, list[str]]]:
    await servers.start()
    notes: list[str] = []
    try:
        async with (
            asyncio.timeout(60),
            LiveTalkerClient(servers.address) as client,
            client.open(StreamConfig(**fields), reconnect=True, on_note=notes.append) as stream,
        ):
            yield stream, notes
    finally:
        await servers.kill()


async def say(stream: AnimationStream, samples: Samples = VOICE, *, finish: bool = True) -> None:
    for first in range(0, len(samples), 320):
        await stream.send(samples[first : first + 320])
    if finish:
        await stream.finish()


async def take(frames: AsyncIterator[FaceFrame], count: int) -> list[FaceFrame]:
    return [await anext(frames) for _ in range(count)]


async def uninterrupted(servers: Servers, **fields: Any) -> Samples:
    async with streaming(servers, **fields) as (stream, notes):
        speaking = asyncio.create_task(say(stream))
        faces = np.stack([frame.weights async for frame in stream])
        await speaking
    assert notes == []
    return faces


LOST = "the connection broke; connecting again"


@pytest.mark.parametrize("fps", [30, 60])
async def test_a_stream_outlives_its_servers(engine: Engine, fps: int) -> None:
    servers = Servers(engine)
    whole = await uninterrupted(servers, fps=fps, seed=4)
    async with streaming(servers, fps=fps, seed=4) as (stream, notes):
        speaking = asyncio.create_task(say(stream))
        frames = aiter(stream)
        got = []
        for seconds in (3, 2):
            got += await take(frames, seconds * fps)
            await servers.kill()
            await servers.start()
        got += [frame async for frame in frames]
        await speaking
    assert [frame.index for frame in got] == list(range(9 * fps))
    assert [frame.time_us for frame in got] == [n * 1_000_000 // fps for n in range(9 * fps)]
    np.testing.assert_allclose(np.stack([frame.weights for frame in got]), whole, atol=CLOSE)
    assert notes == [LOST, "connected again"] * 2


@pytest.mark.parametrize("next_key", [KEY, b"x" * 32])
async def test_controls_survive_with_and_without_the_key(next_key: bytes) -> None:
    engine = ScriptedEngine()
    servers = Servers(engine)
    shaping = Shaping(gains={"jawOpen": 2.0})
    async with streaming(servers) as (stream, notes):
        frames = aiter(stream)
        await say(stream, np.full(5 * RATE, 0.5, np.float32), finish=False)
        await stream.shape(shaping)
        await stream.rematch_identity(IdentityChoice.pinned("alto"))
        await stream.mute()
        got = await take(frames, 149)
        await servers.kill()
        await servers.start(resume_key=next_key)
        rest = asyncio.create_task(take(frames, 31))
        await say(stream, np.full(RATE, 0.5, np.float32), finish=False)
        voice_ = engine.voices[-1]
        got += await rest
        samples = voice_.samples
    assert [frame.index for frame in got] == list(range(180))
    assert shaping in voice_.calls and IdentityChoice.pinned("alto") in voice_.calls
    assert not samples[-RATE:].any(), "still muted"
    resumed = next_key == KEY
    assert notes == [LOST, "connected again" + ("" if resumed else ", as a new stream")]
    assert (voice_.resumption is not None) == resumed


async def test_a_server_with_another_key_takes_over_on_the_same_clock(engine: Engine) -> None:
    servers = Servers(engine)
    async with streaming(servers, identity=IdentityChoice.pinned("ben")) as (stream, notes):
        speaking = asyncio.create_task(say(stream))
        frames = aiter(stream)
        got = await take(frames, 137)
        await servers.kill()
        await servers.start(resume_key=b"x" * 32)
        got += await take(frames, 70)
        await servers.kill()  # and once more, with the new stream's token
        await servers.start(resume_key=b"x" * 32)
        got += [frame async for frame in frames]
        await speaking
    assert [frame.index for frame in got] == list(range(270))
    assert [frame.time_us for frame in got] == [n * 1_000_000 // 30 for n in range(270)]
    assert notes == [LOST, "connected again, as a new stream", LOST, "connected again"]


async def test_what_cannot_be_mended_by_waiting_is_an_error_at_once(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("0123456789abcdef\n")
    servers = Servers(ScriptedEngine())
    async with streaming(servers) as (stream, _):
        await say(stream, VOICE[:RATE], finish=False)
        frames = aiter(stream)
        await take(frames, 10)
        await servers.kill()
        await servers.start(token_file=tokens)
        with pytest.raises(LiveTalkerError) as told:
            await take(frames, 1_000)
        assert told.value.reason == "TOKEN_REQUIRED"
        with pytest.raises(LiveTalkerError):
            await say(stream, VOICE[:RATE])


async def test_a_first_connection_that_fails_is_not_tried_again() -> None:
    async with LiveTalkerClient("127.0.0.1:1") as client:
        with pytest.raises(LiveTalkerError, match="is `livetalker serve` running there"):
            async with client.open(StreamConfig(), reconnect=True):
                pytest.fail("opened")


async def test_a_server_that_never_comes_back_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resuming, "PATIENCE_S", 0.2)
    servers = Servers(ScriptedEngine())
    async with streaming(servers) as (stream, _):
        await say(stream, VOICE[:RATE], finish=False)
        frames = aiter(stream)
        await take(frames, 10)
        await servers.kill()
        with pytest.raises(LiveTalkerError, match="no answer from a LiveTalker server"):
            await take(frames, 1_000)


async def test_where_nothing_is_drawn_the_log_says_that_the_server_is_away(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    servers = Servers(engine)
    await servers.start()

    async def speech() -> AsyncIterator[Samples]:
        yield VOICE[: 2 * RATE]
        await servers.kill()
        await servers.start()
        yield VOICE[2 * RATE : 4 * RATE]

    try:
        async with LiveTalkerClient(f"127.0.0.1:{servers.port}") as client:
            watched = await watch(client, speech(), StreamConfig(), reconnect=True)
    finally:
        await servers.kill()
    assert len(watched.frames) == 120
    # gRPC itself may have a word to say of the server that was killed.
    said = [record.message for record in caplog.records if record.name.startswith("livetalker")]
    assert said == [LOST, "connected again"]


async def test_a_full_server_is_asked_again_when_it_said(engine: Engine) -> None:
    scripted = ScriptedEngine(max_streams=1)
    servers = Servers(scripted)
    async with streaming(servers) as (stream, notes):
        await say(stream, VOICE[: 2 * RATE], finish=False)
        frames = aiter(stream)
        got = await take(frames, 50)
        await servers.kill()
        while scripted.voices:
            await asyncio.sleep(0.01)
        await servers.start()
        async with LiveTalkerClient(servers.address) as other, other.open(StreamConfig()):
            speaking = asyncio.create_task(say(stream, VOICE[:RATE], finish=False))
            rest = asyncio.create_task(take(frames, 40))
            await asyncio.sleep(0.3)
            assert not rest.done()
        got += await rest
        await speaking
    assert [frame.index for frame in got] == list(range(90))
    assert notes == [LOST, "connected again"]


async def test_a_hole_too_long_to_fill_begins_a_new_stream_on_the_same_clock() -> None:
    engine = ScriptedEngine()
    servers = Servers(engine)
    async with streaming(servers) as (stream, notes):
        frames = aiter(stream)
        await say(stream, VOICE[:RATE], finish=False)
        got = await take(frames, 30)
        rest = asyncio.create_task(take(frames, 60))
        await stream.send(LostAudio(25 * RATE + 77))
        await say(stream, VOICE[: 2 * RATE], finish=False)
        got += await rest
    assert [frame.index for frame in got] == [*range(30), *range(26 * 30, 28 * 30)]
    assert np.array_equal(got[-1].weights, face(59))
    assert notes == ["connected again, as a new stream"]


async def test_cancelling_ends_a_stream_that_waits_for_its_server() -> None:
    servers = Servers(ScriptedEngine())
    async with streaming(servers) as (stream, _):
        await say(stream, VOICE[:RATE], finish=False)
        frames = aiter(stream)
        await take(frames, 10)
        await servers.kill()
        waiting = asyncio.create_task(take(frames, 1_000))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting


async def test_a_stream_cancelled_while_it_waits_for_its_server_stays_ended() -> None:
    engine = ScriptedEngine()
    servers = Servers(engine)
    async with streaming(servers) as (stream, notes):
        await say(stream, VOICE[:RATE], finish=False)
        frames = aiter(stream)
        await take(frames, 10)
        await servers.kill()
        waiting = asyncio.create_task(take(frames, 1_000))
        while not notes:
            await asyncio.sleep(0.01)
        stream.cancel()
        await servers.start()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert notes == [LOST]


async def test_a_long_hole_while_it_connects_again_begins_a_new_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    servers = Servers(ScriptedEngine())
    async with streaming(servers) as (stream, notes):
        await say(stream, VOICE[:RATE], finish=False)
        frames = aiter(stream)
        got = await take(frames, 30)
        await servers.kill()
        rest = asyncio.create_task(take(frames, 30))
        while not notes:
            await asyncio.sleep(0.01)
        hole = asyncio.create_task(stream.send(LostAudio(25 * RATE)))
        await asyncio.sleep(0.01)
        await servers.start()
        await hole
        await say(stream, VOICE[:RATE], finish=False)
        got += await rest
    assert [frame.index for frame in got] == [*range(30), *range(26 * 30, 27 * 30)]
    assert notes == [LOST, "connected again, as a new stream"]


def test_pauses_grow_and_a_server_is_found_within_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resuming, "_FIRST_PAUSE_S", 0.1)
    for attempt, base in enumerate((0.1, 0.2, 0.4, 0.4, 0.4)):
        assert all(0.8 * base <= pause_s(attempt, 3.0) <= 1.2 * base for _ in range(50))
    assert all(1.6 <= pause_s(attempt, 11.0) <= 2.4 for attempt in (5, 10_000))


def chunk(start: int, samples: int) -> pb.AnimateRequest:
    return pb.AnimateRequest(audio=pb.AudioChunk(start_sample=start, data=bytes(2 * samples)))


def test_what_may_be_sent_again_is_kept_and_no_more() -> None:
    replay = Replay(rate=100, width=2)
    mute = pb.AnimateRequest(control=pb.Control(mute=pb.Mute()))
    unmute = pb.AnimateRequest(control=pb.Control(unmute=pb.Unmute()))
    flush = pb.AnimateRequest(control=pb.Control(flush=pb.Flush()))
    for start in range(0, 1_000, 10):
        replay.add(chunk(start, 10))
        if start == 290:
            replay.add(mute)
        if start == 690:
            replay.add(flush)
            replay.add(unmute)
    assert replay.end == 1_000
    replay.forget(wanted=900)
    assert [sent.audio.start_sample for sent in replay.since(0, 0) if sent.HasField("audio")][0] == 490
    again = list(replay.since(695, known=650))
    assert again[:4] == [chunk(690, 10), flush, unmute, chunk(700, 10)]
    assert flush not in list(replay.since(695, known=701))
    assert replay.standing(600) == [mute]
    assert replay.standing(800) == [unmute]
    replay.add(chunk(5_000, 10))
    replay.forget(wanted=900)
    assert [sent.audio.start_sample for sent in replay.since(0, 0)] == [5_000]
