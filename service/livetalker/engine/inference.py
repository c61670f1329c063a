"""Advances batches of streams: audio to features, features to frames. Everything numeric of a tick happens here.

Work is done for all streams of a batch at once wherever it can be; what remains per stream are its own decisions.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.bundle import Bundle
from diffusiontalker.geometry import FEATURE_HISTORY, FEATURE_STRIDE
from livetalker.core.postprocess import FacePostprocessor
from livetalker.engine.backend import Backend, Floats, Heard
from livetalker.engine.encoder_slots import encoder_slots
from livetalker.engine.kernels.signals import face_noise, normalize_level
from livetalker.engine.scheduler import Batch
from livetalker.engine.slots import SlotPool
from livetalker.engine.stream import EngineStream, PendingFrame

log = logging.getLogger(__name__)

RUNS = (30, 6, 3, 2, 1)
"""Frames of a stream denoised in one call; few sizes make full batches."""


@contextmanager
def ending(streams: Iterable[EngineStream]) -> Iterator[None]:
    """An error within ends these streams, and nothing else."""
    try:
        yield
    except Exception as error:
        _end(streams, error)


def _end(streams: Iterable[EngineStream], error: Exception) -> None:
    log.error("an error ends its streams", exc_info=error)
    for stream in streams:
        stream.fail(error)


class _Encoded(NamedTuple):
    """Features of a batch.

    Attributes:
        heard: of the encoder.
        listening: places of the streams whose voice is among it.
        held: ``[B]`` dBFS that their level followers hold after these features.
    """

    heard: Heard
    listening: list[int]
    held: NDArray[np.float64]


class Inference:
    """The state of all streams, and what moves it on.

    Attributes:
        slots: where streams have their state.
        hops: features a stream may be advanced by, descending.
        opening: samples a stream needs before those of its first feature.
    """

    def __init__(self, bundle: Bundle, backend: Backend, capacity: int) -> None:
        self._beside = ThreadPoolExecutor(1, "livetalker-ahead")
        self._noise_period = int(bundle.denoiser.get("noise_period", 1))
        self._backend = backend
        self._encoder = encoder_slots(bundle, backend, capacity)
        self.slots = SlotPool(bundle, capacity)
        self.hops: Sequence[int] = self._encoder.hops
        self.opening = self._encoder.opening

    def advance(self, groups: Sequence[Sequence[Batch[EngineStream]]]) -> Iterator[None]:
        """Hear each group's new features and deliver the frames that they complete; yields after each group.

        A stream that has several groups to itself hears the next one while the frames of the last one are made.
        """
        alone = len({stream for group in groups for batch in group for stream in batch.keys}) == 1
        ahead: Future[_Encoded] | None = None
        for place, group in enumerate(groups):
            held: dict[EngineStream, float] = {}
            for batch in group:
                with ending(batch.keys):
                    encoded = self._encode(batch) if ahead is None else ahead.result()
                    self._hear(batch.keys, encoded)
                    held |= zip(batch.keys, encoded.held.tolist(), strict=True)
            ahead = None
            if alone and group[0].keys[0].closed:
                return  # it has ended, or been ended: what else it said is nobody's
            if alone and place + 1 < len(groups):
                ahead = self._beside.submit(self._encode, groups[place + 1][0])
            self._finish(held)
            yield

    def _finish(self, held: Mapping[EngineStream, float]) -> None:
        """Make and deliver every frame that is complete, of streams whose level followers hold these levels."""
        streams = held.keys()
        waiting = [stream for stream in streams if stream.pending and not stream.closed]
        while waiting:
            by_run: dict[int, list[EngineStream]] = defaultdict(list)
            for stream in waiting:
                by_run[self._run(len(stream.pending), len(waiting))].append(stream)
            for run, group in by_run.items():
                with ending(group):
                    self._denoise(group, run)
            waiting = [stream for stream in waiting if stream.pending and not stream.closed]
        for stream in streams:
            if stream.checkpoint_due and not stream.closed:
                with ending([stream]):
                    stream.checkpoint(held[stream])

    def _run(self, frames: int, streams: int) -> int:
        """How many of a stream's frames to denoise in a call: few sizes make full batches, if there are others."""
        if self._backend.frame_by_frame:
            return 1
        if streams == 1 and frames > RUNS[0]:
            return frames
        return next(run for run in RUNS if run <= frames)

    def _encode(self, batch: Batch[EngineStream]) -> _Encoded:
        """Features of the next samples; changes nothing that making frames reads."""
        streams = batch.keys
        for stream in streams:
            if stream.starting:
                self._begin(stream)
        rows = _rows(streams)
        raw = _together([stream.take(FEATURE_STRIDE * batch.hop) for stream in streams], len(streams))
        normalized, level = normalize_level(raw, self.slots.level(rows))
        self.slots.set_level(rows, level)
        listening = {i: stream.next_feature for i, stream in enumerate(streams) if stream.listening}
        return _Encoded(self._encoder.advance(rows, normalized, listening), list(listening), level.held)

    def _hear(self, streams: Sequence[EngineStream], encoded: _Encoded) -> None:
        """Let streams decide what their new features complete, and give the completed frames their audio."""
        rows = _rows(streams)
        heard = encoded.heard
        voices = dict(zip(encoded.listening, heard.voice, strict=True))
        features = np.concatenate([self.slots.recent[rows], heard.features], axis=1)
        self.slots.recent[rows] = features[:, -FEATURE_HISTORY:]
        completed: list[tuple[int, PendingFrame]] = []
        for i, (stream, speech) in enumerate(zip(streams, heard.speech.tolist(), strict=True)):
            try:
                completed += [(i, frame) for frame in stream.hear(voices.get(i), speech)]
            except Exception as error:
                _end([stream], error)
        if not completed:
            return
        owner = np.array([i for i, _ in completed])
        newest, steady = (
            FEATURE_HISTORY + np.array(places)
            for places in zip(*((frame.newest, frame.steady) for _, frame in completed), strict=True)
        )
        phase = np.array([frame.phase for _, frame in completed], np.float32)[:, None]
        smooth = (1 - phase) * features[owner, steady - 1] + phase * features[owner, steady]
        for (_, frame), audio in zip(completed, np.concatenate([smooth, features[owner, newest]], 1), strict=True):
            frame.audio = audio

    def _begin(self, stream: EngineStream) -> None:
        row = stream.slot.index
        self.slots.clear(row)
        if stream.opening_level is not None:
            self.slots.hold_level(row, stream.opening_level)
        first, level = normalize_level(stream.take(self.opening)[None], self.slots.level([row]))
        self._encoder.begin(row, first[0])
        self.slots.set_level([row], level)
        stream.starting = False

    def _denoise(self, streams: Sequence[EngineStream], run: int) -> None:
        rows = _rows(streams)
        frames: list[PendingFrame] = [stream.pending.popleft() for stream in streams for _ in range(run)]
        shape = len(streams), run
        seeds = np.array([stream.config.seed for stream in streams], np.uint64)
        indexes = np.array([frame.frame for frame in frames], np.uint64).reshape(shape)
        curves, self.slots.hidden[:, :, rows] = self._backend.denoise(
            _together([frame.audio for frame in frames], *shape),
            _together([frame.identity for frame in frames], *shape),
            np.array([stream.preset.index for stream in streams], np.int64),
            face_noise(seeds, indexes, self._noise_period),
            self.slots.hidden.take(rows, axis=2),
        )
        first = [frame.frame for frame in frames[::run]]
        speech = np.array([frame.speech for frame in frames], np.float32).reshape(shape)
        faces = FacePostprocessor.process_together([stream.face for stream in streams], first, curves, speech)
        for stream, finished in zip(streams, faces, strict=True):
            try:
                stream.deliver(finished)
            except Exception as error:
                _end([stream], error)


def _together(rows: Sequence[Floats], *shape: int) -> Floats:
    """``[*shape, n]`` of as many rows ``[n]``; ``np.stack``, which takes several times as long over many short ones."""
    return np.concatenate(rows).reshape(*shape, -1)


def _rows(streams: Sequence[EngineStream]) -> NDArray[np.intp]:
    return np.array([stream.slot.index for stream in streams], np.intp)
