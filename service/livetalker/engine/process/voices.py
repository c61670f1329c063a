"""Streams of an engine in another process, as a server has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.geometry import MODEL_FPS, PRESETS
from livetalker.core.config import IdentityChoice, Shaping, StreamConfig, UnknownIdentityError
from livetalker.core.outputs import Frames, Output, Skipped
from livetalker.core.stream_state import Resumption
from livetalker.engine.process.messages import Command
from livetalker.engine.resumed_stream import origin_of
from livetalker.engine.stream import Sink

if TYPE_CHECKING:
    from livetalker.engine.process.remote import RemoteEngine


class RemoteVoice:
    """A stream of a ``RemoteEngine``; see ``Voice``."""

    def __init__(self, number: int, config: StreamConfig, engine: RemoteEngine) -> None:
        self.number = number
        self._config = config
        self._engine = engine
        self._pushed = 0
        self._next_frame = 0

    def heard_by(self, sink: Sink) -> Sink:
        """A sink that notes how far the stream has come, and passes everything on."""

        def note(output: Output) -> None:
            if isinstance(output, Frames):
                self._next_frame = output.first + len(output)
            elif isinstance(output, Skipped):
                self._next_frame = output.first + output.count
            sink(output)

        return note

    @property
    def backlog_samples(self) -> int:
        """See ``Voice``."""
        return max(0, self._pushed - self._next_frame * self._config.sample_rate // self._config.fps)

    def push(self, samples: NDArray[np.float32]) -> None:
        """See ``Voice``."""
        self._pushed += len(samples)
        self._engine.tell(Command.PUSH, self.number, samples.tobytes())

    def finish(self) -> None:
        """See ``Voice``."""
        self._engine.tell(Command.FINISH, self.number)

    def flush(self) -> None:
        """See ``Voice``."""
        self._engine.tell(Command.FLUSH, self.number)

    def rematch_identity(self, choice: IdentityChoice) -> None:
        """See ``Voice``."""
        check_identity(choice, self._engine.info.identities)
        self._engine.tell(Command.REMATCH, self.number, choice)

    def shape(self, shaping: Shaping) -> None:
        """See ``Voice``."""
        self._engine.tell(Command.SHAPE, self.number, shaping)

    def close(self) -> None:
        """See ``Voice``."""
        self._engine.close(self.number)


class ResumedRemoteVoice(RemoteVoice):
    """A stream of a ``RemoteEngine`` that goes on where another one broke off; see ``ResumedVoice``."""

    def __init__(self, number: int, config: StreamConfig, engine: RemoteEngine, resumption: Resumption) -> None:
        super().__init__(number, config, engine)
        self._resumption = resumption

    def begin(self, start: int) -> int:
        """See ``ResumedVoice``."""
        look_ahead = PRESETS[self._config.preset].look_ahead
        origin = origin_of(self._config, self._resumption, start, self._engine.hop, look_ahead)
        self._next_frame = origin.frame * (self._config.fps // MODEL_FPS)
        self._pushed = origin.sample
        self._engine.tell(Command.BEGIN, self.number, start)
        return origin.sample


def check_identity(choice: IdentityChoice, known: tuple[str, ...]) -> None:
    """Refuses names that a model does not know.

    Raises:
        UnknownIdentityError: of the first of them.
    """
    for name, _ in choice.weights:
        if name not in known:
            raise UnknownIdentityError("identity", name, known)
