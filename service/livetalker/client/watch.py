"""A stream from beginning to end with the meter running: what the command line and the demo show."""

from __future__ import annotations

import logging
from contextlib import aclosing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from diffusiontalker.arkit import COUNT
from livetalker.client.client import LiveTalkerClient
from livetalker.client.latency import LatencySummary
from livetalker.client.meter import Meter
from livetalker.client.stream import AudioSource, StreamInfo
from livetalker.client.wire import Encoding
from livetalker.core.config import StreamConfig
from livetalker.v1 import face_animation_pb2 as pb

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Watched:
    """What a stream brought.

    Attributes:
        frames: float32 ``[n, 52]``, frame ``n`` at ``n / fps`` seconds; a frame that was dropped on the way repeats
            the one before it. Empty unless the frames were asked for.
        dropped: how many were dropped.
        latency: how late the frames were; None if there were none.
        identity: the last identity matched; empty if none was.
        info: what the server said of itself.
    """

    frames: NDArray[np.float32]
    dropped: int
    latency: LatencySummary | None
    identity: str
    info: StreamInfo


async def watch(
    client: LiveTalkerClient,
    source: AudioSource,
    config: StreamConfig,
    *,
    encoding: Encoding = Encoding.F32LE,
    keep_frames: bool = True,
    total_seconds: float | None = None,
    reconnect: bool = False,
    console: Console | None = None,
) -> Watched:
    """Streams a source to its end and shows the face meanwhile.

    Args:
        client: a connected client.
        source: chunks of mono audio.
        config: what to make of it.
        encoding: how it travels.
        keep_frames: whether to return the frames; they grow with the stream.
        total_seconds: length of the audio if known.
        reconnect: whether the stream goes on by itself when its connection breaks; where nothing is drawn, the log
            says so.
        console: where to draw; None draws nothing.

    Raises:
        LiveTalkerError: the server refuses or ends the stream or cannot be reached.
        Exception: whatever the source raises.
    """
    meter = Meter(total_seconds, console or Console(quiet=True))
    identity, dropped, rows = "", 0, list[NDArray[np.float32]]()

    def on_event(event: pb.Event) -> None:
        nonlocal identity, dropped
        match event.WhichOneof("event"):
            case "identity_matched":
                identity = event.identity_matched.identity
                meter.note(f"identity {identity}")
            case "gap":
                dropped += event.gap.frame_count
                if event.gap.sample_count:
                    meter.note(f"{event.gap.sample_count / config.sample_rate:.2f} s of audio were lost")
            case "draining":
                meter.note("the server is stopping")
            case "warning":
                meter.note(event.warning.message)

    def on_note(text: str) -> None:
        meter.note(text)
        if console is None or not console.is_terminal:
            log.warning(text)  # else a command would seem to hang for as long as the server is away

    async with client.open(
        config, encoding=encoding, on_event=on_event, reconnect=reconnect, on_note=on_note
    ) as stream:
        with meter:
            async with aclosing(stream.animate(source)) as frames:
                async for frame in frames:
                    meter.show(frame, stream.latency.latest_ms)
                    if keep_frames:
                        rows.extend([rows[-1] if rows else np.zeros(COUNT, np.float32)] * (frame.index - len(rows)))
                        rows.append(frame.weights)
        kept = np.stack(rows) if rows else np.zeros((0, COUNT), np.float32)
        return Watched(kept, dropped, stream.latency.summary(), identity, stream.info)
