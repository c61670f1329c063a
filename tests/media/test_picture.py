"""The demo picture is drawn for any take, and the sketched mouth obeys the coefficients."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from diffusiontalker.arkit import INDEX
from diffusiontalker.phones import TimedPhone
from livetalker.media.audio_files import Audio
from livetalker.media.face_files import FaceTake

pytest.importorskip("matplotlib", reason="the picture needs the demo extra")

from matplotlib import image  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

from livetalker.media.face_sketch import MOUTH, draw_face  # noqa: E402
from livetalker.media.picture import draw_take  # noqa: E402

PHONES = (TimedPhone("SIL", 0.0, 0.2), TimedPhone("M", 0.2, 0.4), TimedPhone("AA", 0.4, 1.0))


def voice(seconds: float, rate: int = 16_000) -> Audio:
    samples = 0.3 * np.random.default_rng(0).standard_normal(round(seconds * rate))
    return Audio(samples.astype(np.float32), rate)


def take(frames: int) -> FaceTake:
    return FaceTake(np.random.default_rng(1).random((frames, 52), np.float32), 30)


@pytest.mark.parametrize(("seconds", "frames"), [(1.0, 30), (0.01, 1), (2.0, 9)])
@pytest.mark.parametrize("phones", [(), PHONES])
def test_any_take_has_a_picture(tmp_path: Path, seconds: float, frames: int, phones: tuple[TimedPhone, ...]) -> None:
    path = tmp_path / "take.png"
    draw_take(path, voice(seconds), take(frames), phones=phones, title="a take")
    pixels = image.imread(path)
    assert pixels.shape[:2] == (1080, 1620)
    assert pixels[..., :3].std() > 0.02


def test_silence_has_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "take.png"
    draw_take(path, Audio(np.zeros(16_000, np.float32), 16_000), FaceTake(np.zeros((30, 52), np.float32), 30))
    assert path.stat().st_size > 10_000


def test_a_take_without_frames_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="without frames"):
        draw_take(tmp_path / "take.png", voice(1.0), take(0))


def dark_pixels(**coefficients: float) -> int:
    """How much of the inside of the mouth a sketch with these coefficients shows."""
    frame: NDArray[np.float32] = np.zeros(52, np.float32)
    for name, value in coefficients.items():
        frame[INDEX[name]] = value
    figure = Figure(figsize=(2, 2))
    draw_face(figure.add_axes((0, 0, 1, 1)), frame)
    png = io.BytesIO()
    figure.savefig(png)
    png.seek(0)
    pixels = np.round(image.imread(png)[..., :3] * 255).astype(int)
    inside = [int(MOUTH[i : i + 2], 16) for i in (1, 3, 5)]
    return int((np.abs(pixels - inside).sum(axis=-1) < 12).sum())


def test_the_sketched_mouth_opens_closes_and_rounds() -> None:
    closed, half, wide = (dark_pixels(jawOpen=value) for value in (0.0, 0.3, 0.7))
    assert closed < half / 3 < wide / 3
    assert dark_pixels(jawOpen=0.5, mouthClose=0.5) == pytest.approx(closed, abs=30)
    assert dark_pixels(jawOpen=0.5, mouthPucker=0.8) < 0.8 * dark_pixels(jawOpen=0.5)
