"""Which ends of a call a client goes on after: what docs/clients.md promises for every language."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import grpc
import numpy as np
import pytest

from livetalker.client import IdentityChoice, LiveTalkerError
from livetalker.client.errors import from_rpc
from livetalker.client.resuming import CANNOT_RESUME
from livetalker.core.outputs import Failed
from tests.rpc.loopback import RATE
from tests.rpc.scripted_engine import ScriptedEngine
from tests.rpc.test_reconnect import LOST, Servers, say, streaming, take

VECTOR = json.loads((Path(__file__).parents[1] / "vectors" / "retries.json").read_text())["retries"]
SECOND = np.full(RATE, 0.5, np.float32)


@pytest.mark.parametrize("row", VECTOR, ids=lambda row: f"{row['status']}-{row['reason']}")
def test_the_vector(row: dict[str, str]) -> None:
    error = LiveTalkerError(grpc.StatusCode[row["status"]], "", reason=row["reason"])
    assert (error.reason in CANNOT_RESUME) == (row["then"] == "anew")
    assert error.is_transient == (row["then"] == "again")


def test_the_vector_knows_every_status() -> None:
    assert {row["status"] for row in VECTOR} == {code.name for code in grpc.StatusCode} - {"OK"}


@pytest.mark.parametrize(
    ("details", "transient"),
    [
        ("failed to connect to all addresses; last error: UNKNOWN: Connection refused", True),
        ("failed to connect: SSL_ERROR_SSL: error:1000007d: CERTIFICATE_VERIFY_FAILED", False),
        ("failed to connect: Peer name voice.example.com is not in peer certificate", False),
        ("failed to connect: SSL_ERROR_SSL: error:100000f7: WRONG_VERSION_NUMBER", False),
    ],
)
def test_tls_that_cannot_work_is_not_tried_again(details: str, transient: bool) -> None:
    told = grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata(), details, None)
    assert from_rpc(told, "localhost:50051").is_transient == transient


async def test_a_stream_that_failed_in_the_server_goes_on() -> None:
    engine = ScriptedEngine()
    async with streaming(Servers(engine)) as (stream, notes):
        frames = aiter(stream)
        await say(stream, SECOND, finish=False)
        got = await take(frames, 30)
        engine.voices[0].emit(Failed(RuntimeError("the engine stumbled")))
        rest = asyncio.create_task(take(frames, 30))
        await asyncio.sleep(0.05)
        await say(stream, SECOND, finish=False)
        got += await rest
    assert [frame.index for frame in got] == list(range(60))
    assert notes == [LOST, "connected again"]


async def test_controls_that_only_a_broken_stream_knew_are_sent_again_every_time() -> None:
    """Twice: the second server resumes a stream of the first that had just begun and was told everything anew."""
    engine = ScriptedEngine()
    servers = Servers(engine)
    choice = IdentityChoice.pinned("alto")
    async with streaming(servers) as (stream, notes):
        frames = aiter(stream)
        await say(stream, np.tile(SECOND, 9), finish=False)
        await take(frames, 269)
        await stream.rematch_identity(choice)
        await say(stream, np.tile(SECOND, 7), finish=False)
        await take(frames, 200)
        for _ in range(2):
            await servers.kill()
            await servers.start(resume_key=b"x" * 32)
            rest = asyncio.create_task(take(frames, 20))
            await say(stream, SECOND, finish=False)
            await rest
            assert engine.voices[-1].calls == [choice]
    assert notes == [LOST, "connected again, as a new stream", LOST, "connected again"]
