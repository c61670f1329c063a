"""Idle motion: the small drift of brows, gaze and lids that keeps a listening face alive.

Value noise: every ``KNOT_FRAMES`` frames each channel has a value drawn from (seed, knot index) by a counter-based
generator, and moves smoothly from one to the next. Any split of the frames therefore gives the same motion.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.arkit import COUNT, indices
from diffusiontalker.noise import philox4x32

KNOT_FRAMES: Final = 40
"""Frames at 30 fps between knots: 1.3 s."""

_DOMAIN: Final = 1
"""Last word of the generator's counter: keeps these draws apart from the sampler's noise, which has 0 there."""


def _direction(amounts: Mapping[tuple[str, ...], float]) -> NDArray[np.float32]:
    face = np.zeros(COUNT, np.float32)
    for names, amount in amounts.items():
        face[list(indices(*names))] = amount
    return face


# Each channel swings both ways: what it does to the face at +1, and at -1.
_UP: Final = np.stack(
    [
        _direction({("browInnerUp",): 0.06, ("browOuterUpLeft", "browOuterUpRight"): 0.04}),
        _direction({("eyeLookOutLeft", "eyeLookInRight"): 0.07}),
        _direction({("eyeLookUpLeft", "eyeLookUpRight"): 0.04}),
        _direction({("eyeWideLeft", "eyeWideRight"): 0.03}),
    ]
)
_DOWN: Final = np.stack(
    [
        _direction({("browDownLeft", "browDownRight"): 0.04}),
        _direction({("eyeLookInLeft", "eyeLookOutRight"): 0.07}),
        _direction({("eyeLookDownLeft", "eyeLookDownRight"): 0.06}),
        _direction({("eyeSquintLeft", "eyeSquintRight"): 0.04}),
    ]
)


class IdleMotion:
    """The idle motion of one stream.

    Args:
        seed: of the stream, 0 to 2^64 - 1.
    """

    def __init__(self, seed: int) -> None:
        self._key = np.array([seed & 0xFFFFFFFF, seed >> 32], np.uint64)
        self._at = -1
        self._cell = np.empty((0, COUNT), np.float32)

    def motion(self, first_frame: int, frames: int) -> NDArray[np.float32]:
        """What to add to the faces of a range of frames at 30 fps.

        Args:
            first_frame: absolute index of the first.
            frames: how many.

        Returns:
            ``[frames, 52]``, 0 or small and positive.
        """
        knot, start = divmod(first_frame, KNOT_FRAMES)
        if start + frames <= KNOT_FRAMES:
            return self._after(knot)[start : start + frames]
        pieces = [self._after(knot)[start:]]
        frames -= KNOT_FRAMES - start
        while frames > 0:
            knot += 1
            pieces.append(self._after(knot)[:frames])
            frames -= KNOT_FRAMES
        return np.concatenate(pieces)

    def _after(self, knot: int) -> NDArray[np.float32]:
        """The motion from a knot to the next, ``[KNOT_FRAMES, 52]``; kept, because it lasts for many calls."""
        if knot != self._at:
            counter = np.array([[k & 0xFFFFFFFF, k >> 32, 0, _DOMAIN] for k in (knot, knot + 1)], np.uint64)
            words = philox4x32(counter, np.stack([self._key, self._key]))[:, : len(_UP)]
            here, there = (words / 2.0**31 - 1.0).astype(np.float32)
            share = (np.arange(KNOT_FRAMES, dtype=np.float32) / KNOT_FRAMES)[:, None]
            swing = here + share * share * (3.0 - 2.0 * share) * (there - here)
            self._at = knot
            self._cell = np.maximum(swing, 0.0) @ _UP + np.maximum(-swing, 0.0) @ _DOWN
        return self._cell
