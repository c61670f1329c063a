from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import grpc
import numpy as np
import pytest
import samplerate
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from diffusiontalker.geometry import frame_time_us
from diffusiontalker.metrics import lips
from livetalker.cli.main import main
from livetalker.client import (
    AnimationStream,
    FaceFrame,
    IdentityChoice,
    LiveTalkerClient,
    LiveTalkerError,
    StreamConfig,
)
from livetalker.core.config import Delivery
from livetalker.engine.engine import Engine
from livetalker.engine.offline import animate_offline
from livetalker.media.face_files import read_take
from livetalker.v1 import face_animation_pb2 as pb
from livetalker.v1 import face_animation_pb2_grpc as rpc
from tests.e2e.conftest import MAX_STREAMS, Server, serving
from tests.rpc.loopback import exchange
from tests.rpc.test_bad_input import CASES

Samples = NDArray[np.float32]
TOLERANCE = 1e-4


def cut(samples: Samples, sizes: Sequence[int]) -> Iterator[Samples]:
    """The samples in chunks of the given sizes, over and over."""
    start = 0
    for size in itertools.cycle(sizes):
        if start >= len(samples):
            return
        yield samples[start : start + size]
        start += size


async def animate(server: Server, samples: Samples, asked: StreamConfig, sizes: Sequence[int]) -> list[FaceFrame]:
    async with LiveTalkerClient(server.address) as client:
        return [frame async for frame in client.animate(cut(samples, sizes), asked)]


