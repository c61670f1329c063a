"""The compiled kernels: the same bits in whatever pieces and company, near the graphs in float32, and refusals."""

from __future__ import annotations

import importlib.util
import re
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from diffusiontalker import geometry, level, noise
from diffusiontalker.bundle import Bundle, open_bundle
from diffusiontalker.encoder import filterbank
from diffusiontalker.export import int8_layers, numerics
from diffusiontalker.export.layers import EPSILON
from diffusiontalker.level import LevelState, normalize_level
from livetalker.engine.backend import BackendError
from livetalker.engine.backends import kernel_backend
from livetalker.engine.backends.kernel_backend import KernelBackend
from livetalker.engine.backends.onnx_backend import cpu_backend
from livetalker.engine.kernels import library, signals
from livetalker.engine.kernels.library import KernelLibrary, libraries
from livetalker.engine.rings import FloatRings, KernelRings
from livetalker.media.audio_files import read_audio

ROOT = Path(__file__).parents[2]
HOOK = ROOT / "service" / "kernels" / "build_hook.py"
INSTALLED = libraries()
compiled = pytest.mark.skipif(not INSTALLED, reason="no compiled kernels for this processor are installed")

Floats = NDArray[np.float32]


@pytest.fixture(scope="module", params=INSTALLED, ids=lambda one: one.instructions)
def backend(request: pytest.FixtureRequest) -> KernelBackend:
    one: KernelLibrary = request.param
    return KernelBackend(open_bundle(), one)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return open_bundle()


@pytest.fixture(scope="module")
def heard() -> Floats:
    """Three seconds of the demo's clip at the encoder's level, ``[1, 320 h + 80]``."""
    clip = read_audio(ROOT / "demo" / "clip.flac")
    assert clip.rate == 16_000
    samples, _ = normalize_level(clip.samples[None, : 3 * clip.rate + 80], LevelState.initial(1))
    return samples


def listen(backend: KernelBackend, rings: KernelRings, row: int, heard: Floats, pieces: list[int]) -> Floats:
    """Features of a stream that comes in pieces of so many features."""
    made, position = [], 0
    for piece in pieces:
        samples = heard[:, 320 * position : 320 * (position + piece) + 80]
        result = backend.encode(samples, np.array([position]), rings.past(np.array([row])))
        made.append(result.features[0])
        position += piece
    return np.concatenate(made)


def test_pieces_and_rows_change_no_bit(backend: KernelBackend, bundle: Bundle, heard: Floats) -> None:
    whole = listen(backend, KernelRings(bundle, 1), 0, heard, [150])
    rings = KernelRings(bundle, 4)
    # A block of rows of every length, and tiles that end anywhere.
    for row, pieces in ((2, [1] * 150), (0, [2, 1, 2] * 30), (1, [3, 97, 50]), (3, [*range(1, 17), 14])):
        np.testing.assert_array_equal(listen(backend, rings, row, heard, pieces), whole)


def test_a_stream_among_others_keeps_its_bits(backend: KernelBackend, bundle: Bundle, heard: Floats) -> None:
    whole = listen(backend, KernelRings(bundle, 1), 0, heard, [150])
    rings, streams = KernelRings(bundle, 20), 17
    rows = np.random.default_rng(0).permutation(20)[:streams]
    # Each stream begins at a time of its own, so that no two say the same.
    made = []
    for start in range(0, 30, 2):
        samples = np.stack([np.roll(heard[0], 1600 * i)[320 * start : 320 * start + 720] for i in range(streams)])
        samples[5] = heard[0, 320 * start : 320 * start + 720]
        made.append(backend.encode(samples, np.full(streams, start), rings.past(rows)).features[5])
    np.testing.assert_array_equal(np.concatenate(made), whole[:30])


def test_a_row_that_is_cleared_remembers_nothing(backend: KernelBackend, bundle: Bundle, heard: Floats) -> None:
    fresh = listen(backend, KernelRings(bundle, 1), 0, heard[:, ::-1], [40])
    rings = KernelRings(bundle, 2)
    listen(backend, rings, 1, heard, [100])
    rings.clear(1)
    np.testing.assert_array_equal(listen(backend, rings, 1, heard[:, ::-1], [40]), fresh)


