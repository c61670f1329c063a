"""One stream: its clocks, its queue of audio, and every decision that belongs to it alone.

The engine's thread calls ``noted``, ``ingest``, ``ready_features``, ``take``, ``hear`` and ``deliver``; everything else
may be called from any thread, only notes what is wanted, resamples what is heard, and wakes the engine. What comes out
is a function of the samples, the controls and the places among the samples at which they came; ticks and chunks leave
no trace.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.geometry import (
    FEATURE_STRIDE,
    MODEL_FPS,
    PRESETS,
    SAMPLE_RATE,
    STEADY_LOOK_AHEAD,
    frame_count,
    frame_feature,
)
from livetalker.core.config import IdentityChoice, Shaping, StreamConfig
from livetalker.core.frame_rate import FrameRateConverter
from livetalker.core.identity_library import IdentityLibrary
from livetalker.core.identity_tracker import IdentityTracker
from livetalker.core.outputs import Checkpoint, Failed, Finished, Frames, IdentityMatched, Output, Skipped, SkipReason
from livetalker.core.postprocess import FacePostprocessor
from livetalker.core.resample import StreamResampler
from livetalker.engine.backend import Floats
from livetalker.engine.samples import SampleQueue
from livetalker.engine.slots import Slot
from livetalker.engine.stream_memory import StreamMemory

log = logging.getLogger(__name__)

Sink = Callable[[Output], None]


@dataclass(slots=True)
class PendingFrame:
    """A frame whose audio is there.

    Attributes:
        frame: its index at 30 fps.
        newest: the newest feature it may hear, counted from the first of the call that completed it.
        steady: the later one of the two features around a constant distance from the frame, likewise.
        phase: how far from the earlier to the later one that distance is.
        identity: ``[E]`` embedding at this frame.
        speech: probability of speech.
        audio: ``[2 W]`` the feature at the constant distance, and the newest one; filled in by who has the features.
    """

    frame: int
    newest: int
    steady: int
    phase: float
    identity: Floats
    speech: float
    audio: Floats = field(default_factory=lambda: np.zeros(0, np.float32))


class EngineStream:
    """A stream as its owner sees it (``push``, ``finish``, …) and as the engine drives it.

    Args:
        config: what the client wants.
        slot: where the engine keeps its state.
        library: of identities.
        sink: called on the engine's thread with every output.
        wake: called with the stream, on any thread, whenever it has something for the engine to look at.
        hop: features the encoder makes at least at a time.
        opening: samples at 16 kHz that the encoder takes before those of the first features.
    """

    def __init__(
        self,
        config: StreamConfig,
        slot: Slot,
        library: IdentityLibrary,
        sink: Sink,
        wake: Callable[[EngineStream], None],
        hop: int,
        opening: int,
    ) -> None:
        self.config = config
        self.slot = slot
        self.preset = PRESETS[config.preset]
        self.face = FacePostprocessor(config)
        self.pending: deque[PendingFrame] = deque()
        self.starting = True  # the slot must be cleared and its first block heard before the next feature
        self.closed = False
        self.opening_level: float | None = None  # dBFS that the level follower begins with, if not with its floor
        self._library = library
        self._sink = sink
        self._wake = wake
        self._lock = threading.Lock()
        self._inbox: deque[Callable[[], None]] = deque()
        self._hop = hop
        self._opening = opening
        self._pushed = 0  # samples at the client's rate, audio and silence alike
        self._finished = False  # no more audio may come
        self._resampler = StreamResampler(config.sample_rate)
        self._queue = SampleQueue()
        self._discard = 0  # resampled samples to drop, so that features stay on the absolute grid after a flush
        self._feature = 0  # next feature to compute
        self._frame = 0  # next 30 fps frame to gather audio for
        self._end: int | None = None  # 30 fps frames in all, once known
        self._total = 0  # frames in all at the client's frame rate, once the end is known
        self._tracker = IdentityTracker(library, config.identity, self.preset.look_ahead)
        self._converter = FrameRateConverter(config.fps)
        self._memory = StreamMemory(config.shaping)

    # Called from any thread -----------------------------------------------------------------------------------------

    @property
    def backlog_samples(self) -> int:
        """Samples pushed but not yet animated, at the client's rate."""
        animated = self._converter.next_frame * self.config.sample_rate // self.config.fps
        return max(0, self._pushed - animated)

    def push(self, samples: NDArray[np.float32]) -> None:
        """Add mono audio at the client's rate, ``[n]`` in -1..1.

        It is resampled here and now, on the caller's thread, unless something noted before has yet to be done. The
        array must not change afterwards.

        Raises:
            RuntimeError: the stream was finished.
        """
        with self._lock:
            self._refuse_after_finish()
            self._pushed += len(samples)
            if self._inbox:
                self._note(lambda: self._hear_client(samples))
            elif not self.closed:
                self._hear_client(samples)
                self._wake(self)

    def finish(self) -> None:
        """No more audio will come: animate the tail, then report ``Finished``.

        Raises:
            RuntimeError: the stream was finished before.
        """
        with self._lock:
            self._refuse_after_finish()
            self._finished = True
            pushed = self._pushed
            self._note(lambda: self._finish(pushed))

    def flush(self) -> None:
        """Barge-in: drop audio not animated yet and go on with what is pushed next.

        Raises:
            RuntimeError: the stream was finished.
        """
        with self._lock:
            self._refuse_after_finish()
            pushed = self._pushed
            self._note(lambda: self._flush(pushed))

    def rematch_identity(self, choice: IdentityChoice) -> None:
        """Choose the identity anew, from the next pushed sample on.

        Raises:
            UnknownIdentityError: the choice names an identity that is not in the library.
        """
        self._library.embedding(choice)
        with self._lock:
            feature = -(-self._pushed * SAMPLE_RATE // self.config.sample_rate) // FEATURE_STRIDE
            self._note(lambda: self._rematch(feature, choice))

    def shape(self, shaping: Shaping) -> None:
        """Change gains, offsets and expression from the next pushed sample's frame on."""
        with self._lock:
            frame = -(-self._pushed * MODEL_FPS // self.config.sample_rate)
            self._note(lambda: self._shape(frame, shaping))

    def close(self) -> None:
        """The client is gone: drop everything and free the slot."""
        with self._lock:
            self.closed = True
            self._inbox.clear()
        self._wake(self)

    def _refuse_after_finish(self) -> None:
        if self._finished:
            raise RuntimeError("the stream was finished; open another one for more audio")

    def _note(self, work: Callable[[], None]) -> None:
        if not self.closed:
            self._inbox.append(work)
            self._wake(self)

    # Called by the engine's thread ----------------------------------------------------------------------------------

    @property
    def noted(self) -> bool:
        """Whether there is something to ``ingest``."""
        return bool(self._inbox)

    def ingest(self) -> None:
        """Do what was noted since the last tick, in order."""
        while True:
            with self._lock:
                if not self._inbox:
                    return
                work = self._inbox[0]
            work()
            with self._lock:
                if self._inbox:  # else it was closed meanwhile
                    self._inbox.popleft()  # only now, so that audio pushed meanwhile waits its turn

    def _hear_client(self, samples: NDArray[np.float32]) -> None:
        self._enqueue(self._resampler.process(samples))

    def _enqueue(self, samples: NDArray[np.float32]) -> None:
        dropped = min(self._discard, len(samples))
        self._discard -= dropped
        self._queue.append(samples[dropped:])

    def _rematch(self, feature: int, choice: IdentityChoice) -> None:
        self._tracker.rematch(feature, choice)
        self._remember()

    def _shape(self, frame: int, shaping: Shaping) -> None:
        self.face.shape(frame, shaping)
        self._memory.shape(frame, shaping)
        self._remember()

    def _remember(self) -> None:
        self._sink(Checkpoint(self._converter.next_frame, self._memory.state(self._frame, self._tracker)))

    @property
    def checkpoint_due(self) -> bool:
        """Whether it is time for a checkpoint; only to be asked, and done, with no frame pending."""
        return self._memory.due(self._frame)

    def checkpoint(self, held: float) -> None:
        """Hand out a checkpoint.

        Args:
            held: dBFS that the level follower holds after the features heard so far.
        """
        self._memory.level(FEATURE_STRIDE * self._feature + self._opening, held)
        self._remember()

    def _finish(self, pushed: int) -> None:
        self._enqueue(self._resampler.finish())
        self._end = frame_count(pushed, MODEL_FPS, self.config.sample_rate)
        self._total = frame_count(pushed, self.config.fps, self.config.sample_rate)
        if self._end > self._frame:
            last, _ = frame_feature(self._end - 1, self.preset.look_ahead)
            missing = -(-max(1, last + 1 - self._feature) // self._hop) * self._hop
            needed = FEATURE_STRIDE * missing + (self._opening if self.starting else 0)
            self._queue.append(np.zeros(max(0, needed - len(self._queue)), np.float32))
        self._finish_if_done()

    def _flush(self, pushed: int) -> None:
        """Restart at the first feature that begins at or after the client's present sample."""
        self._queue.clear()
        self.pending.clear()
        now = pushed * SAMPLE_RATE // self.config.sample_rate
        self._feature = max(self._feature, -(-now // FEATURE_STRIDE))
        self._discard = self._feature * FEATURE_STRIDE - now
        self._resampler = StreamResampler(self.config.sample_rate)
        self.starting, self.opening_level = True, None
        while frame_feature(self._frame, self.preset.look_ahead)[0] < self._feature:
            self._frame += 1
        ends = frame_count(pushed, self.config.fps, self.config.sample_rate)
        due, first = self._converter.next_frame, min(self._frame * (self.config.fps // MODEL_FPS), ends)
        first = max(first, due)
        self._frame = -(-first // (self.config.fps // MODEL_FPS))
        self.face.restart(self._frame)
        if first > due:
            self._converter.skip_to(first)
            self._sink(Skipped(due, first - due, SkipReason.FLUSH))
        self._memory.flush(pushed)
        self._remember()

    @property
    def ready_features(self) -> int:
        """Features whose samples are all there, a multiple of what the encoder makes at a time."""
        with self._lock:
            waiting = len(self._queue) - (self._opening if self.starting else 0)
        return max(0, waiting // (FEATURE_STRIDE * self._hop) * self._hop)

    def take(self, count: int) -> NDArray[np.float32]:
        """The oldest samples at 16 kHz."""
        with self._lock:
            return self._queue.take(count)

    @property
    def needed_features(self) -> int:
        """Features that complete the next frame; hearing fewer would only make more work."""
        newest, _ = frame_feature(self._frame, self.preset.look_ahead)
        return max(1, newest + 1 - self._feature)

    @property
    def next_feature(self) -> int:
        """Absolute index of the first feature not heard yet."""
        return self._feature

    @property
    def listening(self) -> bool:
        """Whether whom the voice belongs to is still, or may soon be, asked."""
        return self._tracker.listening

    def hear(self, voice: Floats | None, speech: list[list[float]]) -> list[PendingFrame]:
        """New features: decide on identity and on the frames they complete.

        Args:
            voice: ``[h, V]``; None for a stream that is not ``listening``.
            speech: ``[h, presets]``.

        Returns:
            The completed frames, which are ``pending`` from now on and lack their audio.
        """
        completed: list[PendingFrame] = []
        newest, _ = frame_feature(self._frame, self.preset.look_ahead)
        for i, probabilities in enumerate(speech):
            k = self._feature + i
            if voice is not None and (matched := self._tracker.update(k, voice[i], probabilities[0])) is not None:
                first = matched.frame * (self.config.fps // MODEL_FPS)
                self._sink(IdentityMatched(first, matched.identity, matched.confidence))
                self._memory.changed()
            while newest <= k and (self._end is None or self._frame < self._end):
                steady, phase = frame_feature(self._frame, STEADY_LOOK_AHEAD)
                completed.append(
                    PendingFrame(
                        self._frame,
                        i,
                        steady - self._feature,
                        phase,
                        self._tracker.embedding(self._frame),
                        probabilities[self.preset.index],
                    )
                )
                self._frame += 1
                newest, _ = frame_feature(self._frame, self.preset.look_ahead)
        self._feature += len(speech)
        self.pending.extend(completed)
        return completed

    def deliver(self, faces: Floats) -> None:
        """Hand out finished frames ``[f, 52]`` at the client's frame rate."""
        self._emit(self._converter.process(faces))
        self._finish_if_done()

    def _emit(self, frames: Frames) -> None:
        if len(frames):
            self._sink(frames)

    def _finish_if_done(self) -> None:
        if self._end is not None and self._frame >= self._end and not self.pending and not self.closed:
            self._emit(self._converter.finish(self._total))
            self.closed = True
            self._sink(Finished(self._total))

    def fail(self, error: Exception) -> None:
        """The engine could not go on with this stream."""
        if not self.closed:
            self.closed = True
            try:
                self._sink(Failed(error))
            except Exception:
                log.exception("a stream's owner did not want to hear that it failed")
