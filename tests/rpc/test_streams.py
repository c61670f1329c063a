"""What a well-behaved client gets."""

from __future__ import annotations

import struct
from typing import NoReturn

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from hypothesis import given, settings
from hypothesis import strategies as st

from diffusiontalker.arkit import BLENDSHAPES
from livetalker.core.admission import EngineLost
from livetalker.core.config import AUTO, Delivery, IdentityChoice, Shaping
from livetalker.core.outputs import Failed
from livetalker.rpc.requests import AudioFormat
from livetalker.v1 import face_animation_pb2 as pb
from tests.rpc.loopback import RATE, audio, config, control, exchange, receive, serving
from tests.rpc.scripted_engine import IDENTITIES, ScriptedEngine, face


async def test_a_stream_from_started_to_the_last_frame() -> None:
    async with serving(ScriptedEngine()) as server:
        heard = await exchange(server.stub, [config(frame_rate=60), audio(1000, start=0), audio(601, start=1000)])
    started = heard.started
    assert heard.responses[0].WhichOneof("response") == "started"
    assert started.session_id
    assert (started.model_name, started.model_version, started.frame_rate) == ("scripted", "1.2.3", 60)
    assert tuple(started.blendshape_names) == BLENDSHAPES
    assert started.algorithmic_latency_us == 80_000 + 16_667
    assert (started.limits.max_chunk_ms, started.limits.max_gap_ms) == (1000, 10_000)
    assert heard.code is grpc.StatusCode.OK
    assert heard.indexes == list(range(7))  # ceil(1601 * 60 / 16000)
    assert [frame.time_us for frame in heard.frames] == [n * 1_000_000 // 60 for n in range(7)]
    assert np.array_equal(heard.weights, np.stack([face(n) for n in range(7)]))


async def test_defaults_of_the_config() -> None:
    engine = ScriptedEngine()
    async with serving(engine) as server:
        call = server.stub.Animate()
        await call.write(config())
        await call.read()
        asked = engine.voices[0].config
        await call.done_writing()
        assert (await receive(call)).code is grpc.StatusCode.OK
    assert (asked.sample_rate, asked.fps, asked.preset, asked.seed) == (RATE, 30, "balanced", 0)
    assert (asked.identity, asked.delivery) == (AUTO, Delivery.LOSSLESS)
    assert (asked.shaping.clamp, asked.blinks, asked.idle) == (True, True, True)


async def test_every_field_of_the_config_arrives() -> None:
    engine = ScriptedEngine()
    async with serving(engine) as server:
        call = server.stub.Animate()
        await call.write(
            config(
                sample_rate=44_100,
                frame_rate=60,
                latency_preset=pb.LATENCY_PRESET_QUALITY,
                delivery=pb.DELIVERY_LIVE,
                identity=pb.Identity(blended=pb.BlendedIdentity(weights={"alto": 3, "bass": 1})),
                seed=2**64 - 1,
                shaping=pb.Shaping(gains={"jawOpen": 2}, offsets={"browInnerUp": -0.5}, clamp=False),
                blinks=False,
                idle_motion=False,
            )
        )
        await call.read()
        asked = engine.voices[0].config
        call.cancel()
    assert (asked.sample_rate, asked.fps, asked.preset, asked.seed) == (44_100, 60, "quality", 2**64 - 1)
    assert (asked.delivery, asked.blinks, asked.idle) == (Delivery.LIVE, False, False)
    assert dict(asked.identity.weights) == {"alto": 0.75, "bass": 0.25}
    assert (dict(asked.shaping.gains), dict(asked.shaping.offsets)) == ({"jawOpen": 2.0}, {"browInnerUp": -0.5})
    assert asked.shaping.clamp is False


async def test_empty_chunks_and_a_stream_without_audio_are_fine() -> None:
    async with serving(ScriptedEngine()) as server:
        silent = await exchange(server.stub, [config()])
        empty = await exchange(server.stub, [config(), audio(0), audio(b""), audio(160), audio(0, start=160)])
        nothing = await exchange(server.stub, [])
    assert (silent.code, silent.indexes) == (grpc.StatusCode.OK, [])
    assert (empty.code, empty.indexes, empty.events) == (grpc.StatusCode.OK, [0], [])
    assert (nothing.code, nothing.responses) == (grpc.StatusCode.OK, [])


async def test_a_gap_is_heard_as_silence_and_reported() -> None:
    engine = ScriptedEngine()
    heard_audio: list[np.ndarray[tuple[int], np.dtype[np.float32]]] = []
    engine.on_close = lambda: None
    async with serving(engine) as server:
        call = server.stub.Animate()
        await call.write(config())
        await call.write(audio(struct.pack("<2h", 16384, 16384), start=0))
        await call.write(audio(struct.pack("<2h", -16384, -16384), start=10 * RATE + 2))
        await call.read()
        voice = engine.voices[0]
        await call.done_writing()
        heard = await receive(call)
        heard_audio.append(voice.samples)
    assert heard.code is grpc.StatusCode.OK
    (gap,) = heard.gaps
    assert (gap.cause, gap.start_sample, gap.sample_count) == (pb.GAP_CAUSE_AUDIO_MISSING, 2, 10 * RATE)
    assert heard.indexes == list(range(301))
    assert heard_audio[0][:2].tolist() == [0.5, 0.5]
    assert not heard_audio[0][2:-2].any()
    assert heard_audio[0][-2:].tolist() == [-0.5, -0.5]


async def test_an_overlap_is_dropped_with_a_warning() -> None:
    engine = ScriptedEngine()
    async with serving(engine) as server:
        call = server.stub.Animate()
        await call.write(config())
        await call.write(audio(struct.pack("<3h", 1, 2, 3), start=0))
        await call.write(audio(struct.pack("<3h", 2, 3, 4), start=1))
        await call.read()
        voice = engine.voices[0]
        await call.done_writing()
        heard = await receive(call)
    assert np.rint(voice.samples * 32768).tolist() == [1, 2, 3, 4]
    (event,) = heard.events
    assert event.warning.reason == "AUDIO_OVERLAP"
    assert "samples 1 to 2" in event.warning.message


async def test_controls_reach_the_engine_at_their_place_in_the_audio() -> None:
    engine = ScriptedEngine()
    loud = struct.pack("<h", 16384)
    async with serving(engine) as server:
        call = server.stub.Animate()
        requests = [
            config(),
            audio(loud),
            control(mute=pb.Mute()),
            audio(loud),
            control(unmute=pb.Unmute()),
            audio(loud),
            control(flush=pb.Flush()),
            control(rematch_identity=pb.RematchIdentity()),
            control(rematch_identity=pb.RematchIdentity(identity=pb.Identity(pinned="bass"))),
            control(shaping=pb.Shaping(expression={"mouthSmileLeft": 0.25})),
        ]
        for request in requests:
            await call.write(request)
        await call.read()
        voice = engine.voices[0]
        await call.done_writing()
        heard = await receive(call)
    assert voice.samples.tolist() == [0.5, 0.0, 0.5]
    assert voice.calls == ["flush", AUTO, IdentityChoice.pinned("bass"), Shaping(expression={"mouthSmileLeft": 0.25})]
    matched = [event.identity_matched for event in heard.events if event.HasField("identity_matched")]
    assert [(match.identity, match.confidence) for match in matched] == [("tenor", 0.75)] * 2
    assert [(gap.cause, gap.first_frame, gap.frame_count) for gap in heard.gaps] == [(pb.GAP_CAUSE_FLUSH, 0, 1)]


async def test_an_engine_failure_ends_the_stream_as_the_servers_fault() -> None:
    engine = ScriptedEngine()
    async with serving(engine) as server:
        call = server.stub.Animate()
        await call.write(config())
        await call.read()
        engine.voices[0].emit(Failed(RuntimeError("the graph exploded")))
        heard = await receive(call)
    assert (heard.code, heard.info.reason) == (grpc.StatusCode.INTERNAL, "SERVER_FAILED")
    assert "exploded" not in heard.status.message, "internals stay in the log"
    assert not engine.voices


async def test_a_server_without_its_engine_sends_clients_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: object) -> NoReturn:
        raise EngineLost("the engine's process ended")

    engine = ScriptedEngine()
    async with serving(engine) as server:
        call = server.stub.Animate()
        await call.write(config())
        await call.read()
        monkeypatch.setattr(engine, "open", lost)
        engine.voices[0].emit(Failed(EngineLost("the engine's process ended")))
        under_way, new = await receive(call), await exchange(server.stub, [config()])
    for heard in (under_way, new):
        assert (heard.code, heard.info.reason) == (grpc.StatusCode.UNAVAILABLE, "SERVER_DRAINING")
        assert heard.retry_after_s == 1.0