def test_features_and_speech_are_near_those_in_float32(backend: KernelBackend, bundle: Bundle, heard: Floats) -> None:
    floats, rows = FloatRings(bundle, 1), np.array([0])
    exact = cpu_backend(bundle, 1).encode(heard, np.array([0]), floats.past(rows))
    rounded = backend.encode(heard, np.array([0]), KernelRings(bundle, 1).past(rows))
    assert np.sqrt(np.square(exact.features).mean()) > 0.5
    assert np.sqrt(np.square(rounded.features - exact.features).mean()) < 0.05
    assert np.abs(rounded.speech - exact.speech).max() < 0.1
    assert exact.speech.max() - exact.speech.min() > 0.9


def test_frames_are_near_those_in_float32_and_the_same_in_any_run(backend: KernelBackend, bundle: Bundle) -> None:
    rng = np.random.default_rng(0)
    streams, frames, sizes = 3, 20, bundle.denoiser
    audio = rng.standard_normal((streams, frames, 2 * sizes["feature_width"])).astype(np.float32)
    identity = bundle.identities.embeddings[rng.integers(0, 9, (streams, frames))]
    preset, noise = np.array([0, 1, 2]), rng.standard_normal((streams, frames, 52)).astype(np.float32)
    before = np.zeros((bundle.steps, sizes["layers"], streams, sizes["hidden"]), np.float32)
    exact, _ = cpu_backend(bundle, 1).denoise(audio, identity, preset, noise, before)
    curves, after = backend.denoise(audio, identity, preset, noise, before)
    assert np.ptp(exact, axis=1).max() > 0.2
    assert np.sqrt(np.square(curves - exact).mean()) < 0.01
    assert not before.any()
    for company in range(1, 15):
        again = np.arange(company) % streams
        faces, _ = backend.denoise(
            audio[again, :2], identity[again, :2], preset[again], noise[again, :2], before[:, :, again]
        )
        np.testing.assert_array_equal(faces, curves[again, :2])
    one_by_one, state = [], before
    for frame in range(frames):
        one = slice(frame, frame + 1)
        faces, state = backend.denoise(audio[:, one], identity[:, one], preset, noise[:, one], state)
        one_by_one.append(faces)
    np.testing.assert_array_equal(np.concatenate(one_by_one, axis=1), curves)
    np.testing.assert_array_equal(state, after)


@compiled
def test_a_model_of_other_sizes_is_refused(tiny_bundle: Path) -> None:
    with pytest.raises(BackendError, match=r"kernels cannot run .*positional.* has another shape.*--backend cpu"):
        KernelBackend(open_bundle(tiny_bundle))


@compiled
@pytest.mark.parametrize(
    ("part", "size", "value", "said"),
    [
        ("encoder", "layers", 5, "more layers than it says"),
        ("encoder", "layers", 7, r"the bundle has no encoder\.layers\.6"),
        ("encoder", "positional_kernel", 30, r"encoder\.positional\.weight has another shape"),
        ("denoiser", "hidden", 128, "another shape"),
    ],
)
def test_metadata_that_do_not_fit_the_weights_are_refused(
    bundle: Bundle, part: str, size: str, value: int, said: str
) -> None:
    changed: dict[str, Any] = {part: {**getattr(bundle, part), size: value}}
    with pytest.raises(BackendError, match=said):
        KernelBackend(replace(bundle, **changed))


def test_without_libraries_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert libraries(tmp_path) == []
    monkeypatch.setattr(kernel_backend, "best_library", lambda: None)
    with pytest.raises(BackendError, match=r"C\+\+ compiler .*--backend cpu"):
        KernelBackend(open_bundle())


def test_a_file_that_is_no_library_is_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    name = f"libkernels-{library.PREFERENCE[-1]}.so"
    (tmp_path / name).write_bytes(b"no library")
    assert libraries(tmp_path) == []
    assert f"{name} is not used" in caplog.text


@compiled
def test_a_library_of_another_release_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(library, "INTERFACE", library.INTERFACE + 1)
    assert libraries() == []
    assert "another release's sources: install LiveTalker again" in caplog.text


def test_the_kernels_round_as_the_models_export_does() -> None:
    """Constants that C++ and Python both have, each under a name of its own."""
    headers = "".join(path.read_text("utf-8") for path in HOOK.parent.glob("*.h"))
    pairs = re.findall(r"\b(k[A-Z]\w*) = ([-+.\de]+)f?(?=[,;])", headers)
    for name, value in {
        "kNormalised": int8_layers._NORMALISED,
        "kAttended": int8_layers._ATTENDED,
        "kGeluZero": int8_layers._GELU_ZERO,
        "kMiddle": numerics.MIDDLE,
        "kLevels": numerics.LEVELS,
        "kEpsilon": EPSILON,
        "kFloor": filterbank.LOG_FLOOR,
        "kMean": filterbank.LOG_MEAN,
        "kScale": filterbank.LOG_SCALE,
        "kShortWindows": filterbank.SHORT_WINDOWS,
        "kStride": geometry.FEATURE_STRIDE,
        "kOverlap": geometry.FEATURE_OVERLAP,
        "kBlock": level.BLOCK,
        "kAveraged": level.AVERAGED_BLOCKS,
        "kTiny": level._TINY,
    }.items():
        found = [float(said) for one, said in pairs if one == name]
        assert found and set(found) == {value}, name


