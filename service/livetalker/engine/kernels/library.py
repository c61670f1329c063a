"""Finds the compiled kernels this processor can run, and calls them; ``service/kernels/kernels.h`` says what they do.

There is a library for each instruction set the kernels were compiled for (``service/kernels/build_hook.py``). One is
used only if the processor has its instructions and if its sums of integers are right, which takes a millisecond to see.
"""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.geometry import FEATURE_STRIDE
from livetalker.engine.backend import Array, Floats, Integers

log = logging.getLogger(__name__)

FOLDER: Final = Path(__file__).parent
PREFERENCE: Final = ("avx512vnni", "avx2", "neon")
"""Instruction sets, best first."""
INTERFACE: Final = 1
"""``LIVETALKER_INTERFACE`` of the libraries that this module calls rightly."""
_MOST_AXES: Final = 4
_ERROR_SIZE: Final = 256


class KernelError(ValueError):
    """A library that cannot be called, or a model that it cannot run."""


class Sizes(ctypes.Structure):
    """``livetalker_sizes``: what arrays are made for, and what a bundle's tensors do not say."""

    _fields_ = [
        (name, ctypes.c_int32)
        for name in "width layers kernel heads context presets silence identity steps hidden".split()
    ]


_INT, _LONG, _REAL, _AT = ctypes.c_int32, ctypes.c_int64, ctypes.c_double, ctypes.c_void_p
_FUNCTIONS: Final[Mapping[str, tuple[Any, Sequence[Any]]]] = {
    "livetalker_supported": (_INT, ()),
    "livetalker_correct": (_INT, ()),
    "livetalker_open": (_AT, (Sizes, _INT, _AT, _AT, _AT, _AT, _AT)),
    "livetalker_close": (None, (_AT,)),
    "livetalker_encode": (None, (_AT, _INT, _INT, _AT, _AT, _AT, _LONG, _INT, _AT, _AT, _AT, _AT, _AT)),
    "livetalker_denoise": (None, (_AT, _INT, _INT, _AT, _AT, _AT, _AT, _AT)),
    "livetalker_noise": (None, (_INT, _INT, _AT, _AT, _INT, _AT, _INT, _AT, _INT, _AT)),
    "livetalker_normalize": (None, (_INT, _INT, _AT, _REAL, _REAL, _AT, _AT, _AT, _AT, _AT)),
}
"""Results and arguments, as ``kernels.h`` has them."""


class KernelLibrary:
    """One compiled library.

    Attributes:
        instructions: it was compiled for.
        calls: its functions, by the names they have in ``kernels.h``.

    Raises:
        AttributeError: it has not all of the functions.
        KernelError: it was compiled from another release's sources.
    """

    def __init__(self, instructions: str, library: ctypes.CDLL) -> None:
        self.instructions = instructions
        self.calls: Any = library
        if library.livetalker_interface() != INTERFACE:
            raise KernelError("it was compiled from another release's sources: install LiveTalker again")
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments


class KernelModel:
    """A model's encoder and denoiser, packed for one library. Calls on it may run at once on rows that differ.

    Args:
        library: to run it.
        tensors: of the bundle, by name.
        sizes: what they do not say.

    Raises:
        KernelError: the kernels cannot run a model of these sizes; the message says what does not fit.
    """

    def __init__(self, library: KernelLibrary, tensors: Mapping[str, Array], sizes: Sizes) -> None:
        self._calls = library.calls
        for name, tensor in tensors.items():
            expected = np.int8 if name.endswith(".int8") else np.float32
            if tensor.dtype != expected or tensor.ndim > _MOST_AXES:
                raise KernelError(f"{name} is of type {tensor.dtype}, not {np.dtype(expected)}")
        arrays = [np.ascontiguousarray(tensor) for tensor in tensors.values()]
        count = len(arrays)
        shapes = np.zeros((count, _MOST_AXES), np.int64)
        axes = np.array([array.ndim for array in arrays], np.int32)
        for shape, array in zip(shapes, arrays, strict=True):
            shape[: array.ndim] = array.shape
        error = ctypes.create_string_buffer(_ERROR_SIZE)
        opened = self._calls.livetalker_open(
            sizes,
            count,
            (ctypes.c_char_p * count)(*(name.encode() for name in tensors)),
            (ctypes.c_void_p * count)(*(array.ctypes.data for array in arrays)),
            at(shapes),
            at(axes),
            error,
        )
        if not opened:
            raise KernelError(error.value.decode())
        self._model = ctypes.c_void_p(opened)
        self._presets: int = sizes.presets

    def __del__(self) -> None:
        """Free the packed weights."""
        if hasattr(self, "_model"):
            self._calls.livetalker_close(self._model)

    def encode(
        self,
        samples: Floats,
        position: Integers,
        rows: Integers,
        keys: NDArray[np.int8],
        values: NDArray[np.int8],
        positional: Floats,
    ) -> tuple[Floats, Floats]:
        """New features of streams; see ``livetalker_encode``. Their rows of the last three arrays are changed.

        Args:
            samples: ``[B, 320 h + 80]`` level-normalised.
            position: ``[B]`` features each stream has had.
            rows: ``[B]`` distinct.
            keys: ``[L, S, C, W]``.
            values: ``[L, S, C, W]``.
            positional: ``[S, P, W]``.

        Returns:
            Features ``[B, h, W]`` and probabilities of speech ``[B, h, presets]``.
        """
        samples, position = np.ascontiguousarray(samples, np.float32), np.ascontiguousarray(position, np.int64)
        streams, hop, width = len(samples), samples.shape[1] // FEATURE_STRIDE, positional.shape[2]
        features = np.empty((streams, hop, width), np.float32)
        speech = np.empty((streams, hop, self._presets), np.float32)
        self._calls.livetalker_encode(
            self._model,
            streams,
            hop,
            at(samples),
            at(position),
            at(rows),
            keys.shape[1],
            positional.shape[1],
            *(at(array) for array in (keys, values, positional, features, speech)),
        )
        return features, speech

    def denoise(
        self, audio: Floats, identity: Floats, preset: Integers, noise: Floats, hidden: Floats
    ) -> tuple[Floats, Floats]:
        """Frames of streams; shapes as ``Backend.denoise`` has them."""
        heard: list[Array] = [np.ascontiguousarray(x, np.float32) for x in (audio, identity)]
        heard.append(np.ascontiguousarray(preset, np.int64))
        curves, after = np.array(noise, np.float32, order="C"), np.array(hidden, np.float32, order="C")
        self._calls.livetalker_denoise(self._model, *audio.shape[:2], *(at(array) for array in (*heard, curves, after)))
        return curves, after


def at(array: Array) -> ctypes.c_void_p:
    """Where an array lies, as the kernels take it; it must be contiguous and outlive the call."""
    return ctypes.c_void_p(array.ctypes.data)


def libraries(folder: Path = FOLDER) -> list[KernelLibrary]:
    """Those in a folder that this processor can run and that compute what they should, best first."""
    usable = []
    for instructions in PREFERENCE:
        path = folder / f"libkernels-{instructions}.so"
        if not path.is_file():
            continue
        try:
            library = KernelLibrary(instructions, ctypes.CDLL(str(path)))
        except (OSError, AttributeError, KernelError) as error:
            log.warning("%s is not used: %s", path.name, error)
            continue
        if not library.calls.livetalker_supported():
            continue
        if not library.calls.livetalker_correct():
            log.warning("%s computes wrong sums on this processor and is not used; please report it", path.name)
            continue
        usable.append(library)
    return usable


@cache
def best_library() -> KernelLibrary | None:
    """The best of the installed ones; None where there is none for this processor."""
    return next(iter(libraries()), None)
