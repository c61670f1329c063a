"""Shaping: a client's gains, offsets and held expression, changed while the stream runs without a jump.

A coefficient ``x`` in 0..1 becomes ``y = limit(gain * x + offset)`` and then ``expression + (1 - expression) * y``: a
held expression is the least a coefficient can be, and speech moves what is left of its range. ``limit`` is one of

- ``clamp=True``: cut to 0..1;
- ``clamp=False``: cut at 0, untouched up to ``KNEE`` and bent over above it, ``KNEE + (1 - KNEE) * tanh((y - KNEE) /
  (1 - KNEE))``, so that a large gain still shows which of two peaks is the higher.

Either way the result is within 0..1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.arkit import COUNT, INDEX
from livetalker.core.config import Shaping
from livetalker.core.crossfade import CrossFade

KNEE: Final = 0.8
"""Where the soft limit leaves the straight line."""
FADE_FRAMES: Final = 6
"""Frames at 30 fps a change takes: 0.2 s."""


class Shaper:
    """Shapes the faces of one stream.

    Args:
        shaping: in force from the first frame.
    """

    def __init__(self, shaping: Shaping) -> None:
        self._settings = CrossFade(_settings(shaping), FADE_FRAMES)

    def change(self, frame: int, shaping: Shaping) -> None:
        """Replaces the shaping as a whole.

        Args:
            frame: first frame at 30 fps that shows it, or the next one to be shaped if that is later.
            shaping: the new one.
        """
        self._settings.change(frame, _settings(shaping))

    def neutral(self, first_frame: int, frames: int) -> bool:
        """Whether nothing is adjusted in these frames, as most streams have it all the time: no need to ``process``."""
        return self._settings.settled(first_frame, frames) is _NEUTRAL

    def process(self, first_frame: int, faces: NDArray[np.float32]) -> NDArray[np.float32]:
        """Shapes the next frames.

        Args:
            first_frame: absolute index of the first.
            faces: ``[f, 52]`` at 30 fps.

        Returns:
            ``[f, 52]`` in 0..1.
        """
        gain, offset, expression, hard = np.moveaxis(self._settings.at(first_frame, len(faces)), 1, 0)
        raised = np.maximum(gain * faces + offset, 0.0)
        limited = np.minimum(raised, 1.0)
        if np.any(hard < 1.0):
            bent = KNEE + (1.0 - KNEE) * np.tanh((raised - KNEE) / (1.0 - KNEE))
            soft = np.where(raised > KNEE, bent, raised)
            limited = soft + hard * (limited - soft)
        shaped: NDArray[np.float32] = expression + (1.0 - expression) * limited
        return shaped


def _settings(shaping: Shaping) -> NDArray[np.float32]:
    """``[4, 52]``: gain, offset, expression, and 1 where the limit is a hard one."""
    return _NEUTRAL if shaping == Shaping() else _stacked(shaping)


def _stacked(shaping: Shaping) -> NDArray[np.float32]:
    return np.stack(
        [
            _row(shaping.gains, 1.0),
            _row(shaping.offsets, 0.0),
            _row(shaping.expression, 0.0),
            np.full(COUNT, float(shaping.clamp), np.float32),
        ]
    )


def _row(values: Mapping[str, float], default: float) -> NDArray[np.float32]:
    row = np.full(COUNT, default, np.float32)
    for name, value in values.items():
        row[INDEX[name]] = value
    return row


_NEUTRAL: Final = _stacked(Shaping())
