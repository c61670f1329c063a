"""Which HuBERT a ``RollingHubert`` wraps and how it rolls: windows on the absolute feature grid. Torch-free."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

from diffusiontalker.encoder.fingerprint import fingerprint_of
from diffusiontalker.geometry import FEATURE_STRIDE


@dataclass(frozen=True, slots=True)
class RollingHubertConfig:
    """A checkpoint and its rolling window.

    Block ``b`` of features is ``[hop b, hop (b + 1))``. It is heard in one window of its own, which ends ``right``
    features after the block and is ``window`` features long, or as long as the stream is old where that is less.

    Attributes:
        checkpoint: a name on the Hugging Face hub or a folder.
        weights: digest of its tensors (``weights_digest``); empty while it is not loaded.
        window: features HuBERT hears at a time, kept and unkept ones together (50 a second).
        hop: features kept of each window.
        right: features of a window after the kept ones: what even the newest kept feature hears of its future.
        layer: hidden state that is the feature, 0 being the transformer's input; None for the last layer's output.
        trainable_layers: transformer layers, counted from the last, that training may change.
        normalize: bring each window to zero mean and unit variance; None for what the checkpoint asks for.
    """

    checkpoint: str
    weights: str = ""
    window: int = 100
    hop: int = 5
    right: int = 0
    layer: int | None = None
    trainable_layers: int = 0
    normalize: bool | None = None

    def __post_init__(self) -> None:
        if not self.checkpoint:
            raise ValueError("a checkpoint is needed: a name on the Hugging Face hub or a folder")
        if self.hop < 1 or self.right < 0 or self.trainable_layers < 0 or (self.layer is not None and self.layer < 0):
            raise ValueError(f"hop must be at least 1, right, trainable_layers and layer at least 0: {self}")
        if self.window < self.hop + self.right:
            raise ValueError(f"a window of {self.window} features cannot hold hop {self.hop} and right {self.right}")

    @property
    def delay(self) -> int:
        """Samples a feature may have to wait after its own window's end: the first of a hop waits for the last one.

        It adds to a preset's look-ahead, which counts from the ends of the features' own windows.
        """
        return (self.hop - 1 + self.right) * FEATURE_STRIDE

    def span(self, block: int) -> tuple[int, int]:
        """First feature of a block's window, and the first one after it."""
        end = (block + 1) * self.hop + self.right
        return max(0, end - self.window), end

    def runs(self, first: int, last: int) -> Iterator[range]:
        """Blocks ``first`` to ``last - 1`` in groups whose windows are of one length and can be heard in a batch."""

        def length(block: int) -> int:
            start, end = self.span(block)
            return end - start

        for _, group in groupby(range(first, last), length):
            blocks = list(group)
            yield range(blocks[0], blocks[-1] + 1)

    def fingerprint(self) -> str:
        """Name of the features it makes: two encoders agree in it only if they make the same ones.

        Raises:
            ValueError: the checkpoint's weights are not known yet.
        """
        if not self.weights:
            raise ValueError(f"{self.checkpoint} has no fingerprint before it is loaded")
        return fingerprint_of(
            self.checkpoint, self.weights, self.window, self.hop, self.right, self.layer, self.normalize
        )

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RollingHubertConfig:
        """Inverse of ``to_dict``.

        Raises:
            TypeError: a key is unknown.
        """
        return cls(**data)
