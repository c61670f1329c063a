"""A bundle's ONNX graphs on ONNX Runtime: on the CPU, with CUDA, or with TensorRT."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime

from diffusiontalker.bundle import ENCODER, ENCODER_INT8, FRAME, FRAME_INT8, RUN, VOICE, Bundle
from diffusiontalker.geometry import FEATURE_STRIDE
from livetalker.engine.backend import Array, BackendError, EncoderResult, Floats, Heard, Integers, Past
from livetalker.engine.backends.batches import cpu_threads, padded
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
from livetalker.engine.backends.runners import DeviceRunner, HostRunner, Runner

log = logging.getLogger(__name__)

LONG_RUN: Final = 6
"""Frames of a stream from which on the wavefront pays."""
LEAST: Final = 2
"""Rows of a batch in 8 bits, so that a stream alone is computed as among others: ONNX Runtime has kernels of its own
for products of a single row, which sum in another order."""


class OnnxBackend:
    """A bundle's graphs, each behind a runner.

    Attributes:
        description: see ``Backend``.
        past: likewise.
        frame_by_frame: likewise.

    Args:
        runners: of the graphs by their names in the bundle; those that are missing are not asked for.
        description: the attribute.
        int8: whether the graphs are those in 8-bit integers.
    """

    def __init__(self, runners: Mapping[str, Runner], description: str, *, int8: bool = False) -> None:
        self._runners = runners
        self.description = description
        self._int8 = int8
        self.past = Past.BYTES if int8 else Past.FLOATS
        self.frame_by_frame = int8

    def encode(self, samples: Floats, position: Integers, past: Mapping[str, Array]) -> EncoderResult:
        """See ``Backend``."""
        if not self._int8:
            features, speech, *fresh = self._runners[ENCODER]({"samples": samples, "position": position, **past})
            return EncoderResult(features, speech, fresh)
        batch = len(samples)
        full = max(batch, LEAST)
        rows: dict[str, Array] = {"samples": samples, "position": position, "rows": past["rows"]}
        inputs: dict[str, Array] = {**past, **{name: padded(x, full) for name, x in rows.items()}}
        features, speech, *fresh = self._runners[ENCODER_INT8[samples.shape[1] // FEATURE_STRIDE]](inputs)
        # What is remembered has streams on its second axis.
        return EncoderResult(features[:batch], speech[:batch], [x[:, :batch] for x in fresh])

    def voice(self, samples: Floats) -> Floats:
        """See ``Backend``."""
        return self._runners[VOICE]({"samples": samples})[0]

    def hear(self, windows: Floats) -> Heard:
        """See ``Backend``."""
        return Heard(*self._runners[ENCODER]({"windows": windows}))

    def denoise(
        self, audio: Floats, identity: Floats, preset: Integers, noise: Floats, hidden: Floats
    ) -> tuple[Floats, Floats]:
        """See ``Backend``."""
        batch, frames = audio.shape[:2]
        if self._int8:  # states come and go as they are kept
            full = max(batch, LEAST)
            audio, identity, preset, noise = (padded(x, full) for x in (audio, identity, preset, noise))
            curves, state = self._frames(audio, identity, preset, noise, padded(hidden, full, axis=2))
            return curves[:batch], state[:, :, :batch]
        state = hidden.transpose(2, 0, 1, 3)  # rows of a batch are padded on their first axis
        if frames >= LONG_RUN and RUN in self._runners:
            whole: dict[str, Array] = {"audio": audio, "identity": identity, "preset": preset, "noise": noise}
            curves, state = self._runners[RUN]({**whole, "hidden": state})
        else:
            curves, state = self._frames(audio, identity, preset, noise, state)
        return curves, state.transpose(1, 2, 0, 3)

    def _frames(
        self, audio: Floats, identity: Floats, preset: Integers, noise: Floats, state: Floats
    ) -> tuple[Floats, Floats]:
        """One frame after the other; the state's axes are in the order that the graph takes."""
        made = []
        for frame in range(audio.shape[1]):
            one: dict[str, Array] = {"audio": audio[:, frame], "identity": identity[:, frame], "preset": preset}
            curves, state = self._runners[FRAME]({**one, "noise": noise[:, frame], "hidden": state})
            made.append(curves)
        return np.stack(made, axis=1), state


