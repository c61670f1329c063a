"""Where a stream's audio is by now, from the times at which a sound device said so: no steps, no drift."""

from __future__ import annotations

import math
from typing import Final

SETTLE_S: Final = 2.0
"""Time in which an error is made good, seconds: long beside the jitter of callbacks, and short enough that a device
that is 200 ppm off is followed 0.4 ms behind."""
ERROR_LIMIT_S: Final = 0.1
"""Largest error that is made good at once, seconds: the clock runs at most 5 % fast or slow."""
JUMP_S: Final = 0.25
"""Errors above this, seconds, are a discontinuity and not a late callback,"""
DOUBT_S: Final = 0.1
"""once they have lasted this long, seconds: one callback that a busy machine delayed is none."""


class AudioClock:
    """Maps a local monotonic clock to the position on a stream's audio. One thread at a time.

    A first-order tracking loop: each observation's error is made good as a slightly other pace over ``SETTLE_S``,
    never as a step. Only an error that is too large for that, and lasts, makes the clock jump.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Stops the clock and forgets everything; call it where playback stops, starts anew or is moved."""
        self._running = False
        self._local = 0.0  # of the last observation used
        self._audio = 0.0  # the clock's own position there
        self._slew = 0.0  # what its pace differs from 1 by, for SETTLE_S from there
        self._doubt_since = math.nan  # local time of the first of the implausible observations in a row

    @property
    def running(self) -> bool:
        """Whether there was an observation since the last reset."""
        return self._running

    def position(self, local_s: float) -> float:
        """Where the audio is at a local time, in seconds since the stream's sample 0; NaN if the clock is not running.

        Never goes back while ``local_s`` does not, but for jumps.
        """
        if not self._running:
            return math.nan
        elapsed = local_s - self._local
        return self._audio + elapsed + self._slew * min(elapsed, SETTLE_S)

    def observe(self, local_s: float, audio_s: float) -> bool:
        """Takes note that the audio was at ``audio_s`` at local time ``local_s``; both in seconds.

        Observations that are older than the last one used, or not finite, are ignored.

        Returns:
            Whether the clock jumped there. The first observation counts as a jump.
        """
        if not (math.isfinite(local_s) and math.isfinite(audio_s)):
            return False
        if not self._running:
            self._jump(local_s, audio_s)
            return True
        if local_s < self._local:
            return False
        predicted = self.position(local_s)
        error = audio_s - predicted
        if abs(error) > JUMP_S:
            if math.isnan(self._doubt_since):
                self._doubt_since = local_s
            if local_s - self._doubt_since < DOUBT_S:
                return False
            self._jump(local_s, audio_s)
            return True
        self._local = local_s
        self._audio = predicted
        self._slew = max(-ERROR_LIMIT_S, min(ERROR_LIMIT_S, error)) / SETTLE_S
        self._doubt_since = math.nan
        return False

    def _jump(self, local_s: float, audio_s: float) -> None:
        self._running = True
        self._local = local_s
        self._audio = audio_s
        self._slew = 0.0
        self._doubt_since = math.nan
