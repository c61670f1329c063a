"""ONNX Runtime sessions that run where they were asked to, or not at all.

ONNX Runtime falls back in three ways, and all three are closed here. A provider that the build lacks is only warned of:
it is looked up first. A provider that fails to start makes the Python class retry on the CPU: that is turned off. A
node no GPU kernel exists for goes to the CPU: ``session.disable_cpu_ep_fallback`` forbids that; where it forbids even
the few integers that shapes are computed with, the placement of every node is read back and anything else refused.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import onnxruntime

from livetalker.engine.backend import BackendError
from livetalker.engine.backends.batches import cpu_threads

log = logging.getLogger(__name__)

CPU: Final = "CPUExecutionProvider"
CUDA: Final = "CUDAExecutionProvider"
TENSORRT: Final = "TensorrtExecutionProvider"
SHAPE_OPERATORS: Final = frozenset(
    "Shape Size Gather Concat Unsqueeze Squeeze Slice Cast Range Add Sub Mul Div Mod Min Max Reshape Equal Where "
    "ConstantOfShape Identity".split()
)
"""What shapes are computed with; ONNX Runtime leaves these integers to the CPU on purpose, which is faster."""
_NO_FALLBACK: Final = "session.disable_cpu_ep_fallback"
_RECORD: Final = "session.record_ep_graph_assignment_info"
_INSTALL: Final = {
    CPU: "pip install '.[cpu]' in LiveTalker's folder",
    CUDA: "pip uninstall onnxruntime, then pip install '.[gpu]' in LiveTalker's folder",
    TENSORRT: "pip uninstall onnxruntime, then pip install '.[gpu]' tensorrt in LiveTalker's folder",
}

Providers = list[str | tuple[str, dict[str, str]]]


def cuda_options(device: int, cuda_graphs: bool) -> dict[str, str]:
    """Options of the CUDA provider.

    TF32 is off: it rounds products to ten bits, and frames should be those of every other backend.
    """
    return {
        "device_id": str(device),
        "use_tf32": "0",
        "cudnn_conv_algo_search": "HEURISTIC",  # the default times every algorithm anew for each shape
        "enable_cuda_graph": "1" if cuda_graphs else "0",
    }


def tensorrt_options(device: int, cache: Path) -> dict[str, str]:
    """Options of the TensorRT provider, with its engines and timings kept in ``cache``.

    CUDA graphs are off: unlike the CUDA provider, this one captures a single graph whatever a run's graph is numbered,
    and would replay it for a batch of another size.
    """
    return {
        "device_id": str(device),
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": str(cache),
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": str(cache),
        "trt_fp16_enable": "0",
        "trt_cuda_graph_enable": "0",
    }


def available() -> list[str]:
    """Providers the installed ONNX Runtime was built with."""
    return list(onnxruntime.get_available_providers())


def require_provider(provider: str, offered: Sequence[str] | None = None) -> None:
    """Refuse a provider that the installed ONNX Runtime was built without.

    Raises:
        BackendError: it was.
    """
    if provider not in (available() if offered is None else offered):
        raise BackendError(
            f"the installed ONNX Runtime {onnxruntime.__version__} was built without {provider}: {_INSTALL[provider]}"
        )


def assert_provider(session: Any, provider: str) -> None:
    """Refuse a session whose first provider is another one than was asked for.

    Raises:
        BackendError: it is.
    """
    got = list(session.get_providers())
    if not got or got[0] != provider:
        raise BackendError(
            f"{provider} was asked for, but the session runs on {got[0] if got else 'nothing'}: "
            "the provider's libraries (CUDA, cuDNN, TensorRT) could not be loaded; see the lines above"
        )


def strays(placement: Sequence[Any], allowed: Sequence[str]) -> list[str]:
    """Operators that run elsewhere than they should, shape arithmetic excepted.

    Args:
        placement: of ``InferenceSession.get_provider_graph_assignment_info``.
        allowed: providers they may run on.
    """
    return sorted(
        {
            node.op_type
            for part in placement
            if part.ep_name not in allowed
            for node in part.get_nodes()
            if node.op_type not in SHAPE_OPERATORS
        }
    )


def cpu_session(graph: Path, threads: int | None = None) -> onnxruntime.InferenceSession:
    """A session on the CPU."""
    options = _options(threads)
    return onnxruntime.InferenceSession(str(graph), options, providers=[CPU], enable_fallback=0)


def gpu_session(graph: Path, providers: Providers, make: Any = onnxruntime.InferenceSession) -> Any:
    """A session on a GPU, all of whose work is there.

    Args:
        graph: the ONNX file.
        providers: in order of preference, the CPU not among them; the first one is the one asked for.
        make: makes the session.

    Raises:
        BackendError: the provider did not start, or leaves operators to the CPU.
    """
    wanted = [provider if isinstance(provider, str) else provider[0] for provider in providers]
    require_provider(wanted[0])
    preload = getattr(onnxruntime, "preload_dlls", None)
    if preload is not None:
        preload()  # CUDA and cuDNN of pip's nvidia packages lie where no loader looks by itself
    strict, placed = _options(), _options()
    strict.add_session_config_entry(_NO_FALLBACK, "1")
    placed.add_session_config_entry(_RECORD, "1")
    try:
        session = make(str(graph), strict, providers=providers, enable_fallback=0)
    except Exception as refusal:
        session = _placed(graph, providers, placed, make, refusal)
        stray = strays(session.get_provider_graph_assignment_info(), wanted)
        if stray:
            raise BackendError(
                f"{wanted[0]} leaves {', '.join(stray)} of {graph.name} to the CPU: export the model with this "
                "release, update onnxruntime-gpu, or use --backend cpu"
            ) from refusal
        log.info("%s: only shapes of %s are computed on the CPU", wanted[0], graph.name)
    assert_provider(session, wanted[0])
    session.disable_fallback()
    return session


def _placed(graph: Path, providers: Providers, options: Any, make: Any, refusal: Exception) -> Any:
    """A session that may compute shapes on the CPU and records where its nodes are."""
    try:
        session = make(str(graph), options, providers=providers, enable_fallback=0)
    except Exception as error:
        raise BackendError(f"{graph.name} does not start on the GPU: {first_line(error)}") from error
    if not hasattr(session, "get_provider_graph_assignment_info"):
        raise BackendError(
            f"{graph.name} does not run on the GPU alone ({first_line(refusal)}), and this ONNX Runtime cannot say "
            "what it leaves to the CPU: update onnxruntime-gpu"
        ) from refusal
    return session


def first_line(error: Exception) -> str:
    """What an exception says, without the rest."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def _options(threads: int | None = None) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = cpu_threads(threads)
    # Threads that spin between ticks would take the cores from the event loop and its clients.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
