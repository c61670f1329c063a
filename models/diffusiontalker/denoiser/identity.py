"""The personalization adapter: an identity library matched to voices by contrastive learning (eq. 14).

Each speaker has a learnable embedding of 32 numbers; an MLP brings it into the space of pooled voice features, where
cosine similarity finds the talking identity. The voice side is fixed: the mean of the encoder's voice features,
brought by a linear discriminant projection (fitted once on the scenes) to where speakers differ. A stream is compared
with the voiceprints, each the mean of what was heard of a speaker: 32 numbers that also say how a face moves cannot
keep hundreds of voices as far apart as they are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn


class IdentityLibrary(nn.Module):
    """Speakers, their embeddings and their features.

    Attributes:
        names: ``N`` speaker names, in the order of the rows.
        voice_mean: ``[V]`` subtracted from a pooled voice.
        voice_projection: ``[V, D]`` applied to it next.
        voiceprints: ``[N, D]`` unit rows, what voices are compared with.
    """

    voice_mean: Tensor
    voice_projection: Tensor
    voiceprints: Tensor

    def __init__(self, names: Sequence[str], voice_width: int, feature_width: int, embedding_width: int = 32) -> None:
        super().__init__()
        self.names = tuple(names)
        self.embeddings = nn.Embedding(len(self.names), embedding_width)
        nn.init.normal_(self.embeddings.weight, std=0.3)
        self.encoder = nn.Sequential(nn.Linear(embedding_width, 128), nn.GELU(), nn.Linear(128, feature_width))
        self.temperature = 0.1
        self.register_buffer("voice_mean", torch.zeros(voice_width))
        self.register_buffer("voice_projection", torch.zeros(voice_width, feature_width))
        self.register_buffer("voiceprints", torch.eye(len(self.names), feature_width))

    def features(self) -> Tensor:
        """What voices are compared with, ``[N, D]``: the voiceprints."""
        return self.voiceprints.clone()

    def learned_features(self) -> Tensor:
        """Unit features ``[N, D]`` that the MLP makes of the embeddings."""
        return F.normalize(self.encoder(self.embeddings.weight), dim=-1)

    def hear(self, pooled: Tensor, speakers: Tensor) -> None:
        """Take the mean of each speaker's voices as its voiceprint.

        Args:
            pooled: ``[M, V]`` pooled voices, some of every speaker's.
            speakers: ``[M]`` rows of the library.
        """
        total = torch.zeros_like(self.voiceprints).index_add_(0, speakers, self.voice(pooled))
        self.voiceprints.copy_(F.normalize(total, dim=-1))

    def neutral(self) -> Tensor:
        """Embedding ``[E]`` of nobody in particular: what a stream has before its voice was matched."""
        return self.embeddings.weight.mean(0)

    def voice(self, pooled: Tensor) -> Tensor:
        """Pooled voices ``[B, V]`` to unit features ``[B, D]``."""
        return F.normalize((pooled - self.voice_mean) @ self.voice_projection, dim=-1)

    def contrastive_loss(self, pooled: Tensor, speakers: Tensor) -> Tensor:
        """Cross-entropy of the true speaker under cosine similarity (eq. 14).

        Args:
            pooled: ``[B, V]`` pooled voices.
            speakers: ``[B]`` rows of the library.
        """
        similarity = self.voice(pooled) @ self.learned_features().T
        return F.cross_entropy(similarity / self.temperature, speakers)


def fit_voice_projection(
    pooled: NDArray[np.float64], speakers: NDArray[np.int64], dimensions: int, shrinkage: float = 0.5
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Linear discriminant analysis with shrinkage.

    Args:
        pooled: ``[M, V]`` pooled voices of utterances.
        speakers: ``[M]`` who spoke them.
        dimensions: kept, at most the number of speakers less one and ``V``.
        shrinkage: share of the within-speaker covariance replaced by its mean variance.

    Returns:
        mean ``[V]`` and projection ``[V, dimensions]``, scaled so that the within-speaker variance is 1.
    """
    mean = pooled.mean(0)
    ids = np.unique(speakers)
    centres = np.stack([pooled[speakers == s].mean(0) for s in ids])
    within = np.cov(pooled - centres[np.searchsorted(ids, speakers)], rowvar=False)
    within = (1 - shrinkage) * within + shrinkage * np.trace(within) / len(within) * np.eye(len(within))
    values, vectors = np.linalg.eigh(within)
    whiten = vectors / np.sqrt(values)
    between = np.cov((centres - mean) @ whiten, rowvar=False)
    spread, directions = np.linalg.eigh(between)
    keep = np.argsort(spread)[::-1][:dimensions]
    return mean, whiten @ directions[:, keep]
