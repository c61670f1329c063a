"""Where engines that TensorRT built are kept: a folder for everything that an engine depends on.

An engine holds kernels chosen by timing them on one GPU, for one version of TensorRT and one graph. Loaded anywhere
else it is refused at best. So the folder is named by GPU, compute capability, the versions and the model's digest.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Final

from livetalker.engine.backend import BackendError
from livetalker.engine.backends.devices import CudaDevice

CACHE: Final = "LIVETALKER_CACHE"
"""Environment variable: the folder that holds all caches, instead of the user's."""
_DIGITS: Final = 16
_NVINFER: Final = ("libnvinfer.so.10", "nvinfer_10.dll", "libnvinfer.so.8")


@dataclass(frozen=True, slots=True)
class EngineKey:
    """All that an engine depends on.

    Attributes:
        gpu: name of the GPU.
        capability: its compute capability.
        onnxruntime: version.
        tensorrt: version.
        cuda: version the driver supports.
        model: digest of the bundle.
    """

    gpu: str
    capability: str
    onnxruntime: str
    tensorrt: str
    cuda: str
    model: str

    def folder_name(self) -> str:
        """A name for people, then a digest of all fields: equal keys, and only those, share it."""
        readable = re.sub(r"[^a-z0-9]+", "-", f"{self.gpu} sm{self.capability} trt{self.tensorrt}".lower()).strip("-")
        return f"{readable}-{hashlib.sha256(repr(astuple(self)).encode()).hexdigest()[:_DIGITS]}"


def engine_key(device: CudaDevice, onnxruntime: str, tensorrt: str, model: str) -> EngineKey:
    """Key of a GPU, versions and a bundle's digest."""
    return EngineKey(device.name, device.capability, onnxruntime, tensorrt, device.driver, model)


def cache_folder(key: EngineKey, environment: Mapping[str, str] | None = None) -> Path:
    """Folder of a key, under ``LIVETALKER_CACHE``, else ``XDG_CACHE_HOME/livetalker``, else ``~/.cache/livetalker``."""
    environment = os.environ if environment is None else environment
    named = environment.get(CACHE)
    if named:
        root = Path(named)
    else:
        root = Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "livetalker"
    return root / "tensorrt" / key.folder_name()


def make_cache_folder(key: EngineKey) -> Path:
    """``cache_folder``, made where it is not there.

    Raises:
        BackendError: it cannot be made.
    """
    folder = cache_folder(key)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BackendError(
            f"the engine cache {folder} cannot be made ({error.strerror}): set {CACHE} to a folder that can"
        ) from error
    return folder


def tensorrt_version() -> str:
    """Version of the TensorRT that ONNX Runtime will load, as its library says it.

    Raises:
        BackendError: the library is not there.
    """
    for name in _NVINFER:
        try:
            return str(ctypes.CDLL(name).getInferLibVersion())
        except (OSError, AttributeError):
            continue
    raise BackendError("TensorRT's libraries were not found: pip install tensorrt, or use --backend cuda")
