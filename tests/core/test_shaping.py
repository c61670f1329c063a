from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from diffusiontalker.arkit import COUNT, INDEX
from livetalker.core.config import Shaping
from livetalker.core.shaping import FADE_FRAMES, KNEE, Shaper
from tests.core.splits import ranges, splits

JAW = INDEX["jawOpen"]
SMILE = INDEX["mouthSmileLeft"]


def faces(*values: float) -> NDArray[np.float32]:
    return np.repeat(np.array(values, np.float32)[:, None], COUNT, axis=1)


def shaped(shaping: Shaping, *values: float) -> NDArray[np.float32]:
    return Shaper(shaping).process(0, faces(*values))


def test_without_shaping_faces_stay_as_they_are() -> None:
    assert np.array_equal(shaped(Shaping(), 0.0, 0.3, 1.0), faces(0.0, 0.3, 1.0))


def test_gain_and_offset_touch_only_what_they_name() -> None:
    face = shaped(Shaping(gains={"jawOpen": 2.0}, offsets={"jawOpen": -0.1}), 0.3)[0]
    assert face[JAW] == pytest.approx(0.5)
    assert np.all(np.delete(face, JAW) == np.float32(0.3))


def test_the_hard_limit_cuts() -> None:
    jaw = shaped(Shaping(gains={"jawOpen": 3.0}, offsets={"jawOpen": -0.3}), 0.0, 0.4, 0.6)[:, JAW]
    np.testing.assert_allclose(jaw, [0.0, 0.9, 1.0], atol=1e-6)


def test_the_soft_limit_keeps_the_order_of_peaks_and_does_not_touch_the_rest() -> None:
    shaping = Shaping(gains={"jawOpen": 2.0}, clamp=False)
    jaw = shaped(shaping, 0.1, 0.4, 0.45, 0.5, 0.6, 0.8)[:, JAW]
    np.testing.assert_allclose(jaw[:2], [0.2, KNEE], atol=1e-6)
    assert np.all(np.diff(jaw) > 0)
    assert jaw.max() < 1.0


def test_a_held_expression_is_a_floor_that_leaves_room_for_speech() -> None:
    smile = shaped(Shaping(expression={"mouthSmileLeft": 0.5}), 0.0, 0.4, 1.0)[:, SMILE]
    np.testing.assert_allclose(smile, [0.5, 0.7, 1.0], atol=1e-6)


def test_a_change_is_cross_faded() -> None:
    shaper = Shaper(Shaping())
    shaper.change(3, Shaping(gains={"jawOpen": 0.0}))
    jaw = shaper.process(0, faces(*[1.0] * 12))[:, JAW]
    assert np.all(jaw[:3] == 1.0)
    assert np.all(np.abs(np.diff(jaw)) <= 1 / FADE_FRAMES + 1e-6)
    assert np.all(jaw[3 + FADE_FRAMES - 1 :] == 0.0)


NAMES = st.sampled_from(["jawOpen", "mouthClose", "eyeBlinkLeft"])
SHAPINGS = st.builds(
    Shaping,
    gains=st.dictionaries(NAMES, st.floats(0, 10)),
    offsets=st.dictionaries(NAMES, st.floats(-1, 1)),
    clamp=st.booleans(),
    expression=st.dictionaries(NAMES, st.floats(0, 1)),
)


@settings(deadline=None)
@given(before=SHAPINGS, after=SHAPINGS, frame=st.integers(0, 25), sizes=splits(30))
def test_any_split_gives_the_same_faces_within_range(
    before: Shaping, after: Shaping, frame: int, sizes: list[int]
) -> None:
    sequence = np.random.default_rng(3).uniform(size=(30, COUNT)).astype(np.float32)

    def shaper() -> Shaper:
        made = Shaper(before)
        made.change(frame, after)
        return made

    whole = shaper().process(0, sequence)
    split = shaper()
    pieces = [split.process(piece.start, sequence[piece]) for piece in ranges(sizes)]
    np.testing.assert_allclose(np.concatenate(pieces), whole, atol=1e-6)
    assert whole.min() >= 0.0
    assert whole.max() <= 1.0 + 1e-6
