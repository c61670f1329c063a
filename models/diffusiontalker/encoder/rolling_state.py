"""A running stream through a ``RollingHubert``: the reference for whoever serves one."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from diffusiontalker.encoder.rolling_hubert import RollingHubert
from diffusiontalker.geometry import FEATURE_OVERLAP, FEATURE_STRIDE


class RollingState:
    """What a batch of streams carries between chunks: the samples their next window begins with.

    Args:
        encoder: shared by any number of states.
        batch: streams that advance together.
    """

    def __init__(self, encoder: RollingHubert, batch: int = 1) -> None:
        self._encoder = encoder
        self._batch = batch
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next sample is sample 0 of new streams."""
        like = self._encoder.layer_sum.weights
        self._samples = like.new_zeros(self._batch, 0)
        self._first = 0
        self._block = 0
        self._ended = False

    @property
    def features(self) -> int:
        """Features given so far."""
        return self._block * self._encoder.config.hop

    def push(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """Hear a chunk.

        Args:
            samples: ``[B, n]`` level-normalised, the next ``n`` of each stream, any ``n``.

        Returns:
            the features ``[B, h, W]`` and voice features ``[B, h, W]`` whose windows are complete now, whole hops of
            them or none.

        Raises:
            ValueError: another number of streams, or the streams have ended.
        """
        if self._ended:
            raise ValueError("these streams have ended: reset before another chunk")
        if samples.shape[0] != self._batch:
            raise ValueError(f"a chunk of {samples.shape[0]} streams where {self._batch} are running")
        self._samples = torch.cat([self._samples, samples.to(self._samples)], dim=1)
        c = self._encoder.config
        return self._hear((self._complete() - c.right) // c.hop)

    def flush(self) -> tuple[Tensor, Tensor]:
        """End the streams: the features that were still waiting for their windows, which end in digital silence.

        With what ``push`` gave these are all features of the audio, as ``RollingHubert.forward`` gives them.
        """
        c = self._encoder.config
        total, given = self._complete(), self.features
        last = -(-total // c.hop)
        # Samples after the last whole feature are of no feature: forward would not be given them.
        known = self._samples[:, : FEATURE_STRIDE * (total - self._first) + FEATURE_OVERLAP]
        self._samples = F.pad(known, (0, FEATURE_STRIDE * (last * c.hop + c.right - total)))
        heard, voice = self._hear(last)
        self._ended = True
        return heard[:, : total - given], voice[:, : total - given]

    def _complete(self) -> int:
        """Features whose samples are all there, from the stream's start."""
        return self._first + max(0, self._samples.shape[1] - FEATURE_OVERLAP) // FEATURE_STRIDE

    @torch.no_grad()
    def _hear(self, last: int) -> tuple[Tensor, Tensor]:
        """Blocks up to ``last``; then forget what no later window begins with."""
        encoder = self._encoder
        if last <= self._block:
            return (
                self._samples.new_zeros(self._batch, 0, encoder.width),
                self._samples.new_zeros(self._batch, 0, encoder.voice_width),
            )
        heard, voice = encoder.hear_blocks(self._samples, self._first, range(self._block, last))
        self._block = last
        start, _ = encoder.config.span(last)
        self._samples = self._samples[:, FEATURE_STRIDE * (start - self._first) :].clone()
        self._first = start
        return heard, voice
