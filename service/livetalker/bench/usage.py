"""Processor time and memory of a process and its children, which ``psutil`` reads."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

_MB = 1024 * 1024


class PsutilMissingError(Exception):
    """psutil is not installed; the message says how to install it."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a server used.

    Attributes:
        cpu_percent: of one core, all processes together; 200 is two cores.
        rss_mb: largest resident memory seen, summed over the processes, MiB; what they share counts once for each.
        rss_idle_mb: the same before any stream was opened.
        processes: how many there were.
    """

    cpu_percent: float
    rss_mb: float
    rss_idle_mb: float
    processes: int


class ProcessMeter:
    """Measures a process with all its children between ``begin`` and ``end``.

    Args:
        pid: of the process; it is idle now.

    Raises:
        PsutilMissingError: psutil is not installed.
    """

    def __init__(self, pid: int) -> None:
        try:
            import psutil
        except ModuleNotFoundError as error:
            raise PsutilMissingError(
                "measuring the server needs psutil; pip install '.[bench]' in LiveTalker's folder"
            ) from error
        self._gone = psutil.Error
        self._root = psutil.Process(pid)
        self._processes: list[Any] = []
        self._seconds: dict[int, float] = {}
        self._find()
        self._idle = self._rss()
        self._most = 0.0
        self._begun: tuple[float, float] | None = None
        self._ended: tuple[float, float] | None = None

    def begin(self) -> None:
        """Starts the clock."""
        self._find()
        self._most = self._rss()
        self._begun = (time.perf_counter(), self._cpu())

    def sample(self) -> None:
        """Looks at the memory, and at the processor time in case a process ends."""
        self._most = max(self._most, self._rss())
        self._cpu()

    def end(self) -> None:
        """Stops the clock."""
        self._ended = (time.perf_counter(), self._cpu())

    def usage(self) -> Usage | None:
        """What was measured; None if ``begin`` and ``end`` did not both happen."""
        if self._begun is None or self._ended is None:
            return None
        wall, cpu = (after - before for before, after in zip(self._begun, self._ended, strict=True))
        return Usage(100 * cpu / max(wall, 1e-9), self._most, self._idle, len(self._processes))

    def _find(self) -> None:
        with suppress(self._gone):
            self._processes = [self._root, *self._root.children(recursive=True)]

    def _rss(self) -> float:
        total = 0
        for process in self._processes:
            with suppress(self._gone):
                total += process.memory_info().rss
        return total / _MB

    def _cpu(self) -> float:
        for process in self._processes:
            with suppress(self._gone):  # what a process that is gone had used still counts
                times = process.cpu_times()
                self._seconds[process.pid] = times.user + times.system
        return sum(self._seconds.values())
