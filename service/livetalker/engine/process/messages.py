"""What the two processes say to each other, and how: batches of small tuples, pickled, through a pipe.

Both ends are ours and of the same installation; nothing that comes from a client is ever unpickled.
"""

from __future__ import annotations

import pickle
import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum, auto
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from livetalker.core.admission import ModelInfo

Message = tuple[Any, ...]
"""A kind, a stream's number, and the kind's own arguments."""


class Command(IntEnum):
    """What a server tells its engine; the arguments are those of the engine's own methods."""

    OPEN = auto()
    RESUME = auto()
    BEGIN = auto()
    PUSH = auto()
    """With the samples' bytes, float32."""
    FINISH = auto()
    FLUSH = auto()
    REMATCH = auto()
    SHAPE = auto()
    CLOSE = auto()
    STOP = auto()
    """Of the engine itself. Closing the pipe would not do: a thread that waits for it holds it open."""


class Answer(IntEnum):
    """What the engine answers."""

    FRAMES = auto()
    """With the index of the first frame and the bytes of all, float32."""
    OUTPUT = auto()
    """With any other output."""


@dataclass(frozen=True, slots=True)
class EngineSetup:
    """How the engine is loaded; as ``Engine.load`` takes it.

    Attributes:
        bundle: folder of the model, None for the shipped one.
        max_streams: slots.
        threads: for one operator, None for half of the cores.
        backend: name of what runs the networks.
        device: GPU.
        log_level: as ``logging`` numbers them.
    """

    bundle: Path | None
    max_streams: int
    threads: int | None
    backend: str
    device: int
    log_level: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """The engine runs.

    Attributes:
        info: what it serves.
        backend: what runs the model, and where, for a person.
        hop: features its encoder makes at least at a time.
    """

    info: ModelInfo
    backend: str
    hop: int


class BatchSender:
    """Sends messages in batches from a thread of its own, so that nobody waits for the pipe.

    Args:
        pipe: where to.
        gather: seconds to let messages gather after the first one.
    """

    def __init__(self, pipe: Connection, gather: Callable[[], float]) -> None:
        self._pipe = pipe
        self._gather = gather
        self._messages: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="livetalker-sender", daemon=True)
        self._thread.start()

    def send(self, message: Message) -> None:
        """Have a message sent soon; any thread."""
        self._messages.put(message)

    def finish(self) -> None:
        """Send what is waiting, and nothing that comes after; any thread."""
        self._messages.put(None)

    def join(self) -> None:
        """Waits until all is sent, or nobody is left to read it."""
        self._thread.join()

    def _run(self) -> None:
        with suppress(OSError):  # nobody is left to read
            while (first := self._messages.get()) is not None:
                if (seconds := self._gather()) > 0:
                    time.sleep(seconds)
                batch = [first]
                for _ in range(self._messages.qsize()):
                    if (message := self._messages.get()) is None:
                        send_batch(self._pipe, batch)
                        return
                    batch.append(message)
                send_batch(self._pipe, batch)


def send_batch(pipe: Connection, batch: Sequence[Message]) -> None:
    """Sends messages as one; ``receive_batch`` reads them.

    Raises:
        OSError: the other end is closed.
    """
    pipe.send_bytes(pickle.dumps(batch, pickle.HIGHEST_PROTOCOL))


def receive_batch(pipe: Connection) -> list[Message]:
    """Waits for the next batch.

    Raises:
        EOFError: the other end is closed.
        OSError: likewise.
    """
    batch: list[Message] = pickle.loads(pipe.recv_bytes())
    return batch
