"""Places that processes share: one count for each of them, whose sum never exceeds the total.

The counts are in a file without a name, which every process holds open. A POSIX lock guards it, because the kernel
takes that lock from a process that dies, whenever it does; a semaphore would stay taken for ever.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import threading
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import reduction
from typing import Any, Final

_TYPE: Final = "q"


class SharedCounts:
    """How many places each process has taken.

    It travels to a process that is being spawned as one of its arguments.

    Args:
        processes: how many there are.
        total: places for all of them together.
    """

    def __init__(self, processes: int, total: int) -> None:
        with tempfile.TemporaryFile() as file:
            self._open(os.dup(file.fileno()), total)
        self._write(array(_TYPE, [0] * processes))

    def _open(self, descriptor: int, total: int) -> None:
        self._descriptor = descriptor
        self._total = total
        self._threads = threading.Lock()  # a POSIX lock is the process's, not the thread's

    def __reduce__(self) -> tuple[Any, ...]:
        """Spawning only: the descriptor is passed on."""
        return _arrived, (reduction.DupFd(self._descriptor), self._total)

    def take(self, process: int) -> bool:
        """Takes a place for a process.

        Returns:
            False where none is left.
        """
        with self._locked() as counts:
            if sum(counts) >= self._total:
                return False
            counts[process] += 1
            self._write(counts)
        return True

    def give_back(self, process: int) -> None:
        """Gives back one place that a process has taken."""
        with self._locked() as counts:
            counts[process] -= 1
            self._write(counts)

    def clear(self, process: int) -> None:
        """Gives back all places of a process that is no more."""
        with self._locked() as counts:
            counts[process] = 0
            self._write(counts)

    def close(self) -> None:
        """Closes the file; other processes keep theirs."""
        os.close(self._descriptor)

    @contextmanager
    def _locked(self) -> Iterator[array[int]]:
        with self._threads:
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX)
            try:
                yield array(_TYPE, os.pread(self._descriptor, os.fstat(self._descriptor).st_size, 0))
            finally:
                fcntl.lockf(self._descriptor, fcntl.LOCK_UN)

    def _write(self, counts: array[int]) -> None:
        os.pwrite(self._descriptor, counts.tobytes(), 0)


def _arrived(descriptor: Any, total: int) -> SharedCounts:
    counts = SharedCounts.__new__(SharedCounts)
    counts._open(descriptor.detach(), total)
    return counts


class SharedPlaces:
    """The places of one process, as its engine takes them.

    Args:
        counts: of all processes.
        process: its number.
    """

    def __init__(self, counts: SharedCounts, process: int) -> None:
        self._counts = counts
        self._process = process

    def take(self) -> bool:
        """Takes a place; False where none is left."""
        return self._counts.take(self._process)

    def give_back(self) -> None:
        """Gives one back."""
        self._counts.give_back(self._process)
