"""Where voices are compared: what a pooled voice says of its speaker, as a direction. Torch-free.

The compact encoder's voice features (``encoder.voice_head``) are a network's numbers and a mixture's statistics, which
only their means together turn into a description of the speaker; those of a public HuBERT are compared as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

RELEVANCE: Final = 0.01
"""Share of a voice that a Gaussian must hold to be believed by half (Reynolds et al. 2000, eq. 13)."""
_TINY: Final = 1e-12

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """The Gaussians that a voice head's statistics are about: ``K`` of them over ``C`` cepstra.

    Attributes:
        means: ``[K, C]``.
        deviations: ``[K, C]`` standard deviations.
    """

    means: Array
    deviations: Array


@dataclass(frozen=True, slots=True, eq=False)
class VoiceSpace:
    """How pooled voices become voiceprints.

    Attributes:
        mean: ``[D]`` of descriptions, which every voice has in common.
        mixture: the Gaussians of the compact encoder's voice head; None: pooled voices are their own description.
    """

    mean: Array
    mixture: Mixture | None = None

    @property
    def pooled_width(self) -> int:
        """Numbers ``V`` of a voice feature, and of their mean: one more a Gaussian than is compared."""
        return len(self.mean) + (0 if self.mixture is None else len(self.mixture.means))

    def voiceprint(self, pooled: NDArray[np.floating]) -> Array:
        """A voice, the mean of its features over voiced time, ``[V]``, as a unit vector ``[D]``."""
        return _unit(self._description(pooled.astype(np.float32)) - self.mean)

    def _description(self, pooled: Array) -> Array:
        if self.mixture is None:
            return pooled
        mixtures, cepstra = self.mixture.means.shape
        network, statistics = np.split(pooled, [len(pooled) - mixtures * (cepstra + 1)])
        heard = statistics.reshape(mixtures, cepstra + 1)
        share = heard[:, -1:]
        adapted = (heard[:, :-1] - share * self.mixture.means) / ((share + RELEVANCE) * self.mixture.deviations)
        return np.concatenate([_unit(network), _unit(adapted.ravel())])


def _unit(vector: Array) -> Array:
    return vector / np.float32(max(float(np.linalg.norm(vector)), _TINY))
