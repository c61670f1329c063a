"""A public HuBERT behind the engine: the features of its torch reference in any chunks, and no torch to serve it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from diffusiontalker.bundle import ENCODER, FRAME, Bundle, open_bundle
from diffusiontalker.encoder.rolling_hubert import RollingHubert
from diffusiontalker.enrollment.voice import EnrollmentError, VoiceListener
from diffusiontalker.export.bundle_reader import read_modules
from diffusiontalker.geometry import FEATURE_STRIDE, PRESETS, SAMPLE_RATE
from diffusiontalker.level import LevelState, normalize_level
from livetalker.core.config import StreamConfig
from livetalker.core.outputs import Finished, Frames, Output
from livetalker.engine.backend import Heard
from livetalker.engine.backends.onnx_backend import OnnxBackend
from livetalker.engine.backends.providers import cpu_session
from livetalker.engine.backends.runners import HostRunner
from livetalker.engine.engine import Engine
from livetalker.engine.offline import animate_offline
from livetalker.rpc.options import ServerOptions
from livetalker.rpc.responses import algorithmic_latency_us, model_info
from tests.engine.chunks import chunked
from tests.tiny_rolling import BASE, LARGE, tiny_rolling, write_rolling_bundle, write_tiny_hubert

TOLERANCE = 1e-4
FEATURES = 45
Audio = NDArray[np.float32]


@pytest.fixture(scope="module", params=["base", "large"])
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The base layout hears no future, the large one two features of it."""
    folder = tmp_path_factory.mktemp(request.param)
    layout, right = (BASE, 0) if request.param == "base" else (LARGE, 2)
    encoder = tiny_rolling(write_tiny_hubert(folder / "hubert", **layout), right=right)
    return open_bundle(write_rolling_bundle(folder / "bundle", encoder))


@pytest.fixture(scope="module")
def engine(bundle: Bundle) -> Engine:
    """Not started: the tests tick it."""
    return Engine.load(bundle.folder, max_streams=4, threads=1)


@pytest.fixture(scope="module")
def audio() -> Audio:
    rng = np.random.default_rng(0)
    count = FEATURE_STRIDE * FEATURES + 80
    return np.asarray(rng.standard_normal(count) * np.linspace(0.02, 0.3, count), np.float32)


@pytest.fixture(scope="module")
def reference(bundle: Bundle, audio: Audio) -> NDArray[np.float32]:
    """Features ``[T, W]`` by torch in one pass."""
    encoder = read_modules(bundle).encoder
    assert isinstance(encoder, RollingHubert)
    # The silence that a stream's end is filled with is heard after level normalisation, as the stream's is.
    filled = np.concatenate([audio, np.zeros(FEATURE_STRIDE * 20, np.float32)])[None]
    normalized, _ = normalize_level(filled, LevelState.initial(1))
    with torch.no_grad():
        return np.asarray(encoder(torch.from_numpy(normalized))[0][0].numpy(), np.float32)


class Ear(OnnxBackend):
    """Keeps the features that an engine's only stream is given."""

    def __init__(self, bundle: Bundle) -> None:
        runners = {name: HostRunner(cpu_session(bundle.graph(name), 1)) for name in (ENCODER, FRAME)}
        super().__init__(runners, "an ear")
        self.features: list[NDArray[np.float32]] = []

    def hear(self, windows: NDArray[np.float32]) -> Heard:
        heard = super().hear(windows)
        self.features.append(heard.features[0])
        return heard


@pytest.fixture(scope="module")
def ear(bundle: Bundle) -> Ear:
    return Ear(bundle)


@pytest.fixture(scope="module")
def listening(bundle: Bundle, ear: Ear) -> Engine:
    """An engine on that ear."""
    return Engine(bundle, ear, max_streams=1)


