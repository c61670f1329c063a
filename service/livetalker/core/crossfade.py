"""A vector on the frame clock whose changes are cross-faded instead of jumping."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from livetalker.core.stream_state import Fade

Vector = NDArray[np.float32]


class CrossFade:
    """A vector that moves to a new target over a fixed number of frames, linearly.

    Its value is a function of the absolute frame, so it does not matter in which pieces frames are asked for; they are
    asked for in order, and a frame is not asked for twice.

    Args:
        value: ``[...]``, held from the beginning.
        frames: length of a fade; the last frame of a fade has the target.
    """

    def __init__(self, value: Vector, frames: int) -> None:
        self._frames = frames
        self._fades = [Fade(0, value, value)]
        self._next = 0

    def change(self, frame: int, target: Vector) -> None:
        """Sets a new target; a fade still under way is left from where it stands.

        Args:
            frame: where the fade begins; never before a frame that was asked for, nor before an earlier change.
            target: ``[...]`` to arrive at.
        """
        latest = self._fades[-1]
        frame = max(frame, self._next)
        if frame <= latest.start:
            self._fades[-1] = Fade(latest.start, latest.source, target)
        else:
            self._fades.append(Fade(frame, self._values(latest, frame - 1, 1)[0], target))

    @property
    def latest(self) -> Fade:
        """The latest fade, which may lie ahead, be under way or long have ended."""
        return self._fades[-1]

    def settled(self, first: int, count: int) -> Vector | None:
        """The target, if the next frames are all beyond the last fade; they count as asked for then.

        Args:
            first: absolute index of the first frame.
            count: how many.
        """
        latest = self._fades[-1]
        if first < latest.start + self._frames - 1:
            return None
        del self._fades[:-1]
        self._next = first + count
        return latest.target

    def at(self, first: int, count: int) -> Vector:
        """The vector over the next frames.

        Args:
            first: absolute index of the first frame.
            count: how many.

        Returns:
            ``[count, ...]``; not to be written to.
        """
        self._next = end = first + count
        while len(self._fades) > 1 and self._fades[1].start <= first:
            del self._fades[0]
        starts = [first, *(fade.start for fade in self._fades[1:] if fade.start < end), end]
        pieces = [
            self._values(fade, start, stop - start)
            for fade, start, stop in zip(self._fades, starts, starts[1:], strict=False)
        ]
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def _values(self, fade: Fade, first: int, count: int) -> Vector:
        if first >= fade.start + self._frames - 1:
            return np.broadcast_to(fade.target, (count, *fade.target.shape))
        # The difference first: absolute frames outgrow float32.
        since = np.arange(first - fade.start, first - fade.start + count).astype(np.float32)
        progress = (since + 1) / np.float32(self._frames)
        share = np.minimum(progress, 1.0).reshape(count, *(1 for _ in fade.target.shape))
        values: Vector = (1 - share) * fade.source + share * fade.target
        return values
