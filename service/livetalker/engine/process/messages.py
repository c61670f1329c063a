"""What the two processes say to each other, and how: batches of small tuples, pickled, through a pair of sockets.

Both ends are ours and of the same installation; nothing that comes from a client is ever unpickled.
"""

from __future__ import annotations

import pickle
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, auto
from pathlib import Path
from typing import Any, Final

from livetalker.core.admission import ModelInfo

_LENGTH: Final = struct.Struct("<Q")
_READ: Final = 1 << 18
"""Bytes read at once at most: all that came since the last time."""

Message = tuple[Any, ...]
"""A kind, a stream's number, and the kind's own arguments."""


# Both are sent as plain integers: a member of an enumeration takes several times as long to pickle as all the rest.


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


def packed(content: object) -> bytes:
    """A batch of messages, or whatever else, as bytes: how many follow, and they."""
    pickled = pickle.dumps(content, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(pickled)) + pickled


class Unpacker:
    """Finds batches, or whatever else was packed, among bytes that come in pieces of any length."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Any]:
        """Takes the next bytes and gives what they complete."""
        data = self._rest + data
        complete: list[Any] = []
        begin = 0
        while len(data) - begin >= _LENGTH.size:
            end = begin + _LENGTH.size + _LENGTH.unpack_from(data, begin)[0]
            if end > len(data):
                break
            complete.append(pickle.loads(memoryview(data)[begin + _LENGTH.size : end]))
            begin = end
        self._rest = data[begin:]
        return complete


def received(end: socket.socket) -> Iterator[Any]:
    """Waits for what was packed, one after another, until the other end is closed.

    Raises:
        OSError: the other end broke.
    """
    unpacker = Unpacker()
    while data := end.recv(_READ):
        yield from unpacker.feed(data)
