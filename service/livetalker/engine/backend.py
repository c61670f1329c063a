"""What runs a bundle's networks: the protocol that every backend in ``engine.backends`` satisfies.

A backend is stateless; all that a stream carries goes in and comes out as arrays, so that any backend can serve any
slot, and rows of one call never change each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.errors import MendableError

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
Array = NDArray[Any]


class BackendError(MendableError, RuntimeError):
    """A backend that this machine or this installation cannot offer, and what to do about it."""


@dataclass(frozen=True, slots=True)
class EncoderResult:
    """New features of ``B`` streams, ``h`` each.

    Attributes:
        features: ``[B, h, W]``.
        speech: ``[B, h, presets]`` probability of speech at the frame each preset serves.
        fresh: what is to be remembered, as ``Rings.write`` takes it.
    """

    features: Floats
    speech: Floats
    fresh: Sequence[Array]


class Heard(NamedTuple):
    """New features of ``B`` streams, ``h`` each, as whoever decodes them needs them.

    Attributes:
        features: ``[B, h, W]``.
        voice: ``[b, h, V]`` what identity is matched on, of those streams whose voice was asked for.
        speech: ``[B, h, presets]`` probability of speech at the frame each preset serves.
    """

    features: Floats
    voice: Floats
    speech: Floats


class Past(Enum):
    """How a backend is given what a *streaming* encoder remembers, and who keeps it; see ``engine.rings``."""

    FLOATS = auto()
    """In float32, brought together for a call; what is new is written back after it."""
    BYTES = auto()
    """In 8 bits, of all streams; the encoder picks those of a call. What is new is written back after it."""
    IN_PLACE = auto()
    """In 8 bits, of all streams; the encoder itself writes what is new."""


class Backend(Protocol):
    """Runs a bundle's networks."""

    @property
    def description(self) -> str:
        """What runs where, in a few words for a person: ``ONNX Runtime 1.20 on the CPU, 2 threads``."""
        ...

    @property
    def past(self) -> Past:
        """How it is given what a *streaming* encoder remembers."""
        ...

    @property
    def frame_by_frame(self) -> bool:
        """Whether features must be computed in the pieces that single frames need, and frames one at a time.

        A call of the encoder then has one of the numbers of features in ``ENCODER_INT8``. That is how ONNX Runtime in
        8-bit integers gives the same frames, to the last bit, whatever else is served: rounding would turn the last
        bits that differ between pieces into levels.
        """
        ...

    def encode(self, samples: Floats, position: Integers, past: Mapping[str, Array]) -> EncoderResult:
        """New features of a *streaming* encoder.

        Args:
            samples: ``[B, 320 h + 80]`` level-normalised.
            position: ``[B]`` features that each stream's ring has seen.
            past: as the ``Rings`` of its own ``past`` give it.
        """
        ...

    def voice(self, samples: Floats) -> Floats:
        """``[B, 320 h + 80]`` samples to voice features ``[B, h, V]`` (with a *streaming* encoder)."""
        ...

    def hear(self, windows: Floats) -> Heard:
        """``[B, 320 w + 80]`` normalised windows of one length to the features kept of each (a *rolling* encoder)."""
        ...

    def denoise(
        self, audio: Floats, identity: Floats, preset: Integers, noise: Floats, hidden: Floats
    ) -> tuple[Floats, Floats]:
        """``[B, F, 2 W]``, ``[B, F, E]``, ``[B]``, ``[B, F, 52]``, ``[N, layers, B, H]`` to curves and new state."""
        ...