def stack(frames: Sequence[FaceFrame]) -> Samples:
    return np.stack([frame.weights for frame in frames])


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.integers(1, 20_000), min_size=1, max_size=5), fps=st.sampled_from([30, 60]))
def test_any_chunking_over_the_wire_gives_the_baked_frames(
    server: Server, offline: Engine, speech: Samples, rate: int, sizes: list[int], fps: int
) -> None:
    voice = np.asarray(samplerate.resample(speech[:24_000], rate / 16_000, "sinc_fastest"), np.float32)
    asked = StreamConfig(sample_rate=rate, fps=fps, seed=3)
    sizes = [max(size, len(voice) // 200) for size in sizes]
    frames = asyncio.run(animate(server, voice, asked, sizes))
    assert [frame.index for frame in frames] == list(range(-(-len(voice) * fps // rate)))
    assert [frame.time_us for frame in frames] == [frame_time_us(n, fps) for n in range(len(frames))]
    faces = stack(frames)
    assert np.isfinite(faces).all() and faces.min() >= 0 and faces.max() <= 1
    np.testing.assert_allclose(faces, animate_offline(offline, voice, asked), atol=TOLERANCE)


@pytest.mark.parametrize("preset", ["low", "balanced", "quality"])
async def test_a_matched_identity_is_the_baked_one(
    server: Server, offline: Engine, speech: Samples, preset: str
) -> None:
    asked = StreamConfig(preset=preset)
    events: list[pb.Event] = []
    async with LiveTalkerClient(server.address) as client:
        frames = [frame async for frame in client.animate(cut(speech[:96_000], [4_000]), asked, on_event=events.append)]
    matched: list[str] = []
    baked = animate_offline(offline, speech[:96_000], asked, on_identity=lambda event: matched.append(event.identity))
    np.testing.assert_allclose(stack(frames), baked, atol=TOLERANCE)
    told = [event.identity_matched.identity for event in events if event.HasField("identity_matched")]
    assert told == matched
    assert set(told) <= set(offline.info.identities)


async def test_streams_do_not_touch_one_another(server: Server, offline: Engine, speech: Samples) -> None:
    voices = [speech[k * 16_000 : k * 16_000 + 32_000] for k in range(MAX_STREAMS)]
    asked = [
        StreamConfig(seed=k, identity=IdentityChoice.pinned(offline.info.identities[k]), preset=preset)
        for k, preset in enumerate(["low", "balanced", "quality", "balanced"])
    ]
    sizes = [320, 1120, 1920, 2720]
    together = await asyncio.gather(
        *(animate(server, voice, one, [size]) for voice, one, size in zip(voices, asked, sizes, strict=True))
    )
    for voice, one, frames in zip(voices, asked, together, strict=True):
        np.testing.assert_allclose(stack(frames), animate_offline(offline, voice, one), atol=TOLERANCE)


async def test_speech_opens_the_mouth_and_silence_closes_it(server: Server, speech: Samples) -> None:
    silence = np.zeros(16_000, np.float32)
    voice = np.concatenate([speech[:48_000], silence])
    frames = await animate(server, voice, StreamConfig(), [320])
    gap = lips.gap(stack(frames))
    assert np.percentile(gap[:90], 90) >= 0.25
    assert np.abs(gap[90 + 9 :]).max() < 0.05  # 300 ms after the speech


@pytest.mark.parametrize(("requests", "code", "reason", "field", "message"), CASES.values(), ids=CASES.keys())
async def test_bad_input_gets_its_status(
    server: Server,
    requests: Sequence[pb.AnimateRequest],
    code: grpc.StatusCode,
    reason: str,
    field: str | None,
    message: str,
) -> None:
    async with grpc.aio.insecure_channel(server.address) as channel:
        heard = await exchange(rpc.FaceAnimationServiceStub(channel), requests)
    assert (heard.code, heard.info.reason) == (code, reason)
    assert [violation.field for violation in heard.violations] == ([field] if field else [])


async def test_clients_that_vanish_leave_their_slots_to_others(server: Server, speech: Samples) -> None:
    admitted = 0
    async with LiveTalkerClient(server.address) as client, asyncio.timeout(60):
        while admitted < 3 * MAX_STREAMS:
            try:
                async with client.open(StreamConfig(delivery=Delivery.LIVE)) as stream:
                    await stream.send(speech[:16_000])
                    admitted += 1
            except LiveTalkerError as refused:  # the last ones are still being cleared away
                assert refused.reason == "SERVER_FULL"
    async with every_slot(server) as streams:
        assert len(streams) == MAX_STREAMS


@asynccontextmanager
async def every_slot(server: Server) -> AsyncIterator[list[AnimationStream]]:
    """Takes all slots, as soon as earlier streams have been cleared away."""
    async with AsyncExitStack() as held, asyncio.timeout(60):
        client = await held.enter_async_context(LiveTalkerClient(server.address))
        streams: list[AnimationStream] = []
        while len(streams) < MAX_STREAMS:
            try:
                streams.append(await held.enter_async_context(client.open(StreamConfig())))
            except LiveTalkerError as refused:
                assert refused.reason == "SERVER_FULL"
        yield streams


async def test_a_flush_skips_to_the_audio_that_follows(server: Server, speech: Samples) -> None:
    gaps: list[pb.Gap] = []
    async with (
        LiveTalkerClient(server.address) as client,
        client.open(StreamConfig(), on_event=lambda event: gaps.append(event.gap)) as stream,
    ):
        await stream.send(speech[:24_000])
        await stream.flush()
        await stream.send(speech[24_000:40_000])
        await stream.finish()
        indexes = [frame.index async for frame in stream]
    skipped = [n for gap in gaps for n in range(gap.first_frame, gap.first_frame + gap.frame_count)]
    assert {gap.cause for gap in gaps} <= {pb.GAP_CAUSE_FLUSH, pb.GAP_CAUSE_UNSPECIFIED}
    assert indexes == sorted(set(indexes))
    assert sorted(indexes + skipped) == list(range(75))


def test_stream_and_bake_commands_write_the_same_face(server: Server, speech: Samples, tmp_path: Path) -> None:
    voice = tmp_path / "voice.wav"
    soundfile.write(voice, np.stack([speech[:32_000]] * 2, axis=1), 16_000, subtype="PCM_24")
    options = ["--fps", "60", "--preset", "quality", "--seed", "9"]
    streamed, baked = tmp_path / "streamed.npz", tmp_path / "baked.npz"
    assert main(["stream", str(voice), "--fast", "--address", server.address, "-o", str(streamed), *options]) == 0
    assert main(["bake", str(voice), "-o", str(baked), *options]) == 0
    first, second = read_take(streamed), read_take(baked)
    assert (first.fps, first.preset, first.seed, first.model) == (second.fps, second.preset, second.seed, second.model)
    np.testing.assert_allclose(first.frames, second.frames, atol=TOLERANCE)


async def test_sigterm_flushes_open_streams_and_stops_cleanly(speech: Samples) -> None:
    with serving("--grace", "2") as server:
        async with LiveTalkerClient(server.address) as client:
            events: list[pb.Event] = []
            async with client.open(StreamConfig(), on_event=events.append) as stream:
                await stream.send(speech[:16_000])
                frames = aiter(stream)
                indexes = [(await anext(frames)).index]
                server.process.terminate()
                with pytest.raises(LiveTalkerError) as told:
                    async for frame in frames:
                        indexes.append(frame.index)
    assert (told.value.reason, told.value.retry_after_s) == ("SERVER_DRAINING", 1.0)
    assert [event.WhichOneof("event") for event in events if event.HasField("draining")] == ["draining"]
    assert indexes == list(range(30)), "what was said before is animated to its end"


def test_a_server_whose_output_nobody_reads_any_more_stops_in_order_all_the_same() -> None:
    with serving() as server:
        assert server.process.stdout is not None
        server.process.stdout.close()


async def test_a_full_server_refuses_and_serves_on(server: Server) -> None:
    async with every_slot(server) as streams, LiveTalkerClient(server.address) as client:
        with pytest.raises(LiveTalkerError) as refused:
            async with client.open(StreamConfig()):
                pytest.fail("a stream too many")
        for stream in streams:
            await stream.send(np.zeros(1_600, np.float32))
            await stream.finish()
            assert [frame.index async for frame in stream] == [0, 1, 2]
    assert refused.value.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert (refused.value.reason, refused.value.retry_after_s) == ("SERVER_FULL", 1.0)
