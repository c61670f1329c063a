"""A call whose writer waits for no reader: while a request is held back, what the server says is collected."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import Any

from livetalker.client.resuming import Call
from livetalker.v1 import face_animation_pb2 as pb


class CollectingCall:
    """A call that may be written to and read from in any order, by one task or by several.

    A server holds a lossless stream's audio back until its frames are read. Where one task sends everything and then
    reads, the writer has to make that room; the order of the responses and the way the call ends stay the same.

    Args:
        call: the call underneath, which nobody else reads.
    """

    def __init__(self, call: Call) -> None:
        self._call = call
        self._collected: deque[pb.AnimateResponse] = deque()
        self._collecting: asyncio.Task[bool] | None = None  # shared by all who wait; its result: there may be more

    async def write(self, request: pb.AnimateRequest) -> None:
        """Sends a request; waits while the transport is held back.

        Raises:
            LiveTalkerError: the call has ended.
        """
        await self._while_collecting(self._call.write(request))

    async def done_writing(self) -> None:
        """Half-closes the call."""
        await self._while_collecting(self._call.done_writing())

    async def read(self) -> pb.AnimateResponse | None:
        """Receives a response; None once the call has ended well.

        Raises:
            LiveTalkerError: the call has ended otherwise.
        """
        while not self._collected:
            if not await self._collect():
                return None
        return self._collected.popleft()

    def cancel(self) -> None:
        """Ends the call at once."""
        self._call.cancel()

    async def _while_collecting(self, writing: Coroutine[Any, Any, None]) -> None:
        write = asyncio.create_task(writing)
        try:
            while not write.done():
                collect = self._collect()  # done already where the call has ended: then only the write is waited for
                await asyncio.wait({write} if collect.done() else {write, collect}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            write.cancel()
            await asyncio.gather(write, return_exceptions=True)
            raise
        await write

    def _collect(self) -> asyncio.Task[bool]:
        """Waits for the next response; after the last one it is one task for good, which tells how the call ended."""
        if self._collecting is None:
            self._collecting = asyncio.create_task(self._collect_one())
            self._collecting.add_done_callback(_forgive)
        return self._collecting

    async def _collect_one(self) -> bool:
        response = await self._call.read()
        if response is None:
            return False
        self._collected.append(response)
        self._collecting = None
        return True


def _forgive(task: asyncio.Task[bool]) -> None:
    """Keeps asyncio from complaining of an error that nobody asked for."""
    if not task.cancelled():
        task.exception()
