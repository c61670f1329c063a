"""The engine: admits streams, and one thread that advances all of them, tick by tick.

What a tick takes, and when it begins, ``scheduler`` decides; what it computes is ``inference``. Sleeping is waiting on
a condition; there is no polling.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from diffusiontalker.bundle import Bundle, open_bundle
from diffusiontalker.geometry import PRESETS
from livetalker.core.admission import EngineFull, ModelInfo, Places, PlacesEnough
from livetalker.core.config import StreamConfig
from livetalker.core.identity_library import IdentityLibrary
from livetalker.core.stream_state import Resumption
from livetalker.engine.backend import Backend
from livetalker.engine.backends.choose import open_backend
from livetalker.engine.inference import Inference, ending
from livetalker.engine.resumed_stream import ResumedStream
from livetalker.engine.scheduler import Ready, Scheduler
from livetalker.engine.slots import Slot
from livetalker.engine.stream import EngineStream, Sink

log = logging.getLogger(__name__)

OneStream = TypeVar("OneStream", bound=EngineStream)


class Engine:
    """Animates up to ``max_streams`` streams on one thread.

    Attributes:
        info: what it serves.
        max_streams: slots.
        after_batch: called on the engine's thread whenever sinks may have been given something: where outputs are
            gathered, it is time to send them on.

    Args:
        bundle: the model.
        backend: what runs it.
        max_streams: slots to allocate.
        places: shared with other engines, each stream takes one as well; None for an engine that is alone.
    """

    def __init__(
        self, bundle: Bundle, backend: Backend, max_streams: int = 64, *, places: Places | None = None
    ) -> None:
        self.info = ModelInfo(
            bundle.name,
            bundle.version,
            bundle.steps,
            tuple(PRESETS.values()),
            bundle.identities.names,
            bundle.encoder_delay,
            bundle.digest,
        )
        self.max_streams = max_streams
        self.after_batch: Callable[[], None] = lambda: None
        known = bundle.identities
        self._library = IdentityLibrary(known.names, known.features, known.embeddings, known.voice_space, known.neutral)
        self._backend = backend
        self._inference = Inference(bundle, backend, max_streams)
        self._slots = self._inference.slots
        self._places = PlacesEnough() if places is None else places
        self._scheduler: Scheduler[EngineStream] = Scheduler(
            self._inference.hops, frame_by_frame=backend.frame_by_frame
        )
        self._streams: list[EngineStream] = []
        self._condition = threading.Condition()  # guards what follows, and the scheduler
        self._talking: dict[EngineStream, None] = {}  # streams with something no tick has looked at, in order
        self._behind: list[EngineStream] = []  # streams that the last tick left with something to do
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
        places: Places | None = None,
    ) -> Engine:
        """An engine over a bundle folder (None: the shipped model); the rest as ``open_backend`` takes it.

        ``max_streams`` and ``places`` are the engine's own.

        Raises:
            BundleError: the bundle cannot be used.
            BackendError: this machine or installation does not offer the backend.
        """
        opened = open_bundle(bundle)
        return cls(opened, open_backend(opened, backend, device=device, threads=threads), max_streams, places=places)

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
    def hop(self) -> int:
        """Features that the encoder makes at least at a time."""
        return self._inference.hops[-1]

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
            EngineFull: all slots, or all places shared with other engines, are taken.
        """
        hop, opening = self.hop, self._inference.opening
        return self._admit(
            config, lambda slot: EngineStream(config, slot, self._library, sink, self._wake, hop, opening)
        )

    def resume(self, config: StreamConfig, sink: Sink, resumption: Resumption) -> ResumedStream:
        """Admit a stream that goes on where another one broke off; otherwise as ``open``."""
        hop, opening = self.hop, self._inference.opening
        return self._admit(
            config,
            lambda slot: ResumedStream(config, slot, self._library, sink, self._wake, hop, opening, resumption),
        )

    def _admit(self, config: StreamConfig, make: Callable[[Slot], OneStream]) -> OneStream:
        self._library.embedding(config.identity)
        with self._condition:
            if not self._ticking:
                self._reap()
            slot = self._acquire()
            if slot is None and self._ticking:
                # The tick under way may still write to the slot of a stream that was closed meanwhile, so such a slot
                # is free only when the tick has ended. Only who would be refused waits for that: one hop at most.
                self._condition.wait_for(lambda: not (self._ticking and self._any_closed()))
                if not self._ticking:
                    self._reap()
                slot = self._acquire()
            if slot is None:
                raise EngineFull(f"all {self.max_streams} streams are taken")
            stream = make(slot)
            self._streams.append(stream)
        return stream

    def _wake(self, stream: EngineStream) -> None:
        """A stream has something new; any thread."""
        with self._condition:
            idle = not self._talking
            self._talking[stream] = None
            if idle:
                self._scheduler.arrived(time.monotonic())
            # Nobody needs to be woken but for the first news and for the last that makes a batch full.
            if idle or self._delay() == 0:
                self._condition.notify_all()

    def _delay(self) -> float | None:
        """Seconds until the next tick, None for none; the condition is held."""
        if self._behind:
            return 0.0
        return self._scheduler.delay(time.monotonic(), len(self._streams), len(self._talking))

    def _any_closed(self) -> bool:
        return any(stream.closed for stream in self._streams)

    def _acquire(self) -> Slot | None:
        """A slot and a place, or neither; the condition is held."""
        if self._slots.full or not self._places.take():
            return None
        return self._slots.acquire()

    def _reap(self) -> None:
        """Free the slots of closed streams; the condition is held and no tick is under way."""
        for stream in [stream for stream in self._streams if stream.closed]:
            self._streams.remove(stream)
            self._slots.release(stream.slot)
            self._places.give_back()

    def _fail_all(self, error: Exception) -> None:
        with self._condition:
            streams = list(self._streams)
        for stream in streams:
            stream.fail(error)
        self.after_batch()

    def _run(self) -> None:
        while True:
            with self._condition:
                while not self._stopping and (delay := self._delay()) != 0:
                    self._condition.wait(delay)
                if self._stopping:
                    return
            try:
                self.tick()
            except Exception as error:  # the last resort: whoever comes next shall still find a thread
                log.exception("a tick failed; every stream is ended")
                self._fail_all(error)

    def tick(self) -> bool:
        """Look at everything that is new and advance the streams whose turn it is.

        Returns:
            Whether anything was done.
        """
        with self._condition:
            self._reap()
            self._scheduler.began()
            talking = dict.fromkeys([*self._behind, *self._talking])
            self._talking.clear()
            self._behind = []
            others = len(self._streams) - len(talking)
            self._ticking = True
        try:
            return self._advance(list(talking), others)
        finally:
            with self._condition:
                self._ticking = False
                self._condition.notify_all()

    def _advance(self, streams: list[EngineStream], others: int) -> bool:
        ready = []
        for stream in streams:
            if stream.noted:
                with ending([stream]):
                    stream.ingest()
            features, needed = stream.ready_features, stream.needed_features
            if features >= needed and not stream.closed:
                ready.append(Ready(stream, features, needed))
        for _ in self._inference.advance(self._scheduler.plan(ready, others)):
            self.after_batch()
        behind = [one.key for one in ready if one.key.ready_features >= one.key.needed_features and not one.key.closed]
        self.after_batch()  # streams may have ended, or been ended, without a batch
        with self._condition:
            self._behind = behind
        return bool(ready) or any(stream.closed for stream in streams)
