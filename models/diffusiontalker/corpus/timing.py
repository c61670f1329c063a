"""A check that phone times fit the audio: how loud each class of phones is, and at what shift the classes differ most.

A corpus whose phones are early or late would teach the face to be so. In speech that is timed right, vowels are loud,
the closures of stops are quiet, and moving the phones either way makes the difference smaller.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.geometry import SAMPLE_RATE
from diffusiontalker.phones import PHONE_INDEX, PHONES, SILENCE, VOWELS, TimedPhone

CLASSES: Final[dict[str, frozenset[str]]] = {
    "vowel": VOWELS,
    "p": frozenset({"P"}),
    "b": frozenset({"B"}),
    "t k": frozenset({"T", "K"}),
    "d g": frozenset({"D", "G"}),
    "m n ng": frozenset({"M", "N", "NG"}),
    "l r w y": frozenset({"L", "R", "W", "Y"}),
    "f v th dh h": frozenset({"F", "V", "TH", "DH", "HH"}),
    "s z sh zh ch jh": frozenset({"S", "Z", "SH", "ZH", "CH", "JH"}),
    "silence": frozenset({SILENCE}),
}
_STEP: Final = SAMPLE_RATE // 200
"""Samples in 5 ms, the resolution of the check."""
_FLOOR_DB: Final = -60.0
_STOPS: Final = frozenset("P B T D K G CH JH".split())


@dataclass(frozen=True, slots=True)
class TimingCheck:
    """What ``check_timing`` found.

    Attributes:
        level: mean dB of each class that occurs, relative to the loud part (90th percentile) of its clip.
        lag_ms: move all phones later by this to set vowels and stops apart best; near 0 where the timing is right.
    """

    level: dict[str, float]
    lag_ms: int


def check_timing(
    clips: Iterable[tuple[NDArray[np.int16], tuple[TimedPhone, ...]]], *, reach_ms: int = 80
) -> TimingCheck:
    """Compare phone times with the energy of the audio.

    Args:
        clips: samples ``[N]`` at 16 kHz and the phones that cover them.
        reach_ms: how far to move the phones either way.

    Raises:
        ValueError: the clips hold no vowels or no stops.
    """
    levels, labels = [], []
    pad = reach_ms // 5
    for samples, phones in clips:
        level = _levels(samples)
        index = np.full(len(level), PHONE_INDEX[SILENCE])
        for phone in phones:
            index[round(phone.start * 200) : round(phone.end * 200)] = PHONE_INDEX[phone.phone]
        levels.append(np.pad(level, pad, constant_values=_FLOOR_DB))
        labels.append(np.pad(index, pad, constant_values=-1))
    db, label = np.concatenate(levels), np.concatenate(labels)
    masks = {name: _mask(label, members) for name, members in CLASSES.items()}
    means = {name: float(db[mask].mean()) for name, mask in masks.items() if mask.any()}
    vowel, stop = masks["vowel"], _mask(label, _STOPS)
    if not vowel.any() or not stop.any():
        raise ValueError("phone times can only be checked on speech with vowels and stops")
    contrast = {
        5 * shift: float(db[np.roll(vowel, shift)].mean() - db[np.roll(stop, shift)].mean())
        for shift in range(-pad, pad + 1)
    }
    return TimingCheck(means, max(contrast, key=lambda lag: contrast[lag]))


def _levels(samples: NDArray[np.int16]) -> NDArray[np.float64]:
    """dB ``[steps]`` of each 5 ms relative to the 90th percentile of the clip, not below the floor."""
    steps = len(samples) // _STEP
    frames = samples[: steps * _STEP].astype(np.float64).reshape(steps, _STEP)
    # 15 ms windows: at least one pitch period of any voice
    power = np.convolve((frames**2).mean(axis=1), np.full(3, 1 / 3), mode="same")
    level = 10 * np.log10(power + 1e-3)
    return np.asarray(np.maximum(level - np.percentile(level, 90), _FLOOR_DB))


def _mask(label: NDArray[np.int64], members: frozenset[str]) -> NDArray[np.bool_]:
    return np.isin(label, [i for i, phone in enumerate(PHONES) if phone in members])
