"""A lossless stream whose user sends everything, or much of it, before receiving: every frame comes, in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
from numpy.typing import NDArray

from livetalker.client import AnimationStream, LiveTalkerClient, LiveTalkerError, StreamConfig
from livetalker.core.config import Shaping
from livetalker.core.outputs import IdentityMatched
from livetalker.v1 import face_animation_pb2 as pb
from tests.rpc.loopback import RATE, serving
from tests.rpc.scripted_engine import ScriptedEngine, face
from tests.rpc.test_reconnect import LOST, Servers, streaming

MUCH = 40  # seconds of audio; some ten fit between a client and a server that nobody reads from


def speech(seconds: float) -> NDArray[np.float32]:
    return np.full(round(seconds * RATE), 0.5, np.float32)


@asynccontextmanager
async def opened(engine: ScriptedEngine, events: list[pb.Event] | None = None) -> AsyncIterator[AnimationStream]:
    async with (
        asyncio.timeout(120),
        serving(engine) as server,
        LiveTalkerClient(server.address) as client,
        client.open(StreamConfig(), on_event=None if events is None else events.append) as stream,
    ):
        yield stream


async def test_all_may_be_sent_before_any_is_received() -> None:
    engine, events = ScriptedEngine(), list[pb.Event]()
    async with opened(engine, events) as stream:
        engine.voices[0].emit(IdentityMatched(0, "alto", 0.5))
        await stream.send(speech(MUCH))
        await stream.finish()
        assert not events, "they are told among the frames"
        frames = [frame async for frame in stream]
    assert [event.identity_matched.identity for event in events] == ["alto"]
    assert [frame.index for frame in frames] == list(range(MUCH * 30))
    assert np.array_equal(frames[-1].weights, face(MUCH * 30 - 1))


async def test_sending_and_receiving_may_take_turns() -> None:
    async with opened(ScriptedEngine()) as stream:
        frames, received = aiter(stream), 0
        for turn in range(4):
            await stream.send(speech(MUCH / 4))
            for _ in range(10 * turn):
                assert (await anext(frames)).index == received
                received += 1
        await stream.finish()
        async for frame in frames:
            assert frame.index == received
            received += 1
    assert received == MUCH * 30


async def test_two_tasks_share_what_comes() -> None:
    async with opened(ScriptedEngine()) as stream:
        received: list[int] = []

        async def receive() -> None:
            async for frame in stream:
                received.append(frame.index)
                if frame.index % 200 == 0:
                    await asyncio.sleep(0.02)

        receiving = asyncio.create_task(receive())
        await stream.send(speech(MUCH))
        await stream.finish()
        await receiving
    assert received == list(range(MUCH * 30))


async def test_a_source_is_asked_for_no_more_than_its_frames_are_taken() -> None:
    asked = 0

    async def source() -> AsyncIterator[NDArray[np.float32]]:
        nonlocal asked
        for asked in range(1, MUCH + 1):  # noqa: B007
            yield speech(1)

    async with opened(ScriptedEngine()) as stream:
        frames = stream.animate(source())
        await anext(frames)
        before = -1
        while asked > before:
            before = asked
            await asyncio.sleep(0.3)
        assert asked < MUCH - 10
        await stream.mute()  # a control makes its own way, though the audio is held back
        assert [frame.index async for frame in frames] == list(range(1, MUCH * 30))


async def test_a_control_waits_for_the_audio_that_is_being_sent() -> None:
    engine = ScriptedEngine()
    shaping = Shaping(gains={"jawOpen": 2.0})
    async with opened(engine) as stream:
        voice = engine.voices[0]
        sending = asyncio.create_task(stream.send(speech(10)))
        await asyncio.sleep(0)
        await asyncio.gather(*(stream.shape(shaping) for _ in range(5)))
        await sending
        await stream.finish()
        frames = [frame async for frame in stream]
    assert len(frames) == 300
    assert voice.calls == [shaping] * 5


async def test_an_error_comes_after_the_frames_before_it() -> None:
    async with opened(ScriptedEngine()) as stream:
        await stream.send(speech(MUCH))
        with pytest.raises(LiveTalkerError):
            for _ in range(1_000):
                await stream.send(np.full(RATE // 2, np.nan, np.float32))
        received = []
        with pytest.raises(LiveTalkerError) as told:
            async for frame in stream:
                received.append(frame.index)
    assert told.value.reason == "AUDIO_NOT_FINITE"
    assert received == list(range(len(received)))
    assert len(received) > MUCH * 30 / 2


async def test_a_sender_that_is_cancelled_ends_the_stream() -> None:
    engine = ScriptedEngine(paused=True)
    async with opened(engine) as stream:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await stream.send(speech(MUCH))
        with pytest.raises(asyncio.CancelledError):
            await anext(aiter(stream))
        with pytest.raises(LiveTalkerError):
            await stream.send(speech(1))


async def test_leaving_without_receiving_is_quiet(caplog: pytest.LogCaptureFixture) -> None:
    async with opened(ScriptedEngine()) as stream:
        await stream.send(speech(MUCH))
    await asyncio.sleep(0.05)
    assert caplog.messages == []


async def test_a_sender_that_nobody_receives_for_connects_again() -> None:
    servers = Servers(ScriptedEngine())
    async with streaming(servers) as (stream, notes):
        await stream.send(speech(MUCH / 2))
        await servers.kill()
        restarting = asyncio.create_task(servers.start())
        await stream.send(speech(MUCH / 2))
        await restarting
        await stream.finish()
        frames = [frame async for frame in stream]
    assert [frame.index for frame in frames] == list(range(MUCH * 30))
    assert notes == [LOST, "connected again"]
