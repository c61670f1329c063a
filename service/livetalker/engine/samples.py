"""A queue of samples: append what arrives, take what a tick needs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class SampleQueue:
    """First in, first out; chunks are joined when they are taken, since they come more often than that."""

    def __init__(self) -> None:
        self._chunks: list[NDArray[np.float32]] = []
        self._length = 0

    def __len__(self) -> int:
        """Samples waiting."""
        return self._length

    def append(self, samples: NDArray[np.float32]) -> None:
        """Put samples ``[n]`` at the end; the array must not change afterwards.

        Raises:
            ValueError: they are not one channel's.
        """
        if samples.ndim != 1:
            raise ValueError(f"samples have {samples.ndim} dimensions; mono audio has one")
        self._chunks.append(samples)
        self._length += len(samples)

    def take(self, count: int) -> NDArray[np.float32]:
        """The oldest ``count`` samples, which must be there."""
        if count > len(self):
            raise IndexError(f"{count} samples asked for, {len(self)} waiting")
        if len(self._chunks) > 1:
            self._chunks = [np.concatenate(self._chunks)]
        (whole,) = self._chunks or [np.zeros(0, np.float32)]
        self._chunks = [whole[count:]]
        self._length -= count
        return whole[:count]

    def clear(self) -> None:
        """Forget everything."""
        self._chunks = []
        self._length = 0
