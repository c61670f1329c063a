"""Puts a face together: blended mouth, contacts, style, loudness, upper face and blinks -> 52 ARKit curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.animator.blinks import blink_curve
from diffusiontalker.animator.contact import BILABIAL, LABIODENTAL, gates
from diffusiontalker.animator.dominance import blend, gestures
from diffusiontalker.animator.style import NEUTRAL, SpeakerStyle
from diffusiontalker.animator.targets import CURVES
from diffusiontalker.animator.upper_face import upper_face
from diffusiontalker.arkit import COUNT, INDEX
from diffusiontalker.phones import TimedPhone

Array = NDArray[np.float64]

_SLACK: Final = 0.12
"""Share of the jaw's opening that relaxed lips cover."""
_JAW_PER_DB: Final = 0.04
_LIPS_PER_DB: Final = 0.02
"""Shares by which jaw and lips open wider per dB above the clip's speech level (Schulman 1989 on loud speech),"""
_QUIETEST: Final = -24.0
_LOUDEST: Final = 8.0
"""between these levels in dB: what is quieter is not heard, what is louder opens neither jaw nor lips further."""
_LOUDNESS_WINDOW: Final = 0.15
"""Seconds over which loudness is averaged: it follows the syllable, not the pitch period."""


def animate(
    phones: Sequence[TimedPhone],
    frames: int,
    *,
    fps: int = 30,
    style: SpeakerStyle = NEUTRAL,
    seed: int = 0,
    loudness: NDArray[Any] | None = None,
    blinks: bool = True,
) -> NDArray[np.float32]:
    """Animates an utterance.

    The mouth is a function of phones, style and loudness; the seed moves only brows, eyes and blinks.

    Args:
        phones: the utterance in time order; holes and what lies outside are silence.
        frames: how many frames, frame ``n`` at ``n / fps`` seconds.
        fps: frames per second.
        style: the speaker's habits.
        seed: what the upper face is drawn from.
        loudness: [frames] in dB relative to the clip's speech level, or None.
        blinks: whether to add blinks.

    Returns:
        [frames, 52] in 0..1, in the order of ``arkit.BLENDSHAPES``.

    Raises:
        ValueError: phones unknown or out of order, or loudness of another length.
    """
    if loudness is not None and np.shape(loudness) != (frames,):
        raise ValueError(f"loudness has shape {np.shape(loudness)}: give one value for each of the {frames} frames")
    times = np.arange(frames) / fps
    level = None if loudness is None else _steady(np.asarray(loudness, float), fps)
    curves = _mouth(phones, times, style, level)
    curves |= upper_face(phones, times, style, seed, level, curves)
    if blinks:
        lids = blink_curve(seed, 0, frames, fps, style.blinks).astype(float)
        curves |= {"eyeBlinkLeft": lids, "eyeBlinkRight": lids}
    face = np.zeros((frames, COUNT), np.float32)
    for name, curve in curves.items():
        face[:, INDEX[name]] = curve
    return face.clip(0.0, 1.0, out=face)


def _mouth(phones: Sequence[TimedPhone], times: Array, style: SpeakerStyle, loudness: Array | None) -> dict[str, Array]:
    """Jaw, lips and tongue, by coefficient name."""
    blended = blend(gestures(phones), times)
    c = {name: blended[:, i] for i, (name, _) in enumerate(CURVES)}
    lips = gates(phones, times, BILABIAL)
    teeth = gates(phones, times, LABIODENTAL)
    apart = 1.0 - lips.closed

    level = np.zeros(len(times)) if loudness is None else loudness.clip(_QUIETEST, _LOUDEST)
    parted = apart * (1.0 + _LIPS_PER_DB * level)
    jaw = c["jawOpen"] * style.jaw * (1.0 + _JAW_PER_DB * level)
    pucker, funnel = c["mouthPucker"] * style.rounding, c["mouthFunnel"] * style.rounding
    # Lips yield a little to an opening jaw, cover more of it drawn together or on the teeth, and all of it in contact.
    cover = 1.0 - apart * (1.0 - _SLACK) * (1.0 - 0.6 * teeth.closed) * (1.0 - 0.5 * pucker.clip(0.0, 1.0))
    lower_down = c["mouthLowerDown"] * style.lower_lip * parted * (1.0 - teeth.closed)
    upper_up = c["mouthUpperUp"] * style.upper_lip * parted
    press = lips.press * style.press
    roll = lips.roll * style.press
    left, right = 1.0 + style.asymmetry, 1.0 - style.asymmetry

    curves = {
        "jawOpen": jaw,
        "jawForward": c["jawForward"],
        "jawLeft": jaw * max(style.asymmetry, 0.0) * 0.3,
        "jawRight": jaw * max(-style.asymmetry, 0.0) * 0.3,
        "mouthClose": jaw * cover,
        "mouthFunnel": funnel * apart,
        "mouthPucker": pucker,
        "mouthRollLower": np.maximum(roll, teeth.roll * style.press),
        "mouthRollUpper": roll,
        "mouthShrugLower": c["mouthShrugLower"],
        "mouthShrugUpper": c["mouthShrugUpper"],
        "cheekPuff": lips.puff,
        "tongueOut": c["tongueOut"],
    }
    # Rounding pulls the corners of the mouth in, so it takes from the smile.
    smile = style.smile * (1.0 - (1.2 * (pucker + funnel)).clip(0.0, 1.0)) + 0.1 * c["mouthStretch"] * style.spreading
    for side, lopsided in (("Left", left), ("Right", right)):
        curves[f"mouthSmile{side}"] = smile * lopsided
        curves[f"mouthStretch{side}"] = c["mouthStretch"] * style.spreading * lopsided
        curves[f"mouthDimple{side}"] = c["mouthDimple"] * style.spreading * lopsided
        curves[f"mouthLowerDown{side}"] = lower_down * lopsided
        curves[f"mouthUpperUp{side}"] = upper_up * lopsided
        curves[f"mouthPress{side}"] = press
    return curves


def _steady(loudness: Array, fps: int) -> Array:
    """Averages loudness over the syllable with a raised cosine, repeating the ends."""
    reach = max(1, round(_LOUDNESS_WINDOW * fps / 2))
    window = np.hanning(2 * reach + 3)[1:-1]
    padded = np.pad(loudness, reach, mode="edge")
    return np.convolve(padded, window / window.sum(), mode="valid")
