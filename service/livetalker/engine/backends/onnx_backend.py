"""A bundle's ONNX graphs on ONNX Runtime: on the CPU, with CUDA, or with TensorRT."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import onnxruntime

from diffusiontalker.bundle import Bundle
from livetalker.engine.backend import BackendError, EncoderResult, Floats, Heard, Integers
from livetalker.engine.backends.batches import cpu_threads
from livetalker.engine.backends.devices import CudaDevice
from livetalker.engine.backends.engine_cache import engine_key, make_cache_folder, tensorrt_version
from livetalker.engine.backends.providers import (
    CUDA,
    TENSORRT,
    Providers,
    cpu_session,
    cuda_options,
    gpu_session,
    require_provider,
    tensorrt_options,
)
from livetalker.engine.backends.runners import Array, DeviceRunner, HostRunner, Runner

log = logging.getLogger(__name__)


class OnnxBackend:
    """Both graphs of a bundle, each behind a runner.

    Args:
        encoder: runs the encoder's graph.
        denoiser: runs the denoiser's.
        description: see ``Backend``.
    """

    def __init__(self, encoder: Runner, denoiser: Runner, description: str) -> None:
        self._encoder = encoder
        self._denoiser = denoiser
        self._description = description

    @property
    def description(self) -> str:
        """See ``Backend``."""
        return self._description

    def encode(self, samples: Floats, positional: Floats, ring: Floats, position: Integers) -> EncoderResult:
        """See ``Backend``."""
        inputs: dict[str, Array] = {"samples": samples, "positional": positional, "ring": ring, "position": position}
        return EncoderResult(*self._encoder(inputs))

    def hear(self, windows: Floats) -> Heard:
        """See ``Backend``."""
        return Heard(*self._encoder({"windows": windows}))

    def denoise(
        self, audio: Floats, identity: Floats, preset: Integers, noise: Floats, hidden: Floats
    ) -> tuple[Floats, Floats]:
        """See ``Backend``."""
        inputs: dict[str, Array] = {
            "audio": audio,
            "identity": identity,
            "preset": preset,
            "noise": noise,
            "hidden": hidden,
        }
        curves, state = self._denoiser(inputs)
        return curves, state


def cpu_backend(bundle: Bundle, threads: int | None = None) -> OnnxBackend:
    """On the CPU.

    Args:
        bundle: whose graphs to load.
        threads: for one operator; see ``cpu_threads``.
    """
    encoder, denoiser = (
        HostRunner(cpu_session(graph, threads)) for graph in (bundle.encoder_graph, bundle.denoiser_graph)
    )
    count = cpu_threads(threads)
    unit = "thread" if count == 1 else "threads"
    return OnnxBackend(encoder, denoiser, f"ONNX Runtime {onnxruntime.__version__} on the CPU, {count} {unit}")


def cuda_backend(bundle: Bundle, device: CudaDevice) -> OnnxBackend:
    """With the CUDA provider on a GPU, in CUDA graphs where the bundle's graphs can be captured.

    Raises:
        BackendError: this ONNX Runtime has no CUDA, or CUDA does not start.
    """
    encoder, denoiser = (_cuda_runner(graph, device) for graph in (bundle.encoder_graph, bundle.denoiser_graph))
    return OnnxBackend(encoder, denoiser, _description(CUDA, device, [encoder, denoiser]))


def tensorrt_backend(bundle: Bundle, device: CudaDevice) -> OnnxBackend:
    """With the TensorRT provider on a GPU, and CUDA for what TensorRT has no kernel for.

    Engines are built when a shape is first seen, which takes minutes, and kept; see ``engine_cache``.

    Raises:
        BackendError: this ONNX Runtime has no TensorRT, its libraries are missing, or it does not start.
    """
    require_provider(TENSORRT)
    cache = make_cache_folder(engine_key(device, onnxruntime.__version__, tensorrt_version(), bundle.digest))
    providers: Providers = [
        (TENSORRT, tensorrt_options(device.index, cache)),
        (CUDA, cuda_options(device.index, cuda_graphs=False)),
    ]
    encoder, denoiser = (
        DeviceRunner(gpu_session(graph, providers), "cuda", device.index, cuda_graphs=False)
        for graph in (bundle.encoder_graph, bundle.denoiser_graph)
    )
    return OnnxBackend(encoder, denoiser, _description(TENSORRT, device, [encoder, denoiser]))


def _cuda_runner(graph: Path, device: CudaDevice) -> DeviceRunner:
    """A runner that captures CUDA graphs, or one that does not where the graph cannot be captured."""
    try:
        session = gpu_session(graph, [(CUDA, cuda_options(device.index, cuda_graphs=True))])
        return DeviceRunner(session, "cuda", device.index, cuda_graphs=True)
    except BackendError as error:
        log.info("%s is not captured as a CUDA graph: %s", graph.name, error)
    session = gpu_session(graph, [(CUDA, cuda_options(device.index, cuda_graphs=False))])
    return DeviceRunner(session, "cuda", device.index, cuda_graphs=False)


def _description(provider: str, device: CudaDevice, runners: Sequence[DeviceRunner]) -> str:
    captured = sum(runner.cuda_graphs for runner in runners)
    how = f"{captured} of {len(runners)} networks in CUDA graphs"
    name = provider.removesuffix("ExecutionProvider")
    return f"ONNX Runtime {onnxruntime.__version__} with {name} on GPU {device.index}, {device.name}, {how}"
