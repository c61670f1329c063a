"""The identity library as the service uses it: speakers, their embeddings, and how to find one by voice.

A voice, the mean of its features over voiced time, becomes a voiceprint (``diffusiontalker.voice_space``), and is
compared by cosine with each identity's feature (DiffusionTalker, eq. 14).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.voice_space import VoiceSpace
from livetalker.core.config import IdentityChoice, UnknownIdentityError

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class IdentityLibrary:
    """The ``N`` identities of a model; shared by all streams.

    Attributes:
        names: ``N`` of them.
        features: ``[N, D]``, unit rows.
        embeddings: ``[N, E]``, what the decoder is conditioned on.
        voice_space: where voices are compared.
        neutral: ``[E]``, nobody in particular.
        temperature: of the softmax that turns cosines into confidence.

    Raises:
        ValueError: the arrays do not fit one another.
    """

    names: tuple[str, ...]
    features: Array
    embeddings: Array
    voice_space: VoiceSpace
    neutral: Array
    temperature: float = 0.08

    def __post_init__(self) -> None:
        identities, width = self.features.shape
        if not (identities == len(self.names) == len(self.embeddings) > 0):
            raise ValueError(
                f"{len(self.names)} names, {identities} features and {len(self.embeddings)} embeddings: "
                "an identity library needs one of each per identity, and at least one identity"
            )
        if len(self.voice_space.mean) != width:
            raise ValueError(f"voiceprints of {len(self.voice_space.mean)} numbers do not fit features of {width}")

    def embedding(self, choice: IdentityChoice) -> Array:
        """What a choice starts with: its mixture, or neutral while an automatic one is not matched.

        Returns:
            ``[E]``.

        Raises:
            UnknownIdentityError: a name is not in the library.
        """
        if choice.mode == "auto":
            return self.neutral
        rows = []
        for name, _ in choice.weights:
            if name not in self.names:
                raise UnknownIdentityError("identity", name, self.names)
            rows.append(self.embeddings[self.names.index(name)])
        shares = np.array([share for _, share in choice.weights])
        mixture: Array = (shares @ np.stack(rows)).astype(np.float32)
        return mixture

    def cosines(self, voice: NDArray[np.float64]) -> NDArray[np.float64]:
        """How alike a voice is to each identity.

        Args:
            voice: ``[V]``, mean over voiced features.

        Returns:
            ``[N]`` in -1..1.
        """
        # Not a matrix product: BLAS would wake its threads for one, which then spin on the cores of others.
        cosines: Array = np.einsum("nd,d->n", self.features, self.voice_space.voiceprint(voice))
        return cosines.astype(np.float64)

    def confidence(self, cosines: NDArray[np.float64], index: int) -> float:
        """Share of the identity ``index`` in ``softmax(cosines / temperature)``."""
        shares = np.exp((cosines - cosines.max()) / self.temperature)
        return float(shares[index] / shares.sum())
