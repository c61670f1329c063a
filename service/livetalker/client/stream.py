"""One open stream as the client sees it: audio and controls out, frames and events in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from livetalker.client.collecting import CollectingCall
from livetalker.client.errors import LiveTalkerError
from livetalker.client.latency import LatencyLog
from livetalker.client.resuming import Call
from livetalker.client.sources import LostAudio
from livetalker.client.wire import Encoding, FaceFrame, frame_from_wire, pcm
from livetalker.core.config import Delivery, IdentityChoice, Shaping, StreamConfig
from livetalker.messages import identity_to_wire, shaping_to_wire
from livetalker.v1 import face_animation_pb2 as pb

AudioInput = NDArray[np.float32] | NDArray[np.int16] | bytes | LostAudio
"""A chunk of mono audio: samples at full scale 1.0, 16-bit samples, or bytes already in the stream's encoding; or a
hole, which the server fills with silence so that later frames stay at their instants."""

AudioSource = AsyncIterable[AudioInput] | Iterable[AudioInput]
"""Chunks of one voice, of any length."""

_MAX_CHUNK_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """What the server said when it accepted the stream.

    Attributes:
        session_id: name of the stream in the server's logs.
        model_name: name of the model.
        model_version: its version.
        fps: frames per second.
        algorithmic_latency_us: audio after its own instant that a frame waits for, microseconds.
    """

    session_id: str
    model_name: str
    model_version: str
    fps: int
    algorithmic_latency_us: int


class AnimationStream:
    """An accepted stream: ``async for frame in stream`` receives, the other methods send.

    Made by ``LiveTalkerClient.open``. One task may send audio and one may receive; both may be the same. Controls may
    come from any.

    Attributes:
        info: what the server said when it accepted the stream.
        latency: frame lateness so far.
    """

    def __init__(
        self,
        call: Call,
        started: pb.Started,
        config: StreamConfig,
        encoding: Encoding,
        on_event: Callable[[pb.Event], None] | None,
    ) -> None:
        self.info = StreamInfo(
            started.session_id,
            started.model_name,
            started.model_version,
            started.frame_rate,
            started.algorithmic_latency_us,
        )
        self.latency = LatencyLog(config.sample_rate, started.frame_rate, started.algorithmic_latency_us)
        self._direct = call
        self._call = call if config.delivery is Delivery.LIVE else CollectingCall(call)
        self._encoding = encoding
        self._on_event = on_event
        self._chunk_bytes = int(_MAX_CHUNK_SECONDS * config.sample_rate) * encoding.value
        self._samples = 0
        self._clock = asyncio.get_running_loop().time

    @property
    def samples_sent(self) -> int:
        """Samples sent so far, or lost before they were."""
        return self._samples

    async def send(self, audio: AudioInput) -> None:
        """Sends the next audio of any length; waits while the server holds the stream back.

        A lossless stream is held back until its frames are read. While it is, those that come are kept until they are
        received, some 70 MB an hour at 30 a second: all may be sent before any is received. But receive within 20
        seconds of the last thing sent: the server gives up a stream whose frames nobody takes.

        Raises:
            LiveTalkerError: the server ended the stream.
        """
        await self._send(audio, self._call)

    async def _send(self, audio: AudioInput, call: Call) -> None:
        if isinstance(audio, LostAudio):
            self._samples += audio.samples
            # A chunk of nothing, so that the server hears of the hole even if no audio follows.
            await call.write(pb.AnimateRequest(audio=pb.AudioChunk(start_sample=self._samples)))
            self.latency.sent(self._samples, self._clock())
            return
        data = pcm(audio, self._encoding)
        for first in range(0, len(data), self._chunk_bytes):
            piece = data[first : first + self._chunk_bytes]
            await call.write(pb.AnimateRequest(audio=pb.AudioChunk(start_sample=self._samples, data=piece)))
            self._samples += len(piece) // self._encoding.value
            self.latency.sent(self._samples, self._clock())

    async def finish(self) -> None:
        """Says that no more audio follows: the server flushes the tail and ends the stream."""
        await self._call.done_writing()
        self.latency.sent(self._samples, self._clock())

    async def flush(self) -> None:
        """Barge-in: drops the audio the server has not animated yet."""
        await self._call.write(pb.AnimateRequest(control=pb.Control(flush=pb.Flush())))

    async def mute(self, muted: bool = True) -> None:
        """Has the server hear the following audio as silence, or again."""
        control = pb.Control(mute=pb.Mute()) if muted else pb.Control(unmute=pb.Unmute())
        await self._call.write(pb.AnimateRequest(control=control))

    async def rematch_identity(self, choice: IdentityChoice) -> None:
        """Chooses the identity anew."""
        rematch = pb.RematchIdentity(identity=identity_to_wire(choice))
        await self._call.write(pb.AnimateRequest(control=pb.Control(rematch_identity=rematch)))

    async def shape(self, shaping: Shaping) -> None:
        """Replaces the adjustments of the coefficients."""
        await self._call.write(pb.AnimateRequest(control=pb.Control(shaping=shaping_to_wire(shaping))))

    def cancel(self) -> None:
        """Ends the stream at once, dropping whatever is under way."""
        self._call.cancel()

    async def __aiter__(self) -> AsyncIterator[FaceFrame]:
        while (response := await self._call.read()) is not None:
            match response.WhichOneof("response"):
                case "frames":
                    now = self._clock()
                    for frame in response.frames.frames:
                        self.latency.arrived(frame.index, now)
                        yield frame_from_wire(frame)
                case "event" if self._on_event is not None:
                    self._on_event(response.event)

    async def animate(self, chunks: AudioSource) -> AsyncGenerator[FaceFrame]:
        """Sends all of a source and then finishes, while it yields the frames.

        Of a lossless stream the source is asked for more only as frames are taken.

        Raises:
            LiveTalkerError: the server ended the stream.
            Exception: whatever the source raises.
        """
        sender = asyncio.create_task(self._send_all(chunks))
        try:
            async for frame in self:
                yield frame
        except asyncio.CancelledError:
            if sender.done() and not sender.cancelled() and (error := sender.exception()) is not None:
                raise error from None  # the source failed and took the stream with it
            raise
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    async def _send_all(self, chunks: AudioSource) -> None:
        try:
            if isinstance(chunks, AsyncIterable):
                async for chunk in chunks:
                    await self._send(chunk, self._direct)
            else:
                for chunk in chunks:
                    await self._send(chunk, self._direct)
            await self.finish()
        except LiveTalkerError:
            return  # whoever receives gets the same error
        except Exception:
            self.cancel()
            raise
