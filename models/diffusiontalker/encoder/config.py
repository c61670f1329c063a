"""Shape of the compact streaming HuBERT, as a frozen configuration that round-trips through JSON. Torch-free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from diffusiontalker.geometry import FEATURE_STRIDE, FEATURE_WINDOW


@dataclass(frozen=True, slots=True)
class StreamingHubertConfig:
    """Sizes of ``StreamingHubert``; the strides and kernels are HuBERT's own.

    Attributes:
        conv_channels: channels of the seven front-end convolutions.
        conv_kernels: their kernels, in their own input samples.
        conv_strides: their strides.
        width: model width, also the width of a feature.
        layers: transformer layers.
        heads: attention heads.
        feed_forward: inner width of a layer's feed-forward block.
        positional_kernel: features the causal positional convolution sees, its own included.
        positional_groups: its groups.
        context: earlier features each attention layer may look back at (on top of the feature itself).
        dropout: during training.
    """

    conv_channels: tuple[int, ...] = (64, 96, 128, 128, 128, 128, 192)
    conv_kernels: tuple[int, ...] = (10, 3, 3, 3, 3, 2, 2)
    conv_strides: tuple[int, ...] = (5, 2, 2, 2, 2, 2, 2)
    width: int = 256
    layers: int = 4
    heads: int = 4
    feed_forward: int = 1024
    positional_kernel: int = 32
    positional_groups: int = 16
    context: int = 48
    dropout: float = 0.05

    def __post_init__(self) -> None:
        if not len(self.conv_channels) == len(self.conv_kernels) == len(self.conv_strides):
            raise ValueError("conv_channels, conv_kernels and conv_strides must have the same length")
        stride, window = 1, 1
        for kernel, step in zip(self.conv_kernels, self.conv_strides, strict=True):
            window += (kernel - 1) * stride
            stride *= step
        if (stride, window) != (FEATURE_STRIDE, FEATURE_WINDOW):
            raise ValueError(
                f"the front end has stride {stride} and window {window}; "
                f"the stream geometry wants {FEATURE_STRIDE} and {FEATURE_WINDOW}"
            )
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
        fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
        return cls(**fields)