def cpu_backend(bundle: Bundle, threads: int | None = None) -> OnnxBackend:
    """On the CPU, in float32.

    Args:
        bundle: whose graphs to load.
        threads: for one operator; see ``cpu_threads``.
    """
    runners: dict[str, Runner] = {
        name: HostRunner(cpu_session(bundle.graph(name), threads)) for name in (*_ticked(bundle), RUN)
    }
    return OnnxBackend(runners, _on_cpu("float32", threads))


def int8_backend(bundle: Bundle, threads: int | None = None) -> OnnxBackend:
    """On the CPU, with the large products in 8-bit integers.

    Args:
        bundle: whose graphs to load.
        threads: for one operator; see ``cpu_threads``.

    Raises:
        BackendError: the bundle's encoder is a public HuBERT.
    """
    if bundle.encoder_kind != "streaming":
        raise BackendError(f"{bundle.folder} has a public HuBERT, which is not served in 8 bits: use --backend cpu")
    runners: dict[str, Runner] = {
        **{file: HostRunner(cpu_session(bundle.graph(file), threads)) for file in ENCODER_INT8.values()},
        VOICE: HostRunner(cpu_session(bundle.graph(VOICE), threads), LEAST),
        FRAME: HostRunner(cpu_session(bundle.graph(FRAME_INT8), threads)),
    }
    return OnnxBackend(runners, _on_cpu("8-bit integers", threads), int8=True)


def cuda_backend(bundle: Bundle, device: CudaDevice) -> OnnxBackend:
    """With the CUDA provider on a GPU, in CUDA graphs where the bundle's graphs can be captured.

    Raises:
        BackendError: this ONNX Runtime has no CUDA, or CUDA does not start.
    """
    runners = {name: _cuda_runner(bundle.graph(name), device) for name in _ticked(bundle)}
    return OnnxBackend(runners, _description(CUDA, device, list(runners.values())))


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
    runners = {
        name: DeviceRunner(gpu_session(bundle.graph(name), providers), "cuda", device.index, cuda_graphs=False)
        for name in _ticked(bundle)
    }
    return OnnxBackend(runners, _description(TENSORRT, device, list(runners.values())))


def _ticked(bundle: Bundle) -> tuple[str, ...]:
    """Graphs that every tick runs."""
    return (ENCODER, VOICE, FRAME) if bundle.encoder_kind == "streaming" else (ENCODER, FRAME)


def _cuda_runner(graph: Path, device: CudaDevice) -> DeviceRunner:
    """A runner that captures CUDA graphs, or one that does not where the graph cannot be captured."""
    try:
        session = gpu_session(graph, [(CUDA, cuda_options(device.index, cuda_graphs=True))])
        return DeviceRunner(session, "cuda", device.index, cuda_graphs=True)
    except BackendError as error:
        log.info("%s is not captured as a CUDA graph: %s", graph.name, error)
    session = gpu_session(graph, [(CUDA, cuda_options(device.index, cuda_graphs=False))])
    return DeviceRunner(session, "cuda", device.index, cuda_graphs=False)


def _on_cpu(numerics: str, threads: int | None) -> str:
    count = cpu_threads(threads)
    unit = "thread" if count == 1 else "threads"
    return f"ONNX Runtime {onnxruntime.__version__} on the CPU, {numerics}, {count} {unit}"


def _description(provider: str, device: CudaDevice, runners: Sequence[DeviceRunner]) -> str:
    captured = sum(runner.cuda_graphs for runner in runners)
    how = f"{captured} of {len(runners)} networks in CUDA graphs"
    name = provider.removesuffix("ExecutionProvider")
    return f"ONNX Runtime {onnxruntime.__version__} with {name} on GPU {device.index}, {device.name}, {how}"
