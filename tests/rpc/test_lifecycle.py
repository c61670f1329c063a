"""Slots, tasks and stopping: nothing a client does may cost the server more than its own stream."""

from __future__ import annotations

import asyncio
import signal
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from livetalker.address import AddressInUseError
from livetalker.client.call import AnimateCall
from livetalker.client.errors import LiveTalkerError
from livetalker.rpc.options import ServerOptions
from livetalker.rpc.server import FaceServer
from livetalker.v1 import face_animation_pb2 as pb
from tests.rpc.loopback import RATE, Loopback, audio, config, exchange, receive, send, serving
from tests.rpc.scripted_engine import ScriptedEngine


class Closings:
    """Lets a test wait until so many streams were closed."""

    def __init__(self, engine: ScriptedEngine) -> None:
        self._loop = asyncio.get_running_loop()
        self._count = asyncio.Semaphore(0)
        engine.on_close = self._count.release

    async def wait(self, number: int) -> None:
        async with asyncio.timeout(20):
            for _ in range(number):
                await self._count.acquire()


async def opened(server: Loopback, **fields: Any) -> Any:
    """A call that the server has accepted."""
    call = server.stub.Animate()
    await call.write(config(**fields))
    response = await call.read()
    assert response.HasField("started")
    return call


async def test_a_full_server_refuses_and_says_when_to_retry() -> None:
    engine = ScriptedEngine(max_streams=2)
    async with serving(engine) as server:
        first, second = await opened(server), await opened(server)
        refused = await exchange(server.stub, [config()])
        assert (refused.code, refused.info.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "SERVER_FULL")
        assert refused.retry_after_s == 1.0
        await first.done_writing()
        assert (await receive(first)).code is grpc.StatusCode.OK
        assert (await exchange(server.stub, [config()])).code is grpc.StatusCode.OK
        await second.done_writing()
        assert (await receive(second)).code is grpc.StatusCode.OK
    assert not engine.voices


@pytest.mark.parametrize("stage", ["after started", "after audio", "with frames unread", "after half-close"])
async def test_a_client_that_vanishes_frees_its_slot(stage: str) -> None:
    engine = ScriptedEngine(paused=stage == "after half-close")
    async with serving(engine) as server:
        closings = Closings(engine)
        call = await opened(server)
        if stage != "after started":
            await call.write(audio(RATE))
        if stage == "with frames unread":
            await call.write(audio(RATE))
        if stage == "after half-close":
            await call.done_writing()
        call.cancel()
        await closings.wait(1)
    assert not engine.voices


async def test_a_broken_connection_frees_every_slot() -> None:
    engine = ScriptedEngine()
    async with serving(engine) as server:
        closings = Closings(engine)
        async with grpc.aio.insecure_channel(server.address) as channel:
            other = Loopback(server.server, channel, type(server.stub)(channel))
            for _ in range(3):
                await opened(other)
        await closings.wait(3)
    assert not engine.voices


async def test_two_hundred_quick_streams_leak_no_slot_and_no_task() -> None:
    engine = ScriptedEngine(max_streams=200)
    async with serving(engine) as server:
        closings = Closings(engine)
        await exchange(server.stub, [config()])
        before = len(asyncio.all_tasks())

        async def quick(number: int) -> None:
            call = await opened(server)
            if number % 3:
                await call.write(audio(160))
            if number % 2:
                call.cancel()
            else:
                await call.done_writing()
                await receive(call)

        for batch in range(10):
            await asyncio.gather(*(quick(20 * batch + number) for number in range(20)))
        await closings.wait(201)
        assert not engine.voices
        assert engine.opened == 201
        await exchange(server.stub, [config()])  # a full round trip lets finished handlers leave the loop
        assert server.server.servicer.open_sessions == 0
        assert len(asyncio.all_tasks()) <= before + 1


async def test_a_client_that_opens_and_says_nothing_is_let_go() -> None:
    async with serving(ScriptedEngine(), config_deadline_s=0.05) as server:
        heard = await receive(server.stub.Animate())
    assert (heard.code, heard.info.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "CONFIG_TIMEOUT")


