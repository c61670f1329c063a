"""The server's end of the way to its engine: messages go out in batches, batches come in, all on one event loop.

Threads of its own for either direction would take turns with the loop at the interpreter's lock, thousands of times a
second, which costs more than the messages themselves.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from livetalker.engine.process.messages import Message, Unpacker, packed


class EngineLink(asyncio.Protocol):
    """Sends and receives; every method is for the loop that it was opened on.

    The audio that waits to be sent is bounded by who sends it: no stream has more under way than its backlog may be.

    Args:
        gather: seconds to let messages gather after the first one, if nothing comes from the other end.
        receive: called with each message that comes.
        ended: called once, when the other end is closed.
    """

    def __init__(
        self, gather: Callable[[], float], receive: Callable[[Message], None], ended: Callable[[], None]
    ) -> None:
        self._gather = gather
        self._receive = receive
        self._ended = ended
        self._waiting: list[Message] = []
        self._unpacker = Unpacker()
        self._loop: asyncio.AbstractEventLoop
        self._transport: asyncio.Transport
        self._timer: asyncio.TimerHandle

    async def open(self, end: socket.socket) -> None:
        """Begins; the socket is the link's from then on."""
        self._loop = asyncio.get_running_loop()
        unix = end.family == getattr(socket, "AF_UNIX", None)  # but for Windows
        create = self._loop.create_unix_connection if unix else self._loop.create_connection
        self._transport, _ = await create(lambda: self, sock=end)

    def close(self) -> None:
        """Ends; what still waits is not sent."""
        self._transport.abort()

    def send(self, message: Message) -> None:
        """Has a message sent soon."""
        self._waiting.append(message)
        if len(self._waiting) == 1:
            self._timer = self._loop.call_later(self._gather(), self._send_all)

    def _send_all(self) -> None:
        batch, self._waiting = self._waiting, []
        self._timer.cancel()
        if not self._transport.is_closing():
            self._transport.write(packed(batch))

    # Called by the loop ---------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Something came."""
        for batch in self._unpacker.feed(data):
            for message in batch:
                self._receive(message)
        if self._waiting:  # it has just finished something, and looks for more now
            self._send_all()

    def connection_lost(self, error: Exception | None) -> None:
        """The other end is closed, or this one."""
        self._ended()
