"""The personalization adapter: an identity library matched to voices by contrastive learning (eq. 14).

Each speaker has a learnable embedding of 32 numbers; an MLP brings it into the space of described voices, where
cosine similarity finds the talking identity. The voice side is fixed: what the encoder says of a voice, less what all
voices have in common. A stream is compared with the voiceprints, which learn from the same contrast what tells each
speaker from the others: 32 numbers that also say how a face moves cannot keep hundreds of voices as far apart as they
are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CONFUSED: Final = 0.05
"""Share of two speakers' voices that are taken for the other's, added up, from which they count as one."""
_STEPS: Final = 500
_BATCH: Final = 256
_RATE: Final = 2e-3


class IdentityLibrary(nn.Module):
    """Speakers, their embeddings and their features.

    Attributes:
        names: ``N`` speaker names, in the order of the rows.
        voice_mean: ``[D]`` of descriptions, subtracted from each.
        voiceprints: ``[N, D]`` unit rows, what voices are compared with.
        listed: ``[N]`` whom a voice may be matched to: everybody, unless ``list_distinct`` left some out.
    """

    voice_mean: Tensor
    voiceprints: Tensor
    listed: Tensor

    def __init__(self, names: Sequence[str], width: int, embedding_width: int = 32) -> None:
        super().__init__()
        self.names = tuple(names)
        self.embeddings = nn.Embedding(len(self.names), embedding_width)
        nn.init.normal_(self.embeddings.weight, std=0.3)
        self.encoder = nn.Sequential(nn.Linear(embedding_width, 128), nn.GELU(), nn.Linear(128, width))
        self.temperature = 0.1
        self.register_buffer("voice_mean", torch.zeros(width))
        self.register_buffer("voiceprints", torch.eye(len(self.names), width))
        self.register_buffer("listed", torch.ones(len(self.names), dtype=torch.bool))

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *args: Any) -> None:
        # What was trained before doubles were left out lists everybody.
        state_dict.setdefault(f"{prefix}listed", self.listed)
        super()._load_from_state_dict(state_dict, prefix, *args)

    def learned_features(self) -> Tensor:
        """Unit features ``[N, D]`` that the MLP makes of the embeddings."""
        return F.normalize(self.encoder(self.embeddings.weight), dim=-1)

    def hear(self, described: Tensor, speakers: Tensor, contrasted: Tensor) -> None:
        """Learn the voiceprints: each begins as the mean of its speaker's voices, and learns from eq. 14's contrast.

        Args:
            described: ``[M, D]`` voices, some of every speaker's.
            speakers: ``[M]`` rows of the library.
            contrasted: ``[N]`` who is told from whom; the others keep their means, and nobody learns from them.
        """
        voices = self.voice(described)
        means = torch.zeros_like(self.voiceprints).index_add_(0, speakers, voices)
        self.voiceprints.copy_(F.normalize(means, dim=-1))
        self._contrast(voices, speakers, contrasted)

    def list_distinct(self, described: Tensor, speakers: Tensor, contrasted: Tensor) -> None:
        """List those of ``contrasted`` who can be told apart; arguments as those of ``hear``, which comes first.

        Synthesisers give several names to nearly the same voice. Of two who are taken for each other too often
        (``CONFUSED``) the one who is recognised less is left out, the most alike first, as long as two are left; those
        who stay go on learning, from each other alone.
        """
        voices = self.voice(described)
        size = len(self.names)
        taken = (voices @ self.voiceprints.T).masked_fill(~contrasted, -2.0).argmax(1)
        counts = torch.zeros(size, size).index_put_((speakers, taken), torch.ones(len(voices)), accumulate=True)
        shares = counts / counts.sum(1, keepdim=True).clamp_min(1)
        alike = (shares + shares.T).fill_diagonal_(0)
        alike[~contrasted], alike[:, ~contrasted] = 0, 0
        self.listed.copy_(contrasted)
        while self.listed.sum() > 2 and alike.max() > CONFUSED:
            one, other = divmod(int(alike.argmax()), size)
            left_out = one if shares[one, one] < shares[other, other] else other
            self.listed[left_out] = False
            alike[left_out], alike[:, left_out] = 0, 0
        self._contrast(voices, speakers, self.listed)

    def _contrast(self, voices: Tensor, speakers: Tensor, contrasted: Tensor) -> None:
        row = contrasted.cumsum(0) - 1
        use = contrasted[speakers]
        voices, rows = voices[use], row[speakers[use]]
        learned = self.voiceprints[contrasted].requires_grad_()
        optimizer = torch.optim.Adam([learned], _RATE)
        generator = torch.Generator().manual_seed(0)
        for _ in range(_STEPS):
            some = torch.randint(len(voices), (_BATCH,), generator=generator)
            similarity = voices[some] @ F.normalize(learned, dim=-1).T
            optimizer.zero_grad()
            F.cross_entropy(similarity / self.temperature, rows[some]).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        self.voiceprints[contrasted] = F.normalize(learned.detach(), dim=-1)

    def neutral(self) -> Tensor:
        """Embedding ``[E]`` of nobody in particular: what a stream has before its voice was matched."""
        return self.embeddings.weight.mean(0)

    def voice(self, described: Tensor) -> Tensor:
        """Described voices ``[B, D]`` (``AudioEncoder.describe``) to unit features ``[B, D]``."""
        return F.normalize(described - self.voice_mean, dim=-1)

    def contrastive_loss(self, described: Tensor, speakers: Tensor) -> Tensor:
        """Cross-entropy of the true speaker under cosine similarity (eq. 14).

        Args:
            described: ``[B, D]`` voices.
            speakers: ``[B]`` rows of the library.
        """
        similarity = self.voice(described) @ self.learned_features().T
        return F.cross_entropy(similarity / self.temperature, speakers)
