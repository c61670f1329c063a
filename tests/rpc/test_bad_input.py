from __future__ import annotations

import math
import struct
from collections.abc import Sequence

import grpc
import numpy as np
import pytest

from livetalker.v1 import face_animation_pb2 as pb
from tests.rpc.loopback import RATE, Heard, audio, config, control, exchange, receive, serving
from tests.rpc.scripted_engine import ScriptedEngine, face

INVALID = grpc.StatusCode.INVALID_ARGUMENT
FLOATS = config(encoding=pb.AUDIO_ENCODING_PCM_F32LE)


def floats(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


Case = tuple[Sequence[pb.AnimateRequest], grpc.StatusCode, str, str | None, str]

# What the client sends; the status, its reason, the field blamed, and a piece of the message.
CASES: dict[str, Case] = {
    "audio before config": ([audio(160)], grpc.StatusCode.FAILED_PRECONDITION, "CONFIG_FIRST", None, "config first"),
    "control before config": (
        [control(flush=pb.Flush())],
        grpc.StatusCode.FAILED_PRECONDITION,
        "CONFIG_FIRST",
        None,
        "config first",
    ),
    "second config": (
        [config(), audio(160), config()],
        grpc.StatusCode.FAILED_PRECONDITION,
        "CONFIG_REPEATED",
        None,
        "open a new stream",
    ),
    "nothing first": ([pb.AnimateRequest()], INVALID, "REQUEST_EMPTY", None, "config first"),
    "nothing later": ([config(), pb.AnimateRequest()], INVALID, "REQUEST_EMPTY", None, "send audio or a control"),
    "empty control": ([config(), control()], INVALID, "REQUEST_EMPTY", "control", "control is empty"),
    "sample rate 0": ([config(sample_rate=0)], INVALID, "CONFIG_INVALID", "config.sample_rate", "8000 to 48000"),
    "sample rate 1 MHz": (
        [config(sample_rate=1_000_000)],
        INVALID,
        "CONFIG_INVALID",
        "config.sample_rate",
        "1000000 Hz is not supported",
    ),
    "negative sample rate": ([config(sample_rate=-1)], INVALID, "CONFIG_INVALID", "config.sample_rate", "-1"),
    "no encoding": ([config(encoding=0)], INVALID, "CONFIG_INVALID", "config.encoding", "AUDIO_ENCODING_PCM_S16LE"),
    "unknown encoding": ([config(encoding=99)], INVALID, "CONFIG_INVALID", "config.encoding", "choose"),
    "nine channels": ([config(channels=9)], INVALID, "CONFIG_INVALID", "config.channels", "1 to 8"),
    "negative channels": ([config(channels=-1)], INVALID, "CONFIG_INVALID", "config.channels", "1 to 8"),
    "25 frames per second": ([config(frame_rate=25)], INVALID, "CONFIG_INVALID", "config.frame_rate", "30 or 60"),
    "unknown preset": ([config(latency_preset=17)], INVALID, "CONFIG_INVALID", "config.latency_preset", "17"),
    "unknown delivery": ([config(delivery=17)], INVALID, "CONFIG_INVALID", "config.delivery", "17"),
    "unknown identity": (
        [config(identity=pb.Identity(pinned="tenro"))],
        INVALID,
        "UNKNOWN_IDENTITY",
        "config.identity",
        "did you mean 'tenor'",
    ),
    "unknown identity in a blend": (
        [config(identity=pb.Identity(blended=pb.BlendedIdentity(weights={"alto": 0.5, "bas": 0.5})))],
        INVALID,
        "UNKNOWN_IDENTITY",
        "config.identity",
        "did you mean 'bass'",
    ),
    "blend of nobody": (
        [config(identity=pb.Identity(blended=pb.BlendedIdentity()))],
        INVALID,
        "CONFIG_INVALID",
        "config.identity",
        "at least one name",
    ),
    "negative share in a blend": (
        [config(identity=pb.Identity(blended=pb.BlendedIdentity(weights={"alto": -1})))],
        INVALID,
        "CONFIG_INVALID",
        "config.identity",
        "above 0",
    ),
    "unknown identity to rematch": (
        [config(), control(rematch_identity=pb.RematchIdentity(identity=pb.Identity(pinned="alt")))],
        INVALID,
        "UNKNOWN_IDENTITY",
        "control.rematch_identity.identity",
        "did you mean 'alto'",
    ),
    "unknown blendshape": (
        [config(shaping=pb.Shaping(gains={"jawOpne": 1.5}))],
        INVALID,
        "UNKNOWN_BLENDSHAPE",
        "config.shaping.gains",
        "did you mean 'jawOpen'",
    ),
    "unknown blendshape while running": (
        [config(), control(shaping=pb.Shaping(expression={"mouthSmile_L": 0.5}))],
        INVALID,
        "UNKNOWN_BLENDSHAPE",
        "control.shaping.expression",
        "did you mean 'mouthSmileLeft'",
    ),
    "gain that is not a number": (
        [config(shaping=pb.Shaping(gains={"jawOpen": math.nan}))],
        INVALID,
        "CONFIG_INVALID",
        "config.shaping.gains",
        "0 to 10",
    ),
    "offset out of range": (
        [config(shaping=pb.Shaping(offsets={"jawOpen": 3}))],
        INVALID,
        "CONFIG_INVALID",
        "config.shaping.offsets",
        "-1 to 1",
    ),
    "odd byte count": ([config(), audio(b"123")], INVALID, "AUDIO_PARTIAL_SAMPLE", "audio.data", "multiple of 2 bytes"),
    "half of the channels": (
        [config(channels=2), audio(b"123456")],
        INVALID,
        "AUDIO_PARTIAL_SAMPLE",
        "audio.data",
        "multiple of 4 bytes",
    ),
    "NaN": (
        [FLOATS, audio(floats(0.0, math.nan))],
        INVALID,
        "AUDIO_NOT_FINITE",
        "audio.data",
        "sample 1 of a chunk is nan",
    ),
    "infinity": ([FLOATS, audio(floats(-math.inf))], INVALID, "AUDIO_NOT_FINITE", "audio.data", "-inf"),
    "integers sent as floats": (
        [FLOATS, audio(floats(12_000.0))],
        INVALID,
        "AUDIO_OUT_OF_RANGE",
        "audio.data",
        "divide 16-bit integers by 32768",
    ),
    "more than one second": ([config(), audio(RATE + 1)], INVALID, "CHUNK_TOO_LARGE", "audio.data", "smaller chunks"),
    "negative start": (
        [config(), audio(160, start=-1)],
        INVALID,
        "START_SAMPLE_NEGATIVE",
        "audio.start_sample",
        "from 0",
    ),
    "a gap of more than ten seconds": (
        [config(), audio(160), audio(160, start=161 + 10 * RATE)],
        grpc.StatusCode.OUT_OF_RANGE,
        "GAP_TOO_LONG",
        "audio.start_sample",
        "more than the 160000",
    ),
}


def check(heard: Heard, code: grpc.StatusCode, reason: str, field: str | None, message: str) -> None:
    assert (heard.code, heard.info.reason, heard.info.domain) == (code, reason, "livetalker")
    assert heard.status.message == (heard.error.details() if heard.error else None)
    assert message in heard.status.message
    assert [violation.field for violation in heard.violations] == ([field] if field else [])


@pytest.mark.parametrize(("requests", "code", "reason", "field", "message"), CASES.values(), ids=CASES.keys())
async def test_bad_input_gets_its_status_and_harms_nobody_else(
    requests: Sequence[pb.AnimateRequest], code: grpc.StatusCode, reason: str, field: str | None, message: str
) -> None:
    engine = ScriptedEngine()
    async with serving(engine) as server:
        bystander = server.stub.Animate()
        await bystander.write(config())
        await bystander.write(audio(RATE // 2))
        first = [await bystander.read(), await bystander.read()]

        check(await exchange(server.stub, requests), code, reason, field, message)
        assert len(engine.voices) == 1, "the bad stream keeps its slot"

        await bystander.write(audio(RATE // 2))
        await bystander.done_writing()
        rest = await receive(bystander)
        rest.responses[:0] = first
        assert rest.code is grpc.StatusCode.OK
        assert rest.indexes == list(range(30))
        assert np.array_equal(rest.weights, np.stack([face(n) for n in range(30)]))
    assert not engine.voices


async def test_a_message_over_the_transports_cap_gets_a_bare_status() -> None:
    engine = ScriptedEngine()
    async with serving(engine) as server:
        cap = (await exchange(server.stub, [config()])).started.limits.max_message_bytes
        heard = await exchange(server.stub, [config(), audio(bytes(cap + 2))])
        assert heard.code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert heard.rich_status is None
        assert (await exchange(server.stub, [config(), audio(RATE)])).indexes == list(range(30))
    assert not engine.voices


async def test_a_second_of_stereo_floats_at_48_khz_is_below_the_cap() -> None:
    async with serving(ScriptedEngine()) as server:
        first = config(sample_rate=48_000, channels=2, encoding=pb.AUDIO_ENCODING_PCM_F32LE)
        heard = await exchange(server.stub, [first, audio(bytes(48_000 * 2 * 4))])
    assert heard.indexes == list(range(30))
