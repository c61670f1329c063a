"""From captured takes to a bundle, with the commands a researcher types; tiny sizes, true formats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from diffusiontalker.bundle import Bundle, open_bundle
from diffusiontalker.cli.main import main
from diffusiontalker.encoder.weights_file import ENCODER_FILE
from diffusiontalker.export.bundle_reader import BundleModules, read_modules
from diffusiontalker.geometry import PRESETS
from diffusiontalker.phones import PHONE_INDEX, SILENCE
from diffusiontalker.training import captured_run
from diffusiontalker.training.rolling_run import SPEECH_HEAD
from diffusiontalker.training.scenes import Scenes
from livetalker.core.config import StreamConfig
from livetalker.engine.engine import Engine
from livetalker.engine.offline import animate_offline
from tests.captures.writers import curves, write_beat
from tests.tiny_rolling import BASE, write_tiny_hubert

TINY = ("--denoiser-steps", "2", "--denoise-steps", "2")
LOW = StreamConfig(preset="low")


@pytest.fixture
def tiny_shipped(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    """The tiny bundle stands for the shipped one, and its untrained speech detector hears speech in everything."""
    bundle = open_bundle(tiny_bundle)

    @torch.no_grad()
    def modules(opened: Bundle) -> BundleModules:
        read = read_modules(opened)
        read.phone_head.linear.bias.view(len(PRESETS), -1)[:, PHONE_INDEX[SILENCE]] = -50.0
        return read

    monkeypatch.setattr(captured_run, "open_bundle", lambda: bundle)
    monkeypatch.setattr(captured_run, "read_modules", modules)
    return bundle


def test_captures_become_a_model(tiny_shipped: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for speaker, name in ((1, "anna"), (2, "ben")):
        for take in range(8):
            weights = curves(12 * 60, 51, seed=10 * speaker + take)
            write_beat(tmp_path / "beat", f"{speaker}_{name}_0_{take}_{take}", weights)
    runs, captures = tmp_path / "runs", tmp_path / "captures"

    def run(*words: str) -> None:
        assert main(list(words)) == 0, capsys.readouterr().err

    run("corpus", str(captures), "--beat", str(tmp_path / "beat"))
    train = ("train", "--captures", str(captures), "--runs", str(runs), "--denoiser-steps", "2", "--denoise-steps", "4")
    run(*train)
    assert (runs / "encoder" / ENCODER_FILE).stat().st_mode & 0o044 == 0o044, "everybody may read it"
    scenes = Scenes.open(runs / "scenes")
    assert len(set(scenes.speakers)) == 2 and scenes.features.shape[2] == tiny_shipped.encoder["width"]
    run("distill", "--runs", str(runs), "--to", "2", "--distill-steps", "2")
    run("export", "--runs", str(runs), "--to", "2", "--bundle", str(tmp_path / "bundle"))
    bundle = open_bundle(tmp_path / "bundle")
    assert bundle.steps == 2 and len(bundle.identities.names) == 2
    assert (bundle.name, bundle.version) == ("bundle", "local"), "named after its folder, not after the shipped one"
    (runs / "scenes" / captured_run.FINGERPRINT).write_text("another")
    assert main(list(train)) == 2
    assert "was made with the encoder another" in capsys.readouterr().err


def test_captures_on_a_public_hubert_become_a_model_that_is_served(
    tiny_shipped: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for speaker, name in ((1, "anna"), (2, "ben")):
        for take in range(4):
            weights = curves(12 * 60, 51, seed=10 * speaker + take)
            write_beat(tmp_path / "beat", f"{speaker}_{name}_0_{take}_{take}", weights)
    runs, captures, hubert = tmp_path / "runs", tmp_path / "captures", tmp_path / "hubert"
    write_tiny_hubert(hubert, **BASE)

    def run(*words: str) -> None:
        assert main(list(words)) == 0, capsys.readouterr().err

    run("corpus", str(captures), "--beat", str(tmp_path / "beat"))
    train = ("train", "--captures", str(captures), "--runs", str(runs), "--denoiser-steps", "2", "--denoise-steps", "2")
    run(*train, "--encoder", str(hubert), "--encoder-window", "20", "--encoder-hop", "10")
    run("export", "--runs", str(runs), "--to", "2", "--bundle", str(tmp_path / "bundle"))
    assert (runs / "encoder" / SPEECH_HEAD).stat().st_mode & 0o044 == 0o044, "everybody may read it"
    bundle = open_bundle(tmp_path / "bundle")
    assert (bundle.encoder_kind, bundle.encoder["window"], bundle.encoder["hop"]) == ("rolling", 20, 10)
    frames = animate_offline(Engine.load(bundle.folder, max_streams=1, threads=1), np.ones(8000, np.float32), LOW)
    assert frames.shape == (15, 52)
    assert main([*train, "--encoder", str(hubert), "--encoder-hop", "5"]) == 2
    assert "was made with the encoder" in capsys.readouterr().err


def test_a_run_goes_on_with_its_own_captures_only(
    tiny_shipped: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for speaker, name in ((1, "anna"), (2, "ben")):
        for take in range(4):
            weights = curves(12 * 60, 51, seed=10 * speaker + take)
            write_beat(tmp_path / "beat", f"{speaker}_{name}_0_{take}_{take}", weights)
    captures = tmp_path / "captures"
    corpus = ("corpus", str(captures), "--beat", str(tmp_path / "beat"))
    train = ("train", "--runs", str(tmp_path / "runs"), *TINY, "--captures")
    assert main(corpus) == 0 and main([*train, str(captures)]) == 0, capsys.readouterr().err
    moved = captures.rename(tmp_path / "moved")
    assert main([*train, str(moved)]) == 0, "the same takes under another name are the same captures"
    before = (tmp_path / "runs" / "scenes" / "scenes.json").read_bytes()
    write_beat(tmp_path / "beat", "2_ben_0_9_9", curves(12 * 60, 51, seed=99))
    assert main(corpus) == 0
    capsys.readouterr()
    assert main([*train, str(captures)]) == 2
    message = capsys.readouterr().err
    assert "was not made of" in message and "--runs" in message and "Denoiser" not in message
    assert (tmp_path / "runs" / "scenes" / "scenes.json").read_bytes() == before
    assert main(["train", "--runs", str(tmp_path / "runs"), "--corpus", str(tmp_path / "speech")]) == 2
    assert "holds captured faces: go on with --captures" in capsys.readouterr().err
    (tmp_path / "runs" / "scenes" / captured_run.HEARD).unlink()
    assert main([*train, str(moved)]) == 2, "scenes that do not say what was heard"


def test_too_few_people_are_refused_before_anything_is_heard(
    tiny_shipped: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for take in range(4):
        write_beat(tmp_path / "beat", f"1_anna_0_{take}_{take}", curves(12 * 60, 51, seed=take))
    write_beat(tmp_path / "beat", "2_ben_0_1_1", curves(12 * 60, 51, seed=9))
    captures, runs = tmp_path / "captures", tmp_path / "runs"
    assert main(["corpus", str(captures), "--beat", str(tmp_path / "beat")]) == 0
    capsys.readouterr()
    assert main(["train", "--captures", str(captures), "--runs", str(runs), *TINY]) == 2
    message = capsys.readouterr().err
    assert "2 are needed, each with 3 scenes" in message and "diffusiontalker enroll" in message
    assert "Hearing" not in message and not runs.exists()
