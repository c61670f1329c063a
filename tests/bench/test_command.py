from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from diffusiontalker.arkit import INDEX
from diffusiontalker.bundle import BundleError, open_bundle
from livetalker.bench.speech import LOOP_SECONDS, synthetic_speech
from livetalker.cli.main import main
from livetalker.core.config import StreamConfig
from livetalker.engine.engine import Engine
from livetalker.engine.offline import animate_offline
from tests.rpc.loopback import serving_in_background
from tests.rpc.scripted_engine import ScriptedEngine

ANY_LATENESS = ["--p99", "1e9"]


def test_a_server_of_its_own_brings_every_frame(
    tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures_at, picture = tmp_path / "figures.json", tmp_path / "figures.png"
    options = ["--streams", "3", "--seconds", "2", "--fps", "60", "--preset", "low"]
    server = ["--backend", "cpu", "--threads", "1", "--model", str(tiny_bundle)]
    assert main(["bench", *options, *server, "--json", str(figures_at), "--plot", str(picture)]) == 0
    figures = json.loads(figures_at.read_text())
    assert figures["frames_expected"] == figures["frames_received"] == 3 * 2 * 60
    assert (figures["streams"], figures["streams_held"], figures["errors"]) == (3, 3, {})
    assert figures["frames_measured"] > 0
    assert figures["lateness_ms"]["p99"] > 0
    assert len(figures["first_frame_ms_by_stream"]) == 3
    assert figures["server_cpu_percent"] > 0 and figures["server_rss_mb"] > 10
    assert figures["model"] == "tiny 0"
    assert picture.read_bytes().startswith(b"\x89PNG")
    said = capsys.readouterr().out
    assert "3 streams, low, 60 fps, 2 s: 3 complete, 0 of 360 frames missing" in said
    assert ("-> held\n" if figures["lateness_ms"]["p99"] <= 60 else "-> not held (p99 ") in said


def test_a_file_is_repeated_at_its_own_rate(tmp_path: Path) -> None:
    speech, figures_at = tmp_path / "speech.wav", tmp_path / "figures.json"
    soundfile.write(speech, np.sin(np.arange(4410) / 20) / 2, 44_100)
    with serving_in_background(ScriptedEngine()) as address:
        options = ["--address", address, "--streams", "2", "--seconds", "0.5", "--audio", str(speech)]
        assert main(["bench", *options, "--json", str(figures_at)]) == 0
    figures = json.loads(figures_at.read_text())
    assert figures["frames_expected"] == figures["frames_received"] == 2 * 15
    assert (figures["sample_rate"], figures["server_cpu_percent"]) == (44_100, None)


def test_capacity_is_found_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures_at, picture = tmp_path / "figures.json", tmp_path / "figures.svg"
    with serving_in_background(ScriptedEngine()) as address:
        options = ["--address", address, "--find-capacity", "--streams", "1", "--most", "2", "--seconds", "0.4"]
        assert main(["bench", *options, *ANY_LATENESS, "--json", str(figures_at), "--plot", str(picture)]) == 0
    figures = json.loads(figures_at.read_text())
    assert (figures["streams"], figures["capacity"]["streams"], figures["capacity"]["bound"]) == (2, 2, "at least")
    assert [tried["held"] for tried in figures["capacity"]["tried"]] == [True, True]
    assert picture.exists()
    assert "at least 2 streams, the most that were to be tried" in capsys.readouterr().out


def test_a_server_that_admits_too_few_to_find_its_capacity_is_an_expected_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with serving_in_background(ScriptedEngine(max_streams=3)) as address:
        options = ["--address", address, "--find-capacity", "--streams", "2", "--seconds", "0.4"]
        assert main(["bench", *options, *ANY_LATENESS]) == 1
    error = capsys.readouterr().err
    assert "the server holds 3 streams and admits no more" in error
    assert error.count("\n") == 1


def test_streams_that_are_refused_are_counted_and_the_others_go_on(tmp_path: Path) -> None:
    figures_at = tmp_path / "figures.json"
    with serving_in_background(ScriptedEngine(max_streams=2)) as address:
        options = ["--address", address, "--streams", "3", "--seconds", "0.4", "--json", str(figures_at)]
        assert main(["bench", *options]) == 0
    figures = json.loads(figures_at.read_text())
    assert (figures["streams_held"], figures["refused"], figures["errors"]) == (2, 1, {"SERVER_FULL": 1})
    assert figures["frames_received"] == 2 * 12 and figures["frames_missing"] == 12


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--streams", "0"], "--streams is 0; give 1 or more"),
        (["--seconds", "nan"], "give more than 0"),
        (["--seconds", "2", "--warmup", "1.5"], "give 0 to half of --seconds"),
        (["--find-capacity", "--streams", "9", "--most", "8"], "ends at --most, 8"),
        (["--find-capacity", "--p99", "-1"], "give more than 0"),
        (["--address", "127.0.0.1:1"], "is `livetalker serve` running there?"),
        (["--address", "{full}"], "streams are taken"),
        (["--address", "{full}", "--identity", "tenro"], "did you mean 'tenor'"),
        (["--address", "{full}", "--threads", "2"], "have no effect with --address"),
        (["--audio", "missing.wav"], "there is no file missing.wav"),
        (["--audio", "missing.wav", "--sample-rate", "8000"], "is for synthetic voices"),
        (["--sample-rate", "5"], "5"),
        (["--model", "{folder}/nowhere"], "the server did not start: {folder}/nowhere is no model bundle"),
        (["--", "--no-such-option"], "the server did not start: "),
        (["--backend", "abacus"], "the server did not start: "),
        (["--plot", "{folder}/picture.txt"], "must end in .png"),
        (["--json", "{folder}"], "is not a file name"),
    ],
)
def test_expected_errors_are_one_line_and_status_one(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving_in_background(ScriptedEngine(max_streams=0)) as address:
        places = {"folder": tmp_path, "full": address}
        assert main(["bench", *(argument.format(**places) for argument in arguments)]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("livetalker: ")
    assert message.format(**places) in shown.err
    assert shown.err.count("\n") == 1


def test_missing_psutil_names_the_extra(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "psutil", None)
    assert main(["bench"]) == 1
    assert "pip install '.[bench]'" in capsys.readouterr().err


def test_help_names_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        main(["bench", "--help"])
    assert leaving.value.code == 0
    assert "--find-capacity" in capsys.readouterr().out


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_voices_differ_stay_within_full_scale_and_can_be_repeated(rate: int) -> None:
    voices = [synthetic_speech(seed, rate) for seed in range(3)]
    for voice in voices:
        assert len(voice) == LOOP_SECONDS * rate and np.isfinite(voice).all()
        assert 0.2 < np.abs(voice).max() <= 0.5
        assert not voice[: rate // 20].any() and not voice[-rate // 20 :].any()
    assert not np.array_equal(voices[0], voices[1])


@pytest.mark.parametrize("seed", [0, 5, 11])
def test_the_shipped_model_takes_the_voice_for_speech(seed: int) -> None:
    try:
        open_bundle(None)
    except BundleError as error:
        pytest.skip(f"no shipped model: {error}")
    engine = Engine.load(max_streams=1, threads=1)
    jaw = INDEX["jawOpen"]
    still = StreamConfig(blinks=False, idle=False)
    speaking = animate_offline(engine, synthetic_speech(seed, 16_000), still)[:, jaw]
    silent = animate_offline(engine, np.zeros(16_000, np.float32), still)[:, jaw]
    assert np.ptp(speaking) > 0.2
    assert np.ptp(speaking) > 10 * np.ptp(silent)
