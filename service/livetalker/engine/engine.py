"""The engine: admits streams, and one thread that advances all of them, tick by tick.

A tick takes what every stream has ready, in groups of equal hop, through one encoder call a group and one denoiser call
a group. Sleeping is waiting on a condition; there is no polling.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from diffusiontalker.bundle import Bundle, open_bundle
from diffusiontalker.geometry import FEATURE_OVERLAP, FEATURE_STRIDE, PRESETS, LatencyPreset
from diffusiontalker.level import normalize_level
from diffusiontalker.noise import frame_noise
from livetalker.core.config import StreamConfig
from livetalker.core.identity_library import IdentityLibrary
from livetalker.engine.backend import Backend, OnnxCpuBackend
from livetalker.engine.slots import SlotPool
from livetalker.engine.stream import EngineStream, PendingFrame, Sink

log = logging.getLogger(__name__)

HOPS = (50, 10, 5, 2, 1)
"""Features a stream may advance in one tick; few sizes make full batches."""
RUNS = (30, 6, 3, 2, 1)
"""Frames of a stream denoised in one call, likewise."""


class EngineFull(RuntimeError):
    """Every slot is taken; admitting more would harm everybody."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a client may want to know of the model.

    Attributes:
        name: of the model.
        version: of the model.
        steps: denoise steps.
        presets: latency presets it serves.
        identities: names of its library.
    """

    name: str
    version: str
    steps: int
    presets: tuple[LatencyPreset, ...]
    identities: tuple[str, ...]


class Engine:
    """Animates up to ``max_streams`` streams on one thread."""

    def __init__(self, bundle: Bundle, backend: Backend, max_streams: int = 64) -> None:
        self.info = ModelInfo(
            bundle.name, bundle.version, bundle.steps, tuple(PRESETS.values()), bundle.identities.names
        )
        self.max_streams = max_streams
        known = bundle.identities
        self._library = IdentityLibrary(
            known.names, known.features, known.embeddings, known.voice_mean, known.voice_projection
        )
        self._coefficients = int(bundle.denoiser["coefficients"])
        self._backend = backend
        self._slots = SlotPool(bundle, max_streams)
        self._streams: list[EngineStream] = []
        self._condition = threading.Condition()
        self._awake = False
        self._stopping = False
        self._thread: threading.Thread | None = None

    @classmethod
    def load(cls, bundle: Path | None = None, *, max_streams: int = 64, threads: int | None = None) -> Engine:
        """An engine over a bundle folder (None: the shipped model) on the CPU.

        Raises:
            BundleError: the bundle cannot be used.
        """
        opened = open_bundle(bundle)
        return cls(opened, OnnxCpuBackend(opened, threads), max_streams)

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
            self._condition.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        for stream in self._streams:
            stream.fail(RuntimeError("the engine was stopped"))
        self._streams.clear()

    @property
    def open_streams(self) -> int:
        """Streams that hold a slot."""
        with self._condition:
            return self._slots.in_use

    def open(self, config: StreamConfig, sink: Sink) -> EngineStream:
        """Admit a stream; ``sink`` is called on the engine's thread with every output.

        Raises:
            UnknownIdentityError: the configuration names an identity the library does not have.
            EngineFull: all slots are taken.
        """
        self._library.embedding(config.identity)
        with self._condition:
            slot = self._slots.acquire()
            if slot is None:
                raise EngineFull(f"all {self.max_streams} streams are taken")
            stream = EngineStream(config, slot, self._library, sink, self._wake)
            self._streams.append(stream)
        return stream

    def _wake(self) -> None:
        with self._condition:
            self._awake = True
            self._condition.notify()

    def _run(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._awake or self._stopping)
                if self._stopping:
                    return
                self._awake = False
            while self.tick():
                if self._stopping:
                    return

    def tick(self) -> bool:
        """Advance every stream that has something to do by one hop.

        Returns:
            Whether anything was done.
        """
        with self._condition:
            for stream in [s for s in self._streams if s.closed]:
                self._streams.remove(stream)
                self._slots.release(stream.slot)
            streams = list(self._streams)
        by_hop: dict[int, list[EngineStream]] = defaultdict(list)
        for stream in streams:
            try:
                stream.ingest()
            except Exception as error:
                log.exception("a stream's input could not be taken")
                stream.fail(error)
                continue
            ready = stream.ready_features
            if ready and not stream.closed:
                by_hop[next(hop for hop in HOPS if hop <= ready)].append(stream)
        for hop in sorted(by_hop):
            self._guarded(by_hop[hop], hop)
        return bool(by_hop) or any(stream.closed for stream in streams)

    def _guarded(self, streams: list[EngineStream], hop: int) -> None:
        try:
            self._listen(streams, hop)
            self._animate(streams)
        except Exception as error:
            log.exception("a tick failed; its streams are ended")
            for stream in streams:
                stream.fail(error)

    def _listen(self, streams: list[EngineStream], hop: int) -> None:
        """New features for a group of streams."""
        slots = self._slots
        for stream in streams:
            if stream.starting:
                row = stream.slot.index
                slots.clear(row)
                first, level = normalize_level(stream.take(FEATURE_OVERLAP)[None], slots.level([row]))
                slots.tail[row] = first[0]
                slots.set_level([row], level)
                stream.starting = False
        rows = np.array([stream.slot.index for stream in streams])
        raw = np.stack([stream.take(FEATURE_STRIDE * hop) for stream in streams])
        normalized, level = normalize_level(raw, slots.level(rows))
        slots.set_level(rows, level)
        samples = np.concatenate([slots.tail[rows], normalized], axis=1)
        slots.tail[rows] = normalized[:, -FEATURE_OVERLAP:]
        before = slots.feature[rows]
        result = self._backend.encode(samples, *slots.encoder_state(rows))
        slots.advance_encoder(rows, result)
        features = np.concatenate([before[:, None], result.features], axis=1)
        for i, stream in enumerate(streams):
            stream.hear(features[i], result.voice[i], result.speech[i])

    def _animate(self, streams: Iterable[EngineStream]) -> None:
        """Denoise every frame whose audio is there."""
        waiting = [stream for stream in streams if stream.pending]
        while waiting:
            by_run: dict[int, list[EngineStream]] = defaultdict(list)
            for stream in waiting:
                by_run[next(run for run in RUNS if run <= len(stream.pending))].append(stream)
            for run, group in by_run.items():
                self._denoise(group, run)
            waiting = [stream for stream in waiting if stream.pending]

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
            stream.deliver(row, values)
