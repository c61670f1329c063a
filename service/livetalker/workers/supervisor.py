"""Keeps the workers running: starts them, starts them again when they die, and stops them when it is told to."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from typing import Final

from livetalker.workers.places import SharedCounts
from livetalker.workers.setup import Failed, Ready, WorkerSetup
from livetalker.workers.spawned import SpawnedWorker

log = logging.getLogger(__name__)

_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 30.0
_HEALTHY_S: Final = 60.0
"""A worker that lived as long as this has not died of what its predecessor died of."""
_AT_ONCE_S: Final = 5.0
"""What workers may take to stop at once before they are killed."""
_ORDERLY: Final = ("exit status 0", "killed by SIGTERM")
"""Ends of a worker that was told to stop; the second is that of one that had not begun to serve."""


class WorkerStartError(Exception):
    """A worker could not be started even once; the message says why."""


class Supervisor:
    """Serves with several processes until SIGTERM or SIGINT.

    Args:
        setup: of the workers; its port is reserved already.
        on_ready: called once, when all workers listen, with what each has said.
    """

    def __init__(self, setup: WorkerSetup, on_ready: Callable[[Sequence[Ready]], None]) -> None:
        self._setup = setup
        self._on_ready = on_ready
        self._counts = SharedCounts(setup.workers, setup.max_streams)
        self._running: dict[int, SpawnedWorker] = {}
        self._ready: dict[int, Ready] = {}
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Serves; a signal lets open streams end as ``ServerOptions.grace_s`` says, a second one stops at once.

        Raises:
            WorkerStartError: a worker did not start.
        """
        loop = asyncio.get_running_loop()
        for order in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(order, self._on_signal)
        try:
            async with asyncio.TaskGroup() as keepers:
                for number in range(self._setup.workers):
                    keepers.create_task(self._keep(number))
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None
        finally:
            self._kill_all()
            for worker in self._running.values():
                worker.reap()
            self._counts.close()

    def _on_signal(self) -> None:
        if self._stopping.is_set():
            asyncio.get_running_loop().call_later(_AT_ONCE_S, self._kill_all)
        self._stopping.set()
        for worker in self._running.values():
            worker.terminate()

    def _kill_all(self) -> None:
        for worker in self._running.values():
            worker.kill()

    async def _keep(self, number: int) -> None:
        """Keeps one worker running.

        Raises:
            WorkerStartError: it ended before it was ever ready.
        """
        loop = asyncio.get_running_loop()
        pause_s = _FIRST_PAUSE_S
        while not self._stopping.is_set():
            began = loop.time()
            said, end = await self._live(number)
            if self._stopping.is_set():
                if end not in _ORDERLY:
                    log.error("worker %d did not stop in order: %s", number, end)
                return
            reason = said.message if isinstance(said, Failed) else end
            if number not in self._ready:
                raise WorkerStartError(
                    reason if isinstance(said, Failed) else f"worker {number} did not start: {reason}"
                )
            if loop.time() - began >= _HEALTHY_S:
                pause_s = _FIRST_PAUSE_S
            log.error("worker %d ended (%s); it is started again in %g s", number, reason, pause_s)
            await self._pause(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _live(self, number: int) -> tuple[Ready | Failed | None, str]:
        """One life of a worker: what it said at its beginning, and how it ended."""
        worker = self._running[number] = SpawnedWorker(number, self._setup, self._counts)
        said = await worker.first_word()
        if isinstance(said, Ready):
            self._on_worker_ready(number, said)
        end = await worker.ended()
        del self._running[number]
        self._counts.clear(number)
        return said, end

    def _on_worker_ready(self, number: int, said: Ready) -> None:
        first_time = number not in self._ready
        self._ready[number] = said
        if not first_time:
            log.warning("worker %d serves again", number)
        elif len(self._ready) == self._setup.workers and not self._stopping.is_set():
            self._on_ready([self._ready[number] for number in range(self._setup.workers)])

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return
