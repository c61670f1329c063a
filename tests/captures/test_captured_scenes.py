"""Captured faces become scenes that the denoiser's training opens as it opens animated ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from diffusiontalker.arkit import BLINKS, INDEX, JAW_AND_MOUTH
from diffusiontalker.captures.store import CaptureCorpus, CapturedTake, CaptureWriter
from diffusiontalker.corpus.store import CorpusError
from diffusiontalker.level import BLOCK, LevelState, normalize_level
from diffusiontalker.training.captured_scenes import PAUSE, Piece, build_captured_scenes, face, heard, scenes_of
from diffusiontalker.training.scenes import SceneCrops, Scenes
from tests.captures.writers import curves, tone

FRAMES = {"ann/1": 650, "ann/2": 120, "ann/3": 150, "ann/4": 130, "ben/1": 299, "ben/2": 300}


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("captures") / "c"
    with CaptureWriter(folder, "speaker") as writer:
        for seed, (name, frames) in enumerate(FRAMES.items()):
            drawn = curves(frames, seed=seed, fps=30)
            drawn[:, list(BLINKS)] = 0.2  # nobody blinks here
            hum = tone(frames / 30)[: frames * 16000 // 30] * np.linspace(0.02, 1, frames * 16000 // 30)
            writer.add(
                take=name,
                speaker=name.split("/")[0],
                samples=(hum * 32767).astype(np.int16),
                curves=drawn.astype(np.float16),
                missing=["tongueOut"] if name == "ann/3" else [],
            )
    return folder


@pytest.fixture(scope="module")
def corpus(captures: Path) -> CaptureCorpus:
    return CaptureCorpus.open(captures)


class Strides:
    """Means of strides: features that tell what was heard when."""

    width, voice_width = 3, 5

    def forward(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        frames = samples[:, :-80].reshape(len(samples), -1, 320)
        level = frames.square().mean(-1, keepdim=True).sqrt()
        return torch.cat([level, frames[..., :2]], -1), level.expand(-1, -1, 5)

    __call__ = forward

    def describe(self, pooled: Tensor) -> Tensor:
        return pooled


encoder = Strides()


def names(scene: tuple[Piece, ...]) -> list[str]:
    return [piece.take.take for piece in scene]


def test_long_takes_are_cut_and_short_ones_joined(corpus: CaptureCorpus) -> None:
    scenes = list(scenes_of(corpus.takes))
    assert [(names(scene), scene[0].start) for scene in scenes] == [
        (["ann/1"], 0),
        (["ann/1"], 300),
        (["ben/2"], 0),
        (["ann/2", "ann/3"], 0),
        (["ann/4"], 0),
        (["ben/1"], 0),
    ]
    assert scenes[3][1].at == 120 + PAUSE
    assert list(scenes_of([])) == []


def test_sides_are_never_joined() -> None:
    takes = [CapturedTake(f"t{n}", "s", "held_out" if n % 2 else "train", 0, 0, 0, 60) for n in range(4)]
    assert [names(scene) for scene in scenes_of(takes)] == [["t1", "t3"], ["t0", "t2"]]
    lost = CapturedTake("t", "s", "train", 0, 0, 0, 60, holes=((1, 2),))
    assert list(scenes_of([lost])) == []


def test_a_chunk_has_its_own_curves_and_sound(corpus: CaptureCorpus) -> None:
    take = corpus.takes[0]
    chunk = (Piece(take, 300, 300, 0),)
    np.testing.assert_array_equal(face(corpus, chunk), corpus.curves(take)[300:594])
    alone = heard(corpus, chunk)
    assert alone.shape == (160080,)
    whole, _ = normalize_level(
        (corpus.audio(take)[None, :320080] / np.float32(32768)).astype(np.float32), LevelState.initial(1)
    )
    # A stream that has run before knows the level: the whole take's normalisation, cut.
    np.testing.assert_allclose(heard(corpus, chunk, fresh=False), whole[0, 160000:], atol=1e-5)
    # One that begins here does not, until it has heard some.
    np.testing.assert_allclose(alone[16000:], whole[0, 176000:], atol=1e-2)
    assert not np.array_equal(alone[:BLOCK], whole[0, 160000 : 160000 + BLOCK])


def test_joined_takes_keep_their_place_and_the_face_moves_over(corpus: CaptureCorpus) -> None:
    scene = next(scene for scene in scenes_of(corpus.takes) if len(scene) == 2)
    curve = face(corpus, scene)
    first, second = (corpus.curves(piece.take).astype(np.float32) for piece in scene)
    np.testing.assert_array_equal(curve[:120], first)
    np.testing.assert_array_equal(curve[135:285], second)
    for before, between in ((curve[119], curve[120:135]), (curve[134], curve[134:136])):
        assert np.abs(between - before).max() <= np.abs(curve[135] - curve[119]).max() + 1e-6
    assert np.abs(np.diff(curve[119:136], axis=0)).max() < 0.15 * np.abs(curve[135] - curve[119]).max()
    np.testing.assert_array_equal(curve[291:, list(JAW_AND_MOUTH)], 0)
    np.testing.assert_array_equal(curve[291:, INDEX["browInnerUp"]], curve[284, INDEX["browInnerUp"]])
    sound = heard(corpus, scene)
    assert np.abs(sound[64800:72000]).max() < 1e-3, "a pause is silent, once the low cut has rung out"
    assert np.abs(sound[72000:74000]).max() > 0.05
    assert np.abs(sound[152800:]).max() < 1e-3


def test_the_folder_opens_as_scenes(captures: Path, corpus: CaptureCorpus, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    count = build_captured_scenes(captures, encoder, tmp_path / "s", batch=4, progress=lambda *at: seen.append(at))
    assert count == 6 and seen == [(4, 6), (6, 6)]
    scenes = Scenes.open(tmp_path / "s")
    assert scenes.features.shape == (6, 500, 3) and scenes.curves.shape == (6, 294, 52)
    assert scenes.voices.shape == (6, 3, 5)
    assert {array.dtype for array in (scenes.features, scenes.curves, scenes.voices)} == {np.dtype(np.float16)}
    assert list(scenes.speakers) == ["ann", "ann", "ben", "ann", "ann", "ben"]
    assert scenes.natural.all()
    np.testing.assert_array_equal(scenes.curves[1], corpus.curves(corpus.takes[0])[300:594])
    crop = SceneCrops(scenes, ["ann", "ben"], frames=60)[3]
    assert crop["audio"].shape == (60, 6) and crop["curves"].shape == (60, 52)
    rows = json.loads((tmp_path / "s" / "scenes.json").read_text())
    sides = {take.take: take.split for take in corpus.takes}
    for row in rows:
        assert {row["split"]} == {sides[name] for name in row["take"].split(" + ")}
    assert rows[3]["take"] == "ann/2 + ann/3"
    assert rows[3]["missing"] == ["tongueOut"] and rows[3]["spans"] == [[0, 120], [135, 285]]
    assert rows[0]["missing"] == [] and rows[0]["spans"] == [[0, 294]]


def test_the_same_captures_give_the_same_scenes(captures: Path, tmp_path: Path) -> None:
    for name, batch in (("a", 2), ("b", 5)):
        build_captured_scenes(captures, encoder, tmp_path / name, batch=batch, seed=4)
    for file in ("features.npy", "curves.npy", "voices.npy", "scenes.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_one_side_can_be_encoded_alone(captures: Path, tmp_path: Path) -> None:
    assert build_captured_scenes(captures, encoder, tmp_path / "t", split="train") in (2, 4)
    assert len({row["split"] for row in json.loads((tmp_path / "t" / "scenes.json").read_text())}) == 1


def test_voices_are_pooled_over_speech(captures: Path, tmp_path: Path) -> None:
    def second_half(features: Tensor) -> Tensor:
        return (torch.arange(features.shape[1]) >= 250).float().expand(features.shape[:2])

    build_captured_scenes(captures, encoder, tmp_path / "s", speech=second_half)
    scenes = Scenes.open(tmp_path / "s")
    assert not scenes.voices[:, 0].any() and scenes.voices[:2, 1:].all()
    levels: NDArray[np.float32] = scenes.features[0, 334:, 0].astype(np.float32)
    np.testing.assert_allclose(scenes.voices[0, 2], levels.mean(), rtol=0.01)
    build_captured_scenes(captures, encoder, tmp_path / "loud")
    alone = Scenes.open(tmp_path / "loud").voices
    assert alone[3, 0].all() and alone[4, 0].all() and not alone[4, 2].any(), "silence after ann/4 has no voice"


def test_a_corpus_that_makes_no_scene_says_so(tmp_path: Path) -> None:
    with CaptureWriter(tmp_path / "c", "take") as writer:
        for name in ("a", "b"):
            samples, holes = np.zeros(21333, np.int16), [(0, 40)]
            writer.add(take=name, speaker="s", samples=samples, curves=np.zeros((40, 52), np.float16), holes=holes)
    with pytest.raises(CorpusError, match="makes no scene of 10 s on the side 'train'"):
        build_captured_scenes(tmp_path / "c", encoder, tmp_path / "s", split="train")
    with pytest.raises(CorpusError, match="is no captured corpus"):
        build_captured_scenes(tmp_path, encoder, tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_joined_takes_are_brought_to_one_level(tmp_path: Path) -> None:
    with CaptureWriter(tmp_path / "c", "take") as writer:
        for name, gain in (("loud", 32767), ("soft", 800)):
            samples = (tone(2) * gain).astype(np.int16)
            writer.add(take=name, speaker="s", samples=samples, curves=curves(60).astype(np.float16))
    corpus = CaptureCorpus.open(tmp_path / "c")
    loud, soft = corpus.takes
    sound = heard(corpus, (Piece(loud, 0, 60, 0), Piece(soft, 0, 60, 75)))
    levels = [np.sqrt(np.square(part).mean()) for part in (sound[8000:32000], sound[48000:72000])]
    assert levels[1] == pytest.approx(levels[0], rel=0.1)


def test_blinks_are_taken_out_and_lowered_lids_stay(tmp_path: Path) -> None:
    """Serving adds blinks of its own; a squint or a look down is the performer's."""
    lids = np.zeros((300, 52), np.float16)
    lids[50:58, INDEX["eyeBlinkLeft"]] = 1.0
    lids[100:160, INDEX["eyeBlinkLeft"]] = 0.5
    with CaptureWriter(tmp_path / "c", "take") as writer:
        sound = (tone(10) * 32767).astype(np.int16)
        writer.add(take="a", speaker="ann", samples=sound, curves=lids, missing=[])
    opened = CaptureCorpus.open(tmp_path / "c")
    (pieces,) = scenes_of(opened.takes)
    lid = face(opened, pieces)[:, INDEX["eyeBlinkLeft"]]
    assert lid[:90].max() == 0.0
    np.testing.assert_array_equal(lid[105:155], 0.5)
