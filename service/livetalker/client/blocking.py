"""The client library for programs without asyncio: ``for frame in animate_file("hello.wav")``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from livetalker.address import DEFAULT_ADDRESS
from livetalker.client.client import LiveTalkerClient
from livetalker.client.security import Tls
from livetalker.client.sources import paced, unpaced
from livetalker.client.wire import FaceFrame
from livetalker.core.config import StreamConfig
from livetalker.media.audio_files import read_audio


def animate_file(
    path: Path | str,
    address: str = DEFAULT_ADDRESS,
    config: StreamConfig | None = None,
    *,
    realtime: bool = True,
    tls: Tls | None = None,
    token: str = "",
) -> Iterator[FaceFrame]:
    """Streams a sound file through a server and yields the frames.

    Args:
        path: any sound file.
        address: the server's ``host:port``.
        config: what to make of it; the sample rate is the file's.
        realtime: send at the pace a person would have spoken; False: as fast as the server takes it.
        tls: how to find out who the server is; None for plain text.
        token: bearer token for a server that wants one; empty for none.

    Raises:
        AudioFileError: the file cannot be used.
        LiveTalkerError: the server refuses or cannot be reached, or the TLS files or the token cannot be used.
    """
    audio = read_audio(path)
    source = (paced if realtime else unpaced)(audio.samples, audio.rate)
    wanted = replace(config or StreamConfig(), sample_rate=audio.rate)

    async def frames() -> AsyncIterator[FaceFrame]:
        async with (
            LiveTalkerClient(address, tls=tls, token=token) as client,
            aclosing(client.animate(source, wanted)) as stream,
        ):
            async for frame in stream:
                yield frame

    async def step(stream: AsyncIterator[FaceFrame]) -> FaceFrame | None:
        return await anext(stream, None)

    with asyncio.Runner() as runner:
        stream = frames()
        while (frame := runner.run(step(stream))) is not None:
            yield frame