def fake_compiler(tmp_path: Path) -> str:
    """Writes whatever it is asked for, but for the last instruction set."""
    script = tmp_path / "compiler.py"
    script.write_text(
        "import pathlib, sys\n"
        f"if any({library.PREFERENCE[0].upper()!r} in word for word in sys.argv): sys.exit('cannot do that')\n"
        "pathlib.Path(sys.argv[sys.argv.index('-o') + 1]).write_text('made')\n"
    )
    return f"{sys.executable} {script}"


def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_hook", HOOK)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_one_instruction_set_that_fails_leaves_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build = hook()
    monkeypatch.setattr(build.platform, "machine", lambda: "x86_64")
    monkeypatch.setenv("CXX", fake_compiler(tmp_path))
    (tmp_path / "libkernels-stale.so").write_text("of before")
    made, failures = build.compile_kernels(tmp_path)
    assert [path.name for path in made] == ["libkernels-avx2.so"]
    assert [path.name for path in tmp_path.glob("libkernels*")] == ["libkernels-avx2.so"]
    assert len(failures) == 1 and failures[0].startswith("avx512vnni: ") and "cannot do that" in failures[0]


def test_a_missing_compiler_is_said_and_nothing_stale_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "libkernels-avx2.so").write_text("of before")
    made, failures = hook().compile_kernels(tmp_path)
    assert not made and not list(tmp_path.glob("libkernels*"))
    assert "no C++ compiler was found" in failures[0]


@compiled
def test_noise_is_that_of_training_but_for_the_last_digits() -> None:
    rng = np.random.default_rng(0)
    seeds = rng.integers(0, 2**63, 5).astype(np.uint64) * np.uint64(2) + np.uint64(1)
    frames = (rng.integers(0, 2**40, (5, 1)) + np.arange(20)).astype(np.uint64)
    for period in (1, 8):
        drawn = signals.face_noise(seeds, frames, period)
        np.testing.assert_allclose(drawn, noise.face_noise(seeds, frames, period), atol=2e-6)
        one = signals.face_noise(seeds[3:4], frames[3:4, 7:8], period)
        np.testing.assert_array_equal(one, drawn[3:4, 7:8])


@compiled
def test_levels_are_those_of_training_but_for_the_last_digits_in_any_pieces(heard: Floats) -> None:
    samples = np.stack([heard[0, :16_000], 1e-3 * heard[0, 8_000:24_000], np.zeros(16_000, np.float32)])
    expected, after = normalize_level(samples, LevelState.initial(3))
    pieces, state = [], LevelState.initial(3)
    for start, end in ((0, 80), (80, 1_200), (1_200, 16_000)):
        piece, state = signals.normalize_level(samples[:, start:end], state)
        pieces.append(piece)
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(state.held, after.held, atol=1e-9)
    whole, _ = signals.normalize_level(samples, LevelState.initial(3))
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), whole)
    assert np.abs(expected).max() > 1


@compiled
def test_long_silence_leaves_nothing_in_the_filter() -> None:
    """Else it would linger where numbers are too small for processors to be fast."""
    rng = np.random.default_rng(0)
    _, state = signals.normalize_level(rng.standard_normal((1, 16_000)).astype(np.float32), LevelState.initial(1))
    assert state.low_cut.any()
    _, state = signals.normalize_level(np.zeros((1, 5 * 16_000), np.float32), state)
    assert not state.low_cut.any()


def test_without_libraries_noise_and_level_are_those_of_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "best_library", lambda: None)
    seeds, frames = np.array([3], np.uint64), np.arange(5, dtype=np.uint64)[None]
    np.testing.assert_array_equal(signals.face_noise(seeds, frames, 8), noise.face_noise(seeds, frames, 8))
    samples = np.random.default_rng(0).standard_normal((2, 800)).astype(np.float32)
    got, _ = signals.normalize_level(samples, LevelState.initial(2))
    np.testing.assert_array_equal(got, normalize_level(samples, LevelState.initial(2))[0])