async def test_draining_lets_streams_finish_and_refuses_new_ones() -> None:
    engine = ScriptedEngine()
    async with serving(engine, grace_s=30.0) as server:
        health = health_pb2_grpc.HealthStub(server.channel)
        call = await opened(server)
        await call.write(audio(RATE))
        stopping = asyncio.create_task(server.server.stop())
        events = [await call.read(), await call.read()]
        draining = next(response.event.draining for response in events if response.HasField("event"))
        assert draining.grace_ms == 22_500

        answer = await health.Check(health_pb2.HealthCheckRequest(service=""))
        assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
        refused = await exchange(server.stub, [config()])
        assert (refused.code, refused.info.reason) == (grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")
        assert refused.retry_after_s == 1.0

        await call.write(audio(RATE))
        await call.done_writing()
        heard = await receive(call)
        heard.responses[:0] = events
        assert (heard.code, heard.indexes) == (grpc.StatusCode.OK, list(range(60)))
        await stopping
    assert not engine.voices


async def test_streams_still_open_at_the_end_of_the_grace_period_are_flushed_and_ended() -> None:
    engine = ScriptedEngine()
    async with serving(engine, grace_s=0.4) as server:
        call = await opened(server)
        await call.write(audio(RATE))
        await call.write(audio(1))
        call_audio = await call.read()  # the server has the audio
        await server.server.stop()
        heard = await receive(call)
        heard.responses.insert(0, call_audio)
    assert (heard.code, heard.info.reason) == (grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")
    assert heard.indexes == list(range(31)), "the tail is flushed"
    assert not engine.voices


async def test_an_idle_server_stops_at_once() -> None:
    loop = asyncio.get_running_loop()
    async with serving(ScriptedEngine(), grace_s=600.0) as server:
        start = loop.time()
        await server.server.stop()
        assert loop.time() - start < 60


async def test_what_goes_wrong_while_stopping_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken() -> None:
        raise ZeroDivisionError("broken")

    async with serving(ScriptedEngine()) as server:
        before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            with monkeypatch.context() as patch:
                patch.setattr(server.server, "stop", broken)
                running = asyncio.create_task(server.server.serve_until_signalled())
                await asyncio.sleep(0)  # it listens for signals now
                signal.raise_signal(signal.SIGTERM)
                with pytest.raises(ZeroDivisionError, match="broken"):
                    await running
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


async def test_a_port_in_use_is_an_error_that_says_so() -> None:
    async with serving(ScriptedEngine()) as server:
        second = FaceServer(ScriptedEngine(), ServerOptions(port=server.server.port))
        with pytest.raises(AddressInUseError, match="another program does already"):
            await second.start()


async def test_a_lossless_stream_loses_nothing_to_a_client_that_reads_late() -> None:
    engine = ScriptedEngine()
    seconds = 60
    async with serving(engine) as server:
        call = await opened(server)

        speaking = asyncio.create_task(send(call, [audio(RATE)] * seconds))
        await asyncio.wait([speaking], timeout=0.5)
        assert not speaking.done(), "the server takes audio though nobody reads"
        heard = await receive(call)
        await speaking
    assert (heard.code, heard.gaps) == (grpc.StatusCode.OK, [])
    assert heard.indexes == list(range(30 * seconds))


async def test_a_live_stream_drops_the_oldest_frames_and_says_which() -> None:
    engine = ScriptedEngine()
    seconds, outbox_s = 60, 0.1
    async with serving(engine, outbox_s=outbox_s) as server:
        call = await opened(server, delivery=pb.DELIVERY_LIVE)
        for second in range(seconds):
            if second == seconds - 1:
                await asyncio.sleep(2 * outbox_s)  # the frames so far have waited for long enough
            await call.write(audio(RATE))
        async with asyncio.timeout(20):
            while sum(map(len, engine.voices[0].audio)) < seconds * RATE:
                await server.stub.GetModelInfo(pb.GetModelInfoRequest())
        await call.done_writing()
        heard = await receive(call)
    assert heard.code is grpc.StatusCode.OK
    assert {gap.cause for gap in heard.gaps} == {pb.GAP_CAUSE_SLOW_READER}
    missing = [n for gap in heard.gaps for n in range(gap.first_frame, gap.first_frame + gap.frame_count)]
    assert missing
    assert heard.indexes == sorted(heard.indexes)
    assert sorted(heard.indexes + missing) == list(range(30 * seconds))
    assert heard.indexes[-30:] == list(range(30 * (seconds - 1), 30 * seconds)), "the newest win"


@pytest.mark.parametrize("delivery", [pb.DELIVERY_LIVE, pb.DELIVERY_LOSSLESS])
async def test_a_client_that_never_reads_is_given_up(delivery: pb.Delivery) -> None:
    engine = ScriptedEngine()
    async with serving(engine, write_deadline_s=0.1) as server:
        closings = Closings(engine)
        call = AnimateCall(server.stub.Animate(), server.address)
        await call.write(config(delivery=delivery))

        async def speak() -> None:
            while True:
                await call.write(audio(RATE))

        speaking = asyncio.create_task(speak())
        await closings.wait(1)
        with pytest.raises(LiveTalkerError, match="read nothing for 0.1 s") as told:
            while await call.read() is not None:
                pass
        assert (told.value.code, told.value.reason) == (grpc.StatusCode.ABORTED, "CLIENT_TOO_SLOW")
        with pytest.raises(LiveTalkerError):
            await speaking
        assert (await exchange(server.stub, [config(), audio(RATE)])).indexes == list(range(30))
    assert not engine.voices
