"""How long a client may leave a message unread: one timer for all messages of a stream, not one for each."""

from __future__ import annotations

import asyncio


class WriteDeadline:
    """Cancels a task whose message was not taken in time.

    Args:
        task: the one that writes.
        seconds: from the beginning of a write to its end, at most.
    """

    def __init__(self, task: asyncio.Task[None], seconds: float) -> None:
        self.passed = False
        self._task = task
        self._seconds = seconds
        self._loop = task.get_loop()
        self._since: float | None = None
        self._timer = self._loop.call_later(seconds, self._look)

    def begin(self) -> None:
        """A write begins."""
        self._since = self._loop.time()

    def end(self) -> None:
        """It has ended."""
        self._since = None

    def stop(self) -> None:
        """No more writes."""
        self._timer.cancel()

    def _look(self) -> None:
        now = self._loop.time()
        due = now + self._seconds if self._since is None else self._since + self._seconds
        if due <= now:
            self.passed = True
            self._task.cancel()
        else:
            self._timer = self._loop.call_at(due, self._look)
