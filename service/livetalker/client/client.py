"""The client library: ``async for frame in client.animate(chunks, config)``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import grpc

from livetalker.address import DEFAULT_ADDRESS
from livetalker.client.call import AnimateCall, StreamEnded
from livetalker.client.errors import LiveTalkerError, from_rpc
from livetalker.client.resuming import Call, ResumingCall
from livetalker.client.security import Security, Tls
from livetalker.client.stream import AnimationStream, AudioSource
from livetalker.client.wire import Encoding, FaceFrame, config_to_wire
from livetalker.core.config import StreamConfig
from livetalker.v1 import face_animation_pb2 as pb
from livetalker.v1 import face_animation_pb2_grpc as rpc

_CHANNEL_OPTIONS: Final = (
    # Each client has a connection of its own, which a server of several processes can give to any of them.
    ("grpc.use_local_subchannel_pool", 1),
    # Without these two, gRPC reads minutes of frames ahead of a program that does not take them, and the server
    # cannot notice a slow reader.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", 65536),
    # Notice within half a minute that the server's machine is gone.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # Find a server that comes back at once; gRPC's own patience grows to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 250),
)


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a server serves.

    Attributes:
        name: the model's name.
        version: its version.
        identities: names in its identity library.
        steps: denoise steps per frame.
    """

    name: str
    version: str
    identities: tuple[str, ...]
    steps: int


class LiveTalkerClient:
    """A connection to a LiveTalker server, for use as ``async with LiveTalkerClient(address) as client``.

    Args:
        address: the server's ``host:port``.
        tls: how to find out who the server is; None for plain text.
        token: bearer token for a server that wants one; empty for none.

    Raises:
        LiveTalkerError: no server can have such a token.
    """

    def __init__(self, address: str = DEFAULT_ADDRESS, *, tls: Tls | None = None, token: str = "") -> None:
        self.address = address
        self._security = Security(tls, token)

    async def __aenter__(self) -> Self:
        """Connects in the background.

        Raises:
            LiveTalkerError: the TLS files cannot be used.
        """
        self._channel = self._security.channel(self.address, _CHANNEL_OPTIONS)
        self._stub = rpc.FaceAnimationServiceStub(self._channel)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._channel.close(None)

    async def wait_until_reachable(self, timeout_s: float) -> None:
        """Waits until a server answers, for instance one that was just started.

        Raises:
            LiveTalkerError: none did in time.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._channel.channel_ready()
        except TimeoutError:
            raise LiveTalkerError(
                grpc.StatusCode.UNAVAILABLE, f"no LiveTalker server answered at {self.address} in {timeout_s:g} s"
            ) from None

    async def model_info(self) -> ModelInfo:
        """Asks what the server serves."""
        try:
            answer = await self._stub.GetModelInfo(pb.GetModelInfoRequest(), metadata=self._security.metadata)
        except grpc.aio.AioRpcError as error:
            raise from_rpc(error, self.address) from None
        return ModelInfo(answer.model_name, answer.model_version, tuple(answer.identities), answer.denoise_steps)

    @asynccontextmanager
    async def open(
        self,
        config: StreamConfig,
        *,
        encoding: Encoding = Encoding.F32LE,
        on_event: Callable[[pb.Event], None] | None = None,
        reconnect: bool = False,
        on_note: Callable[[str], None] | None = None,
    ) -> AsyncIterator[AnimationStream]:
        """Opens a stream to send to and receive from as one likes; leaving the block ends it.

        Args:
            config: what to make of the audio.
            encoding: how the audio travels.
            on_event: called with every event of the stream.
            reconnect: whether a stream whose connection breaks goes on by itself, for as long as somebody receives.
                Sending waits meanwhile; indexes and instants go on, and no frame comes twice.
            on_note: called with a remark for a person when the connection breaks and when the stream goes on.

        Raises:
            LiveTalkerError: the server refuses the stream or cannot be reached.
        """
        call: Call = ResumingCall(self._begin, encoding.value, on_note) if reconnect else self._begin()
        try:
            with suppress(StreamEnded):  # refused at once; reading tells why
                await call.write(pb.AnimateRequest(config=config_to_wire(config, encoding)))
            first = await call.read()
            if first is None:
                raise LiveTalkerError(grpc.StatusCode.OK, f"the server at {self.address} ended the stream unasked")
            yield AnimationStream(call, first.started, config, encoding, on_event)
        finally:
            call.cancel()

    def _begin(self) -> AnimateCall:
        return AnimateCall(self._stub.Animate(metadata=self._security.metadata), self.address)

    async def animate(
        self,
        chunks: AudioSource,
        config: StreamConfig,
        *,
        encoding: Encoding = Encoding.F32LE,
        on_event: Callable[[pb.Event], None] | None = None,
        reconnect: bool = False,
    ) -> AsyncGenerator[FaceFrame]:
        """Animates a source of audio chunks, from the first to the last frame.

        Args:
            chunks: mono audio at ``config.sample_rate``, in chunks of any length.
            config: what to make of it.
            encoding: how it travels.
            on_event: called with every event of the stream.
            reconnect: as of ``open``.

        Raises:
            LiveTalkerError: the server refuses or ends the stream or cannot be reached.
            Exception: whatever the source raises.
        """
        async with (
            self.open(config, encoding=encoding, on_event=on_event, reconnect=reconnect) as stream,
            aclosing(stream.animate(chunks)) as frames,
        ):
            async for frame in frames:
                yield frame
