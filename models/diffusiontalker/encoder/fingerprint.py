"""Which encoder made these features: a short name of everything that decides them. Torch-free to import.

A decoder trained on one encoder's features hears noise in another's, and nothing in the arrays would tell. So whatever
is made with an encoder keeps its fingerprint, and whoever reads it back compares.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from diffusiontalker.errors import MendableError

if TYPE_CHECKING:
    from torch import Tensor

_DIGITS = 16
"""Hexadecimal digits kept of a SHA-256: no two of anyone's encoders will share 64 bits by chance."""


class EncoderError(MendableError, ValueError):
    """What was named as an audio encoder is none that can be used; the message says what to do."""


class EncoderMismatch(EncoderError):
    """Features, or a model, of another encoder than the one at hand."""


def weights_digest(tensors: Mapping[str, Tensor]) -> str:
    """Digest of an encoder's tensors, 64 hexadecimal digits.

    Names and order are left out, because library versions rename what a checkpoint holds; so is HuBERT's mask
    embedding, which only its pre-training uses and some checkpoints leave to chance.
    """
    each = sorted(
        hashlib.sha256(repr(tuple(tensor.shape)).encode() + tensor.detach().cpu().float().numpy().tobytes()).digest()
        for name, tensor in tensors.items()
        if not name.endswith("masked_spec_embed")
    )
    return hashlib.sha256(b"".join(each)).hexdigest()


def fingerprint_of(name: str, *facts: object) -> str:
    """``name@digest`` of whatever decides an encoder's features.

    Args:
        name: for people; a path's or a hub name's last part, so that a clone keeps the name.
        facts: the weights' digest and the settings.
    """
    return f"{name.rstrip('/').split('/')[-1]}@{hashlib.sha256(repr(facts).encode()).hexdigest()[:_DIGITS]}"


def require_same_encoder(made_with: str, at_hand: str, what: str) -> None:
    """Refuse what another encoder made.

    Args:
        made_with: fingerprint kept beside it.
        at_hand: fingerprint of the encoder in use.
        what: what it is and where it lies, for the message.

    Raises:
        EncoderMismatch: the digests differ. The names are for people and may.
    """
    if made_with.rpartition("@")[2] != at_hand.rpartition("@")[2]:
        raise EncoderMismatch(
            f"{what} was made with the encoder {made_with}, but {at_hand} is in use: name that encoder, or make it anew"
        )
