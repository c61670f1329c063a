"""Counter-based noise: what the sampler starts from depends on (seed, frame index) and on nothing else.

Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): key = the stream's seed, counter =
(frame, lane). Any frame of any stream can be drawn at any time, in any batch, without state.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

_M0: Final = np.uint64(0xD2511F53)
_M1: Final = np.uint64(0xCD9E8D57)
_W0: Final = 0x9E3779B9
_W1: Final = 0xBB67AE85
_LOW: Final = np.uint64(0xFFFFFFFF)
_SHIFT: Final = np.uint64(32)
_ROUNDS: Final = 10


def philox4x32(counter: NDArray[np.uint64], key: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Ten rounds of Philox4x32.

    Args:
        counter: ``[..., 4]`` 32-bit words.
        key: ``[..., 2]`` 32-bit words.

    Returns:
        ``[..., 4]`` random 32-bit words, as ``uint64``.
    """
    c0, c1, c2, c3 = (counter[..., i] for i in range(4))
    k0, k1 = key[..., 0], key[..., 1]
    for _ in range(_ROUNDS):
        p0, p1 = _M0 * c0, _M1 * c2
        c0, c1, c2, c3 = (p1 >> _SHIFT) ^ c1 ^ k0, p1 & _LOW, (p0 >> _SHIFT) ^ c3 ^ k1, p0 & _LOW
        k0, k1 = (k0 + np.uint64(_W0)) & _LOW, (k1 + np.uint64(_W1)) & _LOW
    return np.stack([c0, c1, c2, c3], axis=-1)


def frame_noise(seeds: NDArray[np.uint64], frames: NDArray[np.uint64], width: int) -> NDArray[np.float32]:
    """Standard normal noise of frames.

    Args:
        seeds: ``[...]`` 64-bit seeds of the streams.
        frames: ``[...]`` absolute frame indexes, broadcast against ``seeds``.
        width: values per frame.

    Returns:
        ``[..., width]`` independent standard normal values (Box-Muller).
    """
    seeds, frames = np.broadcast_arrays(seeds.astype(np.uint64), frames.astype(np.uint64))
    lanes = -(-width // 4)
    counter = np.zeros((*frames.shape, lanes, 4), np.uint64)
    counter[..., 0] = (frames & _LOW)[..., None]
    counter[..., 1] = (frames >> _SHIFT)[..., None]
    counter[..., 2] = np.arange(lanes, dtype=np.uint64)
    key = np.stack([seeds & _LOW, seeds >> _SHIFT], axis=-1)[..., None, :]
    words = philox4x32(counter, np.broadcast_to(key, (*frames.shape, lanes, 2)))
    uniform = (words.astype(np.float64) + 0.5) / 2.0**32
    radius = np.sqrt(-2 * np.log(uniform[..., 0::2]))
    angle = 2 * np.pi * uniform[..., 1::2]
    normal = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    flat: NDArray[np.float32] = normal.reshape(*frames.shape, lanes * 4)[..., :width].astype(np.float32)
    return flat
