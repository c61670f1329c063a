"""The CSV is the Live Link Face app's own: header, timecode, count and column order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from diffusiontalker.arkit import BLENDSHAPES, INDEX
from livetalker.media import livelink_csv
from livetalker.media.livelink_csv import LiveLinkCsvError

APP_HEADER = (
    "Timecode,BlendshapeCount,EyeBlinkLeft,EyeLookDownLeft,EyeLookInLeft,EyeLookOutLeft,EyeLookUpLeft,EyeSquintLeft,"
    "EyeWideLeft,EyeBlinkRight,EyeLookDownRight,EyeLookInRight,EyeLookOutRight,EyeLookUpRight,EyeSquintRight,"
    "EyeWideRight,JawForward,JawRight,JawLeft,JawOpen,MouthClose,MouthFunnel,MouthPucker,MouthRight,MouthLeft,"
    "MouthSmileLeft,MouthSmileRight,MouthFrownLeft,MouthFrownRight,MouthDimpleLeft,MouthDimpleRight,MouthStretchLeft,"
    "MouthStretchRight,MouthRollLower,MouthRollUpper,MouthShrugLower,MouthShrugUpper,MouthPressLeft,MouthPressRight,"
    "MouthLowerDownLeft,MouthLowerDownRight,MouthUpperUpLeft,MouthUpperUpRight,BrowDownLeft,BrowDownRight,BrowInnerUp,"
    "BrowOuterUpLeft,BrowOuterUpRight,CheekPuff,CheekSquintLeft,CheekSquintRight,NoseSneerLeft,NoseSneerRight,"
    "TongueOut,HeadYaw,HeadPitch,HeadRoll,LeftEyeYaw,LeftEyePitch,LeftEyeRoll,RightEyeYaw,RightEyePitch,RightEyeRoll"
)


def random_frames(count: int, seed: int = 3) -> NDArray[np.float32]:
    return np.random.default_rng(seed).random((count, len(BLENDSHAPES)), np.float32)


def test_the_file_has_the_apps_exact_form(tmp_path: Path) -> None:
    frames = np.zeros((61, 52), np.float32)
    frames[0, INDEX["jawRight"]] = 0.25
    frames[0, INDEX["mouthLeft"]] = 0.5
    path = tmp_path / "take.csv"
    livelink_csv.write(path, frames, 60)
    text = path.read_bytes().decode("ascii")
    header, *rows = text.split("\n")
    assert header == APP_HEADER
    assert rows.pop() == ""
    assert len(rows) == 61
    cells = rows[0].split(",")
    assert cells[:2] == ["00:00:00:00.000", "61"]
    assert len(cells) == 2 + 61
    columns = header.split(",")
    assert float(cells[columns.index("JawRight")]) == 0.25
    assert float(cells[columns.index("JawLeft")]) == 0.0
    assert float(cells[columns.index("MouthLeft")]) == 0.5
    assert cells[-9:] == ["0"] * 9
    assert rows[59].startswith("00:00:00:59.000,61,")
    assert rows[60].startswith("00:00:01:00.000,61,")


@pytest.mark.parametrize(
    ("frame", "fps", "code"),
    [
        (0, 30, "00:00:00:00.000"),
        (29, 30, "00:00:00:29.000"),
        (30, 30, "00:00:01:00.000"),
        (30 * 3_725 + 7, 30, "01:02:05:07.000"),
        (60 * 86_400, 60, "24:00:00:00.000"),
    ],
)
def test_timecodes(frame: int, fps: int, code: str) -> None:
    assert livelink_csv.timecode(frame, fps) == code


@pytest.mark.parametrize("fps", [30, 60])
def test_round_trip(tmp_path: Path, fps: int) -> None:
    frames = random_frames(2 * fps + 5)
    path = tmp_path / "take.csv"
    livelink_csv.write(path, frames, fps)
    take = livelink_csv.read(path)
    assert take.fps == fps
    np.testing.assert_allclose(take.frames, frames, atol=1e-8)


def test_lines_can_be_written_as_they_come(tmp_path: Path) -> None:
    frames = random_frames(70)
    parts = [*livelink_csv.lines(frames[:33], 60), *livelink_csv.lines(frames[33:], 60, first=33)]
    assert parts == list(livelink_csv.lines(frames, 60))


def test_frames_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\[n, 52\].*\[4, 51\]"):
        list(livelink_csv.lines(np.zeros((4, 51), np.float32), 30))


def test_the_apps_own_recording_is_read_by_column_name(tmp_path: Path) -> None:
    values = {name: i / 100 for i, name in enumerate(APP_HEADER.split(",")[2:])}
    shuffled = sorted(values)
    header = ",".join(["Timecode", "BlendshapeCount", *shuffled])
    row = ",".join(["61", *(f"{values[name]:.10f}" for name in shuffled)])
    codes = ["10:13:39:58.936", "10:13:39:59.936", "10:13:40:00.937"]
    path = tmp_path / "MySlate_1_iPhone.csv"
    path.write_text("\r\n".join([header, *(f"{code},{row}" for code in codes), ""]), encoding="utf-8-sig")
    take = livelink_csv.read(path)
    assert take.fps == 60
    for name in BLENDSHAPES:
        expected = values[name[0].upper() + name[1:]]
        np.testing.assert_allclose(take.frames[:, INDEX[name]], expected, atol=1e-6)


def test_a_take_under_a_second_needs_its_rate_told(tmp_path: Path) -> None:
    frames = random_frames(10)
    path = tmp_path / "short.csv"
    livelink_csv.write(path, frames, 30)
    with pytest.raises(LiveLinkCsvError, match="give fps"):
        livelink_csv.read(path)
    assert livelink_csv.read(path, fps=30).fps == 30


def test_broken_files_are_explained(tmp_path: Path) -> None:
    path = tmp_path / "broken.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(LiveLinkCsvError, match="no column 'timecode'"):
        livelink_csv.read(path)
    row = "00:00:00:00.000,61," + ",".join(["0"] * 61)
    for bad in (row.replace("00:00:00:00.000", "now"), row.replace(",0,", ",much,"), row[:60]):
        path.write_text(f"{APP_HEADER}\n{row}\n{bad}\n")
        with pytest.raises(LiveLinkCsvError, match="line 3"):
            livelink_csv.read(path)
