"""Backends: the same frames whichever runs, nothing on another device than was asked for, and errors that help."""

from __future__ import annotations

import ctypes
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from diffusiontalker.bundle import ENCODER, FRAME, VOICE, Bundle, open_bundle, shipped_bundle
from diffusiontalker.geometry import SAMPLE_RATE
from livetalker.core.config import StreamConfig
from livetalker.engine.backend import BackendError
from livetalker.engine.backends import choose, providers
from livetalker.engine.backends.batches import bucket, padded
from livetalker.engine.backends.choose import open_backend
from livetalker.engine.backends.devices import CudaDevice, require_device, visible_devices
from livetalker.engine.backends.engine_cache import EngineKey, cache_folder, engine_key
from livetalker.engine.backends.onnx_backend import OnnxBackend, cpu_backend
from livetalker.engine.backends.runners import DeviceRunner
from livetalker.engine.engine import Engine
from livetalker.engine.offline import animate_offline
from livetalker.media.audio_files import read_audio

SINGLE = 1e-4
"""Largest difference of a coefficient between backends that compute in single precision."""
ON_GPU = 1e-3
"""... where one of them is a GPU, whose sums have another order."""
HALF = 5e-2
"""... where one of them multiplies in bfloat16."""
GPU = CudaDevice(0, "NVIDIA H100 80GB HBM3", "9.0", "12.8")
CLIP = Path(__file__).parents[2] / "demo" / "clip.flac"


def frames(bundle: Path, backend: str, audio: NDArray[np.float32], rate: int = SAMPLE_RATE) -> NDArray[np.float32]:
    engine = Engine.load(bundle, max_streams=1, threads=1, backend=backend)
    return animate_offline(engine, audio, StreamConfig(sample_rate=rate, seed=3))


@pytest.fixture(scope="module")
def hum() -> NDArray[np.float32]:
    time = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE
    tone = np.sign(np.sin(2 * np.pi * (120 + 20 * np.sin(4 * time)) * time)) * np.sin(5 * time).clip(0)
    return np.asarray(0.2 * tone, np.float32)


@pytest.fixture(scope="module")
def speech() -> tuple[NDArray[np.float32], int]:
    audio = read_audio(CLIP)
    return audio.samples[: 4 * audio.rate], audio.rate


# The same frames ----------------------------------------------------------------------------------------------------


def test_torch_is_the_reference_of_the_tiny_model(tiny_bundle: Path, hum: NDArray[np.float32]) -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    expected = frames(tiny_bundle, "torch", hum)
    assert np.ptp(expected, axis=0).max() > 0.1
    np.testing.assert_allclose(frames(tiny_bundle, "cpu", hum), expected, atol=SINGLE)


def test_torch_is_the_reference_of_the_shipped_model(speech: tuple[NDArray[np.float32], int]) -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    expected = frames(shipped_bundle(), "torch", *speech)
    assert np.ptp(expected, axis=0).max() > 0.3
    np.testing.assert_allclose(frames(shipped_bundle(), "cpu", *speech), expected, atol=SINGLE)


@pytest.mark.parametrize(
    ("backend", "tolerance"),
    [("cuda", ON_GPU), ("tensorrt", ON_GPU), ("torch-cuda", ON_GPU), ("torch-cuda-bf16", HALF)],
)
def test_a_gpu_gives_the_frames_of_the_cpu(
    backend: str, tolerance: float, speech: tuple[NDArray[np.float32], int]
) -> None:
    try:
        got = frames(shipped_bundle(), backend, *speech)
    except BackendError as error:
        if visible_devices():
            raise
        pytest.skip(f"no GPU here: {error}")
    np.testing.assert_allclose(got, frames(shipped_bundle(), "cpu", *speech), atol=tolerance)


