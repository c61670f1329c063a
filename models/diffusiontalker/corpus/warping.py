"""Two utterances of the same words laid over each other: cepstra at 100 Hz and dynamic time warping between them.

The warping is that of Sakoe and Chiba (1978, IEEE Trans. ASSP 26) with symmetric weights: a step in both utterances
costs twice the distance of its frames, a step in one alone costs it once and a fixed price besides, so that a path
bends only where it gains. People pause where others do not: within a pause, steps cost the price alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

from diffusiontalker.geometry import SAMPLE_RATE

FRAMES_PER_SECOND: Final = 100
CEPSTRA: Final = 13
STEP_PRICE: Final = 0.6
"""Price of a step in one utterance alone; the mean distance of right frames is about 0.5, of wrong ones 1.3."""
PAUSE: Final = 14
"""Frames without speech from which it is a pause; the closures of stops are shorter."""
BAND_SHARE: Final = 0.15
"""Half the width of the Sakoe-Chiba band, as a part of the second utterance."""
BAND_FRAMES: Final = 30
"""Frames added to it."""

_HOP: Final = SAMPLE_RATE // FRAMES_PER_SECOND
_WINDOW: Final = SAMPLE_RATE // 40
_FFT: Final = 512
_BANDS: Final = 26
_LOWEST_HZ, _HIGHEST_HZ = 80.0, 7600.0
_RANGE_DB: Final = 55.0
"""Bands are not followed further than this below the loud ones: what lies there is the room."""
_SPEECH_LEVEL: Final = 0.35
"""A frame is speech when its level is this far up from the 5th to the 95th percentile of its utterance."""
_SHORTEST: Final = 10
"""Frames an utterance must have."""
_SHORTEST_SPEECH: Final = 3
"""Frames; anything shorter is a click."""
_MARGIN: Final = 10
"""Frames kept before and after the speech."""
_BOTH, _FIRST, _SECOND = 0, 1, 2

Frames = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Cepstra:
    """What the warping compares.

    Attributes:
        features: ``[N, 26]`` cepstra and their slopes, each with mean 0 and deviation 1 over the speech.
        speech: ``[N]`` frames with speech.
        offset: frames cut off before the first.
    """

    features: Frames
    speech: Mask
    offset: int = 0

    @property
    def pauses(self) -> Mask:
        """``[N]`` frames within stretches of at least ``PAUSE`` frames without speech."""
        return _long_runs(~self.speech, PAUSE)

    def trimmed(self) -> Cepstra:
        """Without the silence before and after the speech, save a margin."""
        inside = np.flatnonzero(self.speech)
        start = max(0, int(inside[0]) - _MARGIN)
        end = int(inside[-1]) + 1 + _MARGIN
        return Cepstra(self.features[start:end], self.speech[start:end], self.offset + start)


@dataclass(frozen=True, slots=True)
class Warp:
    """How one utterance lies over another.

    Attributes:
        cost: the path's cost over the sum of the lengths.
        steps: ``[P, 2]`` frames of the first and of the second utterance, in order.
        paused: ``[P]`` steps that only let a pause of the first utterance pass.
    """

    cost: float
    steps: NDArray[np.int64]
    paused: Mask

    def first_at(self, second: NDArray[Any]) -> Frames:
        """Frames of the first utterance at frames of the second (fractions allowed, clamped to the ends)."""
        kept = self.steps[~self.paused]
        frames, which = np.unique(kept[:, 1], return_inverse=True)
        middle = np.bincount(which, kept[:, 0]) / np.bincount(which)
        return np.asarray(np.interp(second, frames, middle))

    def pauses(self) -> list[tuple[int, int]]:
        """Stretches of the first utterance, ``(first frame, one past the last)``, that passed as pauses."""
        edges = np.flatnonzero(np.diff(np.concatenate(([False], self.paused, [False])).astype(np.int8)))
        return [
            (int(self.steps[start, 0]), int(self.steps[end - 1, 0]) + 1)
            for start, end in zip(edges[::2], edges[1::2], strict=True)
        ]


def cepstra(samples: NDArray[np.int16]) -> Cepstra:
    """Cepstra of ``[N]`` samples at 16 kHz; frame ``k`` is centred at ``k / 100`` seconds.

    Raises:
        ValueError: the samples hold no speech.
    """
    sound = samples.astype(np.float64) / 32768
    count = len(sound) // _HOP
    if count < _SHORTEST or not samples.any():
        raise ValueError("there is no speech to align: the sound is silent or shorter than 0.1 s")
    flat = np.append(sound[0], sound[1:] - 0.97 * sound[:-1])
    padded = np.pad(flat, (_WINDOW // 2, _WINDOW))
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP][:count] * np.hanning(_WINDOW)
    power = np.abs(np.fft.rfft(windows, _FFT)) ** 2
    bands = np.log(power @ _FILTERS.T + 1e-10)
    floor = np.percentile(bands.max(axis=1), 95) - _RANGE_DB * np.log(10) / 10
    static = dct(np.maximum(bands, floor), norm="ortho")[:, :CEPSTRA]
    quiet, loud = np.percentile(static[:, 0], (5, 95))
    speech = _long_runs(static[:, 0] > quiet + _SPEECH_LEVEL * (loud - quiet), _SHORTEST_SPEECH)
    if not speech.any():
        raise ValueError("there is no speech to align: the sound is all of one level")
    both = np.hstack([static, _slopes(static)])
    spoken = both[speech]
    return Cepstra((both - spoken.mean(axis=0)) / (spoken.std(axis=0) + 1e-6), speech)


def warp(first: Cepstra, second: Cepstra) -> Warp:
    """The cheapest path from both starts to both ends within the band.

    All cells of one anti-diagonal depend on the two before it only, so each is computed at once.
    """
    a, b = first.features, second.features
    n, m = len(a), len(b)
    free_a, free_b = first.pauses, second.pauses
    slope = (m - 1) / max(1, n - 1)
    band = BAND_SHARE * m + BAND_FRAMES
    # Totals by frame of the first utterance, moved by one so that the one before the first is there, and infinite.
    last = np.full(n + 1, np.inf)
    before = np.full(n + 1, np.inf)
    back: list[tuple[int, NDArray[np.int8]]] = []
    for k in range(n + m - 1):
        low = max(0, k - m + 1, int(np.ceil((k - band) / (1 + slope))))
        high = min(n - 1, k, int((k + band) / (1 + slope)))
        i = np.arange(low, high + 1)
        j = k - i
        distance = np.sqrt(np.mean((a[i] - b[j]) ** 2, axis=1))
        ways = np.empty((3, len(i)))
        ways[_BOTH] = before[i] + 2 * distance if k else 2 * distance
        ways[_FIRST] = last[i] + STEP_PRICE + np.where(free_a[i], 0, distance)
        ways[_SECOND] = last[i + 1] + STEP_PRICE + np.where(free_b[j], 0, distance)
        chosen = ways.argmin(axis=0)
        total = np.full(n + 1, np.inf)
        total[i + 1] = ways[chosen, np.arange(len(i))]
        back.append((low, chosen.astype(np.int8)))
        before, last = last, total
    steps, paused = _path(back, n, m, free_a)
    return Warp(float(last[n]) / (n + m), steps, paused)


def _path(back: list[tuple[int, NDArray[np.int8]]], n: int, m: int, free: Mask) -> tuple[NDArray[np.int64], Mask]:
    i, j = n - 1, m - 1
    steps, paused = [], []
    while i >= 0 and j >= 0:
        low, chosen = back[i + j]
        way = chosen[i - low]
        steps.append((i, j))
        paused.append(bool(way == _FIRST and free[i]))
        i -= way != _SECOND
        j -= way != _FIRST
    return np.array(steps[::-1], np.int64), np.array(paused[::-1], bool)


def _slopes(static: Frames) -> Frames:
    """Regression slopes over five frames."""
    padded = np.pad(static, ((2, 2), (0, 0)), mode="edge")
    count = len(static)
    return (2 * (padded[4:] - padded[:-4]) + padded[3 : count + 3] - padded[1 : count + 1]) / 10


def _long_runs(mask: Mask, least: int) -> Mask:
    """The mask without runs shorter than ``least``."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    kept = np.zeros(len(mask), bool)
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        kept[start:end] = end - start >= least
    return kept


def _filters() -> Frames:
    """``[26, 257]`` triangles, equally wide in mel."""
    lowest, highest = (2595 * np.log10(1 + hertz / 700) for hertz in (_LOWEST_HZ, _HIGHEST_HZ))
    edges = 700 * (10 ** (np.linspace(lowest, highest, _BANDS + 2) / 2595) - 1)
    hertz = np.fft.rfftfreq(_FFT, 1 / SAMPLE_RATE)
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    return np.maximum(0, np.minimum((hertz - left) / (centre - left), (right - hertz) / (right - centre)))


_FILTERS: Final = _filters()
