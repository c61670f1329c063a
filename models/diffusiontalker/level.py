"""Causal level normalisation: every voice reaches the encoder at the same level, whatever the microphone's gain.

The level of 5 ms blocks is averaged over 50 ms and followed by a peak holder with instant attack and slow release; the
inverse is the gain. All of it is differences of decibels, so a voice 37 dB quieter gives the same output (above the
floor), and all of it is computed from blocks on the absolute sample grid, so chunking cannot change it. A feature
window is exactly five blocks long: normalising adds no latency.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.geometry import SAMPLE_RATE
from diffusiontalker.highpass import BLOCK as BLOCK
from diffusiontalker.highpass import ORDER, high_pass

AVERAGED_BLOCKS: Final = 10
"""Blocks in the short-time level (50 ms)."""
RELEASE_DB: Final = 2.0 * BLOCK / SAMPLE_RATE
"""Fall of the held level per block: 2 dB a second, slower than any pause within a sentence."""
FLOOR_DB: Final = -80.0
"""Nothing below this (dBFS) is brought up further: a quiet room stays quiet."""
_TINY: Final = 1e-12


@dataclass(frozen=True, slots=True)
class LevelState:
    """What a batch of streams carries from block to block.

    Attributes:
        powers: ``[B, 9]`` mean squares of the latest blocks.
        held: ``[B]`` held level in dBFS.
        low_cut: ``[B, ORDER]`` state of the high-pass.
    """

    powers: NDArray[np.float64]
    held: NDArray[np.float64]
    low_cut: NDArray[np.float64]

    @staticmethod
    def initial(batch: int) -> LevelState:
        """State before the first sample of ``batch`` streams."""
        return LevelState(np.zeros((batch, AVERAGED_BLOCKS - 1)), np.full(batch, FLOOR_DB), np.zeros((batch, ORDER)))


def normalize_level(samples: NDArray[np.float32], state: LevelState) -> tuple[NDArray[np.float32], LevelState]:
    """Bring whole blocks of audio to the encoder's level.

    Args:
        samples: ``[B, blocks * BLOCK]`` audio at 16 kHz in -1..1.
        state: what the same streams carried out of the call before.

    Returns:
        Audio of the same shape, whose held 50 ms level is 0 dB (root mean square 1), and the new state.
    """
    batch, length = samples.shape
    blocks = length // BLOCK
    if blocks * BLOCK != length:
        raise ValueError(f"level normalisation takes whole blocks of {BLOCK} samples, got {length}")
    grid, low_cut = high_pass(samples.reshape(batch, blocks, BLOCK).astype(np.float64), state.low_cut)
    powers = np.concatenate([state.powers, np.square(grid).mean(-1)], axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(powers, AVERAGED_BLOCKS, axis=1)
    level = np.maximum(10 * np.log10(windows.mean(-1) + _TINY), FLOOR_DB)
    # held[b] = max(level[b], held[b-1] - release): a running maximum once the release is added back.
    ramp = RELEASE_DB * np.arange(blocks + 1)
    held = np.maximum.accumulate(np.concatenate([state.held[:, None], level], axis=1) + ramp, axis=1) - ramp
    held = np.maximum(held, FLOOR_DB)
    gains = 10 ** (-held / 20)
    # The gain moves linearly across a block, so that a change of level is no click.
    slope = np.arange(1, BLOCK + 1) / BLOCK
    gain = gains[:, :-1, None] * (1 - slope) + gains[:, 1:, None] * slope
    # Rising gain is heard from the block before, but an onset must not leave the block at the old, higher gain.
    gain = np.minimum(gain, gains[:, 1:, None] * 2.0)
    out = (grid * gain).astype(np.float32).reshape(batch, length)
    return out, LevelState(powers[:, -(AVERAGED_BLOCKS - 1) :], held[:, -1], low_cut)
