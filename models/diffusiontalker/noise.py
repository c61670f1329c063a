"""Counter-based noise: what the sampler starts from depends on (seed, frame index) and on nothing else.

Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): key = the stream's seed, counter =
(frame or knot, lane, kind). Any frame of any stream can be drawn at any time, in any batch, without state.

What speech does not decide, how eyes and brows move, the noise decides. Were it new in every frame, the denoiser would
average most of it away and hand on the rest as a tremble; so theirs changes slowly, along a spline.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.arkit import BROWS, COUNT, EYES

_LOW: Final = np.uint64(0xFFFFFFFF)
_SHIFT: Final = np.uint64(32)
_ROUNDS: Final = 10
_MULTIPLIERS: Final = np.array([0xD2511F53, 0xCD9E8D57], np.uint64)
_WEYL: Final = np.arange(_ROUNDS, dtype=np.uint64)[:, None] * np.array([0x9E3779B9, 0xBB67AE85], np.uint64)
"""What is added to the key before each round."""
_FRAMES, _KNOTS = range(2)
"""Kinds of what is drawn: counters of one never meet those of the other."""
_FOUR: Final = np.arange(4)
SLOW: Final = np.array(sorted((*EYES, *BROWS)))
"""Coefficients whose noise follows a spline."""


def philox4x32(counter: NDArray[np.uint64], key: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Ten rounds of Philox4x32.

    Args:
        counter: ``[..., 4]`` 32-bit words.
        key: ``[..., 2]`` 32-bit words, broadcast against the counters.

    Returns:
        ``[..., 4]`` random 32-bit words, as ``uint64``.
    """
    # The pairs (c0, c2) and (c1, c3), each as one array, first word first: half as many calls for the same words.
    even, odd = np.moveaxis(counter[..., 0::2], -1, 0), np.moveaxis(counter[..., 1::2], -1, 0)
    ones = (1,) * (counter.ndim - 1)
    multipliers = _MULTIPLIERS.reshape(2, *ones)
    keys = (np.moveaxis(key, -1, 0) + _WEYL.reshape(_ROUNDS, 2, *ones)) & _LOW
    for round_key in keys:
        products = multipliers * even
        even, odd = (products >> _SHIFT)[::-1] ^ odd ^ round_key, (products & _LOW)[::-1]
    words = np.empty((*even.shape[1:], 4), np.uint64)
    words[..., 0::2], words[..., 1::2] = np.moveaxis(even, 0, -1), np.moveaxis(odd, 0, -1)
    return words


def frame_noise(seeds: NDArray[np.uint64], frames: NDArray[np.uint64], width: int) -> NDArray[np.float32]:
    """Standard normal noise of frames.

    Args:
        seeds: ``[...]`` 64-bit seeds of the streams.
        frames: ``[...]`` absolute frame indexes, broadcast against ``seeds``.
        width: values per frame.

    Returns:
        ``[..., width]`` independent standard normal values.
    """
    return _normal(seeds, frames, width, _FRAMES)


def smooth_noise(seeds: NDArray[np.uint64], frames: NDArray[np.uint64], width: int, period: int) -> NDArray[np.float32]:
    """Standard normal noise that changes slowly: a cubic B-spline through knots, scaled to unit variance.

    Args:
        seeds: ``[B]`` 64-bit seeds of the streams.
        frames: ``[B, T]`` absolute frame indexes; cheapest where a stream's follow each other.
        width: values per frame.
        period: frames from one knot to the next.

    Returns:
        ``[B, T, width]``, of unit variance at every frame; frames ``4 * period`` apart are independent.
    """
    knot, since = np.divmod(frames, np.uint64(period))
    first = knot.min(axis=1, keepdims=True)
    place = (knot - first).astype(np.intp)
    drawn = _normal(seeds[:, None], first + np.arange(place.max() + 4, dtype=np.uint64), width, _KNOTS)
    weights = spline(period)[since.astype(np.intp)]
    stream = np.arange(len(seeds))[:, None]
    near = weights[..., None] * drawn[stream[..., None], place[..., None] + _FOUR]
    # Added one by one: what a frame gets must not depend on how many others there are, not even in its last bit.
    noise: NDArray[np.float32] = near[:, :, 0] + near[:, :, 1] + near[:, :, 2] + near[:, :, 3]
    return noise


@cache
def spline(period: int) -> NDArray[np.float32]:
    """``[period, 4]``: for each frame between two knots, the weights of the four around it, whose squares sum to 1."""
    u = np.arange(period)[:, None] / period
    weights = np.concatenate([(1 - u) ** 3, 3 * u**3 - 6 * u**2 + 4, -3 * u**3 + 3 * u**2 + 3 * u + 1, u**3], axis=1)
    normed: NDArray[np.float64] = weights / np.linalg.norm(weights, axis=1, keepdims=True)
    return normed.astype(np.float32)


def face_noise(seeds: NDArray[np.uint64], frames: NDArray[np.uint64], period: int) -> NDArray[np.float32]:
    """What the sampler starts a face from.

    Args:
        seeds: ``[B]`` 64-bit seeds of the streams.
        frames: ``[B, T]`` absolute frame indexes.
        period: frames between the knots of the noise of eyes and brows; 1 draws it anew for every frame, like the
            other coefficients'.

    Returns:
        ``[B, T, 52]`` standard normal values.
    """
    noise = frame_noise(seeds[:, None], frames, COUNT)
    if period > 1:
        noise[..., SLOW] = smooth_noise(seeds, frames, len(SLOW), period)
    return noise


def _normal(seeds: NDArray[np.uint64], frames: NDArray[np.uint64], width: int, kind: int) -> NDArray[np.float32]:
    """``[..., width]`` independent standard normal values (Box-Muller)."""
    seeds, frames = np.broadcast_arrays(seeds.astype(np.uint64), frames.astype(np.uint64))
    lanes = -(-width // 4)
    counter = np.zeros((*frames.shape, lanes, 4), np.uint64)
    counter[..., 0] = (frames & _LOW)[..., None]
    counter[..., 1] = (frames >> _SHIFT)[..., None]
    counter[..., 2] = np.arange(lanes, dtype=np.uint64)
    counter[..., 3] = kind
    key = np.stack([seeds & _LOW, seeds >> _SHIFT], axis=-1)[..., None, :]
    words = philox4x32(counter, key)
    uniform = (words.astype(np.float32) + np.float32(0.5)) * np.float32(2.0**-32)  # in (0, 1]
    radius = np.sqrt(-2 * np.log(uniform[..., 0::2]))
    angle = np.float32(2 * np.pi) * uniform[..., 1::2]
    normal = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    flat: NDArray[np.float32] = normal.reshape(*frames.shape, lanes * 4)[..., :width]
    return flat
