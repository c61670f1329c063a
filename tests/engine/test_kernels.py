"""The compiled kernels: the same bits in whatever pieces and company, near the graphs in float32, and refusals."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from diffusiontalker import noise
from diffusiontalker.bundle import Bundle, open_bundle
from diffusiontalker.level import LevelState, normalize_level
from livetalker.engine.backend import BackendError
from livetalker.engine.backends import kernel_backend
from livetalker.engine.backends.kernel_backend import KernelBackend
from livetalker.engine.backends.onnx_backend import cpu_backend
from livetalker.engine.kernels import signals
from livetalker.engine.kernels.library import KernelLibrary, libraries
from livetalker.engine.rings import FloatRings, KernelRings
from livetalker.media.audio_files import read_audio

ROOT = Path(__file__).parents[2]
HOOK = ROOT / "service" / "kernels" / "build_hook.py"
INSTALLED = libraries()
pytestmark = pytest.mark.skipif(not INSTALLED, reason="no compiled kernels for this processor are installed")

Floats = NDArray[np.float32]


@pytest.fixture(scope="module", params=INSTALLED, ids=lambda library: library.instructions)
def backend(request: pytest.FixtureRequest) -> KernelBackend:
    library: KernelLibrary = request.param
    return KernelBackend(open_bundle(), library)


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


def test_a_model_of_other_sizes_is_refused(tiny_bundle: Path) -> None:
    with pytest.raises(BackendError, match=r"kernels cannot run .*use --backend cpu"):
        KernelBackend(open_bundle(tiny_bundle))


def test_without_libraries_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert libraries(tmp_path) == []
    monkeypatch.setattr(kernel_backend, "best_library", lambda: None)
    with pytest.raises(BackendError, match=r"C\+\+ compiler .*--backend cpu"):
        KernelBackend(open_bundle())


def test_a_file_that_is_no_library_is_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    name = f"libkernels-{INSTALLED[0].instructions}.so"
    (tmp_path / name).write_bytes(b"no library")
    assert libraries(tmp_path) == []
    assert f"{name} cannot be loaded" in caplog.text


@pytest.mark.parametrize(
    ("compiler", "said"), [("", "no C++ compiler was found"), ("false", "false failed: it said nothing")]
)
def test_a_compiler_that_is_missing_or_fails_is_named(tmp_path: Path, compiler: str, said: str) -> None:
    elsewhere = shutil.which("false")
    assert elsewhere
    environment = {"CXX": elsewhere if compiler else "", "PATH": str(tmp_path)}
    ran = subprocess.run([sys.executable, str(HOOK)], env=environment, capture_output=True, text=True)
    assert ran.returncode == 1
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr


def test_noise_is_that_of_training_but_for_the_last_digits() -> None:
    rng = np.random.default_rng(0)
    seeds = rng.integers(0, 2**63, 5).astype(np.uint64) * np.uint64(2) + np.uint64(1)
    frames = (rng.integers(0, 2**40, (5, 1)) + np.arange(20)).astype(np.uint64)
    for period in (1, 8):
        drawn = signals.face_noise(seeds, frames, period)
        np.testing.assert_allclose(drawn, noise.face_noise(seeds, frames, period), atol=2e-6)
        one = signals.face_noise(seeds[3:4], frames[3:4, 7:8], period)
        np.testing.assert_array_equal(one, drawn[3:4, 7:8])


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
