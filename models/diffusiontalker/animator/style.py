"""How speakers differ: a frozen set of traits, drawn from the speaker's name so that a name always looks the same."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class SpeakerStyle:
    """A speaker's habits; the defaults are the middle of the range.

    Attributes:
        jaw: factor on the jaw's opening.
        rounding: factor on pucker and funnel.
        spreading: factor on stretch and dimple.
        lower_lip: factor on the lower lip's lowering.
        upper_lip: factor on the upper lip's raising.
        press: factor on how hard lips press in contact.
        asymmetry: -1..1; share by which the left side of the mouth moves more (positive) or less than the right.
        smile: coefficient the mouth's corners keep, 0..1.
        brows: factor on how much the brows do.
        brow_balance: -1..1; prefers frowning to raising when negative.
        squint: coefficient the eyes keep squinted, 0..1.
        blinks: blinks a minute.
    """

    jaw: float = 1.0
    rounding: float = 1.0
    spreading: float = 1.0
    lower_lip: float = 1.0
    upper_lip: float = 1.0
    press: float = 1.0
    asymmetry: float = 0.0
    smile: float = 0.08
    brows: float = 1.0
    brow_balance: float = 0.3
    squint: float = 0.08
    blinks: float = 17.0


NEUTRAL: Final = SpeakerStyle()

_RANGES: Final[dict[str, tuple[float, float]]] = {
    "jaw": (0.78, 1.25),
    "rounding": (0.75, 1.30),
    "spreading": (0.65, 1.40),
    "lower_lip": (0.65, 1.40),
    "upper_lip": (0.50, 1.60),
    "press": (0.70, 1.50),
    "asymmetry": (-0.18, 0.18),
    "smile": (0.0, 0.34),
    "brows": (0.35, 1.70),
    "brow_balance": (-0.6, 0.9),
    "squint": (0.0, 0.22),
    "blinks": (12.0, 22.0),
}


def style_for(speaker: str) -> SpeakerStyle:
    """The style of a speaker, the same on every machine for the same name."""
    digest = hashlib.sha256(speaker.encode()).digest()
    traits = {}
    for i, (name, (low, high)) in enumerate(_RANGES.items()):
        draw = int.from_bytes(digest[2 * i : 2 * i + 2], "little") / 0xFFFF
        traits[name] = low + (high - low) * draw
    return SpeakerStyle(**traits)
