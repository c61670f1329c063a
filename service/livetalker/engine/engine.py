"""The engine: admits streams, and one thread that advances all of them, tick by tick.

A tick takes what every stream has ready, in groups of equal hop, through one encoder call a group and one denoiser call
a group. Sleeping is waiting on a condition; there is no polling.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from diffusiontalker.bundle import Bundle, open_bundle
from diffusiontalker.geometry import FEATURE_HISTORY, FEATURE_STRIDE, PRESETS
from diffusiontalker.level import normalize_level
from diffusiontalker.noise import frame_noise
from livetalker.core.admission import EngineFull, ModelInfo
from livetalker.core.config import StreamConfig
from livetalker.core.identity_library import IdentityLibrary
from livetalker.engine.backend import Backend
from livetalker.engine.backends.choose import open_backend
from livetalker.engine.encoder_slots import encoder_slots
from livetalker.engine.slots import SlotPool
from livetalker.engine.stream import EngineStream, PendingFrame, Sink

log = logging.getLogger(__name__)

RUNS = (30, 6, 3, 2, 1)
"""Frames of a stream denoised in one call; few sizes make full batches."""


@contextmanager
def ending(streams: Iterable[EngineStream]) -> Iterator[None]:
    """An error within ends these streams, and nothing else."""
    try:
        yield
    except Exception as error:
        log.exception("an error ends its streams")
        for stream in streams:
            stream.fail(error)


class Engine:
    """Animates up to ``max_streams`` streams on one thread."""

    def __init__(self, bundle: Bundle, backend: Backend, max_streams: int = 64) -> None:
        self.info = ModelInfo(
            bundle.name,
            bundle.version,
            bundle.steps,
            tuple(PRESETS.values()),
            bundle.identities.names,
            bundle.encoder_delay,
        )
        self.max_streams = max_streams
        known = bundle.identities
        self._library = IdentityLibrary(
            known.names, known.features, known.embeddings, known.voice_mean, known.voice_projection, known.neutral
        )
        self._coefficients = int(bundle.denoiser["coefficients"])
        self._backend = backend
        self._slots = SlotPool(bundle, max_streams)
        self._encoder = encoder_slots(bundle, backend, max_streams)
        self._streams: list[EngineStream] = []
        self._condition = threading.Condition()
        self._awake = False
        self._ticking = False
        self._stopping = False
        self._thread: threading.Thread | None = None

    @classmethod
    def load(
        cls,
        bundle: Path | None = None,
        *,
        max_streams: int = 64,
        threads: int | None = None,
        backend: str = "cpu",
        device: int = 0,
    ) -> Engine:
        """An engine over a bundle folder (None: the shipped model); the rest as ``open_backend`` takes it.

        Raises:
            BundleError: the bundle cannot be used.
            BackendError: this machine or installation does not offer the backend.
        """
        opened = open_bundle(bundle)
        return cls(opened, open_backend(opened, backend, device=device, threads=threads), max_streams)

    def __enter__(self) -> Engine:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def start(self) -> None:
        """Start the inference thread."""
        if self._thread is None:
            self._stopping = False
            self._thread = threading.Thread(target=self._run, name="livetalker-engine", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop the thread; streams still open are failed."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._fail_all(RuntimeError("the engine was stopped"))
        with self._condition:
            self._reap()

    @property
    def backend(self) -> str:
        """What runs the model, and where, for a person."""
        return self._backend.description

    @property
    def open_streams(self) -> int:
        """Streams that hold a slot."""
        with self._condition:
            return self._slots.in_use

    def open(self, config: StreamConfig, sink: Sink) -> EngineStream:
        """Admit a stream; ``sink`` is called on the engine's thread with every output, and must not open streams.

        A sink that raises ends its own stream.

        Raises:
            UnknownIdentityError: the configuration names an identity the library does not have.
            EngineFull: all slots are taken.
        """
        self._library.embedding(config.identity)
        with self._condition:
            # The tick under way may still write to the slot of a stream that was closed meanwhile, so such a slot is
            # free only when the tick has ended. Only who would be refused otherwise waits for that: one hop at most.
            self._condition.wait_for(lambda: not (self._ticking and self._slots.full and self._any_closed()))
            if not self._ticking:
                self._reap()
            slot = self._slots.acquire()
            if slot is None:
                raise EngineFull(f"all {self.max_streams} streams are taken")
            encoder = self._encoder
            stream = EngineStream(config, slot, self._library, sink, self._wake, encoder.hops[-1], encoder.opening)
            self._streams.append(stream)
        return stream

    def _wake(self) -> None:
        with self._condition:
            self._awake = True
            self._condition.notify_all()

    def _any_closed(self) -> bool:
        return any(stream.closed for stream in self._streams)

    def _reap(self) -> None:
        """Free the slots of closed streams; the condition is held and no tick is under way."""
        for stream in [stream for stream in self._streams if stream.closed]:
            self._streams.remove(stream)
            self._slots.release(stream.slot)

    def _fail_all(self, error: Exception) -> None:
        with self._condition:
            streams = list(self._streams)
        for stream in streams:
            stream.fail(error)

    def _run(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._awake or self._stopping)
                if self._stopping:
                    return
                self._awake = False
            try:
                while self.tick():
                    if self._stopping:
                        return
            except Exception as error:  # the last resort: whoever comes next shall still find a thread
                log.exception("a tick failed; every stream is ended")
                self._fail_all(error)

    def tick(self) -> bool:
        """Advance every stream that has something to do by one hop.

        Returns:
            Whether anything was done.
        """
        with self._condition:
            self._reap()
            streams = list(self._streams)
            self._ticking = True
        try:
            return self._advance(streams)
        finally:
            with self._condition:
                self._ticking = False
                self._condition.notify_all()

    def _advance(self, streams: list[EngineStream]) -> bool:
        by_hop: dict[int, list[EngineStream]] = defaultdict(list)
        for stream in streams:
            with ending([stream]):
                stream.ingest()
            ready = stream.ready_features
            if ready and not stream.closed:
                by_hop[next(hop for hop in self._encoder.hops if hop <= ready)].append(stream)
        for hop in sorted(by_hop):
            with ending(by_hop[hop]):
                self._listen(by_hop[hop], hop)
            self._animate(by_hop[hop])
        return bool(by_hop) or any(stream.closed for stream in streams)

    def _listen(self, streams: list[EngineStream], hop: int) -> None:
        """New features for a group of streams."""
        slots = self._slots
        for stream in streams:
            if stream.starting:
                row = stream.slot.index
                slots.clear(row)
                first, level = normalize_level(stream.take(self._encoder.opening)[None], slots.level([row]))
                self._encoder.begin(row, first[0])
                slots.set_level([row], level)
                stream.starting = False
        rows = np.array([stream.slot.index for stream in streams])
        raw = np.stack([stream.take(FEATURE_STRIDE * hop) for stream in streams])
        normalized, level = normalize_level(raw, slots.level(rows))
        slots.set_level(rows, level)
        result = self._encoder.advance(rows, normalized)
        features = np.concatenate([slots.recent[rows], result.features], axis=1)
        slots.recent[rows] = features[:, -FEATURE_HISTORY:]
        for i, stream in enumerate(streams):
            with ending([stream]):
                stream.hear(features[i], result.voice[i], result.speech[i])

    def _animate(self, streams: Iterable[EngineStream]) -> None:
        """Denoise every frame whose audio is there."""
        waiting = [stream for stream in streams if stream.pending and not stream.closed]
        while waiting:
            by_run: dict[int, list[EngineStream]] = defaultdict(list)
            for stream in waiting:
                by_run[next(run for run in RUNS if run <= len(stream.pending))].append(stream)
            for run, group in by_run.items():
                with ending(group):
                    self._denoise(group, run)
            waiting = [stream for stream in waiting if stream.pending and not stream.closed]

    def _denoise(self, streams: list[EngineStream], run: int) -> None:
        rows = np.array([stream.slot.index for stream in streams])
        frames: list[list[PendingFrame]] = [[s.pending.popleft() for _ in range(run)] for s in streams]
        seeds = np.array([[stream.config.seed] for stream in streams], np.uint64)
        indexes = np.array([[frame.frame for frame in row] for row in frames], np.uint64)
        curves, self._slots.hidden[rows] = self._backend.denoise(
            np.stack([[frame.audio for frame in row] for row in frames]),
            np.stack([[frame.identity for frame in row] for row in frames]),
            np.array([stream.preset.index for stream in streams], np.int64),
            frame_noise(seeds, indexes, self._coefficients),
            self._slots.hidden[rows],
        )
        for stream, row, values in zip(streams, frames, curves, strict=True):
            with ending([stream]):
                stream.deliver(row, values)
