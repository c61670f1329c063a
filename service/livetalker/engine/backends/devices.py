"""The NVIDIA GPUs this process may use, asked of the driver itself, so that neither torch nor a tool is needed.

``libcuda`` numbers only what ``CUDA_VISIBLE_DEVICES`` leaves visible, from 0, just as ONNX Runtime and torch do.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from livetalker.engine.backend import BackendError

VISIBLE: Final = "CUDA_VISIBLE_DEVICES"
_LIBRARIES: Final = ("libcuda.so.1", "nvcuda.dll")
_NAME_BYTES: Final = 256
_CAPABILITY_MAJOR, _CAPABILITY_MINOR = 75, 76  # CUdevice_attribute


@dataclass(frozen=True, slots=True)
class CudaDevice:
    """A visible GPU.

    Attributes:
        index: among the visible ones.
        name: as the driver calls it.
        capability: compute capability, such as ``9.0``.
        driver: CUDA version the driver supports at most, such as ``12.8``.
    """

    index: int
    name: str
    capability: str
    driver: str


def driver_library() -> Any | None:
    """The CUDA driver's library, or None where there is none."""
    for name in _LIBRARIES:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None


def visible_devices(library: Any | None = None) -> list[CudaDevice]:
    """GPUs the driver shows to this process; none without a driver.

    Args:
        library: the driver's, None to load it.
    """
    library = driver_library() if library is None else library
    if library is None or library.cuInit(0) != 0:
        return []
    count, version = ctypes.c_int(0), ctypes.c_int(0)
    if library.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return []
    library.cuDriverGetVersion(ctypes.byref(version))
    driver = f"{version.value // 1000}.{version.value % 1000 // 10}"
    return [_device(library, index, driver) for index in range(count.value)]


def _device(library: Any, index: int, driver: str) -> CudaDevice:
    handle, name = ctypes.c_int(0), ctypes.create_string_buffer(_NAME_BYTES)
    major, minor = ctypes.c_int(0), ctypes.c_int(0)
    library.cuDeviceGet(ctypes.byref(handle), index)
    library.cuDeviceGetName(name, _NAME_BYTES, handle)
    library.cuDeviceGetAttribute(ctypes.byref(major), _CAPABILITY_MAJOR, handle)
    library.cuDeviceGetAttribute(ctypes.byref(minor), _CAPABILITY_MINOR, handle)
    return CudaDevice(index, name.value.decode("utf-8", "replace"), f"{major.value}.{minor.value}", driver)


def require_device(
    index: int, devices: list[CudaDevice] | None = None, environment: Mapping[str, str] | None = None
) -> CudaDevice:
    """The GPU of an index.

    Args:
        index: among the visible ones.
        devices: the visible ones, None to ask the driver.
        environment: of the process, None for its own.

    Raises:
        BackendError: it is not there, or hidden.
    """
    environment = os.environ if environment is None else environment
    devices = visible_devices() if devices is None else devices
    mask = environment.get(VISIBLE)
    if not devices and mask is not None:
        shown = mask.strip() or "empty"
        raise BackendError(
            f"{VISIBLE} is {shown}, which shows this process no GPU: unset it, name a GPU that is there, "
            "or use --backend cpu"
        )
    if not devices:
        raise BackendError("no NVIDIA GPU and driver were found on this machine: use --backend cpu")
    if not 0 <= index < len(devices):
        named = f" (after {VISIBLE}={mask})" if mask is not None else ""
        raise BackendError(f"there is no GPU {index}{named}: {len(devices)} visible, counted from 0")
    return devices[index]
