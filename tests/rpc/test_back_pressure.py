"""How much a stream reads ahead, on a call that the test plays both sides of."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from livetalker.core.outputs import Output
from livetalker.rpc.mailbox import Mailbox
from livetalker.rpc.opening import read_opening
from livetalker.rpc.options import ServerOptions
from livetalker.rpc.resume_token import ResumeTokens
from livetalker.rpc.session import Session
from livetalker.v1 import face_animation_pb2 as pb
from tests.rpc.loopback import RATE, audio, config
from tests.rpc.scripted_engine import ScriptedEngine


class OneSidedCall:
    """A client that always has another second of audio, and reads only while ``reading`` is set."""

    def __init__(self) -> None:
        self.sent = 0
        self.reading = asyncio.Event()

    async def read(self) -> pb.AnimateRequest:
        await asyncio.sleep(0)
        self.sent += 1
        return audio(RATE)

    async def write(self, response: pb.AnimateResponse) -> None:
        await self.reading.wait()


class InterruptedReader(OneSidedCall):
    """A client that stops in the middle of its first frames until it has sent everything."""

    def __init__(self, before: pb.AnimateRequest, meanwhile: pb.AnimateRequest) -> None:
        super().__init__()
        self.kinds: list[str | None] = []
        self._requests = [before, meanwhile]
        self._frames_came = asyncio.Event()
        self._all_sent = asyncio.Event()

    async def read(self) -> Any:
        if len(self._requests) == 1:
            await self._frames_came.wait()
        if self._requests:
            return self._requests.pop(0)
        self._all_sent.set()
        return None  # grpc.aio.EOF

    async def write(self, response: pb.AnimateResponse) -> None:
        self.kinds.append(response.WhichOneof("response"))
        if response.HasField("frames"):
            self._frames_came.set()
            await self._all_sent.wait()
            await settle()


async def settle() -> None:
    """Lets everything run that can."""
    for _ in range(200):
        await asyncio.sleep(0)


def session(call: Any, engine: ScriptedEngine, delivery: pb.Delivery) -> Session:
    options = ServerOptions()
    tokens = ResumeTokens(options.resume_key, engine.info)
    mailbox = Mailbox[Output](asyncio.get_running_loop())
    return Session("test", call, engine, read_opening(config(delivery=delivery), tokens), options, mailbox, tokens)


@pytest.mark.parametrize("delivery", [pb.DELIVERY_LIVE, pb.DELIVERY_LOSSLESS])
async def test_input_is_held_back_while_the_engine_is_two_seconds_behind(delivery: pb.Delivery) -> None:
    call, engine = OneSidedCall(), ScriptedEngine(paused=True)
    call.reading.set()
    running = asyncio.create_task(session(call, engine, delivery).run())
    await settle()
    assert call.sent == 3  # the third second goes beyond two
    engine.voices[0].work()
    await settle()
    assert call.sent == 6
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not engine.voices


async def test_a_lossless_stream_stops_reading_while_its_outbox_is_full() -> None:
    call, engine = OneSidedCall(), ScriptedEngine()
    running = asyncio.create_task(session(call, engine, pb.DELIVERY_LOSSLESS).run())
    await settle()
    assert call.sent == 2  # one fills the outbox; another is read before its frames are there
    call.reading.set()
    await settle()
    assert call.sent > 3
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_events_nobody_reads_hold_the_input_back() -> None:
    class Stutterer(OneSidedCall):
        async def read(self) -> pb.AnimateRequest:
            await asyncio.sleep(0)
            self.sent += 1
            return audio(1, start=0)  # always the first sample again

    call, engine = Stutterer(), ScriptedEngine(paused=True)
    running = asyncio.create_task(session(call, engine, pb.DELIVERY_LIVE).run())
    await settle()
    assert 60 < call.sent < 70
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_events_of_the_last_moment_are_sent_before_the_end() -> None:
    call = InterruptedReader(audio(RATE // 2), meanwhile=audio(1, start=0))  # samples it has sent before
    await session(call, ScriptedEngine(), pb.DELIVERY_LOSSLESS).run()
    assert call.kinds == ["started", "frames", "event"]
