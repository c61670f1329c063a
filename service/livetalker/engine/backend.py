"""What runs a bundle's networks: the protocol that every backend in ``engine.backends`` satisfies.

A backend is stateless; all that a stream carries goes in and comes out as arrays, so that any backend can serve any
slot, and rows of one call never change each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.errors import MendableError

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]


class BackendError(MendableError, RuntimeError):
    """A backend that this machine or this installation cannot offer, and what to do about it."""


@dataclass(frozen=True, slots=True)
class EncoderResult:
    """New features of ``B`` streams, ``h`` each.

    Attributes:
        features: ``[B, h, W]``.
        voice: ``[B, h, V]`` what identity is matched on.
        speech: ``[B, h, presets]`` probability of speech at the frame each preset serves.
        positional: ``[B, P, W]`` next positional state.
        keys_values: ``[B, L, 2, h, W]`` new ring entries.
    """

    features: Floats
    voice: Floats
    speech: Floats
    positional: Floats
    keys_values: Floats


class Heard(NamedTuple):
    """New features of ``B`` streams, ``h`` each, as whoever decodes them needs them.

    Attributes:
        features: ``[B, h, W]``.
        voice: ``[B, h, V]`` what identity is matched on.
        speech: ``[B, h, presets]`` probability of speech at the frame each preset serves.
    """

    features: Floats
    voice: Floats
    speech: Floats


class Backend(Protocol):
    """Runs a bundle's networks."""

    @property
    def description(self) -> str:
        """What runs where, in a few words for a person: ``ONNX Runtime 1.20 on the CPU, 2 threads``."""
        ...

    def encode(self, samples: Floats, positional: Floats, ring: Floats, position: Integers) -> EncoderResult:
        """``[B, 320 h + 80]`` normalised samples and encoder state to new features (a *streaming* encoder)."""
        ...

    def hear(self, windows: Floats) -> Heard:
        """``[B, 320 w + 80]`` normalised windows of one length to the features kept of each (a *rolling* encoder)."""
        ...

    def denoise(
        self, audio: Floats, identity: Floats, preset: Integers, noise: Floats, hidden: Floats
    ) -> tuple[Floats, Floats]:
        """``[B, F, 2 W]``, ``[B, F, E]``, ``[B]``, ``[B, F, 52]``, ``[B, N, layers, H]`` to curves and new state."""
        ...
