"""Which frames of a clip are speech, voiced or silent: from its sound or from its phones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.phones import VOWELS, TimedPhone

Mask = NDArray[np.bool_]
"""One truth value per frame, ``[T]``."""

VOICED: Final = VOWELS | frozenset("B D DH G JH L M N NG R V W Y Z ZH".split())

_FLOOR_DB: Final = -100.0


def as_float(samples: NDArray[Any]) -> NDArray[np.float64]:
    """Samples ``[N]`` as floats in -1..1; int16 is scaled by 1/32768, floats are kept."""
    scale = 32768.0 if samples.dtype == np.int16 else 1.0
    return np.asarray(samples, np.float64) / scale


def loudness_db(samples: NDArray[Any], rate: int, frames: int, fps: int, window_s: float = 0.04) -> NDArray[np.float64]:
    """Loudness around each frame's instant.

    Args:
        samples: ``[N]`` mono, int16 or float in -1..1.
        rate: hertz.
        frames: how many frames.
        fps: frames per second.
        window_s: width in seconds of the window centred on the instant.

    Returns:
        ``[frames]`` RMS in dB of full scale, at least -100.
    """
    power = np.concatenate(([0.0], np.cumsum(as_float(samples) ** 2)))
    centres = np.arange(frames) * rate // fps
    half = max(1, round(window_s * rate / 2))
    low, high = (np.clip(centres + side, 0, samples.size) for side in (-half, half))
    mean = (power[high] - power[low]) / np.maximum(high - low, 1)
    loudness: NDArray[np.float64] = np.maximum(10 * np.log10(np.maximum(mean, 1e-12)), _FLOOR_DB)
    return loudness


def speech_mask(
    samples: NDArray[Any], rate: int, frames: int, fps: int, *, below_db: float = 25.0, bridge_s: float = 0.25
) -> Mask:
    """Spans of speech: frames close to the clip's loud ones, and the holes shorter than ``bridge_s`` between them.

    Args:
        samples: ``[N]`` mono, int16 or float in -1..1.
        rate: hertz.
        frames: how many frames.
        fps: frames per second.
        below_db: a frame is loud down to this far under the 95th percentile of loudness.
        bridge_s: seconds; stops and closures inside a phrase are shorter, pauses are longer.

    Returns:
        ``[frames]``; all false for a silent clip.
    """
    if not frames:
        return np.zeros(0, bool)
    loudness = loudness_db(samples, rate, frames, fps)
    loud = loudness >= max(float(np.percentile(loudness, 95)) - below_db, _FLOOR_DB + 1)
    mask = np.array(loud)
    edges = np.flatnonzero(loud)
    for before, after in zip(edges[:-1], edges[1:], strict=True):
        if after - before <= bridge_s * fps:
            mask[before:after] = True
    return mask


def voiced_mask(phones: Sequence[TimedPhone], frames: int, fps: int) -> Mask:
    """Frames within voiced phones.

    Args:
        phones: the clip's phones.
        frames: how many frames.
        fps: frames per second.

    Returns:
        ``[frames]``.
    """
    mask = np.zeros(frames, bool)
    for phone in phones:
        if phone.phone in VOICED:
            mask[int(np.ceil(phone.start * fps)) : int(np.ceil(phone.end * fps))] = True
    return mask


def settled_silence(
    samples: NDArray[Any],
    rate: int,
    frames: int,
    fps: int,
    *,
    settle_s: float = 0.3,
    lead_s: float = 0.2,
    floor_db: float = -80.0,
) -> Mask:
    """Frames where the sound has been silent for ``settle_s`` and stays so for another ``lead_s``.

    Args:
        samples: ``[N]`` mono, int16 or float in -1..1.
        rate: hertz.
        frames: how many frames.
        fps: frames per second.
        settle_s: seconds the mouth is given to come to rest.
        lead_s: seconds before the sound returns in which lips may already prepare for it.
        floor_db: a sample at or under this many dB of full scale is silent; the end of the clip is no sound.

    Returns:
        ``[frames]``.
    """
    loud = np.flatnonzero(np.abs(as_float(samples)) > 10 ** (floor_db / 20))
    instants = np.arange(frames) * rate // fps
    following = np.searchsorted(loud, instants)
    padded = np.concatenate(([-1], loud, [np.iinfo(np.int64).max]))
    quiet = instants - padded[following] > settle_s * rate
    ahead = padded[following + 1] - instants > lead_s * rate
    silent: Mask = quiet & ahead
    return silent
