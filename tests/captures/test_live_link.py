"""The app's CSV: rows are placed by their timecodes, whatever was dropped, and a broken line is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from diffusiontalker.arkit import INDEX
from diffusiontalker.captures.live_link import live_link_takes, read_live_link
from diffusiontalker.captures.take import CaptureError, Take
from livetalker.media import livelink_csv
from tests.captures.writers import curves, timecode, tone, write_live_link


def read(path: Path) -> Take:
    if not path.with_suffix(".wav").exists():
        soundfile.write(path.with_suffix(".wav"), tone(2), 16000)
    return read_live_link(path, "own/take", "own/ann")


def test_a_take_of_the_app_is_read(tmp_path: Path) -> None:
    frames = curves(130)
    codes = [timecode(58.936 + 1.0001 * n) for n in range(130)]
    take = read(write_live_link(tmp_path / "MySlate_1_iPhone.csv", frames, codes))
    assert take.frames.shape == (65, 52)
    np.testing.assert_allclose(take.frames, frames[::2], atol=2e-3)
    left, right = (take.frames[:, INDEX[name]] for name in ("jawLeft", "jawRight"))
    assert not np.allclose(left, right), "the app writes JawRight before JawLeft"


@settings(max_examples=20, deadline=None)
@given(st.sets(st.integers(1, 149), max_size=40), st.sampled_from([0, 7, 59]))
def test_dropped_frames_leave_the_others_in_place(
    tmp_path_factory: pytest.TempPathFactory, dropped: set[int], first: int
) -> None:
    ramp = np.tile((np.arange(150) / 300)[:, None], 52)
    kept = [n for n in range(150) if n not in dropped] + [150]
    frames = np.concatenate([ramp, [[0.5] * 52]])[kept]
    path = tmp_path_factory.mktemp("take") / "take.csv"
    take = read(write_live_link(path, frames, [timecode(first + n) for n in kept]))
    np.testing.assert_allclose(take.frames[:, INDEX["jawOpen"]], np.arange(76) / 150, atol=1e-5)
    assert take.tracked is not None
    gaps = np.diff(kept)
    assert take.tracked.all() or gaps.max() / 60 > 0.25


def test_thirty_frames_a_second_are_told_by_the_timecode(tmp_path: Path) -> None:
    frames = curves(75, fps=30)
    take = read(write_live_link(tmp_path / "take.csv", frames, [timecode(n, 30) for n in range(75)], end="\n"))
    np.testing.assert_allclose(take.frames, frames, atol=1e-6)


def test_a_take_may_run_past_midnight(tmp_path: Path) -> None:
    codes = [timecode(n, start=86399) for n in range(130)]
    assert codes[0].startswith("23:59:59") and codes[-1].startswith("00:00:01")
    assert len(read(write_live_link(tmp_path / "take.csv", curves(130), codes)).frames) == 65


def test_what_the_service_writes_is_read_alike(tmp_path: Path) -> None:
    frames = curves(140).astype(np.float32)
    livelink_csv.write(tmp_path / "take.csv", frames, 60)
    np.testing.assert_allclose(read(tmp_path / "take.csv").frames, frames[::2], atol=1e-7)
    served = livelink_csv.read(tmp_path / "take.csv")
    np.testing.assert_allclose(read(tmp_path / "take.csv").frames, served.frames[::2], atol=1e-7)


def _lines(path: Path) -> list[str]:
    write_live_link(path, curves(70), [timecode(n) for n in range(70)], end="\n")
    return path.read_text().splitlines()


@pytest.mark.parametrize(
    ("number", "change", "message"),
    [
        (5, lambda line: line[:200].rsplit(",", 1)[0], r"take.csv, line 5: \d+ cells where the header has 63"),
        (5, lambda line: line + ",0", "line 5: 64 cells"),
        (7, lambda line: "now" + line[15:], r"line 7: 'now' is not a timecode HH:MM:SS:FF.mmm"),
        (8, lambda line: line.replace(",61,0", ",61,much", 1).replace(",61,1", ",61,much", 1), "line 8: could not"),
        (9, lambda line: line.replace(",61,", ",61,7.5,", 1).rsplit(",", 1)[0], "line 9: eyeBlinkLeft is 7.5"),
        (10, lambda line: line.replace(",61,", ",61,nan,", 1).rsplit(",", 1)[0], "line 10: eyeBlinkLeft is nan"),
        (20, lambda line: "09:00:00:00.000" + line[15:], "line 20: the timecode goes back"),
        (20, lambda line: "10:00:00:77.000" + line[15:], "line 20: frame 77 of a second"),
        (1, lambda line: line.replace("JawOpen", "JawWide"), "line 1: not of Live Link Face: no column 'jawOpen'"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, number: int, change: object, message: str) -> None:
    path = tmp_path / "take.csv"
    lines = _lines(path)
    assert callable(change)
    lines[number - 1] = change(lines[number - 1])
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(CaptureError, match=message) as error:
        read(path)
    assert error.value.reason == "broken"


def test_a_blank_line_does_not_shift_the_count(tmp_path: Path) -> None:
    path = tmp_path / "take.csv"
    lines = _lines(path)
    lines[9] = lines[9].replace(",61,", ",61,7.5,", 1).rsplit(",", 1)[0]
    path.write_text("\n".join([*lines[:5], "", *lines[5:]]) + "\n")
    with pytest.raises(CaptureError, match="line 11: eyeBlinkLeft is 7.5"):
        read(path)


def test_less_than_a_second_does_not_tell_the_rate(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="does not tell the frame rate") as short:
        read(write_live_link(tmp_path / "take.csv", curves(9), [timecode(n) for n in range(9)]))
    with pytest.raises(CaptureError, match="holds no frames") as empty:
        read(write_live_link(tmp_path / "none.csv", curves(0), []))
    assert short.value.reason == empty.value.reason == "too short"


def test_the_sound_must_lie_beside_it(tmp_path: Path) -> None:
    path = write_live_link(tmp_path / "take.csv", curves(70), [timecode(n) for n in range(70)])
    with pytest.raises(CaptureError, match=r"there is no take.wav beside it: extract it .* ffmpeg") as error:
        read_live_link(path, "own/take", "own/ann")
    assert error.value.reason == "no sound"
    soundfile.write(tmp_path / "take.flac", tone(1.2), 16000)
    assert read_live_link(path, "own/take", "own/ann").sound == tmp_path / "take.flac"


def test_folders_are_speakers(tmp_path: Path) -> None:
    for place in ("ann/one.csv", "ann/20240102_MySlate_3/two.csv", "ben/one.csv", "loose.csv"):
        write_live_link(tmp_path / "me" / place, curves(0), [])
    found = live_link_takes(tmp_path / "me")
    assert [(source.name, source.speaker) for source in found] == [
        ("own/ann/20240102_MySlate_3/two", "own/ann"),
        ("own/ann/one", "own/ann"),
        ("own/ben/one", "own/ben"),
        ("own/loose", "own/me"),
    ]
    with pytest.raises(CaptureError, match=r"holds no takes: <speaker>/<take>.csv"):
        live_link_takes(tmp_path / "me" / "ben" / "none")
