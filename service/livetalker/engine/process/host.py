"""The engine's process: loads an engine, obeys what comes through the socket, and sends back what its streams make."""

from __future__ import annotations

import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from livetalker.core.outputs import Failed, Frames, Output
from livetalker.engine.process.messages import (
    Answer,
    Command,
    EngineSetup,
    Loaded,
    Message,
    packed,
    received,
)
from livetalker.engine.resumed_stream import ResumedStream
from livetalker.threads import switch_often

if TYPE_CHECKING:
    from livetalker.engine.engine import Engine
    from livetalker.engine.stream import EngineStream

log = logging.getLogger(__name__)


def host(setup: EngineSetup, end: socket.socket) -> None:
    """Runs an engine until the other end is closed; says ``Loaded`` first, or what went wrong.

    Args:
        setup: of the engine.
        end: of the way to the server; blocking.
    """
    # Orders to stop are the server's to receive: streams that are open then still need their engine.
    for order in (signal.SIGINT, signal.SIGTERM):
        signal.signal(order, signal.SIG_IGN)
    logging.basicConfig(level=setup.log_level, format="%(asctime)s engine %(levelname)s %(message)s", stream=sys.stderr)
    # Here, because the server's half imports this module, too, and has no use for what runs networks.
    from livetalker.engine.engine import Engine

    try:
        engine = Engine.load(
            setup.bundle,
            max_streams=setup.max_streams,
            threads=setup.threads,
            backend=setup.backend,
            device=setup.device,
        )
    except Exception as error:
        with suppress(OSError):
            end.sendall(packed(error))
        return
    switch_often()
    answers = _Answers(end)
    engine.after_batch = answers.flush
    with engine, suppress(OSError):  # the server did not wait
        end.sendall(packed(Loaded(engine.info, engine.backend, engine.hop)))
        _Host(engine, answers).obey(received(end))


class _Answers:
    """Gathers what streams say until the engine has finished a batch."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._lock = threading.Lock()
        self._waiting: list[Message] = []

    def sink(self, number: int) -> Callable[[Output], None]:
        """Where a stream's outputs go."""

        def take(output: Output) -> None:
            self.add(number, output)

        return take

    def add(self, number: int, output: Output) -> None:
        """Takes an output of a stream."""
        message: Message
        if isinstance(output, Frames):
            message = (int(Answer.FRAMES), number, output.first, output.values.tobytes())
        elif isinstance(output, Failed):
            failed = Failed(RuntimeError(f"{type(output.error).__name__}: {output.error}"))
            message = (int(Answer.OUTPUT), number, failed)
        else:
            message = (int(Answer.OUTPUT), number, output)
        with self._lock:
            self._waiting.append(message)

    def flush(self) -> None:
        """Sends what is waiting."""
        with self._lock:
            if not self._waiting:
                return
            batch, self._waiting = self._waiting, []
            with suppress(OSError):  # the server is gone; whoever obeys it notices
                self._end.sendall(packed(batch))


class _Host:
    """Does to the engine what the server says."""

    def __init__(self, engine: Engine, answers: _Answers) -> None:
        self._engine = engine
        self._answers = answers
        self._streams: dict[int, EngineStream] = {}

    def obey(self, batches: Iterable[Sequence[Message]]) -> None:
        """Until there are no more."""
        for batch in batches:
            for kind, number, *arguments in batch:
                try:
                    self._do(kind, number, *arguments)
                except Exception as error:
                    log.exception("%s of a stream failed", Command(kind).name)
                    self._answers.add(number, Failed(error))
                    self._answers.flush()

    def _do(self, kind: int, number: int, *arguments: object) -> None:
        if kind in (Command.OPEN, Command.RESUME):
            config, *more = arguments
            enter: Callable[..., EngineStream] = self._engine.resume if more else self._engine.open
            self._streams[number] = enter(config, self._answers.sink(number), *more)
            return
        stream = self._streams.get(number)
        if stream is None:  # it could not be opened, which was said
            return
        match kind:
            case Command.BEGIN:
                assert isinstance(stream, ResumedStream)
                stream.begin(*arguments)  # type: ignore[arg-type]
            case Command.PUSH:
                (samples,) = arguments
                stream.push(np.frombuffer(samples, np.float32))  # type: ignore[call-overload]
            case Command.FINISH:
                stream.finish()
            case Command.FLUSH:
                stream.flush()
            case Command.REMATCH:
                stream.rematch_identity(*arguments)  # type: ignore[arg-type]
            case Command.SHAPE:
                stream.shape(*arguments)  # type: ignore[arg-type]
            case Command.CLOSE:
                del self._streams[number]
                stream.close()
