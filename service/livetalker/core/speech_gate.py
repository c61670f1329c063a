"""The speech gate: how much of the mouth's motion to let through, so that silence and noise leave the mouth at rest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

OPENS_AT: Final = 0.5
"""Speech probability that opens the gate."""
CLOSES_BELOW: Final = 0.3
"""Speech probability below which an open gate begins to close."""
OPENING_FRAMES: Final = 2
"""Frames at 30 fps an opening takes: the least that is not a jump."""
CLOSING_FRAMES: Final = 4
"""Frames at 30 fps a closing takes (133 ms): short enough for silence, long enough to let the last sound ring out."""


class SpeechGate:
    """One stream's gate: follows the speech probability with hysteresis, opens at once and closes smoothly."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Closes the gate: nothing was heard yet."""
        self._speaking = False
        self._level = 0.0

    def follow(self, speech: Iterable[float]) -> list[float]:
        """Takes the next frames at 30 fps.

        Args:
            speech: ``f`` speech probabilities, 0 to 1.

        Returns:
            ``f`` levels, 0 shut to 1 open, in equal steps; ``opening`` makes them smooth.
        """
        levels = []
        for probability in speech:
            self._speaking = probability >= (CLOSES_BELOW if self._speaking else OPENS_AT)
            step = 1.0 / OPENING_FRAMES if self._speaking else -1.0 / CLOSING_FRAMES
            self._level = min(max(self._level + step, 0.0), 1.0)
            levels.append(self._level)
        return levels


def opening(levels: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far gates are open: the levels' straight ramps with rounded ends."""
    smooth: NDArray[np.float32] = levels * levels * (3.0 - 2.0 * levels)
    return smooth
