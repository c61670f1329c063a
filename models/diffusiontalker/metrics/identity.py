"""Precision, recall and F1 of identity matching: is the speaker the library finds the one who speaks?

Macro figures are means over the speakers who spoke, each counting alike; micro figures count utterances. Whoever never
spoke but was matched has no precision of their own: the mistake shows in the recall of the one who did speak.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class IdentityScores:
    """Identity matching over a set of utterances, each figure in 0..1.

    Attributes:
        precision: macro: of the utterances matched with a speaker, the share that was theirs (0 where nobody was
            matched with them), averaged over speakers.
        recall: macro: of a speaker's utterances, the share matched with them, averaged over speakers.
        f1: macro: mean of the speakers' own F1.
        micro_precision: of all utterances matched with anybody, the share matched rightly.
        micro_recall: of all utterances, the share matched rightly.
        micro_f1: harmonic mean of the two; equal to both where every utterance was matched with somebody.
        utterances: how many.
        speakers: who spoke them.
    """

    precision: float
    recall: float
    f1: float
    micro_precision: float
    micro_recall: float
    micro_f1: float
    utterances: int
    speakers: int


def identity_scores(truth: Sequence[str], matched: Sequence[str | None]) -> IdentityScores:
    """Score matches (the paper's identity table: precision, recall, F1).

    Args:
        truth: who spoke each utterance.
        matched: who the library says spoke it; None where it does not say.

    Raises:
        ValueError: there are no utterances, or not as many matches.
    """
    if not truth or len(truth) != len(matched):
        raise ValueError(f"as many matches as utterances are needed, got {len(matched)} for {len(truth)}")
    speakers = sorted(set(truth))
    hits = dict.fromkeys(speakers, 0)
    for spoke, found in zip(truth, matched, strict=True):
        if spoke == found:
            hits[spoke] += 1
    precision, recall, f1 = [], [], []
    for name in speakers:
        p = _ratio(hits[name], sum(found == name for found in matched))
        r = hits[name] / sum(spoke == name for spoke in truth)
        precision.append(p)
        recall.append(r)
        f1.append(_harmonic(p, r))
    right = sum(hits.values())
    micro_precision = _ratio(right, sum(found is not None for found in matched))
    micro_recall = right / len(truth)
    return IdentityScores(
        float(np.mean(precision)),
        float(np.mean(recall)),
        float(np.mean(f1)),
        micro_precision,
        micro_recall,
        _harmonic(micro_precision, micro_recall),
        len(truth),
        len(speakers),
    )


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _harmonic(a: float, b: float) -> float:
    return 2 * a * b / (a + b) if a + b else 0.0
