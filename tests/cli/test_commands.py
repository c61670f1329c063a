from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import soundfile

from diffusiontalker.bundle import open_bundle
from diffusiontalker.geometry import frame_count
from livetalker.cli.main import main
from livetalker.client.client import LiveTalkerClient
from livetalker.client.latency import LatencySummary
from livetalker.client.microphone import Microphone
from livetalker.client.sources import LostAudio
from livetalker.client.wire import Encoding
from livetalker.core.config import StreamConfig
from livetalker.engine.engine import Engine
from livetalker.media.face_files import read_take
from livetalker.v1 import face_animation_pb2 as pb
from tests.cli import fake_sounddevice
from tests.rpc.certificates import Authority
from tests.rpc.loopback import RATE, serving, serving_in_background
from tests.rpc.scripted_engine import ScriptedEngine, face


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    """A second of tone."""
    path = tmp_path / "speech.wav"
    soundfile.write(path, np.sin(np.arange(RATE) / 20) / 2, RATE)
    return path


def test_help_answers_without_loading_grpc_or_a_runtime() -> None:
    program = """
import sys
import threading
from livetalker.cli.main import main
try:
    main(["--help"])
finally:
    heavy = {"grpc", "onnxruntime", "numpy", "rich", "torch", "google"} & set(sys.modules)
    assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for command in ("serve", "stream", "mic", "bake", "bench", "info"):
        assert command in done.stdout


@pytest.mark.parametrize("command", ["serve", "stream", "mic", "bake", "bench", "info"])
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        main([command, "--help"])
    assert leaving.value.code == 0
    assert f"livetalker {command}" in capsys.readouterr().out


def test_stream_writes_the_face_it_received(speech: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "face.npz"
    engine = ScriptedEngine()
    with serving_in_background(engine) as address:
        options = ["--fast", "--fps", "60", "--preset", "low", "--seed", "5", "--identity", "bass=3,alto=1"]
        assert main(["stream", str(speech), "--address", address, "-o", str(out), *options]) == 0
    take = read_take(out)
    assert np.array_equal(take.frames, np.stack([face(n) for n in range(60)]))
    assert (take.fps, take.preset, take.seed, take.model, take.model_version) == (60, "low", 5, "scripted", "1.2.3")
    assert take.identity == "bass+alto"
    shown = capsys.readouterr()
    assert shown.out == f"60 frames\nwrote {out}\n"


def test_info_names_a_model_and_whom_it_knows(tiny_bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = open_bundle(tiny_bundle)
    assert main(["info", "--model", str(tiny_bundle)]) == 0
    shown, known = capsys.readouterr(), bundle.identities.names
    assert shown.err == f"{bundle.name} {bundle.version}, {bundle.steps} denoise steps, {len(known)} identities:\n"
    assert tuple(shown.out.splitlines()) == known
    with serving_in_background(ScriptedEngine()) as address:
        assert main(["info", "--address", address]) == 0
    shown = capsys.readouterr()
    assert (shown.err, shown.out) == ("scripted 1.2.3, 8 denoise steps, 3 identities:\n", "alto\nbass\ntenor\n")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_left_is_no_error_to_speak_of(unbuffered: str) -> None:
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "livetalker.cli.main", "info"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, env=environment, text=True, check=False)
    os.close(writing)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "identities:" in done.stderr


def test_stream_says_that_no_voice_chose_the_identity(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    soundfile.write(tmp_path / "click.wav", np.array([0.5]), RATE)
    with serving_in_background(ScriptedEngine()) as address:
        assert main(["stream", str(tmp_path / "click.wav"), "--address", address, "--fast"]) == 0
    assert capsys.readouterr().out == "1 frame\nno identity: no voice was heard, or less than a second of it\n"


def test_stream_at_microphone_pace_says_how_late_frames_were(speech: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving_in_background(ScriptedEngine()) as address:
        assert main(["stream", str(speech), "--address", address, "--no-meter"]) == 0
    assert capsys.readouterr().out.startswith("frame lateness over 30 frames: p50 ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["stream", "missing.wav"], "there is no file missing.wav"),
        (["stream", "{text}"], "is not a sound file"),
        (["stream", "{speech}", "-o", "face.txt"], "the name must end in .csv, .npz or .json"),
        (["stream", "{speech}", "--seed", "-1"], "-1 is out of range"),
        (["stream", "{speech}", "--identity", "bass=loud"], "'bass=loud' is not NAME=WEIGHT"),
        (["stream", "{speech}", "--identity", "bass=1,alto"], "'alto' is not NAME=WEIGHT"),
        (["stream", "{speech}", "--identity", "bass,alto"], "'bass' is not NAME=WEIGHT"),
        (["stream", "{speech}", "--identity", "bass=1,=1"], "'=1' is not NAME=WEIGHT"),
        (["stream", "{speech}", "--identity", ""], "--identity is empty"),
        (["stream", "{speech}", "--address", "127.0.0.1:bar"], "the port of the address 127.0.0.1:bar is no number"),
        (["stream", "{speech}", "--address", "127.0.0.1:99999"], "127.0.0.1:99999 is no number from 1 to 65535"),
        (["serve", "--host", "300.1.1.1"], "--host 300.1.1.1 is no address of this machine"),
        (["serve", "--host", "192.0.2.1", "--workers", "2"], "--host 192.0.2.1 is no address of this machine"),
        (["serve", "--backend", "cpu", "--device", "0"], "--backend cpu uses none; leave one of them out"),
        (["bake", "{speech}", "-o", "face.csv", "--device", "99"], "--device is 99, and this process sees "),
        (["stream", "{speech}", "--identity", "tenro", "--address", "{address}"], "did you mean 'tenor'"),
        (["stream", "{speech}", "--address", "127.0.0.1:1"], "is `livetalker serve` running there?"),
        (["stream", "{speech}", "--address", "127.0.0.1"], "an address is host:port, such as 127.0.0.1:50051"),
        (["serve", "--model", "{nowhere}"], "is no model bundle"),
        (["serve", "--model", "{text}"], "is no model bundle"),
        (["serve", "--max-streams", "0"], "give 1 or more"),
        (["serve", "--threads", "-2"], "give 1 or more"),
        (["serve", "--backend", "native", "--threads", "2"], "computes on one; more cores are 'serve --workers N'"),
        (["serve", "--device", "-1"], "give 0 or more"),
        (["bake", "{speech}", "-o", "face.csv", "--threads", "0"], "give 1 or more"),
        (["serve", "--backend", "cuda", "--device", "99"], "livetalker: "),
        (["serve", "--port", "65536"], "give 0 to 65535"),
        (["serve", "--grace", "nan"], "give a number of seconds"),
        (["serve", "--tls-cert", "{text}"], "--tls-cert needs --tls-key as well"),
        (["serve", "--tls-key", "{text}"], "--tls-key needs --tls-cert as well"),
        (["serve", "--tls-client-ca", "{text}"], "--tls-client-ca needs --tls-cert as well"),
        (["serve", "--tls-cert", "{text}", "--tls-key", "{nowhere}"], "nowhere cannot be read: No such file"),
        (["serve", "--tls-cert", "{text}", "--tls-key", "{text}"], "--tls-cert: {text} holds no PEM certificate"),
        (["serve", "--token-file", "{nowhere}"], "nowhere cannot be read: No such file"),
        (["serve", "--token-file", "{text}"], "can be guessed; give 16 or more"),
        (["serve", "--resume-key-file", "{nowhere}"], "nowhere cannot be read: No such file"),
        (["stream", "{speech}", "--tls-cert", "{text}"], "a client's certificate and its key go together"),
        (["stream", "{speech}", "--tls-ca", "{nowhere}"], "nowhere cannot be read: No such file"),
        (["stream", "{speech}", "--tls-ca", "{text}"], "{text} holds no PEM certificate of an authority"),
        (["stream", "{speech}", "--token-file", "{nowhere}"], "nowhere cannot be read: No such file"),
        (["bench", "--streams", "1", "--address", "{address}", "--token-file", "{nowhere}"], "nowhere cannot be read"),
        (["stream", "{speech}", "--tls", "--address", "{address}"], "does not speak TLS: leave --tls out"),
        (["info", "--model", "{nowhere}"], "nowhere is no model bundle"),
        (["info", "--tls", "--address", "{address}"], "does not speak TLS: leave --tls out"),
        (["info", "--token-file", "{nowhere}"], "are for a server; give its --address as well"),
        (["stream", "{speech}", "--address", "nowhere.invalid:50051"], "nobody knows the name in the address"),
    ],
)
def test_expected_errors_are_one_line_and_status_one(
    arguments: list[str], message: str, speech: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("these are words\n" * 100)
    with serving_in_background(ScriptedEngine()) as address:
        places = {"text": text, "speech": speech, "nowhere": tmp_path / "nowhere", "address": address}
        assert main([argument.format(**places) for argument in arguments]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("livetalker: ")
    assert message.format(**places) in shown.err
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize(
    ("host", "tls", "warned"), [("0.0.0.0", False, True), ("0.0.0.0", True, False), ("127.0.0.1", False, False)]
)
def test_tokens_in_plain_text_on_a_network_are_warned_of(
    host: str, tls: bool, warned: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("0123456789abcdef\n")
    options = ["serve", "--host", host, "--token-file", str(tokens), "--model", str(tmp_path)]
    if tls:
        files = Authority(tmp_path / "tls").server()
        options += ["--tls-cert", str(files.certificate), "--tls-key", str(files.key)]
    assert main(options) == 1  # the folder is no model
    assert ("tokens travel in plain text" in caplog.text) is warned
    assert "everybody who reaches" not in caplog.text


@pytest.mark.parametrize(("host", "warned"), [("0.0.0.0", True), ("127.0.0.1", False)])
def test_a_server_open_to_a_network_is_warned_of(
    host: str, warned: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert main(["serve", "--host", host, "--model", str(tmp_path)]) == 1  # the folder is no model
    assert ("everybody who reaches 0.0.0.0 may use this server" in caplog.text) is warned


@pytest.mark.parametrize("mutual", [False, True])
def test_a_secured_server_is_reached_with_certificate_and_token(
    mutual: bool,
    speech: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    authority = Authority(tmp_path / "tls")
    tokens = tmp_path / "tokens"
    tokens.write_text("# mine\n0123456789abcdef me\n")
    monkeypatch.delenv("LIVETALKER_TOKEN", raising=False)
    files, own = authority.server(mutual=mutual), authority.signed("client")
    with serving_in_background(ScriptedEngine(), tls=files, token_file=tokens) as address:
        stream = ["stream", str(speech), "--fast", "--address", address.replace("127.0.0.1", "localhost")]
        trusting = [*stream, "--tls-ca", str(authority.certificate)]
        if mutual:
            assert main(trusting) == 1
            assert "hung up at once: it may want TLS (--tls), or a certificate of ours" in capsys.readouterr().err
            trusting += ["--tls-cert", str(own.certificate), "--tls-key", str(own.key)]
        assert main([*trusting, "--token-file", str(tokens)]) == 0
        assert main(trusting) == 1
        assert "this server wants a token" in capsys.readouterr().err
        monkeypatch.setenv("LIVETALKER_TOKEN", "0123456789abcdef")
        assert main(trusting) == 0
        bench = ["bench", "--streams", "1", "--seconds", "0.5", "--address", address, *trusting[5:]]
        assert main(bench) == 0
        monkeypatch.setenv("LIVETALKER_TOKEN", "0123456789abcdeg")
        assert main(trusting) == 1
        assert "is not one of this server's" in capsys.readouterr().err
        assert main([*stream, "--tls"]) == 1
        assert "is signed by nobody we trust" in capsys.readouterr().err
        assert main(stream) == 1
        assert "hung up at once: it may want TLS" in capsys.readouterr().err


def test_a_port_in_use_is_an_expected_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Loaded(nullcontext[None], ScriptedEngine):
        """Enters and leaves like the engine."""

    monkeypatch.setattr(Engine, "load", lambda *_, **__: Loaded())
    with serving_in_background(ScriptedEngine()) as address:
        assert main(["serve", "--port", address.rpartition(":")[2]]) == 1
    assert "another program does already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("raise ModuleNotFoundError('sounddevice')", "pip install '.[mic]'"),
        ("raise OSError('PortAudio library not found')", "apt install libportaudio2"),
    ],
)
@pytest.mark.parametrize("arguments", [["mic"], ["mic", "--list-devices"]])
def test_mic_without_portaudio_says_what_to_install(
    module: str,
    message: str,
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "sounddevice.py").write_text(module)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    assert main(arguments) == 1
    assert message in capsys.readouterr().err


def test_mic_lists_devices_that_can_record(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", fake_sounddevice)
    assert main(["mic", "--list-devices"]) == 0
    assert capsys.readouterr().out == "  1  USB microphone (2 channels, 48000 Hz)\n"


def test_mic_names_the_device_it_cannot_use(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", fake_sounddevice)
    assert main(["mic", "--device", "7"]) == 1
    assert "the microphone '7' cannot be used" in capsys.readouterr().err


def test_mic_streams_until_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", fake_sounddevice)
    out = tmp_path / "face.npz"
    with serving_in_background(ScriptedEngine()) as address:
        assert main(["mic", "--device", "USB", "--address", address, "-o", str(out), "--no-meter"]) == 0
    assert len(read_take(out).frames) == 30
    assert "frame lateness over 30 frames" in capsys.readouterr().out


def test_stream_keeps_what_came_before_it_was_interrupted(tmp_path: Path) -> None:
    clip, out = tmp_path / "clip.wav", tmp_path / "face.npz"
    soundfile.write(clip, np.zeros(30 * 16000, np.float32), 16000)
    interrupt = threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT))
    with serving_in_background(ScriptedEngine()) as address:
        interrupt.start()
        assert main(["stream", str(clip), "--address", address, "-o", str(out), "--no-meter"]) == 0
    assert 0 < len(read_take(out).frames) < 30 * 30


def test_mic_that_does_not_start_is_an_expected_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: object) -> None:
        raise fake_sounddevice.PortAudioError("Error starting stream")

    monkeypatch.setitem(sys.modules, "sounddevice", fake_sounddevice)
    monkeypatch.setattr(fake_sounddevice.RawInputStream, "__enter__", refuse)
    with serving_in_background(ScriptedEngine()) as address:
        assert main(["mic", "--address", address, "--no-meter"]) == 1
    assert "the microphone cannot be opened (Error starting stream)" in capsys.readouterr().err


def test_a_second_interrupt_stops_the_mic_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = Microphone.stop

    def stop_and_interrupt_again(microphone: Microphone) -> None:
        stop(microphone)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setitem(sys.modules, "sounddevice", fake_sounddevice)
    monkeypatch.setattr(Microphone, "stop", stop_and_interrupt_again)
    with serving_in_background(ScriptedEngine(paused=True)) as address:  # the rest of the frames will never come
        assert main(["mic", "--address", address, "--no-meter"]) == 130


async def test_audio_the_mic_cannot_deliver_is_a_hole_of_its_length(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hasty(fake_sounddevice.RawInputStream):
        """Has recorded everything before anybody takes the first block."""

        def __enter__(self) -> Hasty:
            for number in range(1, 11):
                self._callback(bytes([number]) * len(self._block), len(self._block) // 2, None, None)
            asyncio.get_running_loop().call_soon(microphone.stop)
            return self

        def __exit__(self, *_: object) -> None:
            return

    monkeypatch.setattr(fake_sounddevice, "RawInputStream", Hasty)
    monkeypatch.setitem(sys.modules, "sounddevice", fake_sounddevice)
    monkeypatch.setattr("livetalker.client.microphone._QUEUE_BLOCKS", 4)
    microphone = Microphone()
    engine = ScriptedEngine(paused=True)
    events: list[pb.Event] = []
    async with serving(engine) as server, LiveTalkerClient(server.address) as client:
        config = StreamConfig(sample_rate=microphone.sample_rate)
        async with client.open(config, encoding=Encoding.S16LE, on_event=events.append) as stream:
            chunks = [chunk async for chunk in microphone.chunks()]
            assert chunks[-1] == LostAudio(6 * 960)
            await stream.send(chunks[0])
            await stream.send(LostAudio(500))
            await stream.send(chunks[1])
            await stream.send(LostAudio(700))
            engine.paused = False
            await stream.finish()
            frames = [frame async for frame in stream]
            assert stream.samples_sent == 2 * 960 + 1200
    assert len(frames) == frame_count(2 * 960 + 1200, config.fps, config.sample_rate)
    holes = [(event.gap.start_sample, event.gap.sample_count) for event in events if event.HasField("gap")]
    assert holes == [(960, 500), (960 + 500 + 960, 700)]


def test_percentiles_read_as_one_line() -> None:
    shown = str(LatencySummary(frames=3, p50=1.04, p95=2.0, p99=3.0, worst=4.06))
    assert shown == "frame lateness over 3 frames: p50 1.0 ms, p95 2.0 ms, p99 3.0 ms, worst 4.1 ms"
