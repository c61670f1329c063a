"""The phonetic lip score: do the lips close on p b m, open on open vowels and round on round ones, and when?

It needs phones and the animated frames only, no captured truth. Over phone intervals widened by 20 ms:

- ``open``: ROC AUC of the maximum lip gap at aa ae ao ay aw ah against the minimum gap at p b m;
- ``rounding``: ROC AUC of the maximum rounding at uw ow w oy uh against the maximum at iy ih eh ey ae;
- ``closure``: share of p b m whose minimum gap is within the lowest quarter of the clip's 10th to 90th percentile
  range;
- ``lag``: the shift that maximises ``open + rounding``, searched over +-200 ms in steps of 1/60 s; the middle of a
  plateau counts. Positive: the lips are late; negative: they lead the sound.

``open``, ``rounding`` and ``closure`` are taken at shift 0. To pool clips, each clip's median is subtracted from gap
and rounding and the result divided by the clip's 10th to 90th percentile range.

Between frames a curve is linear, as a renderer shows it. Its extreme over an interval, however short, is then exactly
the extreme over the frames inside and the two interpolated ends; no sampling grid is involved. Before the first frame
and after the last the curve stands still.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.metrics.lips import Curve, gap, round_
from diffusiontalker.phones import BILABIALS, OPEN_VOWELS, ROUNDED, SPREAD, TimedPhone

WIDENING: Final = 0.020
"""Seconds added to both ends of a phone."""
CLOSED_SHARE: Final = 0.25
"""Part of a clip's 10th to 90th percentile range that counts as closed."""
LAG_STEPS_PER_SECOND: Final = 60
LAG_STEPS: Final = 12
"""Steps of 1/60 s to either side: 200 ms."""

_SHIFTS: Final = np.arange(-LAG_STEPS, LAG_STEPS + 1) / LAG_STEPS_PER_SECOND
_STILL: Final = 1e-6
_TIE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class ScoredClip:
    """One animated clip and what was said in it.

    Attributes:
        frames: ``[T, 52]`` coefficients; frame ``n`` stands at ``n / fps`` seconds of the clip.
        fps: frames per second.
        phones: the clip's phones with their times.
        name: for listings.
        corpus: for listings.
        speaker: for listings.
    """

    frames: NDArray[Any] = field(repr=False)
    fps: int
    phones: Sequence[TimedPhone] = field(repr=False)
    name: str = ""
    corpus: str = ""
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class PhoneticLipScore:
    """The score of one clip or of many pooled; ``nan`` where a needed phone class does not occur.

    Attributes:
        open: 0..1, 0.5 is chance for identical distributions.
        rounding: 0..1, 0.5 is chance.
        closure: 0..1, share of bilabials that closed.
        lag_ms: milliseconds, positive where the lips are late.
        clips: how many clips were pooled.
        counts: intervals as (open vowels, bilabials, rounded, spread).
    """

    open: float
    rounding: float
    closure: float
    lag_ms: float
    clips: int
    counts: tuple[int, int, int, int]

    @property
    def open_pairs(self) -> int:
        """Pairs of phones compared for ``open``."""
        return self.counts[0] * self.counts[1]

    @property
    def rounding_pairs(self) -> int:
        """Pairs of phones compared for ``rounding``."""
        return self.counts[2] * self.counts[3]


def roc_auc(positive: NDArray[Any], negative: NDArray[Any]) -> float:
    """Probability that a positive value exceeds a negative one, ties counted half (Mann-Whitney).

    Args:
        positive: ``[P]``.
        negative: ``[N]``.

    Returns:
        0..1, or ``nan`` where either is empty.
    """
    if not positive.size or not negative.size:
        return float("nan")
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, "left") + np.searchsorted(ordered, positive, "right")
    return float(below.sum(dtype=np.float64) / (2.0 * positive.size * negative.size))


def maximum_over(curve: Curve, fps: int, starts: NDArray[Any], ends: NDArray[Any]) -> NDArray[np.float64]:
    """Maximum of a piecewise linear curve over intervals, exact for intervals of any length.

    Args:
        curve: ``[T]`` values at ``n / fps`` seconds.
        fps: frames per second.
        starts: ``[...]`` seconds.
        ends: ``[...]`` seconds, not before ``starts``.

    Returns:
        ``[...]``.

    Raises:
        ValueError: the curve has no frame.
    """
    if not curve.size:
        raise ValueError("a curve without frames has no maximum; was the clip animated?")
    instants = np.arange(curve.size)
    first = starts * fps
    last = ends * fps
    best: NDArray[np.float64] = np.maximum(np.interp(first, instants, curve), np.interp(last, instants, curve))
    inside = np.ceil(first).astype(np.int64)
    final = np.floor(last).astype(np.int64)
    for step in range(int((final - inside).max(initial=-1)) + 1):
        frame = inside + step
        value = curve[np.clip(frame, 0, curve.size - 1)]
        best = np.where(frame <= final, np.maximum(best, value), best)
    return best


