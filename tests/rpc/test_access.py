"""Bearer tokens: who is let in, who is told what, and a file that changes."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from livetalker.client.call import AnimateCall
from livetalker.client.errors import LiveTalkerError
from livetalker.rpc.access import TokenFile, TokenFileError, read_tokens
from livetalker.rpc.server import SERVICE
from livetalker.v1 import face_animation_pb2 as pb
from tests.rpc.loopback import Heard, audio, config, receive, serving
from tests.rpc.scripted_engine import ScriptedEngine

ANNA, BEN = "anna-0123456789abcdef", "ben-0123456789abcdef"


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    hashed = hashlib.sha256(BEN.encode()).hexdigest()
    path.write_text(f"# who may call\n\n{ANNA} Anna's laptop\n  sha256:{hashed}\n")
    return path


def bearer(token: str, scheme: str = "Bearer") -> tuple[tuple[str, str], ...]:
    return (("authorization", f"{scheme} {token}"),)


async def animated(stub: Any, metadata: Any = ()) -> Heard:
    call = stub.Animate(metadata=metadata)
    heard = asyncio.create_task(receive(call))
    with suppress(LiveTalkerError):  # refused; reading tells why
        sending = AnimateCall(call, "")  # which a refusal in the middle of a write does not confuse
        for request in (config(), audio(533)):
            await sending.write(request)
        await sending.done_writing()
    return await heard


async def test_known_tokens_are_let_in_whatever_their_form(tokens: Path) -> None:
    async with serving(ScriptedEngine(), token_file=tokens) as server:
        for metadata in (bearer(ANNA), bearer(BEN), bearer(ANNA, "bearer"), (("other", "1"), *bearer(BEN))):
            heard = await animated(server.stub, metadata)
            assert (heard.code, heard.indexes) == (grpc.StatusCode.OK, [0])
        info = await server.stub.GetModelInfo(pb.GetModelInfoRequest(), metadata=bearer(BEN))
        assert info.model_name == "scripted"


@pytest.mark.parametrize(
    ("metadata", "reason", "advice"),
    [
        ((), "TOKEN_REQUIRED", "send the metadata `authorization: Bearer TOKEN`"),
        (bearer(""), "TOKEN_REQUIRED", "authorization: Bearer"),
        (bearer(ANNA, "Basic"), "TOKEN_REQUIRED", "authorization: Bearer"),
        (bearer(ANNA[:-1]), "TOKEN_UNKNOWN", "ask who runs it"),
        (bearer(hashlib.sha256(BEN.encode()).hexdigest()), "TOKEN_UNKNOWN", "ask who runs it"),
        (bearer("#"), "TOKEN_UNKNOWN", "ask who runs it"),
    ],
)
async def test_others_are_told_why_not(tokens: Path, metadata: Any, reason: str, advice: str) -> None:
    engine = ScriptedEngine()
    async with serving(engine, token_file=tokens) as server:
        streamed = await animated(server.stub, metadata)
        asked = Heard()
        with pytest.raises(grpc.aio.AioRpcError) as told:
            await server.stub.GetModelInfo(pb.GetModelInfoRequest(), metadata=metadata)
        asked.error = told.value
    for heard in (streamed, asked):
        assert (heard.code, heard.info.reason) == (grpc.StatusCode.UNAUTHENTICATED, reason)
        assert advice in heard.status.message
    assert engine.opened == 0


async def test_health_is_open_and_reflection_is_not(tokens: Path) -> None:
    async with serving(ScriptedEngine(), token_file=tokens) as server:
        health = await health_pb2_grpc.HealthStub(server.channel).Check(health_pb2.HealthCheckRequest(service=SERVICE))
        assert health.status == health_pb2.HealthCheckResponse.SERVING
        stub = reflection_pb2_grpc.ServerReflectionStub(server.channel)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        with pytest.raises(grpc.aio.AioRpcError) as told:
            async for _ in stub.ServerReflectionInfo(iter([request])):
                pytest.fail("reflected")
        assert told.value.code() is grpc.StatusCode.UNAUTHENTICATED
        answers = [answer async for answer in stub.ServerReflectionInfo(iter([request]), metadata=bearer(ANNA))]
        assert SERVICE in {service.name for service in answers[0].list_services_response.service}


async def test_a_changed_file_is_read_again_and_a_broken_one_is_not(
    tokens: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(ScriptedEngine(), token_file=tokens) as server:
        assert (await animated(server.stub, bearer(ANNA))).error is None
        tokens.write_text(f"{BEN}x\n")
        assert (await animated(server.stub, bearer(ANNA))).info.reason == "TOKEN_UNKNOWN"
        assert (await animated(server.stub, bearer(f"{BEN}x"))).error is None
        tokens.write_text("short\n")
        assert (await animated(server.stub, bearer(f"{BEN}x"))).error is None
        tokens.unlink()
        assert (await animated(server.stub, bearer(f"{BEN}x"))).error is None
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        f"the tokens known so far stay in force: {tokens}, line 1: a token of 5 characters can be guessed; "
        "give 16 or more",
        f"the tokens known so far stay in force: the token file {tokens} cannot be read: No such file or directory",
    ]


@pytest.mark.parametrize("nothing", ["", "# Anna has left\n\n"])
async def test_a_file_that_lost_its_tokens_lets_nobody_in(
    tokens: Path, caplog: pytest.LogCaptureFixture, nothing: str
) -> None:
    before = tokens.read_text()
    async with serving(ScriptedEngine(), token_file=tokens) as server:
        assert (await animated(server.stub, bearer(ANNA))).error is None
        tokens.write_text(nothing)
        for token in (ANNA, BEN, ANNA):
            assert (await animated(server.stub, bearer(token))).info.reason == "TOKEN_UNKNOWN"
        tokens.unlink()
        assert (await animated(server.stub, bearer(ANNA))).info.reason == "TOKEN_UNKNOWN"
        tokens.write_text(before)
        assert (await animated(server.stub, bearer(ANNA))).error is None
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        f"{tokens} has no token any more: nobody is let in until it has one",
        f"the tokens known so far stay in force: the token file {tokens} cannot be read: No such file or directory",
    ]


def test_tokens_have_names_for_the_log(tokens: Path) -> None:
    known = TokenFile(tokens)
    assert (known.name_of(ANNA), known.name_of(BEN), known.name_of("x")) == ("Anna's laptop", "line 4", None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "has no token; put one a line"),
        (b"# nothing\n", "has no token; put one a line"),
        (b"0123456789abcde\n", "line 1: a token of 15 characters can be guessed; give 16 or more"),
        (b"\nsha256:abc\n", "line 2: sha256: is followed by something else than 64 hexadecimal digits"),
        ("tökentökentöken1234\n".encode(), "line 1: a token has printable ASCII characters only"),
        (b"\xff\xfe\x00", "is not text"),
    ],
)
def test_a_file_that_is_no_good_says_where(tmp_path: Path, text: bytes, message: str) -> None:
    path = tmp_path / "tokens"
    path.write_bytes(text)
    with pytest.raises(TokenFileError, match=message):
        read_tokens(path)


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    with pytest.raises(TokenFileError, match="cannot be read: No such file"):
        TokenFile(tmp_path / "missing")
