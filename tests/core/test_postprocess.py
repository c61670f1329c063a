from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from diffusiontalker.arkit import BLINKS, BROWS, COUNT, EYES, INDEX, JAW_AND_MOUTH
from diffusiontalker.metrics.lips import gap
from livetalker.core.config import Shaping, StreamConfig
from livetalker.core.postprocess import LIP_SLACK, FacePostprocessor
from tests.core.splits import ranges, splits
from tests.core.test_shaping import SHAPINGS

PLAIN = StreamConfig(blinks=False, idle=False)
JAW = INDEX["jawOpen"]
CLOSE = INDEX["mouthClose"]


def talking(frames: int) -> NDArray[np.float32]:
    """A mouth that opens and shuts about four times a second, with a still upper face."""
    faces = np.zeros((frames, COUNT), np.float32)
    faces[:, JAW] = 0.3 - 0.3 * np.cos(np.arange(frames) * 2 * np.pi / 8)
    return faces


def speaking(frames: int) -> NDArray[np.float32]:
    return np.ones(frames, np.float32)


def silent(frames: int) -> NDArray[np.float32]:
    return np.zeros(frames, np.float32)


def test_an_open_gate_lets_the_model_through() -> None:
    faces = FacePostprocessor(PLAIN).process(0, talking(30), speaking(30))
    np.testing.assert_allclose(faces[2:], talking(30)[2:], atol=1e-6)


def test_silence_closes_the_mouth_and_keeps_it_closed() -> None:
    """Whatever the model does."""
    processor = FacePostprocessor(StreamConfig())
    wide = np.full((60, COUNT), 0.6, np.float32)
    wide[:, CLOSE] = 0.0
    processor.process(0, wide, speaking(60))
    faces = processor.process(60, wide, silent(60))
    assert np.abs(gap(faces[9:])).max() < 0.05
    assert not faces[9:, list(JAW_AND_MOUTH)].any()


def test_the_end_of_a_word_rings_out() -> None:
    processor = FacePostprocessor(PLAIN)
    wide = np.full((10, COUNT), 0.5, np.float32)
    processor.process(0, wide, speaking(10))
    jaw = processor.process(10, wide, silent(10))[:, JAW]
    assert jaw[0] > 0.4
    assert np.abs(np.diff(jaw)).max() < 0.2


def test_lips_never_cross() -> None:
    faces = np.zeros((10, COUNT), np.float32)
    faces[:, CLOSE] = 0.8
    faces[:, JAW] = np.linspace(0, 1, 10)
    shown = FacePostprocessor(PLAIN).process(0, faces, speaking(10))
    assert np.all(shown[:, CLOSE] <= shown[:, JAW] + LIP_SLACK + 1e-6)
    assert shown[-1, CLOSE] == pytest.approx(0.8)


def test_blinks_come_whether_speaking_or_not_and_can_be_turned_off() -> None:
    still = np.zeros((600, COUNT), np.float32)
    for speech in (speaking(600), silent(600)):
        lids = FacePostprocessor(StreamConfig(idle=False)).process(0, still, speech)[:, list(BLINKS)]
        assert lids.max() > 0.8
        assert np.array_equal(lids[:, 0], lids[:, 1])
    assert not FacePostprocessor(PLAIN).process(0, still, silent(600)).any()


def test_a_blink_does_not_add_to_closed_eyes() -> None:
    shut = np.zeros((600, COUNT), np.float32)
    shut[:, list(BLINKS)] = 1.0
    faces = FacePostprocessor(StreamConfig(idle=False)).process(0, shut, silent(600))
    assert np.all(faces[:, list(BLINKS)] == 1.0)


def test_a_silent_face_is_alive_and_a_speaking_one_less_so() -> None:
    still = np.zeros((600, COUNT), np.float32)
    upper = [*BROWS, *(i for i in EYES if i not in BLINKS)]
    config = StreamConfig(blinks=False)
    listening = FacePostprocessor(config).process(0, still, silent(600))
    talking_face = FacePostprocessor(config).process(0, still, speaking(600))
    assert listening[:, upper].std(0).max() > 0.005
    assert 0 < talking_face[:, upper].std() < 0.7 * listening[:, upper].std()
    assert not np.delete(listening, upper, axis=1).any()


def test_an_expression_is_held_in_silence() -> None:
    config = StreamConfig(blinks=False, idle=False, shaping=Shaping(expression={"mouthSmileLeft": 0.4}))
    faces = FacePostprocessor(config).process(0, np.zeros((5, COUNT), np.float32), silent(5))
    np.testing.assert_allclose(faces[:, INDEX["mouthSmileLeft"]], 0.4, atol=1e-6)


@pytest.mark.parametrize("frame", [50, 2**25 + 1])
def test_a_restart_does_not_pop(frame: int) -> None:
    processor = FacePostprocessor(PLAIN)
    open_, shut = np.zeros((10, COUNT), np.float32), np.zeros((10, COUNT), np.float32)
    open_[:, JAW] = 0.8
    processor.process(0, open_, speaking(10))
    processor.restart(frame)
    jaw = processor.process(frame, shut, silent(10))[:, JAW]
    assert jaw[0] == pytest.approx(0.64)
    assert np.abs(np.diff(np.concatenate([[0.8], jaw]))).max() <= 0.17
    assert not jaw[4:].any()


def test_missing_and_repeated_frames_are_refused() -> None:
    processor = FacePostprocessor(PLAIN)
    processor.process(0, talking(3), speaking(3))
    for first in (2, 4):
        with pytest.raises(ValueError, match=f"frame 3 is due, not {first}"):
            processor.process(first, talking(1), speaking(1))
    with pytest.raises(ValueError, match="already made"):
        processor.restart(2)


def test_the_models_own_arrays_are_left_alone() -> None:
    faces = talking(5)
    FacePostprocessor(StreamConfig()).process(0, faces, silent(5))
    assert np.array_equal(faces, talking(5))


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**64 - 1),
    before=SHAPINGS,
    after=SHAPINGS,
    change=st.integers(0, 40),
    sizes=splits(40),
    later=splits(20),
)
def test_any_split_gives_the_same_faces_and_every_face_is_sane(
    seed: int, before: Shaping, after: Shaping, change: int, sizes: list[int], later: list[int]
) -> None:
    random = np.random.default_rng(4)
    faces = random.uniform(-0.2, 1.2, (60, COUNT)).astype(np.float32)
    speech = np.repeat(random.uniform(0, 1, 12), 5).astype(np.float32)

    def run(first_sizes: list[int], later_sizes: list[int]) -> NDArray[np.float32]:
        processor = FacePostprocessor(StreamConfig(seed=seed, shaping=before))
        processor.shape(change, after)
        made = [processor.process(piece.start, faces[piece], speech[piece]) for piece in ranges(first_sizes)]
        processor.restart(100)
        for piece in ranges(later_sizes):
            rest = slice(piece.start + 40, piece.stop + 40)
            made.append(processor.process(100 + piece.start, faces[rest], speech[rest]))
        return np.concatenate(made)

    whole = run([40], [20])
    np.testing.assert_allclose(run(sizes, later), whole, atol=1e-6)
    assert whole.dtype == np.float32
    assert np.isfinite(whole).all()
    assert whole.min() >= 0.0
    assert whole.max() <= 1.0
    assert np.all(whole[:, CLOSE] <= whole[:, JAW] + 0.05)
