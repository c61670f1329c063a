"""Blinks as a function of (seed, absolute frame), so that any split of a stream sees the same ones.

Time is cut into slots of ``60 / per_minute`` seconds; every slot holds one blink at an instant drawn by a counter-based
hash of (seed, slot), wholly inside the slot. So blinks never overlap, their rate is exact, and the pauses between them
spread from almost none (a double blink) to two slots. Cheap enough to be called for one frame at a time.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

CLOSING: Final = 0.095
"""Seconds the lid takes to close."""
CLOSED: Final = 0.035
"""Seconds the lid stays closed: a frame at 30 fps always shows it."""
OPENING: Final = 0.210
"""Seconds the lid takes to open again."""
DURATION: Final = CLOSING + CLOSED + OPENING

MOST_PER_MINUTE: Final = 60.0
DEFAULT_PER_MINUTE: Final = 17.0

_MASK: Final = (1 << 64) - 1


def blink_curve(
    seed: int, first_frame: int, frames: int, fps: int, per_minute: float = DEFAULT_PER_MINUTE
) -> NDArray[np.float32]:
    """Closure of the lids over a range of frames.

    Args:
        seed: the stream's seed.
        first_frame: absolute index of the first frame.
        frames: how many.
        fps: frames per second.
        per_minute: blinks a minute, up to ``MOST_PER_MINUTE``; 0 for none.

    Returns:
        [frames], 0 open to 1 closed.

    Raises:
        ValueError: ``per_minute`` out of range.
    """
    if not 0.0 <= per_minute <= MOST_PER_MINUTE:
        raise ValueError(f"{per_minute} blinks a minute: give 0 to {MOST_PER_MINUTE:.0f}")
    curve = np.zeros(frames, np.float32)
    if frames == 0 or per_minute == 0.0:
        return curve
    slot = 60.0 / per_minute
    for k in range(int(first_frame / fps // slot), int((first_frame + frames - 1) / fps // slot) + 1):
        start = (k + _uniform(seed, 2 * k) * (1.0 - DURATION / slot)) * slot
        depth = 0.88 + 0.12 * _uniform(seed, 2 * k + 1)
        first = max(first_frame, int(start * fps))
        last = min(first_frame + frames, int((start + DURATION) * fps) + 2)
        if first < last:
            since = np.arange(first, last) / fps - start
            closing = np.clip(since / CLOSING, 0.0, 1.0)
            opening = np.clip((DURATION - since) / OPENING, 0.0, 1.0)
            lid = closing * closing * (3.0 - 2.0 * closing) * opening * opening * (3.0 - 2.0 * opening)
            curve[first - first_frame : last - first_frame] += (depth * lid).astype(np.float32)
    return curve


def _uniform(seed: int, counter: int) -> float:
    """A number in [0, 1) from (seed, counter): the finaliser of SplitMix64 (Steele, Lea and Flood 2014), twice."""
    x = _mix(_mix(seed & _MASK) + counter * 0x9E3779B97F4A7C15)
    return (x >> 11) / 9007199254740992.0


def _mix(x: int) -> int:
    x = (x + 0x9E3779B97F4A7C15) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)
