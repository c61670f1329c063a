"""Opens a backend by the name a person gives it, and says in one line why one cannot be had."""

from __future__ import annotations

import logging
from importlib.util import find_spec

from diffusiontalker.bundle import Bundle
from livetalker.engine.backend import Backend, BackendError
from livetalker.engine.backends.devices import require_device, visible_devices
from livetalker.engine.backends.names import AUTO, BACKENDS
from livetalker.engine.backends.processor import multiplies_int8

log = logging.getLogger(__name__)


def open_backend(bundle: Bundle, name: str = AUTO, *, device: int = 0, threads: int | None = None) -> Backend:
    """A backend over a bundle.

    Args:
        bundle: whose networks it runs.
        name: one of ``BACKENDS``; ``auto`` takes CUDA where ONNX Runtime offers it and a GPU is visible, else the CPU,
            on compiled kernels where there are some for it, else in 8-bit integers where it has instructions for them;
            it logs which.
        device: index of the GPU among those that ``CUDA_VISIBLE_DEVICES`` leaves visible.
        threads: for one operator on the CPU, None for half of the cores; ``native`` always has one.

    Raises:
        BackendError: the name is unknown, a package is missing, or there is no such GPU; the message says what to do.
    """
    if name not in BACKENDS:
        raise BackendError(f"there is no backend {name!r}: name one of {', '.join(BACKENDS)}")
    if name == AUTO:
        backend = _open_best(bundle, device, threads)
    elif name.startswith("torch"):
        backend = _open_torch(bundle, name, device, threads)
    else:
        backend = _open_without_torch(bundle, name, device, threads)
    log.info("backend: %s", backend.description)
    return backend


def _open_torch(bundle: Bundle, name: str, device: int, threads: int | None) -> Backend:
    if find_spec("torch") is None:
        raise BackendError("torch is not installed: pip install '.[torch]' in LiveTalker's folder")
    from livetalker.engine.backends.torch_backend import TorchBackend

    if name == "torch":
        return TorchBackend(bundle, threads=threads)
    require_device(device)
    return TorchBackend(bundle, "cuda", device, bfloat16=name.endswith("bf16"))


def _open_without_torch(bundle: Bundle, name: str, device: int, threads: int | None) -> Backend:
    if find_spec("onnxruntime") is None:
        raise BackendError("ONNX Runtime is not installed: pip install '.[cpu]', or '.[gpu]', in LiveTalker's folder")
    from livetalker.engine.backends import kernel_backend, onnx_backend, providers

    if name == "native":
        return kernel_backend.KernelBackend(bundle)
    if name == "cpu":
        return onnx_backend.cpu_backend(bundle, threads)
    if name == "cpu-int8":
        if not multiplies_int8():
            log.warning("ONNX Runtime's 8-bit sums can overflow on this processor, which shows: use native or cpu")
        return onnx_backend.int8_backend(bundle, threads)
    providers.require_provider(providers.CUDA if name == "cuda" else providers.TENSORRT)
    gpu = require_device(device)
    return onnx_backend.cuda_backend(bundle, gpu) if name == "cuda" else onnx_backend.tensorrt_backend(bundle, gpu)


def _open_best(bundle: Bundle, device: int, threads: int | None) -> Backend:
    """CUDA where there is a GPU for it, else what is fastest on this processor and runs this model."""
    if _offers_cuda() and visible_devices():
        return _open_without_torch(bundle, "cuda", device, threads)
    if bundle.encoder_kind != "streaming":
        return _open_without_torch(bundle, "cpu", device, threads)
    try:
        return _open_without_torch(bundle, "native", device, threads)
    except BackendError as error:
        log.warning("slower than it could be: %s", error)
    return _open_without_torch(bundle, "cpu-int8" if multiplies_int8() else "cpu", device, threads)


def _offers_cuda() -> bool:
    if find_spec("onnxruntime") is None:
        return False
    from livetalker.engine.backends import providers

    return providers.CUDA in providers.available()
