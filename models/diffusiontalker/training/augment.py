"""Makes clean recordings sound like any microphone in any room: speed, equalisation, room, noise, level.

Everything takes a ``numpy.random.Generator`` so that a sample is a function of its index alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from diffusiontalker.geometry import SAMPLE_RATE

Audio = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class AugmentConfig:
    """How often and how strongly; ranges are uniform.

    Attributes:
        speed: factor range of time and pitch together; applied where the caller can stretch the labels with it.
        speed_share: share of samples it is applied to.
        equalise_db: largest gain of a random seven-point equaliser.
        band_limit_share: share that passes a telephone-like band.
        room_share: share convolved with a room.
        noise_share: share with noise.
        snr_db: signal-to-noise range.
        level_db: level range in dBFS (root mean square).
    """

    speed: tuple[float, float] = (0.8, 1.25)
    speed_share: float = 0.6
    equalise_db: float = 8.0
    band_limit_share: float = 0.08
    room_share: float = 0.35
    noise_share: float = 0.6
    snr_db: tuple[float, float] = (4.0, 40.0)
    level_db: tuple[float, float] = (-45.0, -12.0)


@dataclass(frozen=True, slots=True)
class Acoustics:
    """Recorded material to mix in, where there is any.

    Attributes:
        noises: recordings of noise at 16 kHz.
        rooms: impulse responses at 16 kHz.
    """

    noises: Sequence[Audio] = field(default_factory=tuple)
    rooms: Sequence[Audio] = field(default_factory=tuple)


def change_speed(samples: Audio, factor: float) -> Audio:
    """Play ``factor`` times as fast: pitch and formants move together, the length divides by ``factor``."""
    length = int(len(samples) / factor)
    position = np.arange(length) * factor
    return np.asarray(np.interp(position, np.arange(len(samples)), samples), np.float32)


def coloured_noise(length: int, slope_db: float, rng: np.random.Generator) -> Audio:
    """Noise of unit power whose spectrum falls by ``slope_db`` per octave (0 white, 3 pink, 6 brown)."""
    spectrum = fft.rfft(rng.standard_normal(length))
    frequency = np.maximum(fft.rfftfreq(length, 1 / SAMPLE_RATE), 20.0)
    noise = fft.irfft(spectrum * (frequency / 1000) ** (-slope_db / 6.02), length)
    return np.asarray(noise / (noise.std() + 1e-9), np.float32)


def _noise(length: int, acoustics: Acoustics, rng: np.random.Generator) -> Audio:
    if acoustics.noises and rng.random() < 0.6:
        recording = acoustics.noises[int(rng.integers(len(acoustics.noises)))]
        start = rng.integers(len(recording))
        looped = np.take(recording, np.arange(start, start + length), mode="wrap")
        return np.asarray(looped / (looped.std() + 1e-6), np.float32)
    return coloured_noise(length, rng.uniform(0, 6.5), rng)


def _room(acoustics: Acoustics, rng: np.random.Generator) -> Audio:
    if acoustics.rooms and rng.random() < 0.3:
        response = acoustics.rooms[int(rng.integers(len(acoustics.rooms)))][: SAMPLE_RATE // 2]
        onset = int(np.argmax(np.abs(response)))
        return response[onset:]
    seconds = rng.uniform(0.1, 0.7)
    length = int(seconds * SAMPLE_RATE)
    tail = rng.standard_normal(length) * np.exp(-6.9 * np.arange(length) / length)
    tail *= rng.uniform(0.02, 0.25) / (np.sqrt(np.square(tail).sum()) + 1e-9) * 2
    tail[: int(0.002 * SAMPLE_RATE)] = 0
    tail[0] = 1.0
    return tail.astype(np.float32)


def _equalise(samples: Audio, config: AugmentConfig, rng: np.random.Generator) -> Audio:
    length = len(samples)
    frequency = fft.rfftfreq(length, 1 / SAMPLE_RATE)
    points = np.geomspace(60, 8000, 7)
    gain_db = np.interp(np.log(frequency + 1), np.log(points), rng.uniform(-1, 1, 7) * config.equalise_db)
    if rng.random() < config.band_limit_share:
        low, high = rng.uniform(100, 350), rng.uniform(3200, 5500)
        gain_db -= 40 * ((frequency < low) | (frequency > high))
    return np.asarray(fft.irfft(fft.rfft(samples) * 10 ** (gain_db / 20), length), np.float32)


def degrade(samples: Audio, config: AugmentConfig, acoustics: Acoustics, rng: np.random.Generator) -> Audio:
    """A random microphone, room, noise and level; timing is untouched.

    Args:
        samples: clean mono audio at 16 kHz.
        config: how strongly.
        acoustics: recorded noises and rooms.
        rng: decides.

    Returns:
        Audio of the same length; it may exceed -1..1 and is clipped where a converter would.
    """
    length = len(samples)
    if rng.random() < config.room_share:
        response = _room(acoustics, rng)
        size = fft.next_fast_len(length + len(response), real=True)
        samples = fft.irfft(fft.rfft(samples, size) * fft.rfft(response, size), size)[:length]
    samples = _equalise(np.asarray(samples, np.float32), config, rng)
    loud = np.sqrt(np.square(samples).mean()) + 1e-7
    level = 10 ** (rng.uniform(*config.level_db) / 20)
    samples = samples * (level / loud)
    if rng.random() < config.noise_share:
        noise = _noise(length, acoustics, rng)
        samples = samples + noise * level * 10 ** (-rng.uniform(*config.snr_db) / 20)
    return np.clip(samples, -1, 1).astype(np.float32)
