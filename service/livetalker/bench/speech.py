"""Sound for simulated microphones: a synthetic voice that a speech detector takes for one."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

LOOP_SECONDS: Final = 8.0
"""Length of a voice; it begins and ends in silence, so that it can be repeated."""

_GRID_HZ: Final = 100
"""Rate at which pitch, formants and loudness are drawn; samples lie on straight lines between."""
_VOWELS: Final = np.array(
    [[730, 1090, 2440], [530, 1840, 2480], [270, 2290, 3010], [570, 840, 2410], [300, 870, 2240], [490, 1350, 1690]],
    np.float64,
)
"""First three formants of a, e, i, o, u and er in hertz (Peterson and Barney, 1952)."""
_BANDWIDTHS: Final = np.array([80.0, 110.0, 160.0])


@lru_cache(maxsize=64)
def synthetic_speech(seed: int, rate: int) -> NDArray[np.float32]:
    """A voice: harmonics of a gliding pitch under moving formants, syllables, hisses between them, and pauses.

    Args:
        seed: chooses the voice and what it says.
        rate: hertz.

    Returns:
        ``[LOOP_SECONDS * rate]`` mono, full scale 1.0, read-only.
    """
    draw = np.random.default_rng(seed)
    grid = round(LOOP_SECONDS * _GRID_HZ)
    voiced, hiss, formants = np.zeros(grid), np.zeros(grid), np.tile(_VOWELS[0], (grid, 1))
    at = round(0.1 * _GRID_HZ)
    while at < grid - 0.8 * _GRID_HZ:
        for _ in range(draw.integers(5, 11)):
            length = int(draw.integers(15, 27))
            onset = int(draw.integers(3, 8))
            if at + onset + length > grid - 0.3 * _GRID_HZ:
                break
            if draw.random() < 0.6:
                hiss[at : at + onset] = draw.uniform(0.03, 0.1)
            syllable = slice(at + onset, at + onset + length)
            voiced[syllable] = np.sin(np.linspace(0, np.pi, length)) ** 0.6 * draw.uniform(0.6, 1.0)
            begin, end = _VOWELS[draw.integers(len(_VOWELS), size=2)] * draw.uniform(0.95, 1.1)
            formants[syllable] = np.linspace(begin, end, length)
            at = syllable.stop
        at += int(draw.integers(30, 70))
    steps = np.arange(grid) / _GRID_HZ
    pitch = draw.uniform(95, 210) * (1 + 0.12 * np.sin(2 * np.pi * draw.uniform(0.3, 0.6) * steps + draw.uniform(0, 6)))
    times = np.arange(round(LOOP_SECONDS * rate)) / rate
    phase = 2 * np.pi * np.cumsum(np.interp(times, steps, pitch)) / rate
    sound = np.interp(times, steps, hiss) * draw.normal(0, 1, len(times))
    for harmonic in range(1, int(min(3800, 0.45 * rate) / pitch.max()) + 1):
        distance = (harmonic * pitch[:, None] - formants) / _BANDWIDTHS
        resonance = (np.array([1.0, 0.5, 0.25]) / (1 + distance**2)).sum(1) + 0.02
        sound += np.interp(times, steps, voiced * resonance / harmonic**0.5) * np.sin(harmonic * phase)
    samples: NDArray[np.float32] = (0.3 * sound / np.abs(sound).max()).astype(np.float32)
    samples.flags.writeable = False
    return samples
