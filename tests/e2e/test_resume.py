"""Streams that outlive the real server with the shipped model: killed, started again, in several processes."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from livetalker.client import FaceFrame, LiveTalkerClient, StreamConfig, Tls
from livetalker.core.config import Delivery
from livetalker.engine.engine import Engine
from livetalker.engine.offline import animate_offline
from livetalker.v1 import face_animation_pb2 as pb
from tests.e2e.conftest import Server
from tests.rpc.certificates import Authority

Samples = NDArray[np.float32]
RATE = 16_000
FARTHEST = 0.2
"""What docs/protocol.md promises of any coefficient of a resumed stream; and of their mean:"""
MEAN = 0.005


@contextmanager
def started(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server and its address; it is killed at the end if it still runs."""
    command = [sys.executable, "-m", "livetalker.cli.main", "serve", "--threads", "1", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r" at (127\.0\.0\.1:\d+),", process.stdout.readline())
            assert found is not None, process.communicate()[1]
            yield process, found[1]
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(60)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "resume.key"
    path.write_text(os.urandom(32).hex())
    return path


class Arrivals:
    """When each frame of a stream came, and when its server was back; seconds."""

    def __init__(self) -> None:
        self.came: list[float] = []
        self.back = 0.0

    @property
    def waited(self) -> float:
        """From the server's return to the next frame."""
        return next(at for at in self.came if at > self.back) - self.back


async def spoken(
    client: LiveTalkerClient,
    voice: Samples,
    when: int,
    act: Callable[[], Coroutine[None, None, None]],
    arrivals: Arrivals,
) -> list[FaceFrame]:
    """Streams a voice twice as fast as real time, and acts when a frame has come."""
    frames: list[FaceFrame] = []
    config = StreamConfig(delivery=Delivery.LIVE, seed=1)
    notes: list[str] = []
    acting: list[asyncio.Task[None]] = []
    async with client.open(config, reconnect=True, on_note=notes.append) as stream:

        async def speak() -> None:
            for first in range(0, len(voice), 320):
                await stream.send(voice[first : first + 320])
                await asyncio.sleep(0.01)
            await stream.finish()

        speaking = asyncio.create_task(speak())
        async for frame in stream:
            frames.append(frame)
            arrivals.came.append(time.monotonic())
            if frame.index == when:
                acting.append(asyncio.create_task(act()))  # while this reader looks for the server
        await asyncio.gather(speaking, *acting)
    assert notes[-1] == "connected again"
    return frames


def check(frames: list[FaceFrame], whole: Samples) -> None:
    assert [frame.index for frame in frames] == list(range(len(whole)))
    difference = np.abs(np.stack([frame.weights for frame in frames]) - whole)
    assert difference.max() < FARTHEST
    assert difference.mean() < MEAN


@pytest.mark.parametrize("backend", ["cpu", "cpu-int8", "auto"])
async def test_a_stream_outlives_a_killed_server(key: Path, speech: Samples, backend: str) -> None:
    whole = animate_offline(Engine.load(max_streams=1, threads=1, backend=backend), speech, StreamConfig(seed=1))
    options = ["--resume-key-file", str(key), "--backend", backend]
    arrivals = Arrivals()
    with ExitStack() as servers:
        process, address = servers.enter_context(started("--port", "0", *options))

        async def kill_and_start_again() -> None:
            process.kill()
            process.wait()
            await asyncio.to_thread(servers.enter_context, started("--port", address.rpartition(":")[2], *options))
            arrivals.back = time.monotonic()

        async with LiveTalkerClient(address) as client, asyncio.timeout(250):
            frames = await spoken(client, speech, 160, kill_and_start_again, arrivals)
    check(frames, whole)
    print(f"{backend}: {arrivals.waited:.3f} s from the server's return to the next frame")
    assert arrivals.waited < 2  # a second, and another one for a machine that has more to do


async def test_a_stream_outlives_workers_that_are_killed_behind_tls_and_tokens(
    key: Path, speech: Samples, offline: Engine, tmp_path: Path
) -> None:
    whole = animate_offline(offline, speech, StreamConfig(seed=1))
    authority = Authority(tmp_path / "tls")
    files, own = authority.server(mutual=True), authority.signed("client")
    tokens = tmp_path / "tokens"
    tokens.write_text("0123456789abcdef\n")
    options = ["--workers", "2", "--port", "0", "--token-file", str(tokens)]
    options += ["--tls-cert", str(files.certificate), "--tls-key", str(files.key)]
    options += ["--tls-client-ca", str(files.client_authority)]
    with started(*options) as (process, address):

        async def kill_the_workers() -> None:
            for child in psutil.Process(process.pid).children():
                if any("spawn_main" in argument for argument in child.cmdline()):
                    child.kill()

        tls = Tls(authority.certificate, own.certificate, own.key)
        port = address.rpartition(":")[2]
        async with LiveTalkerClient(f"localhost:{port}", tls=tls, token="0123456789abcdef") as client:
            async with asyncio.timeout(250):
                frames = await spoken(client, speech, 160, kill_the_workers, Arrivals())
    check(frames, whole)


async def test_tokens_of_a_stream_are_small(server: Server, speech: Samples) -> None:
    points: list[pb.ResumePoint] = []
    async with (
        LiveTalkerClient(server.address) as client,
        client.open(StreamConfig(), on_event=lambda event: points.append(event.resume_point)) as stream,
    ):
        await stream.send(speech)
        await stream.finish()
        frames = [frame async for frame in stream]
    sizes = [len(point.token) for point in points if point.token]
    assert len(sizes) >= len(frames) // 60 - 1  # a stream that is alone may be advanced by two seconds at a time
    assert max(sizes) < 2_048
    assert sizes[-1] < 1_024
