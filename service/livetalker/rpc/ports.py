"""What the service needs of an engine; ``livetalker.engine`` provides it, and tests script it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from livetalker.core.admission import ModelInfo
from livetalker.core.config import IdentityChoice, Shaping, StreamConfig
from livetalker.core.outputs import Output
from livetalker.core.stream_state import Resumption


class Voice(Protocol):
    """One admitted stream. Nothing here blocks; outputs come through the sink it was opened with."""

    @property
    def backlog_samples(self) -> int:
        """Samples pushed but not yet animated."""
        ...

    def push(self, samples: NDArray[np.float32]) -> None:
        """Adds mono audio ``[n]`` right after what was pushed before."""
        ...

    def finish(self) -> None:
        """Says that no more audio follows; ``Finished`` comes after the last frame."""
        ...

    def flush(self) -> None:
        """Drops the audio not yet animated."""
        ...

    def rematch_identity(self, choice: IdentityChoice) -> None:
        """Chooses the identity anew.

        Raises:
            UnknownIdentityError: the model's library lacks a name.
        """
        ...

    def shape(self, shaping: Shaping) -> None:
        """Replaces the adjustments."""
        ...

    def close(self) -> None:
        """Frees the slot, whatever state the stream is in."""
        ...


class ResumedVoice(Voice, Protocol):
    """A stream that goes on where another one broke off, on the same clock."""

    def begin(self, start: int) -> int:
        """Says where its audio begins; once, before the first push.

        Args:
            start: sample of the clock.

        Returns:
            The sample that the first push begins with: at or before ``start``, with silence to push in between, or
            after it, where what was before is not wanted.
        """
        ...


class Animator(Protocol):
    """Whoever animates voices."""

    @property
    def info(self) -> ModelInfo:
        """What it serves."""
        ...

    def open(self, config: StreamConfig, sink: Callable[[Output], None]) -> Voice:
        """Admits a stream; the sink may be called on any thread.

        Raises:
            EngineFull: every slot is taken.
            EngineLost: it has ended by itself; streams that are open hear of it as ``Failed``.
            UnknownIdentityError: the model's library lacks a name.
        """
        ...

    def resume(self, config: StreamConfig, sink: Callable[[Output], None], resumption: Resumption) -> ResumedVoice:
        """Admits a stream that broke off, here or elsewhere.

        Raises:
            EngineFull: every slot is taken.
            EngineLost: it has ended by itself; streams that are open hear of it as ``Failed``.
            UnknownIdentityError: the model's library lacks a name.
        """
        ...
