"""A spawned worker as its supervisor sees it: its process, and the pipe between them."""

from __future__ import annotations

import asyncio
import signal

from livetalker import spawning
from livetalker.spawning import SPAWN
from livetalker.workers.places import SharedCounts
from livetalker.workers.setup import Failed, Ready, WorkerSetup
from livetalker.workers.worker import work


class SpawnedWorker:
    """Starts a worker; everything happens on the event loop's thread.

    Args:
        number: of the worker, from 0.
        setup: of all workers.
        counts: of everybody's streams.
    """

    def __init__(self, number: int, setup: WorkerSetup, counts: SharedCounts) -> None:
        self._pipe, theirs = SPAWN.Pipe()
        arguments = (number, setup, counts, theirs)
        self._process = SPAWN.Process(target=work, args=arguments, name=f"livetalker worker {number}")
        try:
            spawning.start(self._process)
        finally:
            theirs.close()  # so that the pipe ends with the worker

    async def first_word(self) -> Ready | Failed | None:
        """What the worker says when it has started; None where it ended without a word."""
        await _readable(self._pipe.fileno())
        try:
            said: Ready | Failed = self._pipe.recv()
        except (EOFError, OSError):
            return None
        return said

    async def ended(self) -> str:
        """Waits for the end of the process.

        Returns:
            How it ended, for a person.
        """
        await _readable(self._process.sentinel)
        return self.reap()

    def reap(self) -> str:
        """The same without the event loop, for the end."""
        self._process.join()
        code = self._process.exitcode or 0
        self._process.close()
        self._pipe.close()
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"

    def terminate(self) -> None:
        """Tells it to stop gracefully, or the second time at once."""
        self._process.terminate()

    def kill(self) -> None:
        """Ends it now."""
        self._process.kill()


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    news = asyncio.Event()
    loop.add_reader(descriptor, news.set)
    try:
        await news.wait()
    finally:
        loop.remove_reader(descriptor)
