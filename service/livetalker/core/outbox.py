"""What a stream has made and its reader has not taken yet: a bounded queue with a choice of what gives way.

A plain data structure: whoever shares it between threads does the locking.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from livetalker.core.config import Delivery
from livetalker.core.outputs import Frames, Output, Skipped, SkipReason


class Outbox:
    """Outputs in order; frames count towards the capacity, events do not.

    ``LIVE`` drops the oldest frames when there are too many and leaves a ``Skipped`` in their place; but none that came
    a moment ago, since seconds of audio that a client had to keep while it was cut off become frames at once, and their
    reader is not slow. ``LOSSLESS`` drops nothing and says ``full``, whereupon the stream's input is to be held back.

    Attributes:
        frames: frames waiting.

    Args:
        delivery: what gives way.
        capacity: frames that may wait.
        respite: seconds that each frame waits at least before a live stream drops it.
        clock: seconds, monotonic.
    """

    def __init__(
        self, delivery: Delivery, capacity: int, respite: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._delivery = delivery
        self._capacity = capacity
        self._respite = respite
        self._clock = clock
        self._queue: deque[tuple[float, Output]] = deque()  # with when it came
        self.frames = 0

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def full(self) -> bool:
        """Whether the stream's input should be held back."""
        return self._delivery is Delivery.LOSSLESS and self.frames >= self._capacity

    def put(self, output: Output) -> None:
        """Adds an output; empty frames are nothing."""
        if isinstance(output, Frames):
            if len(output) == 0:
                return
            self.frames += len(output)
        now = self._clock()
        self._queue.append((now, output))
        if self._delivery is Delivery.LIVE and self.frames > self._capacity:
            self._drop(self.frames - self._capacity, now - self._respite)

    def take(self) -> Output | None:
        """Removes and returns the oldest output; ``None`` when there is none."""
        if not self._queue:
            return None
        _, output = self._queue.popleft()
        if isinstance(output, Frames):
            self.frames -= len(output)
        return output

    def _drop(self, count: int, before: float) -> None:
        """Replaces ``count`` of the oldest frames, fewer where they came later than an instant, by a ``Skipped``.

        Events keep their places.
        """
        passed: deque[tuple[float, Output]] = deque()
        while count and self._queue[0][0] <= before:
            came, output = self._queue.popleft()
            if not isinstance(output, Frames):
                passed.append((came, output))
                continue
            gone = min(count, len(output))
            count -= gone
            self.frames -= gone
            _skip(passed, came, Skipped(output.first, gone, SkipReason.SLOW_READER))
            if gone < len(output):
                passed.append((came, Frames(output.first + gone, output.values[gone:])))
        self._queue.extendleft(reversed(passed))


def _skip(outputs: deque[tuple[float, Output]], came: float, skipped: Skipped) -> None:
    """Appends a ``Skipped``, or lengthens the last one where it goes on with it."""
    last = outputs[-1][1] if outputs else None
    if isinstance(last, Skipped) and (last.reason, last.first + last.count) == (skipped.reason, skipped.first):
        outputs[-1] = (came, Skipped(last.first, last.count + skipped.count, last.reason))
    else:
        outputs.append((came, skipped))
