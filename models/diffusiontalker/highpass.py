"""What a microphone's low-cut switch does: keeps rumble, hum and wind below the voice away from the encoder.

A fourth-order Butterworth high-pass, run block by block as a linear state space: with matrices for a whole block, numpy
needs one product and a short recurrence where a sample-by-sample filter would need a loop over samples.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.geometry import FEATURE_OVERLAP, SAMPLE_RATE

BLOCK: Final = FEATURE_OVERLAP
"""Samples per block (5 ms)."""
CUTOFF: Final = 140.0
"""Hz at 3 dB: a low voice keeps its second harmonic, where its level is; desks, wind and mains hum lie below."""
ORDER: Final = 4
"""Of the filter; also the numbers a stream carries from block to block."""

QUALITIES: Final = (1 / (2 * math.cos(math.pi / 8)), 1 / (2 * math.cos(3 * math.pi / 8)))
"""Of Butterworth's four poles as two sections in a row, the second fed by the first."""

Floats = NDArray[np.float64]


def section(quality: float) -> tuple[Floats, Floats, Floats, float]:
    """One biquad as ``s' = A s + b x``, ``y = c s + d x``: the bilinear transform of ``p^2 / (p^2 + p / Q + 1)``."""
    warped = math.tan(math.pi * CUTOFF / SAMPLE_RATE)
    d = 1 / (1 + warped / quality + warped**2)
    a1, a2 = 2 * (warped**2 - 1) * d, (1 - warped / quality + warped**2) * d
    return np.array([[-a1, 1.0], [-a2, 0.0]]), np.array([-2 - a1, 1 - a2]) * d, np.array([1.0, 0.0]), d


def _block_matrices() -> tuple[Floats, Floats, Floats, Floats]:
    """``y = x T + s O`` and ``s' = x R + s P`` for a block ``x`` and a state ``s``: the matrices ``T, O, R, P``."""
    (a, b, c, d), (a2, b2, c2, d2) = (section(quality) for quality in QUALITIES)
    step = np.block([[a, np.zeros((2, 2))], [np.outer(b2, c), a2]])
    entry, seen, direct = np.concatenate([b, b2 * d]), np.concatenate([d2 * c, c2]), d * d2
    powers = [np.linalg.matrix_power(step, n) for n in range(BLOCK + 1)]
    response = np.array([direct] + [seen @ power @ entry for power in powers[: BLOCK - 1]])
    lag = np.arange(BLOCK)[None, :] - np.arange(BLOCK)[:, None]
    through = np.where(lag >= 0, response[np.maximum(lag, 0)], 0.0)
    return (
        through,
        np.stack([seen @ power for power in powers[:BLOCK]], axis=1),
        np.stack([power @ entry for power in reversed(powers[:BLOCK])]),
        powers[BLOCK].T,
    )


_ROWS: Final = 32
"""Rows of a product: with blocks of 80 samples, just below what OpenBLAS shares out among threads."""
_THROUGH, _SEEN, _KEPT, _STEP = _block_matrices()


def high_pass(blocks: Floats, state: Floats) -> tuple[Floats, Floats]:
    """Filter whole blocks.

    Args:
        blocks: ``[B, n, BLOCK]`` samples.
        state: ``[B, ORDER]`` what the same streams carried out of the call before; zeros at the start.

    Returns:
        Samples of the same shape, and the new state.
    """
    states = np.concatenate([state[:, None], _product(blocks, _KEPT)], axis=1)
    # s[n] + s[n - 1] T + s[n - 2] T^2 + ...: twice as many terms in each round (Hillis and Steele 1986).
    step, terms = _STEP, 1
    while terms < states.shape[1]:
        states[:, terms:] += _product(states[:, :-terms], step)
        step, terms = step @ step, 2 * terms
    return _product(blocks, _THROUGH) + _product(states[:, :-1], _SEEN), states[:, -1]


def _product(rows: Floats, matrix: Floats) -> Floats:
    """``[B, n, k] @ [k, m]``, a few rows at a time.

    A larger product would wake BLAS's own threads, and these keep a core busy for some 30 ms after their work: longer
    than all of it takes, on a core that something else needs.
    """
    batch, count, size = rows.shape
    whole = count // _ROWS * _ROWS
    if not whole:
        return rows @ matrix
    most = (rows[:, :whole].reshape(batch, -1, _ROWS, size) @ matrix).reshape(batch, whole, -1)
    return np.concatenate([most, rows[:, whole:] @ matrix], axis=1)
