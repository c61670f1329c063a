"""Brings what the engine's thread makes to the event loop: many outputs, one awakening."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Calls receivers on an event loop with what other threads post, in order.

    Waking a loop is a system call; a tick that makes frames for a hundred streams shall not make a hundred of them.

    Args:
        loop: where receivers are called; the mailbox is made on its thread.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._thread = threading.get_ident()
        self._lock = threading.Lock()
        self._posted: deque[tuple[Callable[[T], None], T]] = deque()

    def post(self, receiver: Callable[[T], None], item: T) -> None:
        """Have ``receiver(item)`` called soon; any thread. After the loop was closed nothing is called."""
        with self._lock:
            first = not self._posted
            self._posted.append((receiver, item))
        if first:
            with suppress(RuntimeError):  # the loop is closed: the server has stopped while the engine was at work
                on_loop = threading.get_ident() == self._thread
                (self._loop.call_soon if on_loop else self._loop.call_soon_threadsafe)(self._deliver)

    def _deliver(self) -> None:
        with self._lock:
            posted, self._posted = self._posted, deque()
        for receiver, item in posted:
            receiver(item)
