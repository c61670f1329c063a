"""Shape of the compact streaming HuBERT, as a frozen configuration that round-trips through JSON. Torch-free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class StreamingHubertConfig:
    """Sizes of ``StreamingHubert``.

    Attributes:
        long_bands: mel bands of the whole window of a feature.
        short_bands: mel bands of each of the four short windows in it.
        width: model width, also the width of a feature.
        layers: transformer layers.
        heads: attention heads.
        feed_forward: inner width of a layer's feed-forward block.
        positional_kernel: features the causal positional convolution sees, its own included.
        positional_groups: its groups.
        context: earlier features each attention layer may look back at (on top of the feature itself).
        dropout: during training.
        voice_hidden: units of a layer of the voice head's network, of which the last has twice as many.
        voice_mixtures: Gaussians of the voice head.
        voice_cepstra: cepstral coefficients that they are over.
        voice_network: numbers that its network gives.
    """

    long_bands: int = 64
    short_bands: int = 24
    width: int = 256
    layers: int = 6
    heads: int = 4
    feed_forward: int = 768
    positional_kernel: int = 32
    positional_groups: int = 16
    context: int = 32
    dropout: float = 0.05
    voice_hidden: int = 384
    voice_mixtures: int = 128
    voice_cepstra: int = 24
    voice_network: int = 256

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of heads {self.heads}")

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> StreamingHubertConfig:
        """Inverse of ``to_dict``.

        Raises:
            TypeError: a key is unknown.
        """
        return cls(**data)
