"""What tells phones apart on a face, as a loss: round lips from spread ones, an open mouth from a closed one.

This is ours, not the paper's. A squared error asks for the mean of all that may be. Where the audio leaves in doubt
which vowel is spoken, that is half a rounding for both, and who reads lips reads neither. So every pair of phones of a
batch that should differ is looked at as such: for rounded ``p`` and spread ``n`` (open vowels and bilabials likewise)

    L = mean over pairs of  s log(1 + exp((x_n - x_p) / s))

where ``x`` is the furthest that the lips come during the phone, a soft maximum (a minimum for bilabials), less the
crop's median and in units of its range. It is a smooth stand-in for the share of pairs in the wrong order, which is
what ``metrics.phonetic`` measures: that score is no longer independent of how a model was trained with it.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from diffusiontalker.metrics.phonetic import WIDENING
from diffusiontalker.phones import BILABIALS, OPEN_VOWELS, ROUNDED, SPREAD, TimedPhone

KINDS: Final = (ROUNDED, SPREAD, OPEN_VOWELS, BILABIALS)
MOST: Final = 24
"""Phones of a kind that are looked at in a crop; five seconds of fast speech have fewer."""
GAP: Final = torch.from_numpy(gap(np.eye(COUNT))).float()
ROUND: Final = torch.from_numpy(round_(np.eye(COUNT))).float()
"""``[52]`` each: both lip curves are linear in the coefficients."""
_ROUND_SOFTNESS: Final = 0.2
_GAP_SOFTNESS: Final = 0.1
"""``s`` of either contrast, in units of the range; pairs some times further apart are left alone."""
_FRAME_SOFTNESS: Final = 0.1
"""Of the maximum over a phone's frames, in the same units: neighbours of the furthest frame learn too."""
_LEAST_RANGE: Final = 0.1
"""Lips that move less are not blown up to a whole range."""


def phone_spans(phones: Sequence[TimedPhone], start: int, frames: int) -> NDArray[np.int64]:
    """First and last frame of the phones that lie wholly in a crop, with a part of the frames around them.

    Args:
        phones: of the scene; widened as for the lip score, and then to whole frames.
        start: the crop's first frame in the scene.
        frames: its length.

    Returns:
        ``[kinds, MOST, 2]``, counted from ``start``; -1 where there is none.
    """
    spans = np.full((len(KINDS), MOST, 2), -1, np.int64)
    found = [0] * len(KINDS)
    for phone in phones:
        first = floor((phone.start - WIDENING) * MODEL_FPS) - start
        last = ceil((phone.end + WIDENING) * MODEL_FPS) - start
        if first < 0 or last >= frames:
            continue
        for kind, members in enumerate(KINDS):
            if phone.phone in members and found[kind] < MOST:
                spans[kind, found[kind]] = first, last
                found[kind] += 1
    return spans


def contrast_losses(predicted: Tensor, truth: Tensor, spans: Tensor) -> dict[str, Tensor]:
    """The loss above, of rounding and of opening, over the pairs of a batch (of several devices, of each one's share).

    Args:
        predicted: ``[B, T, 52]`` in ARKit's units.
        truth: the same; gives the median and the range of each crop's lips.
        spans: ``[B, kinds, MOST, 2]`` of ``phone_spans``.

    Returns:
        scalars; 0 where the batch has no pair.
    """
    rounding, opening = _in_range(predicted, truth, ROUND), _in_range(predicted, truth, GAP)
    rounded, spread, opened, closed = spans.unbind(1)  # as in KINDS
    return {
        "rounding": _in_wrong_order(_furthest(rounding, rounded), _furthest(rounding, spread), _ROUND_SOFTNESS),
        "open": _in_wrong_order(_furthest(opening, opened), -_furthest(-opening, closed), _GAP_SOFTNESS),
    }


def _in_range(predicted: Tensor, truth: Tensor, weights: Tensor) -> Tensor:
    """A lip curve ``[B, T]`` less the true one's median, in units of its 10th to 90th percentile range."""
    weights = weights.to(truth.device)
    true = (truth.float() * weights).sum(-1)
    low, middle, high = torch.quantile(true, true.new_tensor([0.1, 0.5, 0.9]), dim=1)[..., None]
    curve: Tensor = ((predicted.float() * weights).sum(-1) - middle) / (high - low).clamp_min(_LEAST_RANGE)
    return curve


def _furthest(curve: Tensor, spans: Tensor) -> Tensor:
    """Soft maxima of ``[B, T]`` over the spans ``[B, MOST, 2]`` that there are, ``[N]``."""
    there = spans[..., 0] >= 0
    first, last = spans[there].T[..., None]
    frames = torch.arange(curve.shape[1], device=curve.device)
    inside = (frames >= first) & (frames <= last)
    scores = (curve[there.nonzero()[:, 0]] / _FRAME_SOFTNESS).masked_fill(~inside, float("-inf"))
    # Less the logarithm of their number: a longer phone is not further for being longer.
    furthest: Tensor = _FRAME_SOFTNESS * (scores.logsumexp(-1) - inside.sum(-1).to(curve).log())
    return furthest


def _in_wrong_order(high: Tensor, low: Tensor, softness: float) -> Tensor:
    """Mean over all pairs of ``[P]`` that should exceed and ``[N]`` that should not."""
    excess = (low[None] - high[:, None]) / softness
    return softness * F.softplus(excess).sum() / max(1, excess.numel())
