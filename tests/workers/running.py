"""`livetalker serve --workers` as a user starts it, over the tiny model, and clients on connections of their own."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from livetalker.client import AnimationStream, LiveTalkerClient, LiveTalkerError, StreamConfig
from livetalker.v1 import face_animation_pb2 as pb

RATE = 16_000
PATIENCE_S = 120
"""For what takes seconds on an idle machine."""


@dataclass
class Running:
    """A running server."""

    process: subprocess.Popen[str]
    address: str
    greeting: str
    said: str = ""
    """Standard output after the greeting, once it was waited for."""

    def workers(self) -> list[psutil.Process]:
        """Processes that serve; whatever else spawning brings along is not among them."""
        found = []
        for child in psutil.Process(self.process.pid).children():
            with suppress(psutil.Error):
                if any("spawn_main" in argument for argument in child.cmdline()):
                    found.append(child)
        return found

    def wait(self) -> tuple[int, str]:
        """Waits for the end.

        Returns:
            The exit status, and what was said to standard error.
        """
        self.said, errors = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, errors


@contextmanager
def workers_serving(bundle: Path, *options: str) -> Iterator[Running]:
    """Runs two workers for the length of the block; stopping them is the block's to do, and killing them is not."""
    command = [sys.executable, "-m", "livetalker.cli.main", "serve", "--port", "0", "--workers", "2", "--threads", "1"]
    command += ["--backend", "cpu", "--model", str(bundle), *options]
    pipe = subprocess.PIPE
    # In a session of its own, so that signals to the group reach nobody else.
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as process:
        try:
            assert process.stdout is not None
            greeting = process.stdout.readline()
            found = re.search(r" at (127\.0\.0\.1:\d+),", greeting)
            assert found is not None, process.communicate()[1]
            yield Running(process, found[1], greeting)
        finally:
            if process.poll() is None:
                process.kill()  # its workers notice


@asynccontextmanager
async def opened(address: str, events: list[pb.Event] | None = None) -> AsyncIterator[AnimationStream]:
    """A stream on a connection of its own."""
    on_event = None if events is None else events.append
    async with LiveTalkerClient(address) as client, client.open(StreamConfig(), on_event=on_event) as stream:
        yield stream


async def held(stack: AsyncExitStack, address: str, count: int) -> list[AnimationStream]:
    """Opens so many streams for as long as the stack holds, and waits for places or workers while there are none."""
    streams: list[AnimationStream] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(streams) < count:
            try:
                streams.append(await stack.enter_async_context(opened(address)))
            except LiveTalkerError as refused:
                assert refused.reason in ("SERVER_FULL", ""), refused
                await asyncio.sleep(0.05)
    return streams


async def frames_of(stream: AnimationStream, seconds: float) -> list[int]:
    """Says something and gives the indexes of the frames that come of it, to the end."""
    voice = np.random.default_rng(0).normal(0, 0.1, round(seconds * RATE)).astype(np.float32)
    for start in range(0, len(voice), 1_600):
        await stream.send(voice[start : start + 1_600])
    await stream.finish()
    return [frame.index async for frame in stream]


def worker_of(stream: AnimationStream) -> str:
    """The worker that serves it, which its name begins with."""
    return stream.info.session_id.partition("-")[0]
