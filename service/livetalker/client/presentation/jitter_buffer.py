"""The face that belongs to a position on the audio, from frames that come early, late, in bursts or not at all."""

from __future__ import annotations

import math
from enum import Enum
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffusiontalker.arkit import COUNT

HOLD_US: Final = 150_000
"""How long the last frame stays, microseconds; also the widest hole that is interpolated."""
EASE_S: Final = 0.35
"""How long the face then takes to rest, seconds: half a second after its last frame it is there."""
SLEW_PER_S: Final = 6.0
"""How fast a coefficient may move while the face is not simply following its frames, per second."""
LONGEST_STEP_S: Final = 1.0 / 30.0
"""Longest render interval that counts for the slew, seconds: no step is above 0.2."""
JUMP_S: Final = 0.1
"""A playhead that moves on by more than this between two samples has jumped, seconds."""
GROW: Final = 0.2
"""How fast late frames raise the delay that is aimed at, seconds per second between arrivals,"""
SHRINK: Final = 0.005
"""and how fast timely ones lower it: where the two balance, one frame in forty is late."""
LONGEST_WAIT_S: Final = 0.1
"""Longest interval between arrivals that counts for either, seconds: an outage is no jitter."""
PACE: Final = 0.2
"""How much slower or faster than the audio the playhead may run to reach the delay that is aimed at."""


class PresentationState(Enum):
    """What a sample shows."""

    RESTING = "resting"
    """No frame belongs there: the face is at rest, or on its way."""
    PLAYING = "playing"
    """Between two frames."""
    HOLDING = "holding"
    """The next frame is missing: the last one stays."""
    EASING = "easing"
    """It has been missing for long: the last one fades to rest."""


class PushResult(Enum):
    """What became of a frame."""

    ACCEPTED = "accepted"
    """It will be shown in time."""
    LATE = "late"
    """The playhead was past it already: if it is the newest, it is held."""
    DROPPED = "dropped"
    """Its index or time is not above all before it, or a flush had ruled it out."""
    FULL = "full"
    """Nothing was done: every slot holds a frame yet to be shown. Push it again after a sample."""


