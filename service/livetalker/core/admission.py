"""What an engine says of itself before a stream begins: what it serves, and that it is full."""

from __future__ import annotations

from dataclasses import dataclass

from diffusiontalker.geometry import LatencyPreset


class EngineFull(RuntimeError):
    """Every slot is taken; admitting more would harm everybody."""


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
    """

    name: str
    version: str
    steps: int
    presets: tuple[LatencyPreset, ...]
    identities: tuple[str, ...]
    encoder_delay: int = 0
