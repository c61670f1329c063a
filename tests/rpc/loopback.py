"""A server over a scripted engine on a free loopback port, and a raw client to talk to it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import grpc
import numpy as np
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from livetalker.rpc.options import ServerOptions
from livetalker.rpc.ports import Animator
from livetalker.rpc.server import FaceServer
from livetalker.v1 import face_animation_pb2 as pb
from livetalker.v1 import face_animation_pb2_grpc as rpc

RATE = 16_000
SMALL_WINDOWS = (("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 65536))


@dataclass
class Loopback:
    """A running server and a connection to it."""

    server: FaceServer
    channel: grpc.aio.Channel
    stub: Any

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.port}"


@asynccontextmanager
async def serving(engine: Animator, **options: Any) -> AsyncIterator[Loopback]:
    """Runs a server for the length of the block."""
    server = FaceServer(engine, ServerOptions(**{"port": 0, "grace_s": 0.0, **options}))
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}", options=SMALL_WINDOWS) as channel:
            yield Loopback(server, channel, rpc.FaceAnimationServiceStub(channel))
    finally:
        await server.stop()


@contextmanager
def serving_in_background(engine: Animator, **options: Any) -> Iterator[str]:
    """Runs a server on a thread of its own, for clients that have no event loop; gives its address."""
    ready, done = threading.Event(), threading.Event()
    address = ""

    async def serve() -> None:
        nonlocal address
        async with serving(engine, **options) as server:
            address = server.address
            ready.set()
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(30), "the server did not start"
        yield address
    finally:
        done.set()
        thread.join()


def config(**fields: Any) -> pb.AnimateRequest:
    """A first request; fields left out are 16 kHz, S16LE."""
    encoding = pb.AUDIO_ENCODING_PCM_S16LE
    return pb.AnimateRequest(config=pb.StreamConfig(**{"sample_rate": RATE, "encoding": encoding, **fields}))


def audio(samples: int | bytes, start: int | None = None) -> pb.AnimateRequest:
    """A chunk: so many silent S16LE samples, or bytes as they are."""
    data = bytes(2 * samples) if isinstance(samples, int) else samples
    return pb.AnimateRequest(audio=pb.AudioChunk(start_sample=start, data=data))


def control(**fields: Any) -> pb.AnimateRequest:
    """A control."""
    return pb.AnimateRequest(control=pb.Control(**fields))


@dataclass
class Heard:
    """Everything a server answered on one stream."""

    responses: list[pb.AnimateResponse] = field(default_factory=list)
    error: grpc.aio.AioRpcError | None = None

    @property
    def started(self) -> pb.Started:
        return self.responses[0].started

    @property
    def frames(self) -> list[pb.Frame]:
        return [frame for response in self.responses for frame in response.frames.frames]

    @property
    def indexes(self) -> list[int]:
        return [frame.index for frame in self.frames]

    @property
    def weights(self) -> np.ndarray[Any, Any]:
        return np.array([frame.weights for frame in self.frames], np.float32)

    @property
    def events(self) -> list[pb.Event]:
        return [response.event for response in self.responses if response.HasField("event")]

    @property
    def gaps(self) -> list[pb.Gap]:
        return [event.gap for event in self.events if event.HasField("gap")]

    @property
    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.OK if self.error is None else self.error.code()

    @property
    def rich_status(self) -> status_pb2.Status | None:
        """None where the transport refused, not the service."""
        return rpc_status.from_call(cast(grpc.Call, self.error))

    @property
    def status(self) -> status_pb2.Status:
        assert self.error is not None, "the stream ended well"
        assert self.rich_status is not None, f"bare status {self.error.code()}: {self.error.details()}"
        return self.rich_status

    @property
    def info(self) -> error_details_pb2.ErrorInfo:
        return next(unpacked(self.status, error_details_pb2.ErrorInfo))

    @property
    def violations(self) -> list[error_details_pb2.BadRequest.FieldViolation]:
        requests = unpacked(self.status, error_details_pb2.BadRequest)
        return [violation for request in requests for violation in request.field_violations]

    @property
    def retry_after_s(self) -> float | None:
        retries = unpacked(self.status, error_details_pb2.RetryInfo)
        return next((retry.retry_delay.ToNanoseconds() / 1e9 for retry in retries), None)


def unpacked(status: status_pb2.Status, kind: Any) -> Any:
    """The details of one kind."""
    for packed in status.details:
        detail = kind()
        if packed.Unpack(detail):
            yield detail


async def send(call: Any, requests: Iterable[pb.AnimateRequest]) -> None:
    """Writes requests for as long as the server listens."""
    try:
        for request in requests:
            await call.write(request)
        await call.done_writing()
    except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
        return  # the server has ended the stream; reading says why


async def receive(call: Any) -> Heard:
    """Reads to the end."""
    heard = Heard()
    try:
        while isinstance(response := await call.read(), pb.AnimateResponse):
            heard.responses.append(response)
    except grpc.aio.AioRpcError as error:
        heard.error = error
    return heard


async def exchange(stub: Any, requests: Iterable[pb.AnimateRequest]) -> Heard:
    """One whole stream: sends everything while it reads everything."""
    call = stub.Animate()
    heard, _ = await asyncio.gather(receive(call), send(call, requests))
    return heard
