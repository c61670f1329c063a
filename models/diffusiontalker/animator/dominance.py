"""Blends the targets of neighbouring phones: one dominance function per phone and articulator.

After Löfqvist (1990) and Cohen and Massaro (1993): every gesture has, for every articulator, a dominance that rises
before the gesture and decays after it, and the articulator's position is the dominance-weighted mean of the targets.
Here the dominance is a product of two logistic flanks, whose tails are Cohen and Massaro's exponentials without their
cusp, and whose product stays below its full height for a short gesture: undershoot in fast speech (Lindblom 1963)
needs no rule of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.animator.targets import ARTICULATORS, CURVES, GESTURES, REST_ROW, TABLE
from diffusiontalker.phones import TimedPhone

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Flanks:
    """How fast an articulator comes and goes, in seconds.

    Attributes:
        lead: how far the rise lies before the gesture's start.
        attack: time constant of the rise.
        hold: how far the fall lies after the gesture's end.
        release: time constant of the fall.
    """

    lead: float
    attack: float
    hold: float
    release: float


FLANKS: Final[dict[str, Flanks]] = {
    "jaw": Flanks(lead=0.015, attack=0.022, hold=-0.010, release=0.024),
    # Lip rounding is prepared 100 to 150 ms ahead where the consonants before it leave the lips free (Perkell and
    # Matthies 1992).
    "rounding": Flanks(lead=0.035, attack=0.028, hold=-0.015, release=0.024),
    "spreading": Flanks(lead=0.020, attack=0.030, hold=-0.010, release=0.030),
    "lower_lip": Flanks(lead=0.015, attack=0.022, hold=-0.010, release=0.024),
    "upper_lip": Flanks(lead=0.015, attack=0.024, hold=-0.010, release=0.026),
    "tongue": Flanks(lead=0.010, attack=0.016, hold=-0.005, release=0.016),
}

STOPS: Final = frozenset({"T", "D", "K", "G"})
LONGEST_STOP: Final = 0.2
"""Seconds; what an alignment gives a stop beyond this is the pause after it."""

_REST_LAG: Final = 0.05
_REST_LEAD: Final = 0.07
"""Seconds by which lips come to rest after speech has ended, and leave it before speech begins."""
_REST_SPARE: Final = 0.35
"""Share of a short pause that either of the two may take."""

_NEIGHBOURS: Final = 7
"""Gestures looked at on either side of an instant; at the fastest speech that is a third of a second."""

_TOUCHING: Final = 1e-6
"""Seconds within which two phones count as touching."""

_COLUMN: Final = np.array([ARTICULATORS.index(articulator) for _, articulator in CURVES])
_LEAD, _ATTACK, _HOLD, _RELEASE = (
    np.array([getattr(FLANKS[name], field) for name in ARTICULATORS]) for field in ("lead", "attack", "hold", "release")
)


@dataclass(frozen=True)
class Gestures:
    """A phone sequence as rows of the target table, in time order.

    Attributes:
        row: [G] row of the table.
        start: [G] seconds.
        end: [G] seconds.
    """

    row: NDArray[np.intp]
    start: Array
    end: Array


def gestures(phones: Sequence[TimedPhone]) -> Gestures:
    """Splits diphthongs, fills holes with silence and puts endless silence on both sides.

    Raises:
        ValueError: a phone is unknown, has no duration, or starts before the one before it ended.
    """
    parts: list[tuple[int, float, float]] = []
    reached, previous_end = -np.inf, -np.inf
    for phone in phones:
        shares = GESTURES.get(phone.phone)
        if shares is None:
            raise ValueError(f"unknown phone {phone.phone!r}: use the names of diffusiontalker.phones.PHONES")
        if not phone.end > phone.start >= previous_end - _TOUCHING:
            raise ValueError(
                f"phone {phone.phone} at {phone.start:.3f} to {phone.end:.3f} s has no duration or starts before its "
                "predecessor ended: phones must follow each other in time"
            )
        if phone.start > reached + _TOUCHING:
            parts.append((REST_ROW, reached, phone.start))
        duration = phone.end - phone.start
        if phone.phone in STOPS:
            duration = min(duration, LONGEST_STOP)
        reached = phone.start
        for row, share in shares:
            parts.append((row, reached, reached + share * duration))
            reached += share * duration
        previous_end = phone.end
    parts.append((REST_ROW, reached, np.inf))
    rows, starts, ends = zip(*parts, strict=True)
    start, end = np.array(starts), np.array(ends)
    spare = np.where(np.array(rows) == REST_ROW, _REST_SPARE * (end - start), 0.0)
    return Gestures(np.array(rows), start + np.minimum(spare, _REST_LAG), end - np.minimum(spare, _REST_LEAD))


def blend(sequence: Gestures, times: Array) -> Array:
    """Positions of all curves at the given instants.

    Args:
        sequence: the gestures.
        times: [T] seconds.

    Returns:
        [T, len(CURVES)], the dominance-weighted means of the targets.
    """
    count = len(sequence.row)
    here = np.searchsorted(sequence.start, times, side="right") - 1
    near = here[:, None] + np.arange(-_NEIGHBOURS, _NEIGHBOURS + 1)  # [T, K]
    exists = (near >= 0) & (near < count)
    near = near.clip(0, count - 1)
    since = times[:, None, None] - sequence.start[near][..., None]  # [T, K, 1]
    until = sequence.end[near][..., None] - times[:, None, None]
    height = TABLE.dominances[sequence.row[near]] * exists[..., None]  # [T, K, articulators]
    dominance = height * _logistic((since + _LEAD) / _ATTACK) * _logistic((until + _HOLD) / _RELEASE)
    dominance /= dominance.sum(axis=1, keepdims=True)
    targets = TABLE.targets[sequence.row[near]]  # [T, K, curves]
    positions: Array = np.einsum("tkc,tkc->tc", dominance[:, :, _COLUMN], targets)
    return positions


def _logistic(x: Array) -> Array:
    rise: Array = 1.0 / (1.0 + np.exp(-x.clip(-40.0, 40.0)))
    return rise
