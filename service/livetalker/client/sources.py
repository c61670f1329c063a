"""Where a client's audio comes from: samples in memory, at microphone pace or as fast as the server takes them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

CHUNK_SECONDS: Final = 0.02
"""What a microphone usually delivers at a time."""
FAST_CHUNK_SECONDS: Final = 0.25
"""Fewer, larger messages where nobody waits for the first."""


@dataclass(frozen=True, slots=True)
class LostAudio:
    """In the place of audio that a source recorded and could not deliver.

    Attributes:
        samples: how much of it.
    """

    samples: int


async def paced(
    samples: NDArray[np.float32], rate: int, *, chunk_seconds: float = CHUNK_SECONDS
) -> AsyncIterator[NDArray[np.float32]]:
    """Delivers samples as a microphone would: each chunk when its last sample would have been recorded.

    Args:
        samples: ``[n]`` mono.
        rate: hertz.
        chunk_seconds: length of a chunk.
    """
    loop = asyncio.get_running_loop()
    start = loop.time()
    size = max(1, round(chunk_seconds * rate))
    for first in range(0, len(samples), size):
        chunk = samples[first : first + size]
        await asyncio.sleep(start + (first + len(chunk)) / rate - loop.time())
        yield chunk


async def unpaced(
    samples: NDArray[np.float32], rate: int, *, chunk_seconds: float = FAST_CHUNK_SECONDS
) -> AsyncIterator[NDArray[np.float32]]:
    """Delivers samples as fast as the consumer takes them; arguments as for ``paced``."""
    size = max(1, round(chunk_seconds * rate))
    for first in range(0, len(samples), size):
        yield samples[first : first + size]


async def until(
    enough: asyncio.Event, chunks: AsyncIterator[NDArray[np.float32]]
) -> AsyncIterator[NDArray[np.float32]]:
    """Delivers what a source does, and ends with it or once ``enough`` is set."""
    async for chunk in chunks:
        if enough.is_set():
            return
        yield chunk
