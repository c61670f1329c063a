"""Shape of the denoiser, as a frozen configuration that round-trips through JSON. Torch-free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from diffusiontalker.arkit import COUNT


@dataclass(frozen=True, slots=True)
class DenoiserConfig:
    """Sizes of ``Denoiser``; hidden width, layers and identity width are the paper's.

    Attributes:
        feature_width: width of one audio feature; a frame hears two.
        audio_width: width they are projected to.
        identity_width: numbers per speaker.
        step_width: width of the step embedding.
        preset_width: width of the latency preset's embedding.
        hidden: GRU width.
        layers: GRU layers.
        coefficients: per frame.
        noise_period: frames between the knots of the noise of eyes and brows (``noise.face_noise``); 1: it is not slow.
        dropout: between GRU layers, during training.
    """

    feature_width: int = 256
    audio_width: int = 192
    identity_width: int = 32
    step_width: int = 64
    preset_width: int = 16
    hidden: int = 256
    layers: int = 2
    coefficients: int = COUNT
    noise_period: int = 8
    dropout: float = 0.1

    @property
    def input_width(self) -> int:
        """Width of what the first GRU layer sees."""
        return self.audio_width + self.coefficients + self.step_width + self.identity_width + self.preset_width

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> DenoiserConfig:
        """Inverse of ``to_dict``; models from before the noise had a period had a new one in every frame.

        Raises:
            TypeError: a key is unknown.
        """
        return cls(**{"noise_period": 1, **data})