@given(sizes=st.lists(st.integers(40, 9000), min_size=1, max_size=5))
@settings(max_examples=8, deadline=None)
def test_any_chunking_gives_the_reference_features(
    listening: Engine, ear: Ear, audio: Audio, reference: NDArray[np.float32], sizes: list[int]
) -> None:
    ear.features.clear()
    streamed = chunked(listening, audio, StreamConfig(preset="quality"), sizes)
    assert isinstance(streamed.outputs[-1], Finished)
    heard = np.concatenate(ear.features)
    assert len(heard) >= FEATURES
    np.testing.assert_allclose(heard, reference[: len(heard)], atol=TOLERANCE)


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_frames_are_those_of_torch_in_any_chunks(bundle: Bundle, engine: Engine, audio: Audio, preset: str) -> None:
    config = StreamConfig(preset=preset, seed=4)
    expected = animate_offline(Engine.load(bundle.folder, max_streams=1, threads=1, backend="torch"), audio, config)
    assert np.ptp(expected, axis=0).max() > 0.1
    np.testing.assert_allclose(animate_offline(engine, audio, config), expected, atol=TOLERANCE)
    np.testing.assert_allclose(chunked(engine, audio, config, [333, 4000, 1]).faces, expected, atol=TOLERANCE)


def test_neighbours_of_other_ages_change_nothing(engine: Engine, audio: Audio) -> None:
    alone = animate_offline(engine, audio, StreamConfig(seed=1))
    outputs: list[list[Output]] = [[], [], []]
    streams = [engine.open(StreamConfig(seed=1), sink.append) for sink in outputs]
    for start in range(0, 2 * len(audio), 1600):
        for i, stream in enumerate(streams):
            begin = start - 2400 * i
            if 0 <= begin < len(audio):
                stream.push(audio[begin : begin + 1600])
        engine.tick()
    for stream in streams:
        stream.finish()
    while engine.tick():
        pass
    # The later ones began in the middle of a push; the first is whole.
    first = np.concatenate([output.values for output in outputs[0] if isinstance(output, Frames)])
    np.testing.assert_allclose(first, alone, atol=TOLERANCE)
    assert engine.open_streams == 0
    np.testing.assert_allclose(animate_offline(engine, audio, StreamConfig(seed=1)), alone, atol=TOLERANCE)


def test_after_a_flush_windows_begin_anew(engine: Engine, audio: Audio) -> None:
    outputs: list[Output] = []
    stream = engine.open(StreamConfig(preset="low"), outputs.append)
    stream.push(audio[:7000])
    engine.tick()
    stream.flush()
    stream.push(audio)
    stream.finish()
    while engine.tick():
        pass
    assert isinstance(outputs[-1], Finished)
    assert outputs[-1].frames == -(-(7000 + len(audio)) * 30 // SAMPLE_RATE)


def test_the_delay_is_part_of_the_latency(bundle: Bundle, engine: Engine) -> None:
    right = bundle.encoder["right"]
    assert bundle.encoder_delay == engine.info.encoder_delay == (3 + right) * FEATURE_STRIDE
    config = StreamConfig(preset="balanced")
    added = algorithmic_latency_us(config, engine.info.encoder_delay) - algorithmic_latency_us(config)
    assert added == (3 + right) * 20_000
    offered = model_info(engine.info, ServerOptions()).latency_presets
    assert min(preset.algorithmic_latency_us for preset in offered) == 40_000 + (3 + right) * 20_000


def test_it_is_served_without_torch(bundle: Bundle) -> None:
    program = (
        "import sys; sys.modules['torch'] = sys.modules['transformers'] = None\n"
        "from pathlib import Path\nimport numpy as np\n"
        "from livetalker.engine.engine import Engine\nfrom livetalker.engine.offline import animate_offline\n"
        "from livetalker.core.config import StreamConfig\n"
        "engine = Engine.load(Path(sys.argv[1]), max_streams=1, threads=1)\n"
        "print(animate_offline(engine, np.ones(16000, np.float32), StreamConfig()).shape)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(bundle.folder)], capture_output=True, text=True)
    assert done.stdout.strip() == "(30, 52)", done.stderr


def test_nobody_is_enrolled_by_voice(bundle: Bundle) -> None:
    with pytest.raises(EnrollmentError, match="hears with a public HuBERT"):
        VoiceListener(bundle)


def test_its_graph_has_no_operator_that_gpus_lack(bundle: Bundle) -> None:
    kinds = {node.op_type for node in onnx.load(bundle.graph(ENCODER), load_external_data=False).graph.node}
    assert not {kind for kind in kinds if "Sequence" in kind or kind in ("If", "Loop", "Scan")}


def test_a_bundle_names_no_machine(bundle: Bundle) -> None:
    assert bundle.encoder_kind == "rolling" and bundle.encoder["checkpoint"] == "hubert"
    assert str(bundle.folder.parent) not in (bundle.folder / "model.json").read_text()
