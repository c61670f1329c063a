"""Phones that should differ on the lips: which frames are theirs, and what their contrast asks for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from diffusiontalker.arkit import COUNT, INDEX, JAW_AND_MOUTH
from diffusiontalker.phones import BILABIALS, OPEN_VOWELS, ROUNDED, SPREAD, TimedPhone
from diffusiontalker.training.contrasts import KINDS, MOST, contrast_losses, phone_spans
from diffusiontalker.training.losses import STEADY, LossWeights, curve_losses

FRAMES = 60
PHONES = (
    TimedPhone("SIL", 0.0, 0.3),
    TimedPhone("M", 0.3, 0.4),
    TimedPhone("AA", 0.4, 0.6),
    TimedPhone("UW", 0.6, 0.8),
    TimedPhone("T", 0.8, 0.9),
    TimedPhone("IY", 0.9, 1.1),
    TimedPhone("SIL", 1.1, 2.0),
)


def faces(**curves: list[tuple[float, float, float]]) -> Tensor:
    """One crop: each coefficient takes a value from one second to another."""
    face = torch.zeros(1, FRAMES, COUNT)
    for name, parts in curves.items():
        for start, end, value in parts:
            face[0, round(start * 30) : round(end * 30), INDEX[name]] = value
    return face


def spans(phones: tuple[TimedPhone, ...] = PHONES) -> Tensor:
    return torch.from_numpy(phone_spans(phones, 0, FRAMES))[None]


TRUTH = faces(mouthPucker=[(0.6, 0.8, 0.6)], jawOpen=[(0.4, 0.6, 0.6), (0.6, 1.1, 0.2)])


def test_spans_are_the_frames_a_widened_phone_touches() -> None:
    found = phone_spans(PHONES, 3, FRAMES)
    assert found.shape == (len(KINDS), MOST, 2)
    first = {kind: found[i, 0].tolist() for i, kind in enumerate(KINDS)}
    # UW from 0.58 to 0.82 s is within frames 17 to 25 of the scene, and the crop begins with frame 3.
    assert first == {ROUNDED: [14, 22], SPREAD: [23, 31], OPEN_VOWELS: [8, 16], BILABIALS: [5, 10]}
    assert (found[:, 1:] == -1).all()


def test_a_phone_that_a_crop_cuts_does_not_count() -> None:
    assert (phone_spans(PHONES, 18, FRAMES)[0] == -1).all()  # its widened beginning lies before the crop
    assert (phone_spans(PHONES, 0, 25)[0] == -1).all()
    assert phone_spans(PHONES, 17, 9)[0, 0].tolist() == [0, 8]


def test_more_phones_than_there_is_room_for_are_left_out() -> None:
    many = [TimedPhone("UW", 0.1 + 0.01 * i, 0.11 + 0.01 * i) for i in range(MOST + 5)]
    assert (phone_spans(many, 0, FRAMES)[0, :, 0] >= 0).all()


def test_a_rounder_rounded_vowel_costs_less_and_a_rounder_spread_one_more() -> None:
    right = float(contrast_losses(TRUTH, TRUTH, spans())["rounding"])
    flat = TRUTH.clone()
    flat[..., INDEX["mouthPucker"]] = 0.0
    half = float(contrast_losses(flat, TRUTH, spans())["rounding"])
    swapped = TRUTH + faces(mouthPucker=[(0.6, 0.8, -0.6), (0.9, 1.1, 0.6)])
    wrong = float(contrast_losses(swapped, TRUTH, spans())["rounding"])
    assert right < 0.05 < half < 0.5 * wrong
    assert half == pytest.approx(0.2 * np.log(2), rel=0.01)  # neither way: s log 2


def test_a_mouth_open_on_a_bilabial_costs_and_its_open_vowel_is_told_by_the_maximum() -> None:
    right = float(contrast_losses(TRUTH, TRUTH, spans())["open"])
    gaping = TRUTH + faces(jawOpen=[(0.26, 0.4, 0.6)])
    brief = TRUTH + faces(jawOpen=[(0.4, 0.5, -0.6)])  # the vowel opens late, yet as far
    open_ = float(contrast_losses(gaping, TRUTH, spans())["open"])
    late = float(contrast_losses(brief, TRUTH, spans())["open"])
    assert right < 0.01 and late < 0.02 and open_ > 0.05


def test_its_gradient_moves_the_phones_apart_and_nothing_else() -> None:
    curves = TRUTH.clone().requires_grad_()
    contrast_losses(curves, TRUTH, spans())["rounding"].backward()  # type: ignore[no-untyped-call]
    assert curves.grad is not None
    pucker = curves.grad[0, :, INDEX["mouthPucker"]]
    assert (pucker[17:26] <= 0).all() and pucker[17:26].sum() < 0  # UW: more
    assert (pucker[26:35] >= 0).all() and pucker[26:35].sum() > 0  # IY: less
    assert (pucker[:17] == 0).all() and (pucker[35:] == 0).all()
    assert curves.grad[..., INDEX["browInnerUp"]].abs().max() == 0


def test_a_batch_without_a_pair_costs_nothing() -> None:
    alone = spans((TimedPhone("UW", 0.6, 0.8), TimedPhone("M", 1.0, 1.1)))
    curves = TRUTH.clone().requires_grad_()
    losses = contrast_losses(curves, TRUTH, alone)
    assert {name: float(loss.detach()) for name, loss in losses.items()} == {"rounding": 0.0, "open": 0.0}
    sum(losses.values()).backward()  # type: ignore[union-attr]
    assert curves.grad is not None and torch.isfinite(curves.grad).all()


def test_lips_that_never_move_stay_finite() -> None:
    still = torch.zeros(1, FRAMES, COUNT)
    for loss in contrast_losses(still, still, spans()).values():
        assert torch.isfinite(loss)


def test_contrasts_count_where_they_are_asked_for_and_phones_are_known() -> None:
    flat = torch.zeros_like(TRUTH)
    plain, parts = curve_losses(flat, TRUTH, LossWeights(), spans())
    assert set(parts) == {"expression", "lip", "velocity", "rounding", "open", "steadiness"}
    weights = LossWeights(rounding=2.0, open=3.0)
    alone, few = curve_losses(flat, TRUTH, weights)
    assert float(alone) == float(plain) and set(few) == {"expression", "lip", "velocity"}
    whole, parts = curve_losses(flat, TRUTH, weights, spans())
    assert float(whole - plain) == pytest.approx(2 * parts["rounding"] + 3 * parts["open"], rel=1e-4)
    assert STEADY.rounding > 0 and STEADY.open > 0


def test_steadiness_asks_jaw_and_mouth_alone_to_move_as_the_truth_does() -> None:
    still = LossWeights(steadiness=3.0)
    for name, costs in (("jawOpen", True), ("browInnerUp", False)):
        trembling = TRUTH.clone()
        trembling[:, ::2, INDEX[name]] += 0.1
        plain, _ = curve_losses(trembling, TRUTH, LossWeights(), spans())
        more = float(curve_losses(trembling, TRUTH, still, spans())[0] - plain)
        # Every frame is 0.1 off the one before, which is 1 in the losses' unit.
        assert more == pytest.approx(3.0 / len(JAW_AND_MOUTH) if costs else 0.0, abs=1e-4)
