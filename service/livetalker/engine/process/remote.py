"""The engine as a server has it: an ``Animator`` whose streams are animated in the engine's process."""

from __future__ import annotations

import asyncio
import itertools
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import numpy as np

from diffusiontalker.arkit import COUNT
from livetalker import spawning
from livetalker.core.admission import EngineFull, EngineLost, Places, PlacesEnough
from livetalker.core.config import StreamConfig
from livetalker.core.outputs import Failed, Frames
from livetalker.core.stream_state import Resumption
from livetalker.engine.process.host import host
from livetalker.engine.process.link import EngineLink
from livetalker.engine.process.messages import Answer, Command, EngineSetup, Loaded, Message, received
from livetalker.engine.process.voices import RemoteVoice, ResumedRemoteVoice, check_identity
from livetalker.engine.stream import Sink
from livetalker.spawning import SPAWN

log = logging.getLogger(__name__)

GATHER: Final = 0.0003
"""Seconds per open stream that audio gathers for before it is sent on, unless the engine asks for more by answering."""
MOST_GATHER: Final = 0.007
"""Seconds it gathers for at most. Each batch wakes a thread of the engine, which takes turns with the one that does the
work."""
_STOP_S: Final = 10.0


class RemoteEngine:
    """Starts an engine in a process of its own and waits until it has loaded.

    Streams are for the event loop on which it is ``connected``; their sinks are called there.

    Attributes:
        max_streams: slots.
        info: what it serves.
        backend: what runs the model, and where, for a person.
        hop: features its encoder makes at least at a time.

    Args:
        setup: of the engine.
        places: shared with other engines, each stream takes one as well; None for an engine that is alone.

    Raises:
        Exception: whatever loading the engine raises.
        EngineLost: its process ended without a word.
    """

    def __init__(self, setup: EngineSetup, places: Places | None = None) -> None:
        self.max_streams = setup.max_streams
        self._places = PlacesEnough() if places is None else places
        self._end, theirs = socket.socketpair()
        self._process = SPAWN.Process(target=host, args=(setup, theirs), name="livetalker engine")
        spawning.start(self._process)
        theirs.close()  # so that the connection ends with the engine
        try:
            loaded = self._loaded()
        except BaseException:  # a Ctrl-C, too: nobody else would end the process, and this one would wait for it
            self._kill()
            self._end.close()
            raise
        self.info = loaded.info
        self.backend = loaded.backend
        self.hop = loaded.hop
        self._numbers = itertools.count()
        self._sinks: dict[int, Sink] = {}
        self._lost: Exception | None = None
        self._ended = asyncio.Event()
        self._link = EngineLink(lambda: min(GATHER * len(self._sinks), MOST_GATHER), self._deliver, self._lose)

    def _loaded(self) -> Loaded:
        """Waits for what the engine says first."""
        with suppress(OSError):
            for said in received(self._end):  # the first thing, after which it waits for us
                if isinstance(said, Loaded):
                    return said
                raise said
        self._process.join()
        raise EngineLost(f"the engine did not start: exit status {self._process.exitcode}")

    def __enter__(self) -> RemoteEngine:
        """Nothing to do: it runs already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def stop(self) -> None:
        """End the process; streams still open are failed. Not within ``connected``."""
        self._end.close()
        self._process.join(_STOP_S)
        self._kill()
        self._lose()

    def _kill(self) -> None:
        """Ends the process if it has not ended yet."""
        if self._process.is_alive():
            self._process.kill()
        self._process.join()

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Makes the running loop the one that streams are opened on; once in an engine's life, which ends with it."""
        await self._link.open(self._end)
        try:
            yield
        finally:
            self._link.close()

    async def lost(self) -> None:
        """Waits until the engine's process ends by itself."""
        await self._ended.wait()

    @property
    def open_streams(self) -> int:
        """Streams that hold a slot."""
        return len(self._sinks)

    def open(self, config: StreamConfig, sink: Sink) -> RemoteVoice:
        """See ``Animator``; the sink is called on the loop.

        Raises:
            UnknownIdentityError: the configuration names an identity the library does not have.
            EngineFull: all slots, or all places shared with other engines, are taken.
            EngineLost: the engine's process has ended.
        """
        voice = RemoteVoice(next(self._numbers), config, self)
        self._admit(voice, config, sink)
        self.tell(Command.OPEN, voice.number, config)
        return voice

    def resume(self, config: StreamConfig, sink: Sink, resumption: Resumption) -> ResumedRemoteVoice:
        """See ``Animator``; otherwise as ``open``."""
        voice = ResumedRemoteVoice(next(self._numbers), config, self, resumption)
        self._admit(voice, config, sink)
        self.tell(Command.RESUME, voice.number, config, resumption)
        return voice

    def _admit(self, voice: RemoteVoice, config: StreamConfig, sink: Sink) -> None:
        check_identity(config.identity, self.info.identities)
        if self._lost is not None:
            raise self._lost
        if len(self._sinks) >= self.max_streams or not self._places.take():
            raise EngineFull(f"all {self.max_streams} streams are taken")
        self._sinks[voice.number] = voice.heard_by(sink)  # from here on it hears of the engine's end, too

    def tell(self, command: Command, number: int, *arguments: object) -> None:
        """Sends a stream's command."""
        self._link.send((int(command), number, *arguments))

    def close(self, number: int) -> None:
        """Forgets a stream; closing it twice is closing it once."""
        if self._sinks.pop(number, None) is None:
            return
        self._places.give_back()
        self.tell(Command.CLOSE, number)

    def _deliver(self, message: Message) -> None:
        """Gives an output to its stream; a sink that raises ends its own stream."""
        kind, number, *arguments = message
        sink = self._sinks.get(number)
        if sink is None:  # closed meanwhile
            return
        try:
            if kind == Answer.FRAMES:
                first, values = arguments
                sink(Frames(first, np.frombuffer(values, np.float32).reshape(-1, COUNT)))
            else:
                sink(*arguments)
        except Exception as error:
            log.exception("a stream's owner could not take what it was given")
            self._fail(sink, error)

    def _fail(self, sink: Sink, error: Exception) -> None:
        try:
            sink(Failed(error))
        except Exception:
            log.exception("a stream's owner did not want to hear that it failed")

    def _lose(self) -> None:
        if self._lost is not None:
            return
        self._lost = EngineLost("the engine's process ended")
        self._ended.set()
        for sink in list(self._sinks.values()):
            self._fail(sink, self._lost)
