"""The paper's measures on faces small enough to work out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from diffusiontalker.arkit import BLENDSHAPES, BROWS, INDEX
from diffusiontalker.metrics.faces import (
    FDD_FACE,
    FULL_LIPS,
    PUBLISHED_LIPS,
    brow_diversity,
    diversity,
    face_errors,
    fdd,
    inference_time,
    lbe_full,
    lbe_published,
    lip_diversity,
    lve,
    mbe,
    velocity_error,
)


def still(frames: int, **values: float) -> NDArray[np.float64]:
    """A face that holds some coefficients."""
    face = np.zeros((frames, len(BLENDSHAPES)))
    for name, value in values.items():
        face[:, INDEX[name]] = value
    return face


def test_the_published_mask_does_not_see_an_open_mouth() -> None:
    truth, wide = still(4), still(4, jawOpen=0.6, mouthClose=0.8)
    assert lbe_published([wide], [truth]) == 0.0
    assert lbe_full([wide], [truth]) == pytest.approx(1.0)
    assert mbe([wide], [truth]) == pytest.approx(1.0)
    names = {BLENDSHAPES[i] for i in PUBLISHED_LIPS}
    assert len(PUBLISHED_LIPS) == 12
    assert not names & {"jawOpen", "mouthClose", "mouthSmileLeft", "mouthLowerDownLeft"}
    assert set(PUBLISHED_LIPS) < set(FULL_LIPS)


def test_errors_are_means_of_frames_then_of_sequences() -> None:
    """3-4-5 triangles: one frame of two is off by 0.5 in a long sequence, every frame by 0.1 in a short one."""
    long, short = still(2), still(1)
    moved_long, moved_short = still(2), still(1, mouthPucker=0.1)
    moved_long[1, [INDEX["mouthFunnel"], INDEX["browInnerUp"]]] = 0.3, 0.4
    predicted, truth = [moved_long, moved_short], [long, short]
    assert mbe(predicted, truth) == pytest.approx((0.25 + 0.1) / 2)
    assert lbe_published(predicted, truth) == pytest.approx((0.15 + 0.1) / 2)
    assert lbe_full(predicted, truth) == pytest.approx((0.15 + 0.1) / 2)


def test_fdd_is_the_difference_of_deviations_of_summed_squares() -> None:
    """Energies 0, 0.36 deviate by 0.18; 0, 0.08 by 0.04; brows do not count."""
    truth, predicted = still(2), still(2, browInnerUp=0.5)
    truth[1, INDEX["eyeSquintLeft"]] = 0.6
    predicted[0, INDEX["browInnerUp"]] = 0.0
    predicted[1, [INDEX["eyeWideLeft"], INDEX["noseSneerRight"]]] = 0.2
    assert fdd([predicted], [truth]) == pytest.approx((0.14, 0.14))
    signed, absolute = fdd([predicted, truth], [truth, predicted])
    assert (signed, absolute) == pytest.approx((0.0, 0.14))
    assert not set(FDD_FACE) & set(BROWS)
    assert len(FDD_FACE) == 16


def test_velocity_errors_see_flutter_and_not_offset() -> None:
    """A constant offset is no velocity; 0.3 and 0.4 in one frame are 0.5, there and back, at 30 fps 15 a second."""
    assert velocity_error([still(4, jawOpen=0.5)], [still(4)], 30) == 0.0
    fluttering = still(3)
    fluttering[1, [INDEX["jawOpen"], INDEX["browInnerUp"]]] = 0.3, 0.4
    assert velocity_error([fluttering], [still(3)], 30) == pytest.approx(15.0)
    with pytest.raises(ValueError, match="two frames"):
        velocity_error([still(1)], [still(1)], 30)


def test_all_errors_at_once() -> None:
    truth, predicted = np.zeros((2, 3, 52)), np.zeros((2, 3, 52))
    predicted[:, :, INDEX["jawLeft"]] = 0.2
    errors = face_errors(predicted, truth)
    assert (errors.mbe, errors.lbe_published, errors.lbe_full) == pytest.approx((0.2, 0.2, 0.2))
    assert (errors.fdd_signed, errors.fdd_absolute, errors.velocity) == (0.0, 0.0, 0.0)


def test_lve_is_the_worst_lip_vertex_squared() -> None:
    """Vertex 0 moves 3 along x by the jaw, vertex 1 moves 4 along y by the pucker, vertex 2 is no lip."""
    basis = np.zeros((52, 3, 3))
    basis[INDEX["jawOpen"], 0] = 3, 0, 0
    basis[INDEX["mouthPucker"], 1] = 0, 4, 0
    basis[INDEX["jawOpen"], 2] = 100, 0, 0
    predicted = still(2)
    predicted[0, INDEX["jawOpen"]] = 1.0
    predicted[1, [INDEX["jawOpen"], INDEX["mouthPucker"]]] = 0.5, 1.0
    assert lve([predicted], [still(2)], basis, [0, 1]) == pytest.approx((9 + 16) / 2)
    with pytest.raises(ValueError, match="vertex basis"):
        lve([predicted], [still(2)], basis[..., :2], [0])


def test_diversity_is_the_mean_distance_of_pairs_of_seeds() -> None:
    takes = [still(3), still(3, browInnerUp=0.3), still(3, browInnerUp=0.9, jawOpen=0.2)]
    assert brow_diversity(takes) == pytest.approx((0.3 + 0.9 + 0.6) / 3)
    assert lip_diversity(takes) == pytest.approx((0.0 + 0.2 + 0.2) / 3)
    with pytest.raises(ValueError, match="two takes"):
        diversity(takes[:1], BROWS)


def test_inference_time_counts_frames_of_all_clips_in_the_papers_unit() -> None:
    clock = iter([0.0, 0.5, 10.0, 10.3, 20.0, 20.9])
    runs: list[int] = []
    timed = inference_time(lambda: runs.append(1), clip_frames=300, batch=2, clock=lambda: next(clock))
    assert len(runs) == 4, "one run warms up"
    assert timed.itf == pytest.approx(0.3 / 600 * 1e4)
    assert (timed.clip_frames, timed.batch) == (300, 2)


@pytest.mark.parametrize(
    ("predicted", "truth", "message"),
    [
        ([], [], "as many"),
        ([np.zeros((2, 52))], [], "as many"),
        ([np.zeros((2, 52))], [np.zeros((3, 52))], "sequence 0"),
        ([np.zeros(52)], [np.zeros(52)], "sequence 0"),
    ],
)
def test_sets_that_do_not_match_are_refused(
    predicted: list[NDArray[np.float64]], truth: list[NDArray[np.float64]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        mbe(predicted, truth)
