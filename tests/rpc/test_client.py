from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from rich.console import Console

from diffusiontalker.arkit import BLENDSHAPES, COUNT
from livetalker.client import (
    AudioFileError,
    ConfigError,
    Encoding,
    FaceFrame,
    IdentityChoice,
    LiveTalkerClient,
    LiveTalkerError,
    Shaping,
    StreamConfig,
    Tls,
    animate_file,
    sources,
)
from livetalker.client.latency import LatencyLog
from livetalker.client.meter import Meter, readings
from livetalker.client.sources import unpaced
from livetalker.client.watch import watch
from livetalker.client.wire import pcm
from livetalker.core.config import Delivery
from livetalker.core.outputs import Frames, IdentityMatched, Skipped, SkipReason
from livetalker.v1 import face_animation_pb2 as pb
from tests.rpc.certificates import Authority
from tests.rpc.loopback import RATE, serving, serving_in_background
from tests.rpc.scripted_engine import ScriptedEngine, face

Samples = NDArray[np.float32]
TONE: Samples = (0.9 * np.sin(np.arange(2 * RATE) / 20)).astype(np.float32)


@pytest.mark.parametrize("encoding", Encoding)
async def test_animate_yields_every_frame_and_sends_every_sample(encoding: Encoding) -> None:
    engine = ScriptedEngine()
    sent: list[Samples] = []
    async with serving(engine) as server, LiveTalkerClient(server.address) as client:
        frames = []
        async for frame in client.animate(unpaced(TONE, RATE), StreamConfig(), encoding=encoding):
            frames.append(frame)
            sent[:] = [engine.voices[0].samples] if engine.voices else sent
    assert [frame.index for frame in frames] == list(range(60))
    assert [frame.time_us for frame in frames] == [n * 1_000_000 // 30 for n in range(60)]
    assert all(np.array_equal(frame.weights, face(frame.index)) for frame in frames)
    assert frames[3]["jawOpen"] == pytest.approx(face(3)[BLENDSHAPES.index("jawOpen")])
    received = sent[0]
    assert np.allclose(received, TONE[: len(received)], atol=0 if encoding is Encoding.F32LE else 1 / 65536 + 1e-7)


async def test_a_source_may_be_plain_bytes_in_a_list() -> None:
    async with serving(ScriptedEngine()) as server, LiveTalkerClient(server.address) as client:
        speech = [b"", bytes(2 * RATE), bytes(2 * 3 * RATE)]  # the last is longer than a server takes at once
        stream = client.animate(speech, StreamConfig(), encoding=Encoding.S16LE)
        assert [frame.index async for frame in stream] == list(range(120))


async def test_the_whole_config_reaches_the_engine() -> None:
    engine = ScriptedEngine()
    config = StreamConfig(
        sample_rate=44_100,
        fps=60,
        preset="low",
        seed=12345678901234567890,
        identity=IdentityChoice.blended({"alto": 0.25, "bass": 0.75}),
        shaping=Shaping(gains={"jawOpen": 1.5}, offsets={"jawLeft": 0.25}, clamp=False, expression={"cheekPuff": 0.5}),
        delivery=Delivery.LIVE,
        blinks=False,
        idle=False,
    )
    async with (
        serving(engine) as server,
        LiveTalkerClient(server.address) as client,
        client.open(config) as stream,
    ):
        assert engine.voices[0].config == config
        assert (stream.info.model_name, stream.info.fps) == ("scripted", 60)


async def test_controls() -> None:
    engine = ScriptedEngine()
    shaping = Shaping(gains={"jawOpen": 2.0})
    async with (
        serving(engine) as server,
        LiveTalkerClient(server.address) as client,
        client.open(StreamConfig()) as stream,
    ):
        await stream.mute()
        await stream.send(np.ones(2, np.float32))
        await stream.mute(False)
        await stream.send(np.ones(2, np.float32))
        await stream.flush()
        await stream.rematch_identity(IdentityChoice.pinned("alto"))
        await stream.shape(shaping)
        voice = engine.voices[0]
        await stream.finish()
        frames = [frame async for frame in stream]
    assert (stream.samples_sent, len(frames)) == (4, 0)
    assert voice.samples.tolist() == [0, 0, 1, 1]
    assert voice.calls == ["flush", IdentityChoice.pinned("alto"), shaping]


async def test_model_info() -> None:
    async with serving(ScriptedEngine()) as server, LiveTalkerClient(server.address) as client:
        await client.wait_until_reachable(20)
        info = await client.model_info()
    assert (info.name, info.version, info.steps, info.identities) == ("scripted", "1.2.3", 8, ("alto", "bass", "tenor"))


async def test_a_refusal_carries_reason_field_and_patience() -> None:
    async with serving(ScriptedEngine(max_streams=0)) as server, LiveTalkerClient(server.address) as client:
        with pytest.raises(LiveTalkerError, match="did you mean 'alto'") as unknown:
            async with client.open(StreamConfig(identity=IdentityChoice.pinned("atlo"))):
                pass
        with pytest.raises(LiveTalkerError) as full:
            async for _ in client.animate([], StreamConfig()):
                pass
    assert (unknown.value.reason, unknown.value.field) == ("UNKNOWN_IDENTITY", "config.identity")
    assert (full.value.reason, full.value.retry_after_s) == ("SERVER_FULL", 1.0)


async def test_an_error_in_mid_stream_is_told_to_whoever_receives() -> None:
    def speech() -> Iterator[Samples]:
        yield TONE
        while True:
            yield np.full(RATE, np.nan, np.float32)

    async with serving(ScriptedEngine()) as server, LiveTalkerClient(server.address) as client:
        for _ in range(20):
            with pytest.raises(LiveTalkerError) as told:
                async for _ in client.animate(speech(), StreamConfig()):
                    pass
            assert told.value.reason == "AUDIO_NOT_FINITE"


async def test_a_failing_source_ends_the_stream_with_its_own_error() -> None:
    async def speech() -> AsyncIterator[Samples]:
        yield TONE
        raise ZeroDivisionError("the source broke")

    engine = ScriptedEngine()
    async with serving(engine) as server, LiveTalkerClient(server.address) as client:
        with pytest.raises(ZeroDivisionError, match="the source broke"):
            async for _ in client.animate(speech(), StreamConfig()):
                pass


async def test_no_server_is_an_error_that_says_what_to_start() -> None:
    async with serving(ScriptedEngine()) as server:
        address = server.address
    async with LiveTalkerClient(address) as client:
        with pytest.raises(LiveTalkerError, match="is `livetalker serve` running there") as told:
            async for _ in client.animate([], StreamConfig()):
                pass
        with pytest.raises(LiveTalkerError, match="no LiveTalker server answered"):
            await client.wait_until_reachable(0.05)
    assert told.value.code is grpc.StatusCode.UNAVAILABLE


def test_animate_file_needs_no_event_loop(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "tone.wav", np.stack([TONE, TONE], axis=1), RATE)
    with serving_in_background(ScriptedEngine()) as address:
        frames = list(animate_file(tmp_path / "tone.wav", address, realtime=False))
        for frame in animate_file(tmp_path / "tone.wav", address, realtime=False):
            assert frame.index == 0
            break  # leaving early is fine
    assert [frame.index for frame in frames] == list(range(60))


def test_animate_file_reaches_a_secured_server(tmp_path: Path) -> None:
    authority, tokens = Authority(tmp_path / "tls"), tmp_path / "tokens"
    tokens.write_text("0123456789abcdef\n")
    soundfile.write(tmp_path / "tone.wav", TONE, RATE)
    with serving_in_background(ScriptedEngine(), tls=authority.server(), token_file=tokens) as address:
        animate = partial(animate_file, tmp_path / "tone.wav", address, realtime=False, tls=Tls(authority.certificate))
        assert len(list(animate(token="0123456789abcdef"))) == 60
        with pytest.raises(LiveTalkerError, match="wants a token"):
            list(animate())


def test_what_a_program_may_want_to_catch_is_exported(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError):
        list(animate_file(tmp_path / "missing.wav"))
    with pytest.raises(ConfigError):
        StreamConfig(fps=25)


async def test_watch_shows_keeps_and_fills_in(capsys: pytest.CaptureFixture[str]) -> None:
    engine = ScriptedEngine(paused=True)
    screen = io.StringIO()

    async def speech() -> AsyncIterator[Samples]:
        yield TONE[:160]
        voice = engine.voices[0]
        voice.emit(Frames(0, face(0)[None]))
        voice.emit(Skipped(1, 2, SkipReason.SLOW_READER))
        voice.emit(IdentityMatched(3, "bass", 0.9))
        voice.emit(Frames(3, face(3)[None]))
        engine.paused = False
        voice._made = 4

    async with serving(engine) as server, LiveTalkerClient(server.address) as client:
        console = Console(file=screen, force_terminal=True, width=100)
        watched = await watch(client, speech(), StreamConfig(), total_seconds=1.0, console=console)
        silent = await watch(client, [TONE], StreamConfig(), keep_frames=False)
    assert np.array_equal(watched.frames, np.stack([face(0), face(0), face(0), face(3)]))
    assert (watched.dropped, watched.identity, watched.info.model_name) == (2, "bass", "scripted")
    assert watched.latency is not None
    assert watched.latency.frames == 2
    assert "waiting for the first frame" in screen.getvalue() or "jaw" in screen.getvalue()
    assert (silent.frames.shape, silent.dropped, silent.identity) == ((0, COUNT), 0, "")
    assert capsys.readouterr().out == ""


async def test_paced_chunks_come_when_their_last_sample_was_spoken(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "time", lambda: now)

    async def virtual_sleep(seconds: float) -> None:
        nonlocal now
        now += max(0.0, seconds)

    monkeypatch.setattr(asyncio, "sleep", virtual_sleep)
    came = []
    async for chunk in sources.paced(TONE[:1000], RATE):
        came.append((round(now - 100, 6), len(chunk)))
        now += 0.005  # the consumer takes its time; the pace holds
    assert came == [(0.02, 320), (0.04, 320), (0.06, 320), (0.065, 40)]


def test_lateness_counts_from_the_last_sample_a_frame_needs() -> None:
    log = LatencyLog(16_000, 30, 80_000)  # frame n needs n * 16000 // 30 + 1280 samples
    assert log.summary() is None
    for i in range(1, 11):
        log.sent(320 * i, at=0.02 * i)
    assert log.arrived(0, at=0.09) == pytest.approx(0.09 - 0.08)  # 1280 samples: the fourth chunk
    assert log.arrived(1, at=0.13) == pytest.approx(0.13 - 0.12)  # 1813 samples: the sixth
    log.sent(3200, at=0.25)  # half-closed
    assert log.arrived(5, at=0.30) == pytest.approx(0.05)  # 3946 samples never come: from the last thing sent
    summary = log.summary()
    assert summary is not None
    assert (summary.frames, round(summary.p50), round(summary.worst)) == (3, 10, 50)
    assert str(summary).startswith("frame lateness over 3 frames: p50 10.0 ms")


@pytest.mark.parametrize(
    ("samples", "encoding", "expected"),
    [
        (np.array([0.5, -1.0, 1.0, 2.0], np.float32), Encoding.S16LE, np.array([16384, -32768, 32767, 32767], "<i2")),
        (np.array([1, -2], np.int16), Encoding.S16LE, np.array([1, -2], "<i2")),
        (np.array([16384, -32768], np.int16), Encoding.F32LE, np.array([0.5, -1.0], "<f4")),
        (np.array([0.1, 2.0], np.float32), Encoding.F32LE, np.array([0.1, 2.0], "<f4")),
    ],
)
def test_pcm(samples: NDArray[Any], encoding: Encoding, expected: NDArray[Any]) -> None:
    assert pcm(samples, encoding) == expected.tobytes()


@pytest.mark.parametrize("encoding", Encoding)
def test_one_column_and_plain_numbers_are_mono(encoding: Encoding) -> None:
    assert pcm(TONE[:, None], encoding) == pcm(TONE, encoding)
    assert pcm([0.25, -0.5], encoding) == pcm(np.array([0.25, -0.5], np.float32), encoding)  # type: ignore[arg-type]


@pytest.mark.parametrize("encoding", Encoding)
@pytest.mark.parametrize(
    ("samples", "told"),
    [
        (np.zeros((160, 2), np.float32), r"shape \[160, 2\] is not mono; average the channels.*mean\(axis=1\)"),
        (np.zeros((1, 160, 1), np.int16), r"is not mono; give one channel"),
        (np.float32(0.5), "put an array of samples in a list"),
        (np.zeros(160, np.int32), "int32 has no full scale"),
        (bytearray(320), "uint8 has no full scale"),
        (np.zeros(160, np.complex64), "complex64 has no full scale"),
    ],
)
def test_audio_that_would_be_heard_as_something_else_is_refused(samples: Any, told: str, encoding: Encoding) -> None:
    with pytest.raises(ValueError, match=told):
        pcm(samples, encoding)


async def test_a_source_of_stereo_ends_with_the_sentence() -> None:
    async with serving(ScriptedEngine()) as server, LiveTalkerClient(server.address) as client:
        with pytest.raises(ValueError, match="is not mono"):
            async for _ in client.animate([np.zeros((160, 2), np.float32)], StreamConfig()):
                pass


def test_the_meter_reads_the_face() -> None:
    weights = np.zeros(COUNT, np.float32)
    for name, value in {"jawOpen": 0.5, "mouthClose": 0.25, "mouthPucker": 0.75, "browInnerUp": 1.0}.items():
        weights[BLENDSHAPES.index(name)] = value
    frame = FaceFrame(30, 1_000_000, weights)
    assert readings(frame) == pytest.approx({"jaw": 0.5, "lips": 0.25, "rounding": 0.75, "brows": 0.5})
    meter = Meter(total_seconds=2.5)
    meter.show(frame, 12.3)
    meter.note("identity bass")
    console = Console(file=io.StringIO(), width=100, record=True)
    console.print(meter.render())
    shown = console.export_text()
    assert "1.0 s of 2.5 s" in shown
    assert "12 ms late" in shown
    assert "identity bass" in shown
    for name, number in {"jaw": "0.50", "lips": "0.25", "rounding": "0.75", "brows": "0.50"}.items():
        assert any(name in line and number in line for line in shown.splitlines())


async def test_events_are_handed_over() -> None:
    engine = ScriptedEngine()
    events: list[pb.Event] = []
    async with serving(engine) as server, LiveTalkerClient(server.address) as client:
        async with client.open(StreamConfig(), on_event=events.append) as stream:
            engine.voices[0].emit(IdentityMatched(0, "alto", 0.5))
            await stream.finish()
            assert [frame async for frame in stream] == []
    assert [event.identity_matched.identity for event in events] == ["alto"]