class JitterBuffer:
    """Frames in, in whatever rhythm the network has; the face at the audio's position out. One thread at a time.

    The playhead is the audio's position less a delay, which adapts between ``floor_s`` and ``max_s`` to how late
    frames come. What is shown is a function of the playhead and the frames alone, but that a face which is not simply
    following its frames moves no faster than ``SLEW_PER_S``.

    Attributes:
        state: what the last sample showed.
        delay_s: how far the playhead is behind the audio, seconds.
        playhead_s: the instant the last sample showed, seconds since the stream's sample 0; NaN if there was none.
        presence: how far the last sample was from rest, 0 to 1, for what moves with the face: head, gaze.
    """

    def __init__(self, fps: int, floor_s: float = 0.0, max_s: float | None = None, capacity: int = 256) -> None:
        """Makes an empty buffer; nothing is allocated afterwards.

        Args:
            fps: the stream's frames per second.
            floor_s: least delay. Live, ``algorithmic_latency_us`` and what the network usually takes; 0 where the
                audio itself is played late enough for its frames.
            max_s: greatest delay; by default half a second more than the least.
            capacity: frames held at most, at least 2.

        Raises:
            ValueError: an argument makes no sense.
        """
        maximum = floor_s + 0.5 if max_s is None else max_s
        if fps < 1 or capacity < 2 or not 0.0 <= floor_s <= maximum < math.inf:
            raise ValueError(
                f"a jitter buffer needs fps of 1 or more, a capacity of 2 or more and 0 <= floor_s <= max_s, "
                f"not {fps}, {capacity}, {floor_s} and {maximum}"
            )
        self._period = 1.0 / fps
        self._floor = floor_s
        self._max = maximum
        # A 53rd coefficient is 1 in every frame and 0 at rest: it becomes the presence.
        self._poses = np.zeros((capacity, COUNT + 1))
        self._times = [0] * capacity
        self._output = np.zeros(COUNT + 1)
        self._target = np.zeros(COUNT + 1)
        self._move = np.zeros(COUNT + 1)
        self._last_local = math.nan
        self.reset()

    def reset(self) -> None:
        """Makes ready for another stream: forgets frames, indexes and delay. The face goes to rest from where it is."""
        self._first = 0  # slot of the oldest frame
        self._count = 0
        self._last_index = -1
        self._last_time = -1
        self._last_arrival = math.nan
        self._aim = self._floor
        self._last_audio = math.nan
        self._settled = False  # whether the output follows the frames and nothing but them
        self.state = PresentationState.RESTING
        self.delay_s = self._floor
        self.playhead_s = math.nan

    @property
    def presence(self) -> float:
        """How far the last sample was from rest, 0 to 1, for what moves with the face: head, gaze."""
        return float(self._output[COUNT])

    @property
    def buffered(self) -> int:
        """Frames held now."""
        return self._count

    def push(self, index: int, time_us: int, weights: ArrayLike, arrived_s: float = math.nan) -> PushResult:
        """Takes a frame.

        Args:
            index: its number in the stream.
            time_us: its instant on the audio, microseconds.
            weights: ``[52]``.
            arrived_s: where the audio was when the frame arrived, seconds; NaN if the clock was not running, and
                then the frame says nothing of the network.

        Raises:
            ValueError: the weights are not 52.
        """
        if np.shape(weights) != (COUNT,):
            raise ValueError(f"a frame has {COUNT} weights, not {np.shape(weights)}")
        if index <= self._last_index or time_us <= self._last_time:
            return PushResult.DROPPED
        if self._count == len(self._times):
            return PushResult.FULL
        time_s = time_us / 1e6
        if not math.isnan(arrived_s):
            self._learn(arrived_s - time_s + self._period, arrived_s)
        self._last_index = index
        self._last_time = time_us
        slot = (self._first + self._count) % len(self._times)
        self._poses[slot, :COUNT] = weights
        self._poses[slot, COUNT] = 1.0
        self._times[slot] = time_us
        self._count += 1
        return PushResult.LATE if time_s < self.playhead_s else PushResult.ACCEPTED

    def flush(self, until_us: int = 0) -> None:
        """Barge-in: drops what is not shown yet, and the face eases to rest from where it is.

        Args:
            until_us: end of the audio sent so far, microseconds: frames before it that are still under way are
                dropped when they come.
        """
        self._first = 0
        self._count = 0
        self._last_time = max(self._last_time, until_us - 1)
        if not math.isnan(self.playhead_s):
            # What is shown becomes a frame that has been held long enough.
            self._poses[0] = self._output
            self._times[0] = math.floor(self.playhead_s * 1e6) - HOLD_US
            self._count = 1

    def sample(self, audio_s: float, local_s: float, out: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """Gives the face for now.

        Args:
            audio_s: where the audio is, seconds since the stream's sample 0; NaN if the clock is not running.
            local_s: the local monotonic clock, seconds.
            out: ``[52]``, filled and returned; by default a new array.

        Returns:
            The 52 coefficients.
        """
        passed = local_s - self._last_local
        passed = passed if passed > 0.0 else 0.0  # also if there was no sample before
        self._last_local = local_s
        self._move_playhead(audio_s)
        self._aim_pose()
        if self.state is not PresentationState.PLAYING:
            self._settled = False
        if self._settled:
            self._output[:] = self._target
        else:
            step = SLEW_PER_S * min(passed, LONGEST_STEP_S)
            np.subtract(self._target, self._output, out=self._move)
            self._settled = self.state is PresentationState.PLAYING and max(self._move.max(), -self._move.min()) <= step
            np.clip(self._move, -step, step, out=self._move)
            self._output += self._move
        result = np.empty(COUNT, np.float32) if out is None else out
        result[:] = self._output[:COUNT]
        return result

    def _learn(self, need: float, arrived_s: float) -> None:
        """Moves the delay that is aimed at toward what a frame would have needed to be shown in time."""
        need = max(self._floor, min(self._max, need))
        waited = arrived_s - self._last_arrival
        waited = min(waited, LONGEST_WAIT_S) if waited > 0.0 else 0.0  # also if none arrived before
        self._aim += max(-SHRINK * waited, min(GROW * waited, need - self._aim))
        self._last_arrival = arrived_s

    def _move_playhead(self, audio_s: float) -> None:
        """Moves the playhead to where the audio is less the delay, and notices whether it jumped."""
        passed = audio_s - self._last_audio
        if passed > 0.0:
            self.delay_s += max(-PACE * passed, min(PACE * passed, self._aim - self.delay_s))
        playhead = audio_s - self.delay_s
        if not 0.0 <= playhead - self.playhead_s <= JUMP_S:
            self._settled = False
        self._last_audio = audio_s
        self.playhead_s = playhead

    def _aim_pose(self) -> None:
        """Finds the pose that belongs to the playhead, and the state."""
        playhead, capacity = self.playhead_s, len(self._times)
        while self._count >= 2 and self._times[(self._first + 1) % capacity] / 1e6 <= playhead:
            self._first = (self._first + 1) % capacity
            self._count -= 1
        pose, time = self._poses[self._first], self._times[self._first]
        if self._count == 0 or not playhead >= time / 1e6:
            self.state = PresentationState.RESTING
            self._target[:] = 0.0
            return
        since = playhead - time / 1e6
        if self._count >= 2:
            following = (self._first + 1) % capacity
            interval = self._times[following] - time
            if interval <= HOLD_US:
                self.state = PresentationState.PLAYING
                np.subtract(self._poses[following], pose, out=self._target)
                self._target *= since / (interval / 1e6)
                self._target += pose
                return
        eased = (since - HOLD_US / 1e6) / EASE_S
        if eased < 0.0:
            self.state = PresentationState.HOLDING
            self._target[:] = pose
        elif eased < 1.0:
            self.state = PresentationState.EASING
            np.multiply(pose, 1.0 - eased * eased * (3.0 - 2.0 * eased), out=self._target)
        else:
            self.state = PresentationState.RESTING
            self._target[:] = 0.0
