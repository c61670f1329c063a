"""Reading captured takes and correlating mouths with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from diffusiontalker.arkit import INDEX
from diffusiontalker.metrics.capture import agreement, read_take


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_take_is_brought_to_the_contract(tmp_path: Path) -> None:
    rows = "".join(f"{n / 30:.4f},{n / 100:.4f},0.5\n" for n in range(60))
    (tmp_path / "take.flac").touch()
    take = read_take(_write(tmp_path / "take.csv", "time,jawOpen,mouthClose\n" + rows))
    assert take.name == "take" and take.fps == 30
    assert take.frames.shape == (60, 52)
    assert take.frames[10, INDEX["jawOpen"]] == pytest.approx(0.1)
    assert take.frames[:, INDEX["mouthFunnel"]].max() == 0
    assert take.captured == ("jawOpen", "mouthClose")
    assert take.sound == tmp_path / "take.flac"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "header"),
        ("jawOpen,time\n0,0\n0,1\n", "header"),
        ("time,jawWide\n0,0\n1,0\n", "jawWide"),
        ("time,jawOpen\n0,0\n1,open\n", "line 3"),
        ("time,jawOpen\n0,0\n1\n", "line 3"),
        ("time,jawOpen\n0,0\n1,nan\n", "line 3"),
        ("time,jawOpen\n0,0\n0,0\n", "rise"),
    ],
)
def test_a_broken_take_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_take(_write(tmp_path / "broken.csv", text))


def test_agreement_finds_a_trailing_curve() -> None:
    times = np.arange(300) / 30
    captured = np.sin(times * 9) + np.sin(times * 4.3)
    late = np.sin((times - 1 / 30) * 9) + np.sin((times - 1 / 30) * 4.3)
    found = agreement(0.3 * late + 0.1, captured, 30)
    assert found.lag_ms == pytest.approx(1000 / 30)
    assert found.correlation == pytest.approx(1.0, abs=1e-6)


def test_agreement_looks_no_further_than_its_window() -> None:
    captured = np.random.default_rng(1).standard_normal(300)
    assert abs(agreement(np.roll(captured, 6), captured, 30).correlation) < 0.3
    assert agreement(np.roll(captured, 6), captured, 30, window_s=0.2).lag_ms == pytest.approx(200.0)


def test_agreement_with_a_still_mouth_is_not_a_number() -> None:
    assert np.isnan(agreement(np.zeros(30), np.arange(30.0), 30).correlation)
    with pytest.raises(ValueError, match="two frames"):
        agreement(np.zeros(1), np.zeros(1), 30)