def test_buffers_and_padding_change_nothing(tiny_bundle: Path) -> None:
    """The path of a GPU, its buffers in memory: batches that are padded, a shape seen twice, another in between."""
    bundle = open_bundle(tiny_bundle)
    plain = cpu_backend(bundle, 1)
    bound = OnnxBackend(
        {
            name: DeviceRunner(providers.cpu_session(bundle.graph(name), 1), "cpu", 0, cuda_graphs=False)
            for name in (ENCODER, VOICE, FRAME)
        },
        "through buffers",
    )
    rng = np.random.default_rng(0)
    sizes = bundle.encoder
    for batch, hop in ((3, 2), (1, 1), (3, 2), (5, 1), (4, 2)):
        samples = rng.standard_normal((batch, 320 * hop + 80)).astype(np.float32)
        positional = rng.standard_normal((batch, sizes["positional_kernel"] - 1, sizes["width"])).astype(np.float32)
        heads, size = sizes["heads"], sizes["width"] // sizes["heads"]
        past = {"positional": positional} | {
            f"{name}_{layer}": rng.standard_normal((batch, heads, *shape)).astype(np.float32)
            for name, shape in (("keys", (size, sizes["context"])), ("values", (sizes["context"], size)))
            for layer in range(sizes["layers"])
        }
        position = rng.integers(0, 50, batch)
        expected = plain.encode(samples, position, past)
        got = bound.encode(samples, position, past)
        np.testing.assert_allclose(bound.voice(samples), plain.voice(samples), rtol=1e-4, atol=1e-3)
        for name in ("features", "speech"):
            np.testing.assert_allclose(getattr(got, name), getattr(expected, name), atol=1e-5, err_msg=name)
        for ours, theirs in zip(got.fresh, expected.fresh, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_batches_grow_by_powers_of_two() -> None:
    assert [bucket(n) for n in (1, 2, 3, 4, 5, 64, 65)] == [1, 2, 4, 4, 8, 64, 128]
    rows = np.arange(6, dtype=np.float32).reshape(3, 2)
    assert padded(rows, 4).tolist() == [*rows.tolist(), [0, 0]]
    deep = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    wider = padded(deep, 5, axis=1)
    assert wider.shape == (2, 5, 4) and wider.flags.c_contiguous
    assert np.array_equal(wider[:, :3], deep) and not wider[:, 3:].any()


# Where it runs ------------------------------------------------------------------------------------------------------


class FakeSession:
    """What ONNX Runtime would give: fails to start where ``refuses`` says so, and reports where nodes are."""

    def __init__(self, got: str, placement: dict[str, list[str]], refuses: set[str]) -> None:
        self.got, self.placement, self.refuses = got, placement, refuses
        self.fallback = True
        self.asked: list[dict[str, Any]] = []

    def __call__(self, graph: str, options: Any, *, providers: Any, enable_fallback: int) -> FakeSession:
        strict = self._entry(options, "session.disable_cpu_ep_fallback")
        self.asked.append({"strict": strict, "providers": providers, "fallback": enable_fallback})
        if ("strict" if strict else "placed") in self.refuses:
            raise RuntimeError("[ONNXRuntimeError] : nodes are assigned to the CPU\nmore")
        return self

    @staticmethod
    def _entry(options: Any, key: str) -> bool:
        try:
            return bool(options.get_session_config_entry(key) == "1")
        except RuntimeError:
            return False

    def get_providers(self) -> list[str]:
        return [self.got, providers.CPU]

    def get_provider_graph_assignment_info(self) -> list[Any]:
        return [
            SimpleNamespace(
                ep_name=name, get_nodes=lambda kinds=kinds: [SimpleNamespace(op_type=kind) for kind in kinds]
            )
            for name, kinds in self.placement.items()
        ]

    def disable_fallback(self) -> None:
        self.fallback = False


@pytest.fixture
def built_with_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "available", lambda: [providers.CUDA, providers.CPU])


ASKED: providers.Providers = [(providers.CUDA, {"enable_cuda_graph": "1"})]


def test_a_session_may_not_fall_back(built_with_cuda: None) -> None:
    session = FakeSession(providers.CUDA, {}, refuses=set())
    assert providers.gpu_session(Path("encoder.onnx"), ASKED, session) is session
    assert session.asked == [{"strict": True, "providers": ASKED, "fallback": 0}] and not session.fallback


def test_a_session_on_the_cpu_is_refused(built_with_cuda: None) -> None:
    session = FakeSession(providers.CPU, {}, refuses=set())
    with pytest.raises(BackendError, match="CUDAExecutionProvider was asked for, but the session runs on CPU"):
        providers.gpu_session(Path("encoder.onnx"), ASKED, session)


