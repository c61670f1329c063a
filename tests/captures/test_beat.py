"""BEAT's files are read as they are published; broken ones say where."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from diffusiontalker.arkit import INDEX
from diffusiontalker.captures.beat import beat_takes, read_beat
from diffusiontalker.captures.take import CaptureError
from tests.captures.writers import BEAT_NAMES, curves, write_beat


def test_a_take_is_read(tmp_path: Path) -> None:
    weights = curves(121, 51)
    take = read_beat(write_beat(tmp_path, "1_wayne_0_1_1", weights))
    assert (take.name, take.speaker) == ("beat/1_wayne_0_1_1", "beat/wayne")
    assert take.frames.shape == (61, 52)
    for name in ("jawOpen", "browDownLeft", "noseSneerRight"):
        np.testing.assert_array_equal(
            take.frames[:, INDEX[name]], weights[::2, BEAT_NAMES.index(name)].astype(np.float32)
        )
    assert take.captured == tuple(BEAT_NAMES)
    assert not take.frames[:, INDEX["tongueOut"]].any()
    assert len(take.samples()) == round(121 / 60 * 16000)


def test_dropped_frames_are_placed_by_their_time(tmp_path: Path) -> None:
    weights = np.tile((np.arange(120) / 240)[:, None], 51)
    kept = np.delete(np.arange(120), [40, 41, 43])
    path = write_beat(tmp_path, "2_scott_0_3_3", weights[kept], times=[3.2 + n / 60 for n in kept])
    take = read_beat(path)
    np.testing.assert_allclose(take.frames[:, INDEX["jawOpen"]], weights[::2, 0], atol=1e-6)
    assert take.tracked is not None and take.tracked.all()


def test_takes_are_found_by_speaker_and_number(tmp_path: Path) -> None:
    deep = tmp_path / "beat_english_v0.2.1" / "beat_english_v0.2.1"
    for stem in ("10_kieks_0_2_2", "2_scott_0_10_10", "2_scott_0_9_9", "2_scott_1_1_1", "30_katya_2_1_1"):
        write_beat(deep, stem, curves(4, 51))
    (deep / "2" / "2_scott_0_9_9.emotion.json").write_text("{}")
    found = beat_takes(tmp_path)
    assert [source.name.removeprefix("beat/") for source in found] == [
        *("2_scott_0_9_9", "2_scott_0_10_10", "10_kieks_0_2_2")
    ]
    assert [path.name for path in found[0].files] == ["2_scott_0_9_9.json", "2_scott_0_9_9.wav"]
    assert len(beat_takes(tmp_path, (1, 2))) == 2
    with pytest.raises(CaptureError, match=r"holds no BEAT take of type 6: <speaker>/<speaker>_<name>_<type>"):
        beat_takes(tmp_path, (6,))


def test_bad_json_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "1_wayne_0_1_1.json"
    path.write_text('{"names": ["jawOpen"],\n "frames": [{"weights": [0.1], }]}')
    with pytest.raises(CaptureError, match=r"1_wayne_0_1_1.json, line 2, column \d+: not JSON"):
        read_beat(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CaptureError, match="not text in UTF-8"):
        read_beat(path)
    path.write_text("[" * 100_000)
    with pytest.raises(CaptureError, match="not JSON"):
        read_beat(path)


def _frames(count: int = 4) -> list[dict[str, object]]:
    return [{"weights": [0.1] * 51, "time": n / 60, "rotation": []} for n in range(count)]


@pytest.mark.parametrize(
    ("number", "change", "message"),
    [
        (2, {"weights": [0.1] * 50}, "frame 2: 50 weights for 51 names"),
        (1, {"weights": None}, "frame 1: no list of weights for 51 names"),
        (3, {"weights": ["much"] * 51}, "frame 3: a weight is not a number"),
        (3, {"weights": [[0.1]] * 51}, "frame 3: a weight is not a number"),
        (0, {"weights": [float("nan")] + [0.0] * 50}, "frame 0: browDownLeft is nan"),
        (2, {"time": None}, "frame 2: no 'time' in seconds"),
        (2, {"time": 0.0}, "frame 2: is not later than the frame before"),
    ],
)
def test_a_bad_frame_is_named(tmp_path: Path, number: int, change: dict[str, object], message: str) -> None:
    frames = _frames()
    frames[number].update(change)
    path = tmp_path / "1_wayne_0_1_1.json"
    path.write_text(json.dumps({"names": BEAT_NAMES, "frames": frames}))
    with pytest.raises(CaptureError, match=message) as error:
        read_beat(path)
    assert error.value.reason == "broken"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "is not a face of BEAT"),
        ({"frames": []}, "is not a face of BEAT"),
        ({"names": BEAT_NAMES, "frames": [1]}, "is not a face of BEAT"),
        ({"names": ["jawWide"], "frames": [{"weights": [0], "time": 0}]}, "'jawWide' is not an ARKit coefficient"),
        ({"names": BEAT_NAMES, "frames": []}, "holds no frames"),
    ],
)
def test_json_of_something_else_is_refused(tmp_path: Path, content: object, message: str) -> None:
    path = tmp_path / "1_wayne_0_1_1.json"
    path.write_text(json.dumps(content))
    with pytest.raises(CaptureError, match=message):
        read_beat(path)


def test_frames_without_time_stand_a_sixtieth_apart(tmp_path: Path) -> None:
    path = tmp_path / "1_wayne_0_1_1.json"
    frames = [{"weights": frame["weights"]} for frame in _frames(7)]
    path.write_text(json.dumps({"names": BEAT_NAMES, "frames": frames}))
    assert len(read_beat(path).frames) == 4


def test_another_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="is not named <speaker>_<name>"):
        read_beat(tmp_path / "wayne.json")