def percentile_range(curve: Curve) -> tuple[float, float]:
    """The 10th and the 90th percentile of a curve ``[T]``."""
    low, high = np.percentile(curve, (10.0, 90.0))
    return float(low), float(high)


def pooled_curve(curve: Curve) -> Curve:
    """A curve ``[T]`` less its median, in units of its 10th to 90th percentile range; zeros where it never moves."""
    low, high = percentile_range(curve)
    return (curve - np.median(curve)) / (high - low) if high - low > _STILL else np.zeros_like(curve)


def phonetic_lip_score(clips: Sequence[ScoredClip]) -> PhoneticLipScore:
    """Score one clip, or several pooled.

    Args:
        clips: animated clips with their phones.

    Returns:
        The pooled score; a mouth that never moves has no closures.

    Raises:
        ValueError: no clips, or a clip without frames.
    """
    if not clips:
        raise ValueError("there are no clips to score; check the corpus folder and its held-out split")
    opened, closed, rounded, spread = zip(*(_extremes(clip) for clip in clips), strict=True)
    opens, closures = np.concatenate(opened, axis=1), np.concatenate(closed, axis=1)
    rounds, spreads = np.concatenate(rounded, axis=1), np.concatenate(spread, axis=1)
    open_ = np.array([roc_auc(a, b) for a, b in zip(opens, closures, strict=True)])
    rounding = np.array([roc_auc(a, b) for a, b in zip(rounds, spreads, strict=True)])
    contacts = np.concatenate([closure_contacts(clip) for clip in clips])
    return PhoneticLipScore(
        open=float(open_[LAG_STEPS]),
        rounding=float(rounding[LAG_STEPS]),
        closure=float(contacts.mean()) if contacts.size else float("nan"),
        lag_ms=1000.0 * _best_shift(open_, rounding),
        clips=len(clips),
        counts=(opens.shape[1], closures.shape[1], rounds.shape[1], spreads.shape[1]),
    )


def closure_contacts(clip: ScoredClip) -> NDArray[np.bool_]:
    """For each p b m of a clip in order: did the lips come into the lowest quarter of the clip's range?

    Args:
        clip: an animated clip.

    Returns:
        ``[bilabials]``; all false where the lips never move.
    """
    curve = gap(clip.frames)
    low, high = percentile_range(curve)
    starts, ends = _intervals(clip.phones, BILABIALS)
    lowest = -maximum_over(-curve, clip.fps, starts, ends)
    contacts: NDArray[np.bool_] = (lowest <= low + CLOSED_SHARE * (high - low)) & (high - low > _STILL)
    return contacts


def _intervals(phones: Sequence[TimedPhone], kinds: Set[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    chosen = [(phone.start - WIDENING, phone.end + WIDENING) for phone in phones if phone.phone in kinds]
    times = np.array(chosen, np.float64).reshape(-1, 2)
    return times[:, 0], times[:, 1]


def _extremes(clip: ScoredClip) -> tuple[NDArray[np.float64], ...]:
    """Extremes ``[shifts, phones]`` of one clip: gap at open vowels and bilabials, rounding at rounded and spread."""
    lips, rounding = pooled_curve(gap(clip.frames)), pooled_curve(round_(clip.frames))

    def over(curve: Curve, kinds: Set[str]) -> NDArray[np.float64]:
        starts, ends = _intervals(clip.phones, kinds)
        shifts = _SHIFTS[:, None]
        return maximum_over(curve, clip.fps, starts + shifts, ends + shifts)

    return over(lips, OPEN_VOWELS), -over(-lips, BILABIALS), over(rounding, ROUNDED), over(rounding, SPREAD)


def _best_shift(open_: NDArray[np.float64], rounding: NDArray[np.float64]) -> float:
    """Seconds; of several plateaus equally high the one nearest to no shift."""
    if np.isnan(open_[0]) and np.isnan(rounding[0]):
        return float("nan")
    total = np.nan_to_num(open_) + np.nan_to_num(rounding)
    top = np.flatnonzero(total >= total.max() - _TIE)
    plateaus = np.split(top, np.flatnonzero(np.diff(top) > 1) + 1)
    return float(min(((_SHIFTS[plateau[0]] + _SHIFTS[plateau[-1]]) / 2 for plateau in plateaus), key=abs))