def test_only_shapes_may_be_computed_on_the_cpu(built_with_cuda: None) -> None:
    where = {providers.CUDA: ["MatMul", "GRU"], providers.CPU: ["Shape", "Gather", "Concat"]}
    session = FakeSession(providers.CUDA, where, refuses={"strict"})
    assert providers.gpu_session(Path("encoder.onnx"), ASKED, session) is session
    assert [asked["strict"] for asked in session.asked] == [True, False]
    where[providers.CPU].append("GRU")
    with pytest.raises(BackendError, match="leaves GRU of denoiser_frame.onnx to the CPU"):
        providers.gpu_session(Path("denoiser_frame.onnx"), ASKED, session)


def test_a_provider_that_does_not_start_is_no_cpu_session(built_with_cuda: None) -> None:
    session = FakeSession(providers.CUDA, {}, refuses={"strict", "placed"})
    with pytest.raises(BackendError, match=r"^encoder.onnx does not start on the GPU: .* assigned to the CPU$"):
        providers.gpu_session(Path("encoder.onnx"), ASKED, session)


def test_placement_is_what_onnx_runtime_says(tiny_bundle: Path) -> None:
    """The real call, with everything on the CPU: matrix products are found there, shapes are not complained of."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    options.log_severity_level = 3
    graph = str(tiny_bundle / "denoiser_frame.onnx")
    session = onnxruntime.InferenceSession(graph, options, providers=[providers.CPU])
    if not hasattr(session, "get_provider_graph_assignment_info"):
        pytest.skip(f"ONNX Runtime {onnxruntime.__version__} does not tell where nodes are")
    placement = session.get_provider_graph_assignment_info()
    stray = providers.strays(placement, [providers.CUDA])
    assert {"Gemm", "Tanh"} <= set(stray) and "Shape" not in stray
    assert providers.strays(placement, [providers.CPU]) == []


def test_graphs_have_no_operator_that_gpus_lack(tiny_bundle: Path) -> None:
    import onnx

    for graph in ("encoder.onnx", "denoiser_frame.onnx"):
        kinds = {node.op_type for node in onnx.load(tiny_bundle / graph, load_external_data=False).graph.node}
        assert not {kind for kind in kinds if "Sequence" in kind or kind in ("If", "Loop", "Scan")}, graph


# Engines that are kept ----------------------------------------------------------------------------------------------


def test_an_engine_is_kept_for_just_what_it_was_built_for() -> None:
    key = engine_key(GPU, "1.24.0", "101300", "d" * 64)
    assert key == EngineKey(GPU.name, "9.0", "1.24.0", "101300", "12.8", "d" * 64)
    assert key.folder_name() == engine_key(GPU, "1.24.0", "101300", "d" * 64).folder_name()
    assert key.folder_name().startswith("nvidia-h100-80gb-hbm3-sm9-0-trt101300-")
    others = {replace(key, **{field: "other"}).folder_name() for field in EngineKey.__dataclass_fields__}
    assert len(others | {key.folder_name()}) == 1 + len(EngineKey.__dataclass_fields__)


def test_the_cache_goes_where_it_is_told() -> None:
    key = engine_key(GPU, "1", "2", "3")
    name = key.folder_name()
    assert cache_folder(key, {"LIVETALKER_CACHE": "c"}) == Path("c") / "tensorrt" / name
    assert cache_folder(key, {"XDG_CACHE_HOME": "x"}) == Path("x") / "livetalker" / "tensorrt" / name
    assert cache_folder(key, {}).parts[-4:-2] == (".cache", "livetalker")


def test_a_bundles_digest_is_of_its_contents(tiny_bundle: Path) -> None:
    assert open_bundle(tiny_bundle).digest == open_bundle(tiny_bundle).digest != open_bundle().digest


# Choosing -----------------------------------------------------------------------------------------------------------


class FakeDriver:
    """A driver library with one GPU."""

    def cuInit(self, _: int) -> int:
        return 0

    def cuDeviceGetCount(self, out: Any) -> int:
        out._obj.value = 1
        return 0

    def cuDriverGetVersion(self, out: Any) -> int:
        out._obj.value = 12080
        return 0

    def cuDeviceGet(self, out: Any, index: int) -> int:
        out._obj.value = index
        return 0

    def cuDeviceGetName(self, out: Any, size: int, _: Any) -> int:
        ctypes.memmove(out, b"NVIDIA H100 80GB HBM3\0", 22)
        return 0

    def cuDeviceGetAttribute(self, out: Any, attribute: int, _: Any) -> int:
        out._obj.value = {75: 9, 76: 0}[attribute]
        return 0


def test_the_driver_names_its_gpus() -> None:
    assert visible_devices(FakeDriver()) == [GPU]


@pytest.mark.parametrize(
    ("index", "devices", "environment", "message"),
    [
        (0, [], {}, "no NVIDIA GPU and driver"),
        (0, [], {"CUDA_VISIBLE_DEVICES": ""}, "CUDA_VISIBLE_DEVICES is empty"),
        (0, [], {"CUDA_VISIBLE_DEVICES": "-1"}, "CUDA_VISIBLE_DEVICES is -1"),
        (1, [GPU], {}, "no GPU 1: 1 visible"),
        (1, [GPU], {"CUDA_VISIBLE_DEVICES": "3"}, r"no GPU 1 \(after CUDA_VISIBLE_DEVICES=3\)"),
    ],
)
def test_a_gpu_that_is_not_there_is_named(
    index: int, devices: list[CudaDevice], environment: dict[str, str], message: str
) -> None:
    with pytest.raises(BackendError, match=message):
        require_device(index, devices, environment)


def test_an_unknown_backend_is_refused(tiny_bundle: Path) -> None:
    with pytest.raises(BackendError, match="no backend 'gpu': name one of auto, native, cpu, cpu-int8, cuda"):
        open_backend(open_bundle(tiny_bundle), "gpu")


@pytest.mark.parametrize(
    ("backend", "package", "advice"),
    [("torch", "torch", r"\.\[torch\]"), ("cpu", "onnxruntime", r"\.\[cpu\]")],
)
def test_a_missing_package_is_named(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch, backend: str, package: str, advice: str
) -> None:
    monkeypatch.setattr(choose, "find_spec", lambda name: None if name == package else object())
    with pytest.raises(BackendError, match=advice):
        open_backend(open_bundle(tiny_bundle), backend)


@pytest.mark.parametrize("backend", ["cuda", "tensorrt"])
def test_a_build_without_the_provider_is_named(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    monkeypatch.setattr(providers, "available", lambda: [providers.CPU])
    with pytest.raises(BackendError, match=r"built without \w+ExecutionProvider: .*\.\[gpu\]"):
        open_backend(open_bundle(tiny_bundle), backend)


@pytest.mark.parametrize(
    ("offered", "devices", "kernels", "int8", "chosen"),
    [
        ([providers.CPU], [GPU], False, False, "cpu"),
        ([providers.CUDA], [], False, False, "cpu"),
        ([providers.CUDA], [], False, True, "cpu-int8"),
        ([providers.CUDA], [], True, True, "native"),
        ([providers.CUDA], [GPU], True, True, "cuda"),
    ],
)
def test_auto_takes_the_best_there_is(
    tiny_bundle: Path,
    monkeypatch: pytest.MonkeyPatch,
    offered: list[str],
    devices: list[CudaDevice],
    kernels: bool,
    int8: bool,
    chosen: str,
) -> None:
    from livetalker.engine.backends import kernel_backend, onnx_backend

    def native(_: Bundle) -> str:
        if not kernels:
            raise BackendError("no compiled kernels")
        return "native"

    monkeypatch.setattr(providers, "available", lambda: offered)
    monkeypatch.setattr(choose, "visible_devices", lambda: devices)
    monkeypatch.setattr(choose, "require_device", lambda index: devices[index])
    monkeypatch.setattr(choose, "multiplies_int8", lambda: int8)
    for name, function in (("cpu", "cpu_backend"), ("cpu-int8", "int8_backend"), ("cuda", "cuda_backend")):
        monkeypatch.setattr(onnx_backend, function, lambda *arguments, name=name: name)
    monkeypatch.setattr(kernel_backend, "KernelBackend", native)
    opened: Any = choose._open_best(open_bundle(tiny_bundle), 0, None)
    assert opened == chosen
