"""Takes come back as they were written, whatever the suffix, and nothing is left half written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from diffusiontalker.arkit import BLENDSHAPES
from livetalker.media.face_files import FaceFileError, FaceTake, check_target, read_take, write_take

TAKE = FaceTake(
    np.random.default_rng(0).random((75, 52), np.float32),
    fps=60,
    identity="warm",
    preset="low",
    model="tiny",
    model_version="0.1.0",
    seed=7,
)


@pytest.mark.parametrize("suffix", [".csv", ".npz", ".json", ".JSON"])
def test_round_trip(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"take{suffix}"
    write_take(path, TAKE)
    back = read_take(path)
    np.testing.assert_allclose(back.frames, TAKE.frames, rtol=0, atol=1e-6)
    assert back.frames.dtype == np.float32
    assert back.fps == 60
    facts = (back.identity, back.preset, back.model, back.model_version, back.seed)
    assert facts == (("", "", "", "", None) if suffix == ".csv" else ("warm", "low", "tiny", "0.1.0", 7))
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [".npz", ".json"])
def test_what_is_not_known_of_a_take_stays_unknown(tmp_path: Path, suffix: str) -> None:
    write_take(tmp_path / "take.csv", TAKE)
    path = tmp_path / f"take{suffix}"
    write_take(path, read_take(tmp_path / "take.csv"))
    back = read_take(path)
    assert (back.identity, back.seed, back.fps) == ("", None, 60)


def test_json_is_plain_and_names_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "take.json"
    write_take(path, TAKE)
    stored = json.loads(path.read_text())
    assert stored["names"] == list(BLENDSHAPES)
    assert stored["fps"] == 60
    assert [len(row) for row in stored["frames"]] == [52] * 75


def test_npz_columns_are_matched_by_name(tmp_path: Path) -> None:
    path = tmp_path / "take.npz"
    order = np.random.default_rng(1).permutation(52)
    none = np.array("")
    np.savez(
        path,
        frames=TAKE.frames[:, order],
        names=np.array(BLENDSHAPES)[order],
        fps=np.array(30),
        seed=np.array(0),
        identity=none,
        preset=none,
        model=none,
        model_version=none,
    )
    np.testing.assert_array_equal(read_take(path).frames, TAKE.frames)


def test_a_take_without_frames_is_a_take(tmp_path: Path) -> None:
    for suffix in (".npz", ".json"):
        path = tmp_path / f"empty{suffix}"
        write_take(path, FaceTake(np.zeros((0, 52), np.float32), 30))
        assert read_take(path).frames.shape == (0, 52)


def test_targets_that_cannot_work_are_named_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(FaceFileError, match=r"must end in \.csv, \.npz or \.json"):
        check_target(tmp_path / "take.fbx")
    with pytest.raises(FaceFileError, match="does not exist"):
        check_target(tmp_path / "nowhere" / "take.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(FaceFileError, match="is a folder"):
        check_target(tmp_path / "folder.csv")
    check_target(tmp_path / "take.csv")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "take.csv"
    path.write_text("precious")
    with pytest.raises(ValueError, match="52"):
        write_take(path, FaceTake(np.zeros((3, 51), np.float32), 30))
    assert path.read_text() == "precious"
    assert [file.name for file in tmp_path.iterdir()] == ["take.csv"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("take.json", "{"),
        ("take.json", "[]"),
        ("take.json", '{"names": ["jawOpen"], "frames": []}'),
        ("take.npz", "no"),
    ],
)
def test_files_that_are_no_take_are_explained(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(FaceFileError, match="is not a face take"):
        read_take(path)


def test_a_missing_file_is_explained(tmp_path: Path) -> None:
    with pytest.raises(FaceFileError, match="there is no file"):
        read_take(tmp_path / "take.csv")


def test_a_csv_that_csv_itself_refuses_is_no_take(tmp_path: Path) -> None:
    path = tmp_path / "take.csv"
    path.write_text("a" * 200_000)
    with pytest.raises(FaceFileError, match="is not a face take: field larger than"):
        read_take(path)
