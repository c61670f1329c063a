"""Identity matching scores, worked out by hand."""

from __future__ import annotations

import pytest

from diffusiontalker.metrics.identity import identity_scores


def test_everybody_found() -> None:
    scores = identity_scores(["a", "b", "b"], ["a", "b", "b"])
    assert (scores.precision, scores.recall, scores.f1, scores.micro_f1) == (1, 1, 1, 1)
    assert (scores.utterances, scores.speakers) == (3, 2)


def test_macro_counts_speakers_and_micro_counts_utterances() -> None:
    """a: 3 of 4 found, and one of b's is taken for a; b: 1 of 2 found; c: never found; z never spoke."""
    truth = ["a", "a", "a", "a", "b", "b", "c"]
    matched = ["a", "a", "a", "z", "a", "b", "b"]
    scores = identity_scores(truth, matched)
    assert scores.precision == pytest.approx((3 / 4 + 1 / 2 + 0) / 3)
    assert scores.recall == pytest.approx((3 / 4 + 1 / 2 + 0) / 3)
    assert scores.f1 == pytest.approx((3 / 4 + 1 / 2 + 0) / 3)
    assert scores.micro_precision == scores.micro_recall == scores.micro_f1 == pytest.approx(4 / 7)


def test_precision_and_recall_differ_where_they_should() -> None:
    """a: both found, but one of b's three too (2/3, 1, 4/5); b: two of three found, nothing else (1, 2/3, 4/5)."""
    scores = identity_scores(["a", "a", "b", "b", "b"], ["a", "a", "a", "b", "b"])
    assert scores.precision == pytest.approx(5 / 6)
    assert scores.recall == pytest.approx(5 / 6)
    assert scores.f1 == pytest.approx(4 / 5)


def test_saying_nothing_costs_recall_but_not_precision() -> None:
    scores = identity_scores(["a", "a", "b", "b"], ["a", None, "b", None])
    assert (scores.precision, scores.recall) == (1.0, 0.5)
    assert (scores.micro_precision, scores.micro_recall) == (1.0, 0.5)
    assert scores.micro_f1 == pytest.approx(2 / 3)


@pytest.mark.parametrize(("truth", "matched"), [([], []), (["a"], [])])
def test_nothing_to_score_is_refused(truth: list[str], matched: list[str]) -> None:
    with pytest.raises(ValueError, match="as many matches"):
        identity_scores(truth, matched)
