"""A stream that goes on where another one broke off, on the same absolute clocks.

It begins at the audio that its client sends again, about two seconds before the first frame that is still wanted. The
frames of that audio are made, because the encoder and the decoder come to hear and speak as they did before, and kept
to itself. Features, frames, noise, blinks and idle motion depend on absolute indexes, so that they fall where they
fell; what lasts longer than two seconds (whose voice it is, the held level, the adjustments) comes from a state.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from diffusiontalker.geometry import FEATURE_STRIDE, MODEL_FPS, SAMPLE_RATE, frame_feature
from diffusiontalker.level import BLOCK, RELEASE_DB
from livetalker.core.config import StreamConfig
from livetalker.core.identity_library import IdentityLibrary
from livetalker.core.outputs import Checkpoint, Frames, IdentityMatched, Output, Skipped, SkipReason
from livetalker.core.postprocess import FacePostprocessor
from livetalker.core.stream_state import Resumption, StreamState
from livetalker.engine.slots import Slot
from livetalker.engine.stream import EngineStream, Sink

FEATURES_PER_SECOND: Final = SAMPLE_RATE // FEATURE_STRIDE


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a stream begins.

    Attributes:
        sample: at the client's rate, the first one pushed.
        feature: the first one computed.
        discard: samples at 16 kHz between the two.
        frame: the first one made, at 30 fps.
    """

    sample: int
    feature: int
    discard: int
    frame: int


def origin_of(config: StreamConfig, resumption: Resumption, start: int, hop: int, look_ahead: int) -> Origin:
    """Where a resumed stream begins, so that everything falls on the grids of the stream that broke off.

    Args:
        config: of both.
        resumption: what is wanted.
        start: sample at the client's rate that the audio sent again begins with.
        hop: features the encoder makes at least at a time, counted from where a stream begins.
        look_ahead: samples at 16 kHz, of the preset.
    """
    wanted = resumption.next_frame // (config.fps // MODEL_FPS)
    # Places on the client's clock where a feature begins, too: 50 a second, less at rates that are no multiple of it.
    whole = hop * config.sample_rate
    unit = whole // math.gcd(whole, FEATURES_PER_SECOND)
    first = min(start, wanted * config.sample_rate // MODEL_FPS)
    sample = first // unit * unit
    flushed = resumption.state.flushed if resumption.state is not None else 0
    if flushed > sample:
        sample = flushed  # as the stream that broke off began anew, there and nowhere else
    now = sample * SAMPLE_RATE // config.sample_rate
    feature = -(-now // FEATURE_STRIDE)
    frame = max(0, feature * FEATURE_STRIDE * MODEL_FPS // SAMPLE_RATE - MODEL_FPS)
    while frame_feature(frame, look_ahead)[0] < feature:
        frame += 1
    return Origin(sample, feature, feature * FEATURE_STRIDE - now, frame)


def level_at(state: StreamState, sample: int) -> float | None:
    """The level a follower held at a sample at 16 kHz, in dBFS; None where nothing is known.

    From a later level it is what must have been held to arrive there: exact from then on, and the most it can have been
    before. From an earlier one it is the least.
    """
    fall = RELEASE_DB / BLOCK
    for at, held in state.levels:
        if at >= sample:
            return held + fall * (at - sample)
    if not state.levels:
        return None
    at, held = state.levels[-1]
    return held - fall * (sample - at)


def from_frame(first: int, sink: Sink) -> Sink:
    """A sink that keeps what is before a frame, at the stream's rate, to itself.

    In the place of frames comes a run of none, so that whoever waits for the stream to get on learns that it does.
    """

    def deliver(output: Output) -> None:
        match output:
            case Frames() if output.first < first:
                known = min(first - output.first, len(output))
                sink(Frames(output.first + known, output.values[known:]))
            case Skipped() if output.first < first:
                if (left := output.first + output.count - first) > 0:
                    sink(Skipped(first, left, output.reason))
            case Checkpoint() | IdentityMatched() if output.frame < first:
                sink(replace(output, frame=first))
            case _:
                sink(output)

    return deliver


class ResumedStream(EngineStream):
    """A stream that begins where ``begin`` says. Arguments as of ``EngineStream``, and the resumption."""

    def __init__(
        self,
        config: StreamConfig,
        slot: Slot,
        library: IdentityLibrary,
        sink: Sink,
        wake: Callable[[EngineStream], None],
        hop: int,
        opening: int,
        resumption: Resumption,
    ) -> None:
        super().__init__(config, slot, library, from_frame(resumption.next_frame, sink), wake, hop, opening)
        self._resumption = resumption
        self._first: int | None = None  # frame at the stream's rate that is made first, once that is known
        self._pushed = resumption.instant(config)  # where controls count that come before any audio
        if resumption.state is not None:
            state = resumption.state
            self._inbox.append(lambda: self._restore(state))

    @property
    def backlog_samples(self) -> int:
        """Samples pushed but not yet animated, at the client's rate."""
        if self._first is None:
            return 0
        animated = max(self._first, self._converter.next_frame) * self.config.sample_rate // self.config.fps
        return max(0, self._pushed - animated)

    def begin(self, start: int) -> int:
        """Says where the audio begins; once, before the first of it.

        Args:
            start: sample at the client's rate, on the clock of the stream that broke off.

        Returns:
            The sample that the first push begins with: at or before ``start``, with silence to push in between; or
            after it, where a flush has dropped what was before.
        """
        origin = origin_of(self.config, self._resumption, start, self._hop, self.preset.look_ahead)
        with self._lock:
            self._first = origin.frame * (self.config.fps // MODEL_FPS)
            self._pushed = origin.sample
            self._note(lambda: self._begin_at(origin))
        return origin.sample

    def flush(self) -> None:
        """Barge-in; nothing, as long as there is no audio."""
        if self._first is not None:
            super().flush()

    def finish(self) -> None:
        """No more audio will come, or none at all."""
        if self._first is None:
            end = self._resumption.instant(self.config)
            self.push(np.zeros(max(0, end - self.begin(end)), np.float32))
        super().finish()

    def _restore(self, state: StreamState) -> None:
        self._memory.restore(state)
        self._tracker.restore(state.identity)

    def _begin_at(self, origin: Origin) -> None:
        state, doubling = self._resumption.state, self.config.fps // MODEL_FPS
        self._feature, self._discard, self._frame = origin.feature, origin.discard, origin.frame
        shaping = self._memory.shaping
        self.face = FacePostprocessor(replace(self.config, shaping=shaping.previous), origin.frame)
        self.face.shape(shaping.frame, shaping.current)
        if state is not None:
            self.opening_level = level_at(state, FEATURE_STRIDE * origin.feature)
        first, wanted = doubling * origin.frame, self._resumption.next_frame
        self._converter.skip_to(first)
        if first > wanted:  # a flush that the client may not have heard of
            self._sink(Skipped(wanted, first - wanted, SkipReason.FLUSH))
