"""The phonetic lip score on curves whose score is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from diffusiontalker.arkit import COUNT, INDEX
from diffusiontalker.metrics.lips import gap, round_
from diffusiontalker.metrics.phonetic import (
    ScoredClip,
    closure_contacts,
    maximum_over,
    phonetic_lip_score,
    roc_auc,
)
from diffusiontalker.phones import BILABIALS, OPEN_VOWELS, ROUNDED, SPREAD, TimedPhone

CYCLE = ("SIL", "P", "AA", "T", "UW", "M", "IY", "K", "OW", "B", "EH", "AY")
PHONE_S = 0.1


def _phones(cycles: int = 20, kinds: tuple[str, ...] = CYCLE) -> list[TimedPhone]:
    return [TimedPhone(phone, i * PHONE_S, (i + 1) * PHONE_S) for i, phone in enumerate(kinds * cycles)]


def _clip(
    opening: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    rounding: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    phones: list[TimedPhone],
    fps: int = 60,
) -> ScoredClip:
    times = np.arange(int(phones[-1].end * fps)) / fps
    frames = np.zeros((times.size, COUNT), np.float32)
    frames[:, INDEX["jawOpen"]] = opening(times)
    frames[:, INDEX["mouthPucker"]] = rounding(times)
    return ScoredClip(frames, fps, phones)


def _follow(kinds: frozenset[str], rest: float, target: float, late: float = 0.0) -> Callable[..., NDArray[np.float64]]:
    """A curve at ``target`` in the middle of the given phones and at ``rest`` in all others, ``late`` seconds late."""

    def curve(times: NDArray[np.float64]) -> NDArray[np.float64]:
        phones = _phones()
        middles = np.array([(phone.start + phone.end) / 2 for phone in phones]) + late
        values = np.array([target if phone.phone in kinds else rest for phone in phones])
        return np.asarray(np.interp(times, middles, values))

    return curve


def _speaking(late: float = 0.0) -> ScoredClip:
    def opening(times: NDArray[np.float64]) -> NDArray[np.float64]:
        opened = _follow(OPEN_VOWELS, 0.4, 0.9, late)(times)
        return np.asarray(opened - _follow(BILABIALS, 0.0, 0.4, late)(times))

    return _clip(opening, _follow(ROUNDED, 0.1, 0.6, late), _phones())


def test_perfect_lips_score_one() -> None:
    score = phonetic_lip_score([_speaking()])
    assert (score.open, score.rounding, score.closure) == (1.0, 1.0, 1.0)
    assert abs(score.lag_ms) <= 1000 / 60 + 1e-6
    assert score.clips == 1
    assert score.counts == (40, 60, 40, 40)
    assert score.open_pairs == 2400
    assert score.rounding_pairs == 1600


@pytest.mark.parametrize("late", [0.05, -0.05, 0.1, -0.1])
def test_lag_is_positive_when_the_lips_are_late(late: float) -> None:
    score = phonetic_lip_score([_speaking(late)])
    assert score.lag_ms == pytest.approx(1000 * late, abs=1000 / 60 + 1e-6)


def test_lips_that_know_nothing_of_the_phones_round_by_chance() -> None:
    generator = np.random.default_rng(5)

    def noise(times: NDArray[np.float64]) -> NDArray[np.float64]:
        return generator.uniform(0, 0.5, times.size)

    score = phonetic_lip_score([_clip(noise, noise, _phones()) for _ in range(20)])
    assert score.rounding == pytest.approx(0.5, abs=0.04)


def test_opposite_rounding_scores_nothing() -> None:
    clip = _clip(_follow(OPEN_VOWELS, 0.1, 0.8), _follow(SPREAD, 0.0, 0.9), _phones())
    assert phonetic_lip_score([clip]).rounding == 0.0


def test_closure_is_the_share_of_bilabials_that_close() -> None:
    phones = _phones(10, ("AA", "P", "AA", "M"))

    def opening(times: NDArray[np.float64]) -> NDArray[np.float64]:
        middles = np.array([phone.start + PHONE_S / 2 for phone in phones])
        values = np.array([{"AA": 0.8, "P": 0.0, "M": 0.5}[phone.phone] for phone in phones])
        return np.asarray(np.interp(times, middles, values))

    clip = _clip(opening, opening, phones)
    assert phonetic_lip_score([clip]).closure == 0.5
    assert closure_contacts(clip).tolist() == [True, False] * 10


def test_a_still_mouth_has_no_closures_and_chance_scores() -> None:
    score = phonetic_lip_score([_clip(np.zeros_like, np.zeros_like, _phones())])
    assert (score.open, score.rounding, score.closure, score.lag_ms) == (0.5, 0.5, 0.0, 0.0)


def test_pooling_removes_a_clips_offset_and_range() -> None:
    small = _speaking()
    large = ScoredClip(small.frames * 0.3 + 0.2, small.fps, small.phones)
    score = phonetic_lip_score([small, large])
    assert (score.open, score.rounding, score.closure) == (1.0, 1.0, 1.0)
    assert score.clips == 2


def test_missing_phone_classes_are_not_a_number() -> None:
    clip = _clip(_follow(OPEN_VOWELS, 0.1, 0.8), np.zeros_like, _phones(2, ("AA", "T")))
    score = phonetic_lip_score([clip])
    assert np.isnan([score.open, score.rounding, score.closure, score.lag_ms]).all()


def test_no_clips_is_an_error() -> None:
    with pytest.raises(ValueError, match="no clips"):
        phonetic_lip_score([])


def test_an_interval_shorter_than_a_frame_is_interpolated() -> None:
    curve = np.array([0.0, 1.0, 0.0])
    starts, ends = np.array([0.25, 0.75, 0.5, -1.0]), np.array([0.5, 1.25, 0.5, -0.5])
    assert maximum_over(curve, 1, starts, ends).tolist() == [0.5, 1.0, 0.5, 0.0]


def test_auc_counts_ties_half() -> None:
    assert roc_auc(np.array([1.0, 2.0]), np.array([1.0, 0.0])) == 0.875
    assert np.isnan(roc_auc(np.array([]), np.array([1.0])))


def test_lip_curves_follow_their_formulas() -> None:
    face = np.zeros(COUNT)
    for name, value in {"jawOpen": 0.8, "mouthClose": 0.1, "mouthRollLower": 0.5, "mouthPressLeft": 0.4}.items():
        face[INDEX[name]] = value
    assert gap(face) == pytest.approx(0.8 - 0.1 - 0.15 - 0.1)
    face[INDEX["mouthFunnel"]], face[INDEX["mouthSmileRight"]] = 0.5, 0.2
    assert round_(face) == pytest.approx(0.45)
    with pytest.raises(ValueError, match="52"):
        gap(np.zeros((3, 51)))
