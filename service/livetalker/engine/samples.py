"""A queue of samples: append what arrives, take what a tick needs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class SampleQueue:
    """First in, first out, over one growing buffer."""

    def __init__(self) -> None:
        self._buffer = np.zeros(0, np.float32)
        self._start = 0

    def __len__(self) -> int:
        """Samples waiting."""
        return len(self._buffer) - self._start

    def append(self, samples: NDArray[np.float32]) -> None:
        """Put samples at the end."""
        if len(samples):
            self._buffer = np.concatenate([self._buffer[self._start :], samples])
            self._start = 0

    def take(self, count: int) -> NDArray[np.float32]:
        """The oldest ``count`` samples, which must be there."""
        if count > len(self):
            raise IndexError(f"{count} samples asked for, {len(self)} waiting")
        taken = self._buffer[self._start : self._start + count]
        self._start += count
        return taken

    def clear(self) -> None:
        """Forget everything."""
        self._buffer = np.zeros(0, np.float32)
        self._start = 0
