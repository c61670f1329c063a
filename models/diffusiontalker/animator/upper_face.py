"""Brows, gaze, squint, cheeks and nose: what speech suggests but does not determine, so it is drawn from a seed.

Brow movements gather at the starts of phrases and at emphasised vowels (Cavé and others 1996; Flecha-García 2010) and
happen a little in silence too; gaze jumps and rests (Lee, Badler and Badler 2002, "Eyes alive"). Two seeds give two
different faces over the same lips; the seed draws nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.animator.style import SpeakerStyle
from diffusiontalker.phones import SILENCE, VOWELS, TimedPhone

Array = NDArray[np.float64]

PHRASE_PAUSE: Final = 0.18
"""Seconds of silence after which speech is a new phrase."""
_EMPHASIS_DB: Final = 2.0
_ATTACK, _RELEASE = 0.16, 0.42
_SACCADE: Final = 0.045
"""Seconds a jump of the eyes takes."""


def upper_face(
    phones: Sequence[TimedPhone],
    times: Array,
    style: SpeakerStyle,
    seed: int,
    loudness: Array | None,
    mouth: Mapping[str, Array],
) -> dict[str, Array]:
    """Curves of the upper face.

    Args:
        phones: the utterance.
        times: [T] seconds, evenly spaced.
        style: the speaker.
        seed: what the randomness is drawn from.
        loudness: [T] dB relative to speech level, or None.
        mouth: curves of the mouth by name; smiling lifts the cheeks, lifting the upper lip wrinkles the nose.

    Returns:
        coefficient name -> [T], not yet clipped to 0..1.
    """
    rng = np.random.default_rng([seed & 0xFFFFFFFF, 0xB0])
    duration = float(times[-1]) if len(times) else 0.0
    raised, outer, lowered = (np.zeros(len(times)) for _ in range(3))
    for at, size, hold in _brow_events(phones, times, duration, loudness, rng):
        bump = size * style.brows * _bump(times, at, hold)
        draw = rng.random()
        if draw < 0.5 + 0.5 * style.brow_balance:
            raised += bump
            outer += bump * rng.uniform(0.3, 1.1)
        else:
            lowered += bump * 0.8
    inner = 0.10 + raised + 0.05 * style.brows * _drift(times, 0.9, rng)
    outer = np.maximum(outer + 0.04 * _drift(times, 0.8, rng), 0.0)
    lowered = 0.03 + np.maximum(lowered + 0.06 * style.brows * _drift(times, 1.1, rng), 0.0)
    lean = 1.0 + 0.5 * style.asymmetry
    squint = style.squint + 0.5 * lowered + 0.06 * _drift(times, 1.5, rng)
    wide = np.maximum(0.07 + 0.7 * raised - 0.6 * lowered + 0.06 * _drift(times, 1.3, rng), 0.0)
    across, up = _gaze(times, duration, rng)
    right, left = np.maximum(across, 0.0), np.maximum(-across, 0.0)
    curves = {
        "browInnerUp": inner,
        "eyeLookInLeft": right,
        "eyeLookOutRight": right,
        "eyeLookOutLeft": left,
        "eyeLookInRight": left,
    }
    for side, lopsided in (("Left", lean), ("Right", 2.0 - lean)):
        curves[f"browOuterUp{side}"] = outer * lopsided
        curves[f"browDown{side}"] = lowered * lopsided
        smile, upper_lip = mouth[f"mouthSmile{side}"], mouth[f"mouthUpperUp{side}"]
        curves[f"eyeSquint{side}"] = squint + 0.3 * smile
        curves[f"eyeWide{side}"] = wide
        curves[f"cheekSquint{side}"] = 0.04 + 0.2 * lowered + 0.6 * smile + 0.2 * mouth[f"mouthStretch{side}"]
        curves[f"noseSneer{side}"] = 0.06 + 0.5 * lowered + 0.6 * upper_lip
        curves[f"eyeLookUp{side}"] = np.maximum(up, 0.0)
        curves[f"eyeLookDown{side}"] = np.maximum(-up, 0.0)
    return curves


def _brow_events(
    phones: Sequence[TimedPhone], times: Array, duration: float, loudness: Array | None, rng: np.random.Generator
) -> list[tuple[float, float, float]]:
    """(instant of the peak, height, seconds held) of every brow movement."""
    events = []
    silent_since = -1.0
    spoken = [phone for phone in phones if phone.phone != SILENCE]
    usual = float(np.mean([p.end - p.start for p in spoken if p.phone in VOWELS] or [0.1]))
    for phone in spoken:
        if phone.start - silent_since > PHRASE_PAUSE and rng.random() < 0.6:
            events.append((phone.start + rng.uniform(-0.1, 0.15), rng.uniform(0.12, 0.45), rng.uniform(0.1, 0.5)))
        silent_since = phone.end
        if phone.phone in VOWELS:
            louder = 0.0 if loudness is None else float(np.interp((phone.start + phone.end) / 2, times, loudness))
            stressed = (phone.end - phone.start) / usual + max(0.0, louder - _EMPHASIS_DB) / 6.0
            if rng.random() < 0.12 * max(0.0, stressed - 0.6):
                events.append((phone.start + rng.uniform(-0.05, 0.1), rng.uniform(0.1, 0.4), rng.uniform(0.0, 0.25)))
    for _ in range(rng.poisson(duration * 0.1)):
        events.append((rng.uniform(0.0, duration), rng.uniform(0.06, 0.3), rng.uniform(0.1, 0.8)))
    return events


def _bump(times: Array, at: float, hold: float) -> Array:
    rise = _smooth((times - at) / _ATTACK + 1.0)
    fall = _smooth((at + hold - times) / _RELEASE + 1.0)
    return rise * fall


def _drift(times: Array, period: float, rng: np.random.Generator) -> Array:
    """Slow noise about 0 with unit-sized knots every ``period`` seconds, smooth between them."""
    knots = rng.normal(size=int(times[-1] / period) + 3) if len(times) else np.zeros(3)
    x = times / period
    k = x.astype(int)
    blend = _smooth(x - k)
    noise: Array = knots[k] * (1.0 - blend) + knots[k + 1] * blend
    return noise


def _gaze(times: Array, duration: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """Small jumps about the listener: across (positive to the character's right) and up, in coefficients."""
    across, up = np.zeros(len(times)), np.zeros(len(times))
    at, here = 0.0, np.zeros(2)
    while at < duration:
        at += rng.uniform(0.4, 2.6)
        # Half of the jumps come back to the listener.
        there = np.zeros(2) if rng.random() < 0.5 else rng.normal(size=2) * (0.24, 0.18)
        step = _smooth((times - at) / _SACCADE)
        across += step * (there[0] - here[0])
        up += step * (there[1] - here[1])
        here = there
    return across, up


def _smooth(x: Array) -> Array:
    x = x.clip(0.0, 1.0)
    smooth: Array = x * x * (3.0 - 2.0 * x)
    return smooth
