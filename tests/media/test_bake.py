"""``livetalker bake``: any recording becomes a face file, anything else one sentence and no traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from livetalker.cli.main import main
from livetalker.media.face_files import read_take

RATE = 44_100


def hum(rate: int, seconds: float) -> np.ndarray:
    """A voice-like sound: a pulse train with a slow swell."""
    time = np.arange(round(rate * seconds)) / rate
    pulses = sum(np.sin(2 * np.pi * 120 * k * time) / k for k in range(1, 20))
    return np.asarray(0.1 * pulses * np.sin(2 * np.pi * 2 * time) ** 2)


@pytest.fixture
def wav(tmp_path: Path) -> Path:
    """1.01 s of 24-bit stereo at 44.1 kHz."""
    path = tmp_path / "voice.wav"
    sound = hum(RATE, 1.01)
    soundfile.write(path, np.stack([sound, 0.5 * sound], axis=1), RATE, subtype="PCM_24")
    return path


@pytest.fixture
def bake(tiny_bundle: Path) -> Callable[..., int]:
    """The command with a small generated model."""
    return lambda *arguments: main(["bake", "--model", str(tiny_bundle), *map(str, arguments)])


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err


@pytest.mark.parametrize("suffix", ["csv", "npz", "json"])
def test_a_take_has_every_frame_of_the_recording(
    bake: Callable[..., int], wav: Path, tmp_path: Path, suffix: str
) -> None:
    out = tmp_path / f"face.{suffix}"
    assert bake(wav, "-o", out, "--fps", 60, "--preset", "low", "--seed", 5) == 0
    take = read_take(out)
    samples = soundfile.info(wav).frames
    assert take.fps == 60
    assert len(take.frames) == -(-samples * 60 // RATE)
    assert take.frames.min() >= 0.0
    assert take.frames.max() <= 1.0
    assert np.ptp(take.frames, axis=0).max() > 0.0
    if suffix != "csv":
        assert (take.preset, take.seed) == ("low", 5)
        assert take.identity in ("auto", "anna", "ben", "clara")
        assert take.model


@pytest.mark.parametrize(("suffix", "kind"), [("flac", "FLAC"), ("ogg", "OGG"), ("mp3", "MP3")])
def test_compressed_recordings_just_work(bake: Callable[..., int], tmp_path: Path, suffix: str, kind: str) -> None:
    voice, out = tmp_path / f"voice.{suffix}", tmp_path / "face.npz"
    soundfile.write(voice, hum(RATE, 0.5), RATE, format=kind)
    assert bake(voice, "-o", out) == 0
    assert len(read_take(out).frames) >= 15


def test_the_same_seed_gives_the_same_take_and_the_suffix_does_not_matter(
    bake: Callable[..., int], wav: Path, tmp_path: Path
) -> None:
    takes = []
    for name in ("a.npz", "b.npz", "c.csv"):
        assert bake(wav, "-o", tmp_path / name, "--seed", 3) == 0
        takes.append(read_take(tmp_path / name).frames)
    np.testing.assert_array_equal(takes[0], takes[1])
    np.testing.assert_allclose(takes[0], takes[2], atol=1e-7)


@pytest.mark.parametrize(("samples", "count"), [(1, "1 frame at 30 fps"), (8_000, "15 frames at 30 fps")])
def test_silence_and_the_shortest_clips_have_no_identity_and_say_so(
    bake: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str], samples: int, count: str
) -> None:
    quiet, out = tmp_path / "quiet.wav", tmp_path / "face.json"
    soundfile.write(quiet, np.zeros(samples), 16_000)
    assert bake(quiet, "-o", out) == 0
    shown = capsys.readouterr().out
    assert f"{out}: {count}, " in shown and "no identity: no voice was heard, or less than a second of it" in shown
    assert read_take(out).identity == "auto"
    assert bake(quiet, "-o", out, "--identity", "anna") == 0
    assert "identity anna" in capsys.readouterr().out


def test_a_picture_on_request(bake: Callable[..., int], wav: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the picture needs the demo extra")
    picture = tmp_path / "face.png"
    assert bake(wav, "-o", tmp_path / "face.csv", "--picture", picture) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_picture_that_cannot_be_written_is_explained(
    bake: Callable[..., int],
    wav: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    picture = pytest.importorskip("livetalker.media.picture", reason="the picture needs the demo extra")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(picture, "draw_take", full)
    assert bake(wav, "-o", tmp_path / "face.csv", "--picture", tmp_path / "face.png") == 1
    assert "face.png cannot be written: No space left on device\n" in said(capsys)


def test_what_cannot_be_baked_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "face.csv")
    text = tmp_path / "notes.txt"
    text.write_text("not a recording")
    empty = tmp_path / "empty.wav"
    soundfile.write(empty, np.zeros(0), 16_000)
    for file, reason in (
        (tmp_path / "missing.wav", "there is no file"),
        (text, "is not a sound file"),
        (empty, "holds no samples"),
        (tmp_path, "is a folder"),
    ):
        assert main(["bake", str(file), "-o", out]) == 1
        message = said(capsys)
        assert reason in message
        assert "Traceback" not in message
    assert not Path(out).exists()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["-o", "face.fbx"], "must end in .csv, .npz or .json"),
        (["-o", "nowhere/face.csv"], "nowhere does not exist"),
        (["-o", "face.csv", "--identity", "nobody-at-all"], "nobody-at-all"),
        (["-o", "face.csv", "--seed", "-1"], "seed"),
        (["-o", "face.csv", "--model", "nowhere"], "nowhere"),
        (["-o", "face.csv", "--picture", "face.gif"], "must end in .png"),
        (["-o", "face.csv", "--picture", "folder.png"], "folder.png is a folder"),
        (["-o", "face.csv", "--model", "voice.wav"], "voice.wav is no model bundle"),
    ],
)
def test_options_that_cannot_work_are_explained(
    bake: Callable[..., int],
    wav: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    reason: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder.png").mkdir()
    assert bake(wav, *options) == 1
    assert reason in said(capsys)
    assert not Path("face.csv").exists()
