"""Makes clean recordings sound like other people at any microphone: speed, formants, room, noise, level, codec.

Everything takes a ``numpy.random.Generator`` so that a sample is a function of its index alone.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import soundfile
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
        formants: factor range of the spectral envelope's frequencies; the pitch stays.
        formant_share: share of samples it is applied to.
        clean_share: share that stays as recorded but for its level.
        equalise_db: largest gain of a random seven-point equaliser.
        band_limit_share: share that passes a telephone-like band.
        room_share: share convolved with a room.
        noise_share: share with noise.
        codec_share: share that passes a lossy codec.
        snr_db: signal-to-noise range.
        rumble_share: share with a desk's, a fan's or the wind's rumble under the voice.
        rumble_snr_db: range of the voice over the rumble, which is mostly louder.
        level_db: level range in dBFS (root mean square).
    """

    speed: tuple[float, float] = (0.8, 1.25)
    speed_share: float = 0.6
    formants: tuple[float, float] = (0.85, 1.18)
    formant_share: float = 0.5
    clean_share: float = 0.2
    equalise_db: float = 8.0
    band_limit_share: float = 0.08
    room_share: float = 0.3
    noise_share: float = 0.7
    codec_share: float = 0.1
    snr_db: tuple[float, float] = (3.0, 30.0)
    rumble_share: float = 0.1
    rumble_snr_db: tuple[float, float] = (-20.0, 10.0)
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


def shift_formants(samples: Audio, factor: float) -> Audio:
    """Move the spectral envelope's peaks by ``factor`` and leave the pitch: another throat, the same words.

    The envelope is the cepstrum's first milliseconds, divided out of a short-time spectrum and put back warped.
    """
    size, hop = 512, 128
    window = np.sqrt(np.hanning(size + 1)[:-1]).astype(np.float32)
    padded = np.pad(samples, (size, size + -len(samples) % hop))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop] * window
    spectrum = fft.rfft(frames)
    logarithm = np.log(np.abs(spectrum) + np.float32(1e-5))
    cepstrum = fft.irfft(logarithm, size)
    lifter = np.zeros(size, np.float32)
    lifter[:28] = lifter[-27:] = 1  # 1.7 ms: formants, no harmonics
    envelope = fft.rfft(cepstrum * lifter).real
    position = np.minimum(np.arange(size // 2 + 1) / factor, size // 2 - 1e-3)
    below = position.astype(np.int64)
    part = (position - below).astype(np.float32)
    warped = envelope[:, below] * (1 - part) + envelope[:, below + 1] * part
    shifted = fft.irfft(spectrum * np.exp(np.clip(warped - envelope, -4, 4)), size) * window
    out = np.zeros(len(padded), np.float32)
    for phase in range(size // hop):
        part_frames = shifted[phase :: size // hop]
        span = part_frames.reshape(-1)[: len(padded) - phase * hop]
        out[phase * hop : phase * hop + len(span)] += span
    return out[size : size + len(samples)] * np.float32(2 * hop / size)


_CODECS = (("OGG", "OPUS"), ("OGG", "VORBIS"), ("MP3", "MPEG_LAYER_III"), ("WAV", "ULAW"), ("WAV", "GSM610"))


def through_codec(samples: Audio, container: str, codec: str) -> Audio:
    """Encode and decode ``[N]`` samples at 16 kHz with one of libsndfile's lossy codecs; timing is untouched."""
    file = io.BytesIO()
    soundfile.write(file, samples, SAMPLE_RATE, format=container, subtype=codec)
    file.seek(0)
    decoded, _ = soundfile.read(file, dtype="float32", frames=len(samples), fill_value=0.0)
    return np.asarray(decoded, np.float32)


def coloured_noise(length: int, slope_db: float, rng: np.random.Generator) -> Audio:
    """Noise of unit power whose spectrum falls by ``slope_db`` per octave (0 white, 3 pink, 6 brown)."""
    spectrum = fft.rfft(rng.standard_normal(length))
    frequency = np.maximum(fft.rfftfreq(length, 1 / SAMPLE_RATE), 20.0)
    noise = fft.irfft(spectrum * (frequency / 1000) ** (-slope_db / 6.02), length)
    return np.asarray(noise / (noise.std() + 1e-9), np.float32)


def _noise(length: int, acoustics: Acoustics, rng: np.random.Generator) -> Audio:
    if acoustics.noises and rng.random() < 0.5:
        recording = acoustics.noises[int(rng.integers(len(acoustics.noises)))]
        start = rng.integers(len(recording))
        looped = np.take(recording, np.arange(start, start + length), mode="wrap")
        return np.asarray(looped / (looped.std() + 1e-6), np.float32)
    return coloured_noise(length, rng.uniform(-0.5, 5.0), rng)


def _rumble(length: int, rng: np.random.Generator) -> Audio:
    """Noise of unit power from a corner of 40 to 120 Hz downwards."""
    spectrum = fft.rfft(rng.standard_normal(length))
    frequency = fft.rfftfreq(length, 1 / SAMPLE_RATE)
    noise = fft.irfft(spectrum / (1 + (frequency / rng.uniform(40, 120)) ** 4), length)
    return np.asarray(noise / (noise.std() + 1e-9), np.float32)


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
    if rng.random() < config.clean_share:
        loud = np.sqrt(np.square(samples).mean()) + 1e-7
        level = 10 ** (rng.uniform(*config.level_db) / 20)
        return np.asarray(np.clip(samples * (level / loud), -1, 1), np.float32)
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
    if rng.random() < config.rumble_share:
        samples = samples + _rumble(length, rng) * level * 10 ** (-rng.uniform(*config.rumble_snr_db) / 20)
    samples = np.clip(samples, -1, 1).astype(np.float32)
    if rng.random() < config.codec_share:
        samples = through_codec(samples, *_CODECS[rng.integers(len(_CODECS))])
    return samples
