"""What a stream has made and its reader has not taken yet: a bounded queue with a choice of what gives way.

A plain data structure: whoever shares it between threads does the locking.
"""

from __future__ import annotations

from collections import deque

from livetalker.core.config import Delivery
from livetalker.core.outputs import Frames, Output, Skipped, SkipReason


class Outbox:
    """Outputs in order; frames count towards the capacity, events do not.

    ``LIVE`` drops the oldest frames when there are too many and leaves a ``Skipped`` in their place. ``LOSSLESS`` drops
    nothing and says ``full``, whereupon the stream's input is to be held back.

    Attributes:
        frames: frames waiting.

    Args:
        delivery: what gives way.
        capacity: frames that may wait.
    """

    def __init__(self, delivery: Delivery, capacity: int) -> None:
        self._delivery = delivery
        self._capacity = capacity
        self._queue: deque[Output] = deque()
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
        self._queue.append(output)
        if self._delivery is Delivery.LIVE and self.frames > self._capacity:
            self._drop(self.frames - self._capacity)

    def take(self) -> Output | None:
        """Removes and returns the oldest output; ``None`` when there is none."""
        if not self._queue:
            return None
        output = self._queue.popleft()
        if isinstance(output, Frames):
            self.frames -= len(output)
        return output

    def _drop(self, count: int) -> None:
        """Replaces the oldest ``count`` frames by the news that they are gone; events keep their places."""
        self.frames -= count
        passed: list[Output] = []
        while count:
            output = self._queue.popleft()
            if not isinstance(output, Frames):
                passed.append(output)
                continue
            gone = min(count, len(output))
            count -= gone
            _skip(passed, Skipped(output.first, gone, SkipReason.SLOW_READER))
            if gone < len(output):
                passed.append(Frames(output.first + gone, output.values[gone:]))
        self._queue.extendleft(reversed(passed))


def _skip(outputs: list[Output], skipped: Skipped) -> None:
    """Appends a ``Skipped``, or lengthens the last one where it goes on with it."""
    last = outputs[-1] if outputs else None
    if isinstance(last, Skipped) and (last.reason, last.first + last.count) == (skipped.reason, skipped.first):
        outputs[-1] = Skipped(last.first, last.count + skipped.count, last.reason)
    else:
        outputs.append(skipped)
