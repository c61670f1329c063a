"""What tells phones apart on a face, as a loss: round lips from spread ones, an open mouth from a closed one.

This is ours, not the paper's. A squared error asks for the mean of all that may be. Where the audio leaves in doubt
which vowel is spoken, that is half a rounding for both, and who reads lips reads neither. So every pair of phones that
should differ is looked at as such: for rounded ``p`` and spread ``n`` (``open`` vowels and bilabials likewise)

    L = mean over pairs of  w s log(1 + exp((x_n - x_p) / s))

where ``x`` is the furthest that the lips come during the phone, in units of their range in the crop. It is the logistic
bound of the pairs in the wrong order, the area that ROC curves leave over them; within ``s`` it asks for a distance,
beyond it for nothing. ``w`` is the distance of the two in the true face, at most 1 and at least 0: a spread vowel that
its neighbours round in truth is let be rounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from diffusiontalker.arkit import COUNT
from diffusiontalker.geometry import MODEL_FPS
from diffusiontalker.metrics.lips import gap, round_
from diffusiontalker.phones import BILABIALS, OPEN_VOWELS, ROUNDED, SPREAD, TimedPhone

KINDS: Final = (ROUNDED, SPREAD, OPEN_VOWELS, BILABIALS)
MOST: Final = 24
"""Phones of a kind that are looked at in a crop; five seconds of fast speech have fewer."""
_WIDENING: Final = 0.020
"""Seconds by which a phone counts as longer on both sides: alignments are no better."""
_SOFTNESS: Final = 0.1
"""Of the maximum over a phone's frames, in units of the range: neighbours of the furthest frame learn too."""
_LEAST_RANGE: Final = 0.1
"""Lips that move less are not blown up to a whole range."""


@dataclass(frozen=True, slots=True)
class _Contrast:
    curve: Tensor  # [52], linear in the coefficients
    high: int  # the kind whose maximum should exceed
    low: int  # this kind's
    lowest: bool  # whether the low kind is known by its minimum
    distance: float  # s


_CONTRASTS: Final = {
    "rounding": _Contrast(torch.from_numpy(round_(np.eye(COUNT))).float(), 0, 1, False, 0.2),
    "open": _Contrast(torch.from_numpy(gap(np.eye(COUNT))).float(), 2, 3, True, 0.1),
}


def phone_spans(phones: Sequence[TimedPhone], start: int, frames: int) -> NDArray[np.int64]:
    """First and last frame of the phones that lie wholly in a crop.

    Args:
        phones: of the scene.
        start: the crop's first frame in the scene.
        frames: its length.

    Returns:
        ``[kinds, MOST, 2]``, counted from ``start``; -1 where there is none.
    """
    spans = np.full((len(KINDS), MOST, 2), -1, np.int64)
    found = [0] * len(KINDS)
    for phone in phones:
        first = floor((phone.start - _WIDENING) * MODEL_FPS) - start
        last = ceil((phone.end + _WIDENING) * MODEL_FPS) - start
        if first < 0 or last >= frames:
            continue
        for kind, members in enumerate(KINDS):
            if phone.phone in members and found[kind] < MOST:
                spans[kind, found[kind]] = first, last
                found[kind] += 1
    return spans


def contrast_losses(predicted: Tensor, truth: Tensor, spans: Tensor) -> dict[str, Tensor]:
    """The loss above, of rounding and of opening, over all pairs of a batch.

    Args:
        predicted: ``[B, T, 52]`` in ARKit's units.
        truth: the same; gives the middle and the range of each crop's lips.
        spans: ``[B, kinds, MOST, 2]`` of ``phone_spans``.

    Returns:
        scalars; 0 where the batch has no pair.
    """
    losses = {}
    for name, contrast in _CONTRASTS.items():
        curve = _in_range(predicted, truth, contrast.curve.to(truth))
        high = _furthest(curve, spans[:, contrast.high])
        low = (
            -_furthest(-curve, spans[:, contrast.low]) if contrast.lowest else _furthest(curve, spans[:, contrast.low])
        )
        wrong = (low[None] - high[:, None]) / contrast.distance
        losses[name] = contrast.distance * F.softplus(wrong).sum() / max(1, wrong.numel())
    return losses


def _in_range(predicted: Tensor, truth: Tensor, weights: Tensor) -> Tensor:
    """A lip curve ``[B, T]`` less the true one's median, in units of its 10th to 90th percentile range."""
    true = truth @ weights
    low, middle, high = torch.quantile(true, true.new_tensor([0.1, 0.5, 0.9]), dim=1)[..., None]
    curve: Tensor = (predicted @ weights - middle) / (high - low).clamp_min(_LEAST_RANGE)
    return curve


def _furthest(curve: Tensor, spans: Tensor) -> Tensor:
    """Soft maxima of ``[B, T]`` over the spans ``[B, MOST, 2]`` that there are, ``[N]``."""
    frames = torch.arange(curve.shape[1], device=curve.device)
    within = (frames >= spans[..., :1]) & (frames <= spans[..., 1:])
    crop, which = (spans[..., 0] >= 0).nonzero(as_tuple=True)
    inside = within[crop, which]
    scores = (curve[crop] / _SOFTNESS).masked_fill(~inside, float("-inf"))
    furthest: Tensor = _SOFTNESS * (scores.logsumexp(-1) - inside.sum(-1).to(curve).log())
    return furthest
