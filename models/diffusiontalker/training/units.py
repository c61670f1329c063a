"""Acoustic units: what HuBERT's first iteration is asked to predict, k-means clusters of cepstra (Hsu et al. 2021)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.cluster.vq import kmeans2
from scipy.fft import dct
from torch import Tensor, nn

_CEPSTRA = 13
_SPREAD = 2
"""Features on either side that the derivatives are taken over."""


class AcousticUnits(nn.Module):
    """Names the cluster every feature's window belongs to.

    Args:
        bands: mel bands the cepstra are made of; the first ones of the front end's spectra.
        units: clusters.
    """

    cosines: Tensor
    scale: Tensor
    centroids: Tensor

    def __init__(self, bands: int, units: int = 100) -> None:
        super().__init__()
        cepstra = min(_CEPSTRA, bands)
        cosines = dct(np.eye(bands), norm="ortho")[:, :cepstra].astype(np.float32)
        self.register_buffer("cosines", torch.from_numpy(cosines))
        self.register_buffer("scale", torch.ones(3 * cepstra))
        self.register_buffer("centroids", torch.zeros(units, 3 * cepstra))

    def cepstra(self, spectra: Tensor) -> Tensor:
        """Cepstra with first and second derivatives, ``[B, T, bands]`` to ``[B, T, 39]``."""
        still = spectra[..., : self.cosines.shape[0]] @ self.cosines
        first = _derivative(still)
        return torch.cat([still, first, _derivative(first)], dim=-1)

    def fit(self, spectra: Tensor, seed: int = 0) -> None:
        """Find the clusters of spectra ``[B, T, bands]``; every coefficient counts by its own spread."""
        points = self.cepstra(spectra).flatten(0, 1)
        self.scale.copy_(points.std(0))
        scaled: NDArray[np.float32] = (points / self.scale).numpy()
        centroids, _ = kmeans2(scaled, len(self.centroids), iter=25, minit="++", seed=seed)
        self.centroids.copy_(torch.from_numpy(centroids))

    def forward(self, spectra: Tensor) -> Tensor:
        """Unit of every feature, ``[B, T, bands]`` to int64 ``[B, T]``."""
        return torch.cdist(self.cepstra(spectra) / self.scale, self.centroids).argmin(-1)


def _derivative(x: Tensor) -> Tensor:
    """Regression slope over neighbouring features, ``[B, T, C]``; the ends see their own value repeated."""
    t = torch.arange(x.shape[1], device=x.device)
    slope = torch.zeros_like(x)
    for offset in range(1, _SPREAD + 1):
        later, earlier = (t + offset).clamp(max=len(t) - 1), (t - offset).clamp(min=0)
        slope = slope + offset * (x[:, later] - x[:, earlier])
    return slope / (2 * sum(offset**2 for offset in range(1, _SPREAD + 1)))