async def test_the_model_is_described() -> None:
    async with serving(ScriptedEngine()) as server:
        info = await server.stub.GetModelInfo(pb.GetModelInfoRequest())
    assert (info.model_name, info.model_version, info.denoise_steps) == ("scripted", "1.2.3", 8)
    assert tuple(info.blendshape_names) == BLENDSHAPES
    assert list(info.frame_rates) == [30, 60]
    assert tuple(info.identities) == IDENTITIES
    assert {preset.latency_preset: preset.algorithmic_latency_us for preset in info.latency_presets} == {
        pb.LATENCY_PRESET_LOW: 40_000,
        pb.LATENCY_PRESET_BALANCED: 80_000,
        pb.LATENCY_PRESET_QUALITY: 160_000,
    }


async def test_health_and_reflection_answer() -> None:
    name = "livetalker.v1.FaceAnimationService"
    async with serving(ScriptedEngine()) as server:
        health = health_pb2_grpc.HealthStub(server.channel)
        for service in ("", name):
            answer = await health.Check(health_pb2.HealthCheckRequest(service=service))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        reflection = reflection_pb2_grpc.ServerReflectionStub(server.channel)
        call = reflection.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
        services = {service.name for service in (await call.read()).list_services_response.service}
    assert {name, "grpc.health.v1.Health"} <= services


@pytest.mark.parametrize(("encoding", "dtype", "scale"), [("<i2", np.int16, 32768), ("<f4", np.float32, 1)])
@given(channels=st.integers(1, 8), data=st.data())
@settings(max_examples=25, deadline=None)
def test_channels_are_averaged(
    encoding: str, dtype: type[np.generic], scale: int, channels: int, data: st.DataObject
) -> None:
    values = data.draw(st.lists(st.integers(-32768, 32767), max_size=20 * channels))
    values = values[: len(values) // channels * channels]
    sent = np.array(values, encoding)
    if dtype is np.float32:
        sent = sent / np.float32(32768)
    decoded = AudioFormat(np.dtype(encoding), channels, RATE).decode(pb.AudioChunk(data=sent.tobytes()))
    expected = np.array(values, np.float64).reshape(-1, channels).mean(axis=1) / 32768
    assert decoded.dtype == np.float32
    assert decoded.shape == expected.shape
    assert np.allclose(decoded, expected, atol=1e-6)
