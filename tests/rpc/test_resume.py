"""A broken stream goes on in another call: over the wire, with tokens that nobody can forge."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import grpc
import numpy as np
import pytest
from numpy.typing import NDArray

from livetalker.core.admission import ModelInfo
from livetalker.engine.engine import Engine
from livetalker.rpc.resume_token import LIFETIME_S, ResumeKeyError, ResumeTokens, read_resume_key
from livetalker.v1 import face_animation_pb2 as pb
from tests.engine.test_exactness import voice
from tests.rpc.loopback import RATE, Heard, Loopback, audio, config, control, exchange, serving
from tests.rpc.scripted_engine import MODEL, ScriptedEngine

KEY = b"k" * 32
CLOSE = 0.02
VOICE: NDArray[np.int16] = (voice(9.0, RATE, seed=3) * 32767).astype(np.int16)


@pytest.fixture(scope="module")
def engine(tiny_bundle: Path) -> Iterator[Engine]:
    with Engine.load(tiny_bundle, max_streams=4, threads=1) as running:
        yield running


def chunks(first: int, last: int) -> list[pb.AnimateRequest]:
    """The voice between two samples, in chunks of 20 ms that say where they start."""
    return [audio(VOICE[at : min(at + 320, last)].tobytes(), start=at) for at in range(first, last, 320)]


def resume(token: bytes, next_frame: int) -> pb.AnimateRequest:
    return pb.AnimateRequest(resume=pb.Resume(token=token, next_frame=next_frame))


async def until(server: Loopback, requests: Sequence[pb.AnimateRequest], frames: int) -> tuple[Heard, bytes]:
    """Talks until so many frames have come, then breaks off; also gives the newest token."""
    call = server.stub.Animate()
    heard = Heard()
    token = b""

    async def send() -> None:
        for request in requests:
            await call.write(request)

    sending = asyncio.create_task(send())
    try:
        async with asyncio.timeout(60):
            while len(heard.frames) < frames:
                heard.responses.append(response := await call.read())
                token = response.started.resume_token or response.event.resume_point.token or token
    finally:
        sending.cancel()
        call.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    return heard, token


def back(next_frame: int, fps: int = 30) -> int:
    """Two seconds before a frame."""
    return max(0, next_frame * RATE // fps - 2 * RATE)


@pytest.mark.parametrize("fps", [30, 60])
async def test_a_stream_goes_on_at_another_server_with_the_same_key(engine: Engine, fps: int) -> None:
    async with serving(engine, resume_key=KEY) as first, serving(engine, resume_key=KEY) as second:
        opening = config(frame_rate=fps, seed=9)
        whole = await exchange(first.stub, [opening, *chunks(0, len(VOICE))])
        heard, token = await until(first, [opening, *chunks(0, 6 * RATE)], 4 * fps + 5)
        following = heard.indexes[-1] + 1
        rest = await exchange(second.stub, [resume(token, following), *chunks(back(following, fps), len(VOICE))])
    assert heard.started.first_frame == 0
    assert rest.started.first_frame == following
    assert rest.started.session_id
    assert heard.indexes + rest.indexes == list(range(9 * fps))
    assert [frame.time_us for frame in rest.frames] == [n * 1_000_000 // fps for n in rest.indexes]
    np.testing.assert_allclose(rest.weights, whole.weights[following:], atol=CLOSE)
    assert not rest.gaps
    assert not [event for event in rest.events if event.HasField("warning")]


async def test_the_token_of_started_is_enough_for_a_stream_that_broke_at_once(engine: Engine) -> None:
    async with serving(engine) as server:
        whole = await exchange(server.stub, [config(), *chunks(0, 3 * RATE)])
        heard, _ = await until(server, [config(), *chunks(0, RATE)], 5)
        following = heard.indexes[-1] + 1
        rest = await exchange(server.stub, [resume(heard.started.resume_token, following), *chunks(0, 3 * RATE)])
        again = await exchange(server.stub, [resume(rest.started.resume_token, 0), *chunks(0, 3 * RATE)])
    assert heard.indexes + rest.indexes == list(range(90))
    np.testing.assert_allclose(rest.weights, whole.weights[following:], atol=1e-4)
    np.testing.assert_allclose(again.weights, whole.weights, atol=1e-4)


async def test_mutes_and_flushes_before_the_break_stay_where_they_were(engine: Engine) -> None:
    opening = config(identity=pb.Identity(pinned="ben"))
    story = [
        opening,
        *chunks(0, 4 * RATE),
        control(mute=pb.Mute()),
        *chunks(4 * RATE, 4 * RATE + 4_800),
        control(unmute=pb.Unmute()),
        *chunks(4 * RATE + 4_800, len(VOICE)),
    ]
    async with serving(engine) as server:
        whole = await exchange(server.stub, story)
        heard, token = await until(server, story[:-150], 150)
        following = heard.indexes[-1] + 1
        rest = await exchange(server.stub, [resume(token, following), *chunks(back(following), len(VOICE))])
    assert heard.indexes + rest.indexes == list(range(270))
    np.testing.assert_allclose(rest.weights, whole.weights[following:], atol=CLOSE)


async def test_a_mute_is_in_the_next_token_without_any_audio() -> None:
    engine = ScriptedEngine()
    async with serving(engine) as server:
        heard = await exchange(server.stub, [config(), audio(160), control(mute=pb.Mute()), audio(160)])
        points = [event.resume_point for event in heard.events if event.HasField("resume_point")]
        assert len(points) == 1
        call = server.stub.Animate()
        await call.write(resume(points[0].token, 0))
        await call.write(audio(b"\1\1" * 320, start=0))
        await call.read()
        while not len(samples := engine.voices[-1].samples):
            await asyncio.sleep(0)
        await call.done_writing()
    assert samples[:160].all()
    assert not samples[160:].any()


@asynccontextmanager
async def scripted_token(**options: object) -> AsyncIterator[tuple[Loopback, bytes]]:
    async with serving(ScriptedEngine(), resume_key=KEY, **options) as server:
        yield server, (await exchange(server.stub, [config()])).started.resume_token


def tampered(token: bytes) -> list[bytes]:
    flipped = [bytes(byte ^ (n == at) for n, byte in enumerate(token)) for at in (0, 1, 40, len(token) - 1)]
    return [b"", b"\x01", token[:-1], token + b"\0", token[:20], *flipped]


async def test_a_tampered_token_is_refused_and_says_what_to_do() -> None:
    async with scripted_token() as (server, token):
        for wrong in tampered(token):
            heard = await exchange(server.stub, [resume(wrong, 0)])
            assert (heard.code, heard.info.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "RESUME_INVALID")
            assert [violation.field for violation in heard.violations] == ["resume.token"]
            assert "open a new stream" in heard.status.message
        assert (await exchange(server.stub, [resume(token, 3)])).code is grpc.StatusCode.OK


async def test_a_token_of_a_server_with_another_key_is_refused() -> None:
    async with serving(ScriptedEngine()) as one, serving(ScriptedEngine()) as other:
        token = (await exchange(one.stub, [config()])).started.resume_token
        heard = await exchange(other.stub, [resume(token, 0)])
    assert heard.info.reason == "RESUME_INVALID"
    assert "--resume-key-file" in heard.status.message


@pytest.mark.parametrize(("age", "reason"), [(0, None), (LIFETIME_S - 60, None), (LIFETIME_S + 60, "RESUME_INVALID")])
async def test_a_token_lives_for_a_day(age: float, reason: str | None) -> None:
    wire = config().config
    old = ResumeTokens(KEY, MODEL, lambda: time.time() - age).write(wire, (), None)
    async with scripted_token() as (server, _):
        heard = await exchange(server.stub, [resume(old, 0)])
    assert (heard.info.reason if heard.error else None) == reason
    if reason:
        assert "older than 24 hours" in heard.status.message


@pytest.mark.parametrize("other", [replace(MODEL, version="1.2.4"), replace(MODEL, digest="00" * 32)])
async def test_a_token_of_another_model_is_refused(other: ModelInfo) -> None:
    token = ResumeTokens(KEY, other).write(config().config, (), None)
    async with scripted_token() as (server, _):
        heard = await exchange(server.stub, [resume(token, 0)])
    assert (heard.code, heard.info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "RESUME_MODEL_CHANGED")


async def test_the_first_audio_must_say_where_it_begins() -> None:
    async with scripted_token() as (server, token):
        heard = await exchange(server.stub, [resume(token, 90), audio(160)])
        assert (heard.info.reason, heard.violations[0].field) == ("CONFIG_INVALID", "audio.start_sample")
        fine = await exchange(server.stub, [resume(token, 90), audio(320, start=3 * RATE - 320), audio(320)])
        assert (fine.code, fine.indexes) == (grpc.StatusCode.OK, [90])


@pytest.mark.parametrize("next_frame", [-1, 1 << 62])
async def test_an_impossible_next_frame_is_refused(next_frame: int) -> None:
    async with scripted_token() as (server, token):
        heard = await exchange(server.stub, [resume(token, next_frame)])
    assert (heard.info.reason, heard.violations[0].field) == ("CONFIG_INVALID", "resume.next_frame")


async def test_lost_audio_is_a_gap_and_too_much_of_it_an_error(engine: Engine) -> None:
    async with serving(engine) as server:
        token = (await exchange(server.stub, [config()])).started.resume_token
        heard = await exchange(server.stub, [resume(token, 90), audio(320, start=5 * RATE)])
        late = await exchange(server.stub, [resume(token, 90), audio(320, start=13 * RATE + 1)])
    (gap,) = heard.gaps
    assert (gap.cause, gap.start_sample, gap.sample_count) == (pb.GAP_CAUSE_AUDIO_MISSING, 3 * RATE, 2 * RATE)
    assert heard.indexes == list(range(90, 151))
    assert (late.code, late.info.reason) == (grpc.StatusCode.OUT_OF_RANGE, "GAP_TOO_LONG")


async def test_a_config_or_resume_cannot_come_twice() -> None:
    async with scripted_token() as (server, token):
        for requests in ([config(), resume(token, 0)], [resume(token, 0), config()], [resume(token, 0)] * 2):
            assert (await exchange(server.stub, requests)).info.reason == "CONFIG_REPEATED"


async def test_a_resumed_stream_without_audio_ends_well(engine: Engine) -> None:
    async with serving(engine) as server:
        token = (await exchange(server.stub, [config()])).started.resume_token
        heard = await exchange(server.stub, [resume(token, 1_000_000), control(flush=pb.Flush())])
    assert (heard.code, heard.indexes) == (grpc.StatusCode.OK, [])


async def test_a_full_server_refuses_a_resumed_stream_like_any_other() -> None:
    engine = ScriptedEngine(max_streams=1)
    async with serving(engine) as server:
        call = server.stub.Animate()
        await call.write(config())
        token = (await call.read()).started.resume_token
        heard = await exchange(server.stub, [resume(token, 0)])
        assert (heard.info.reason, heard.retry_after_s) == ("SERVER_FULL", 1.0)
        call.cancel()


def test_a_key_file_holds_a_secret_of_thirty_two_bytes_at_least(tmp_path: Path) -> None:
    path = tmp_path / "key"
    with pytest.raises(ResumeKeyError, match="cannot be read: No such file"):
        read_resume_key(path)
    path.write_bytes(b"x" * 31 + b"\n")
    with pytest.raises(ResumeKeyError, match="has 31 bytes; give at least 32, for instance with: openssl rand"):
        read_resume_key(path)
    path.write_bytes(b"x" * 32 + b"\r\n")
    assert read_resume_key(path) == b"x" * 32
    assert b"x" * 32 not in ResumeTokens(b"x" * 32, MODEL).write(config().config, (), None)
