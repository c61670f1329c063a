"""Reads pickles that hold nothing but built-in containers, numbers, text and numpy arrays.

A pickle may name any function and have it called: a downloaded one must not be loaded as it comes. Nothing it names is
looked up here. The few names that numpy's pickles need stand for the functions below, which make arrays of plain
numbers from checked bytes; numpy's own would trust the flags they are given, and corrupt memory where they are wrong.
"""

from __future__ import annotations

import pickle
import re
import struct
from math import prod
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.captures.take import CaptureError

_NUMBERS: Final = re.compile(r"[<>=|]?(b1|[iu][1248]|f[248])")
_BROKEN: Final = (
    *(ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, TypeError, ValueError),
    struct.error,
)
"""What a damaged pickle makes its reader raise, besides ``UnpicklingError``."""
_DEEPEST: Final = 16
"""Containers within containers."""


class _Kind:
    """Stands for ``numpy.dtype``: a plain kind of number."""

    def __init__(self, code: object, align: object = False, copy: object = False) -> None:
        if not isinstance(code, str) or not _NUMBERS.fullmatch(code):
            raise pickle.UnpicklingError(f"an array of {code!r} is not one of plain numbers")
        self.dtype = np.dtype(code)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        """Of numpy's state only the byte order matters to plain numbers."""
        order = state[1]
        if order not in ("<", ">", "|", "="):
            raise pickle.UnpicklingError(f"an array of byte order {order!r}")
        self.dtype = self.dtype.newbyteorder(order)


class _Array:
    """Stands for ``numpy.ndarray``: an array that numpy's pickles make first and fill later."""

    def __init__(self) -> None:
        self.array: NDArray[Any] = np.empty(0)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        """Fill it from ``(version, shape, dtype, is_fortran, bytes)``."""
        shape, kind, fortran, content = state[-4:]
        self.array = _array(content, kind, shape, "F" if fortran else "C")


def _array(content: object, kind: object, shape: object, order: object) -> NDArray[Any]:
    # Python 2 pickled bytes as text.
    raw = content.encode("latin1") if isinstance(content, str) else content
    if not isinstance(kind, _Kind) or not isinstance(raw, bytes | bytearray):
        raise pickle.UnpicklingError("an array of something else than plain numbers")
    if not isinstance(shape, tuple) or not all(type(side) is int and side >= 0 for side in shape):
        raise pickle.UnpicklingError(f"an array of shape {shape!r}")
    if prod(shape) * kind.dtype.itemsize != len(raw):
        raise pickle.UnpicklingError(f"an array of shape {list(shape)} in {len(raw)} bytes")
    native = kind.dtype.newbyteorder("=")
    return np.frombuffer(raw, kind.dtype).astype(native).reshape(shape, order="F" if order == "F" else "C")


def _reconstruct(kind: object, shape: object, code: object) -> _Array:
    return _Array()


def _scalar(kind: object, content: object) -> Any:
    return _array(content, kind, (), "C").item()


def _from_buffer(content: object, kind: object, shape: object, order: object, axes: object = None) -> NDArray[Any]:
    return _array(content, kind, shape, order)


def _encode(text: str, encoding: str) -> bytes:
    """Bytes as Python 3 wrote them into old protocols."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes in {encoding}")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    """Empty bytes as Python 3 wrote them into old protocols."""
    return b""


_NAMED: Final[dict[tuple[str, str], Any]] = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Kind,
    ("_codecs", "encode"): _encode,
    **{(home, "bytes"): _no_bytes for home in ("builtins", "__builtin__")},
    # numpy 1 and numpy 2 name the same functions differently.
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _reconstruct for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _scalar for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _from_buffer for core in ("core", "_core")},
}


class _ArraysOnly(pickle._Unpickler):
    """Python's own reader in Python: the one in C allocates for whatever memo number a damaged pickle names."""

    def find_class(self, module: str, name: str) -> Any:
        """What a name stands for."""
        if (module, name) not in _NAMED:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which is neither a built-in nor a numpy array")
        return _NAMED[module, name]


def _finished(value: Any, depth: int = 0) -> Any:
    """The content with its arrays in place."""
    if depth > _DEEPEST:
        raise pickle.UnpicklingError("containers within containers without end")
    if isinstance(value, _Array):
        return value.array
    if isinstance(value, dict):
        return {key: _finished(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_finished(inner, depth + 1) for inner in value)
    return value


def read_pickle(path: Path) -> Any:
    """The content of a pickle of either Python.

    Raises:
        CaptureError: the file is missing, broken, or names anything else.
    """
    try:
        with path.open("rb") as file:
            return _finished(_ArraysOnly(file, encoding="latin1").load())
    except FileNotFoundError as error:
        raise CaptureError("broken", path, "there is no such file") from error
    except pickle.UnpicklingError as error:
        raise CaptureError("broken", path, f"not read: {error}") from error
    except _BROKEN as error:
        raise CaptureError("broken", path, f"is no whole pickle: {error!r}") from error
