"""What the rest of the model may ask of an audio encoder, compact or public."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class AudioEncoder(Protocol):
    """Both ``StreamingHubert`` and ``RollingHubert``: 16 kHz audio in, 50 Hz features out."""

    @property
    def width(self) -> int:
        """Width ``W`` of a feature."""

    @property
    def voice_width(self) -> int:
        """Width ``V`` of a voice feature."""

    def forward(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """Hear a whole clip from its start.

        Args:
            samples: ``[B, 320 T + 80]`` level-normalised audio (``diffusiontalker.level``).

        Returns:
            features ``[B, T, W]``, what the decoder hears, and voice features ``[B, T, V]``, what identity is matched
            on. Feature ``k`` is that of samples ``[320 k, 320 k + 400)``.
        """

    def describe(self, pooled: Tensor) -> Tensor:
        """What is compared of pooled voices: their means ``[..., V]`` over voiced time to ``[..., D]``."""

    def __call__(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """As ``forward``."""
