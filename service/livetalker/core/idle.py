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
        self._drawn = range(0)
        self._values = np.empty((0, len(_UP)), np.float32)

    def motion(self, first_frame: int, frames: int) -> NDArray[np.float32]:
        """What to add to the faces of a range of frames at 30 fps.

        Args:
            first_frame: absolute index of the first.
            frames: how many.

        Returns:
            ``[frames, 52]``, 0 or small and positive.
        """
        knot, within = np.divmod(np.arange(first_frame, first_frame + frames), KNOT_FRAMES)
        values = self._knots(first_frame // KNOT_FRAMES, (first_frame + frames - 1) // KNOT_FRAMES + 1)
        knot -= first_frame // KNOT_FRAMES
        share = (within / KNOT_FRAMES).astype(np.float32)[:, None]
        share = share * share * (3.0 - 2.0 * share)
        swing = values[knot] + share * (values[knot + 1] - values[knot])
        motion: NDArray[np.float32] = np.maximum(swing, 0.0) @ _UP + np.maximum(-swing, 0.0) @ _DOWN
        return motion

    def _knots(self, first: int, last: int) -> NDArray[np.float32]:
        """Values in -1..1 of the knots ``first`` to ``last``, ``[last - first + 1, channels]``."""
        wanted = range(first, last + 1)
        if wanted != self._drawn:  # a cell lasts many calls
            index = np.arange(first, last + 1, dtype=np.uint64)
            counter = np.zeros((len(index), 4), np.uint64)
            counter[:, 0], counter[:, 1] = index & np.uint64(0xFFFFFFFF), index >> np.uint64(32)
            counter[:, 3] = _DOMAIN
            words = philox4x32(counter, np.broadcast_to(self._key, (len(index), 2)))
            self._values = (words.astype(np.float64) / 2.0**31 - 1.0).astype(np.float32)[:, : len(_UP)]
            self._drawn = wanted
        return self._values
