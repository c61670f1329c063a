"""Contacts that must be reached: lips on lips for P, B, M and lower lip on teeth for F, V.

A blend of dominances only approaches its targets, and in fast speech a short closure would be averaged away; yet a
spoken P is silent because the lips did meet (Edwards and others 2016 make it a hard rule). So a contact is a gate of
its own: 1 while the lips must touch, smooth flanks around it, and the lips' opening is multiplied by what it leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.phones import TimedPhone

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Contact:
    """One phone's contact.

    Attributes:
        early: seconds by which contact precedes the phone's acoustic start.
        share: share of the phone's duration after which contact is given up; P's interval ends in aspiration.
        close: duration of the closing movement, seconds.
        open: duration of the opening movement, seconds.
        press: mouthPress while in contact.
        roll: mouthRollLower while in contact; bilabials roll the upper lip likewise.
        puff: cheekPuff while in contact: pressure behind the lips.
    """

    early: float
    share: float
    close: float
    open: float
    press: float
    roll: float
    puff: float


BILABIAL: Final[dict[str, Contact]] = {
    "P": Contact(early=0.008, share=0.65, close=0.090, open=0.095, press=0.10, roll=0.06, puff=0.10),
    "B": Contact(early=0.008, share=0.80, close=0.090, open=0.095, press=0.07, roll=0.05, puff=0.08),
    "M": Contact(early=0.004, share=0.90, close=0.095, open=0.100, press=0.04, roll=0.05, puff=0.0),
}
LABIODENTAL: Final[dict[str, Contact]] = {
    "F": Contact(early=0.004, share=0.90, close=0.090, open=0.095, press=0.0, roll=0.24, puff=0.0),
    "V": Contact(early=0.004, share=0.90, close=0.090, open=0.095, press=0.0, roll=0.22, puff=0.0),
}

SHORTEST: Final = 0.05
"""Seconds contact lasts at least, as closures do in fast speech; above 1/30, so that a frame always shows it."""


@dataclass(frozen=True)
class Gates:
    """Contacts over time.

    Attributes:
        closed: [T] how far the contact is made, 0 to 1.
        press: [T] mouthPress.
        roll: [T] mouthRollLower.
        puff: [T] cheekPuff.
    """

    closed: Array
    press: Array
    roll: Array
    puff: Array


def gates(phones: Sequence[TimedPhone], times: Array, contacts: dict[str, Contact]) -> Gates:
    """Evaluates the contacts of one kind at the given instants.

    Args:
        phones: the utterance.
        times: [T] seconds, ascending.
        contacts: ``BILABIAL`` or ``LABIODENTAL``.
    """
    left_open = np.ones(len(times))
    shapes = np.zeros((3, len(times)))
    for phone in phones:
        contact = contacts.get(phone.phone)
        if contact is None:
            continue
        made, kept = _interval(phone, contact)
        first, last = np.searchsorted(times, (made - contact.close, kept + contact.open))
        t = times[first:last]
        gate = _ease((t - made) / contact.close + 1.0) * _ease((kept - t) / contact.open + 1.0)
        left_open[first:last] *= 1.0 - gate
        strength = np.array([contact.press, contact.roll, contact.puff])
        np.maximum(shapes[:, first:last], strength[:, None] * gate, out=shapes[:, first:last])
    return Gates(1.0 - left_open, *shapes)


def _interval(phone: TimedPhone, contact: Contact) -> tuple[float, float]:
    """When contact is made and when it is given up, at least ``SHORTEST`` apart."""
    made = phone.start - contact.early
    kept = phone.start + contact.share * (phone.end - phone.start)
    missing = max(0.0, SHORTEST - (kept - made))
    return made - missing / 2, kept + missing / 2


def _ease(x: Array) -> Array:
    """0 below 0, 1 above 1, between them the quintic of least jerk (Flash and Hogan 1985)."""
    x = x.clip(0.0, 1.0)
    return x * x * x * (10.0 + x * (6.0 * x - 15.0))
