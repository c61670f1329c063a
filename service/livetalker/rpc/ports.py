"""What the service needs of an engine; ``livetalker.engine`` provides it, and tests script it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.geometry import LatencyPreset
from livetalker.core.config import IdentityChoice, Shaping, StreamConfig
from livetalker.core.outputs import Output


class Model(Protocol):
    """What is known of the served model."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def version(self) -> str:
        """Its version."""
        ...

    @property
    def steps(self) -> int:
        """Denoise steps a frame takes."""
        ...

    @property
    def presets(self) -> Sequence[LatencyPreset]:
        """Latency presets it serves."""
        ...

    @property
    def identities(self) -> Sequence[str]:
        """Names in its library."""
        ...


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


class Animator(Protocol):
    """Whoever animates voices."""

    @property
    def info(self) -> Model:
        """What it serves."""
        ...

    def open(self, config: StreamConfig, sink: Callable[[Output], None]) -> Voice:
        """Admits a stream; the sink may be called on any thread.

        Raises:
            EngineFull: every slot is taken.
            UnknownIdentityError: the model's library lacks a name.
        """
        ...
