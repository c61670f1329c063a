"""What is settled before a stream begins: what an engine serves, whether there is a place, and that it is full."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from diffusiontalker.geometry import LatencyPreset


class EngineFull(RuntimeError):
    """Every slot is taken; admitting more would harm everybody."""


class EngineLost(RuntimeError):
    """The engine has ended by itself, and all streams with it; another server may have a place."""


class Places(Protocol):
    """Places that an engine shares with others, beyond its own slots; any thread may ask."""

    def take(self) -> bool:
        """Takes a place.

        Returns:
            False where none is left.
        """
        ...

    def give_back(self) -> None:
        """Gives one place back that was taken."""
        ...


class PlacesEnough:
    """Places of an engine that shares with nobody: only its slots limit it."""

    def take(self) -> bool:
        """Always."""
        return True

    def give_back(self) -> None:
        """Changes nothing."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What a client may want to know of the model.

    Attributes:
        name: of the model.
        version: of the model.
        steps: denoise steps.
        presets: latency presets it serves.
        identities: names of its library.
        encoder_delay: samples at 16 kHz its encoder adds to every preset's look-ahead.
        digest: of all of it, hexadecimal: two models with the same are the same.
    """

    name: str
    version: str
    steps: int
    presets: tuple[LatencyPreset, ...]
    identities: tuple[str, ...]
    encoder_delay: int = 0
    digest: str = ""
