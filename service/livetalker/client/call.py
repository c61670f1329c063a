"""A bidirectional call with plain reads, writes and errors, whose end is told as the server told it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import grpc

from livetalker.client.errors import LiveTalkerError, from_rpc
from livetalker.v1 import face_animation_pb2 as pb


class StreamEnded(LiveTalkerError):
    """A request could not be sent because the call has ended; receiving tells why."""

    def __init__(self) -> None:
        super().__init__(grpc.StatusCode.CANCELLED, "the stream has ended; receiving tells why")


class AnimateCall:
    """The ``Animate`` call.

    Args:
        call: a call just begun.
        address: the server's, for messages.
    """

    def __init__(self, call: grpc.aio.StreamStreamCall[Any, Any], address: str) -> None:
        self._call = call
        self._address = address
        self._begun = False
        self._turn = asyncio.Lock()  # gRPC sends one message at a time, and breaks the call over a second one

    async def write(self, request: pb.AnimateRequest) -> None:
        """Sends a request, after those that other tasks are sending; waits while the transport is held back.

        Raises:
            LiveTalkerError: the call has ended; where that is ``StreamEnded``, ``read`` tells why.
        """
        try:
            async with self._turn:
                if not self._begun:
                    await self._call.wait_for_connection()
                    self._begun = True
                await self._write_on(request)
        except grpc.aio.AioRpcError as error:
            raise from_rpc(error, self._address) from None
        except (grpc.aio.BaseError, asyncio.InvalidStateError):
            raise StreamEnded from None

    async def _write_on(self, request: pb.AnimateRequest) -> None:
        # When a write fails because the server has just ended the call, the public write() replaces the server's
        # status by an INTERNAL of its own and makes what was not read yet unreadable (grpc/grpc#36066). This is the
        # public write() without that.
        if self._call.done():
            raise asyncio.InvalidStateError
        try:
            await self._call._cython_call.send_serialized_message(request.SerializeToString())  # type: ignore[attr-defined]
        except asyncio.CancelledError:
            self._call.cancel()  # the message may have left in part
            raise

    async def done_writing(self) -> None:
        """Half-closes the call."""
        with suppress(grpc.aio.BaseError):  # it has ended already; reading tells how
            async with self._turn:
                await self._call.done_writing()

    async def read(self) -> pb.AnimateResponse | None:
        """Receives a response; None once the call has ended well.

        Raises:
            LiveTalkerError: the call has ended otherwise.
        """
        try:
            response = await self._call.read()
        except grpc.aio.AioRpcError as error:
            raise from_rpc(error, self._address) from None
        return response if isinstance(response, pb.AnimateResponse) else None  # else it is grpc.aio.EOF

    def cancel(self) -> None:
        """Ends the call at once."""
        self._call.cancel()
