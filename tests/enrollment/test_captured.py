"""A speaker enrolled from an iPhone capture: the command a person types, on files in the app's own format."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from diffusiontalker.bundle import open_bundle
from diffusiontalker.cli.main import main
from diffusiontalker.enrollment import voice
from tests.captures.writers import curves, timecode, tone, write_live_link

SECONDS = 22


def capture(folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    frames = SECONDS * 60
    write_live_link(folder / f"{name}.csv", curves(frames, 52), [timecode(i) for i in range(frames)])
    soundfile.write(folder / f"{name}.wav", tone(SECONDS, 48_000), 48_000)


def test_a_capture_becomes_an_identity(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(voice, "_VOICED", -1.0)  # the tiny model's speech detector is untrained
    bundle = Path(shutil.copytree(tiny_bundle, tmp_path / "bundle"))
    capture(tmp_path / "phone", "dora")
    assert main(["corpus", str(tmp_path / "captures"), "--live-link", str(tmp_path / "phone")]) == 0
    words = ["--captures", str(tmp_path / "captures"), "--bundle", str(bundle), "--out", str(tmp_path / "grown")]
    assert main(["enroll", "dora", *words, "--steps", "3"]) == 0, capsys.readouterr().err
    before, after = open_bundle(bundle).identities, open_bundle(tmp_path / "grown").identities
    assert after.names == (*before.names, "dora")
    np.testing.assert_array_equal(after.embeddings[:-1], before.embeddings)
    np.testing.assert_array_equal(after.neutral, before.neutral)
    assert np.linalg.norm(after.features[-1]) == pytest.approx(1, abs=1e-5)
