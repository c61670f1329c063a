"""What a streaming encoder remembers of every stream: past inputs of its positional convolution, keys and values.

Keys and values are in rings: those of a stream's feature ``k`` at place ``k % C``, where ``C`` is how many are kept.
There is one kind of rings for each ``Past``; see ``diffusiontalker.export.float_layers``, ``int8_layers`` and
``positional``, and ``service/kernels/encoder.h``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.bundle import Bundle
from livetalker.engine.backend import Array, Past

Rows = NDArray[np.intp]


class Rings(Protocol):
    """The past of a fixed number of streams, one row each."""

    def clear(self, row: int) -> None:
        """Forget what a row's former user said."""
        ...

    def past(self, rows: Rows) -> Mapping[str, Array]:
        """What the encoder is given of some rows, by the names of its inputs."""
        ...

    def write(self, rows: Rows, features: Rows, fresh: Sequence[Array]) -> None:
        """Keep new features.

        Args:
            rows: ``[B]`` of the streams.
            features: ``[B, n]`` indexes of the features that are kept, the last ``n`` of the call.
            fresh: what the encoder has returned to be kept.
        """
        ...


class FloatRings:
    """Float32; the rows of a call are brought together for it.

    Args:
        bundle: whose encoder's they are.
        capacity: streams.
    """

    def __init__(self, bundle: Bundle, capacity: int) -> None:
        sizes = bundle.encoder
        self._positional = np.zeros((capacity, sizes["positional_kernel"] - 1, sizes["width"]), np.float32)
        self._keys, self._values = _arrays(bundle, capacity, np.float32)
        # What a batch is given of the rings: memory that is kept, since fresh pages cost more than the copying.
        self._batch_keys, self._batch_values = (np.empty_like(ring) for ring in (self._keys, self._values))

    def clear(self, row: int) -> None:
        """See ``Rings``."""
        self._positional[row] = 0
        for ring in (self._keys, self._values):
            ring[:, row] = 0

    def past(self, rows: Rows) -> Mapping[str, Array]:
        """See ``Rings``."""
        kinds = (("keys", self._keys, self._batch_keys), ("values", self._values, self._batch_values))
        rings = {
            f"{name}_{layer}": ring.take(rows, axis=0, out=batch[: len(rows)], mode="clip")
            for name, layers, batches in kinds
            for layer, (ring, batch) in enumerate(zip(layers, batches, strict=True))
        }
        return {"positional": self._positional[rows], **rings}

    def write(self, rows: Rows, features: Rows, fresh: Sequence[Array]) -> None:
        """See ``Rings``."""
        positional, *entries = fresh
        self._positional[rows] = positional
        keys, values = (x[:, :, :, -features.shape[1] :].transpose(0, 3, 1, 2, 4) for x in entries)
        _write(self._keys, self._values, rows, features, keys, values)


class Int8Rings:
    """Keys and values in 8-bit integers; the encoder picks the rows itself.

    Args:
        bundle: whose encoder's they are.
        capacity: streams.
    """

    def __init__(self, bundle: Bundle, capacity: int) -> None:
        sizes = bundle.encoder
        groups, kept = sizes["positional_groups"], sizes["positional_kernel"] - 1
        self._positional = np.zeros((groups, capacity, kept, sizes["width"] // groups), np.float32)
        self._keys, self._values = _arrays(bundle, capacity, np.int8)

    def clear(self, row: int) -> None:
        """See ``Rings``."""
        for kept in (self._positional, self._keys, self._values):
            kept[:, row] = 0

    def past(self, rows: Rows) -> Mapping[str, Array]:
        """See ``Rings``."""
        kinds = (("keys", self._keys), ("values", self._values))
        rings = {f"{name}_{layer}": ring for name, layers in kinds for layer, ring in enumerate(layers)}
        return {"positional": self._positional, "rows": rows.astype(np.int64), **rings}

    def write(self, rows: Rows, features: Rows, fresh: Sequence[Array]) -> None:
        """See ``Rings``."""
        positional, *entries = fresh
        self._positional[:, rows[:, None], features % self._positional.shape[2]] = positional[
            :, :, -features.shape[1] :
        ]
        keys, values = (x[:, :, :, -features.shape[1] :].transpose(1, 3, 0, 2, 4) for x in entries)
        _write(self._keys, self._values, rows, features, keys, values)


class KernelRings:
    """Keys and values in 8-bit integers, a feature's side by side; kernels read and write their streams' rows.

    Args:
        bundle: whose encoder's they are.
        capacity: streams.
    """

    def __init__(self, bundle: Bundle, capacity: int) -> None:
        sizes = bundle.encoder
        shape = sizes["layers"], capacity, sizes["context"], sizes["width"]
        self._keys, self._values = np.zeros(shape, np.int8), np.zeros(shape, np.int8)
        # Twice what a feature hears: as many features are then heard between two looks at the ring.
        self._positional = np.zeros((capacity, 2 * sizes["positional_kernel"], sizes["width"]), np.float32)

    def clear(self, row: int) -> None:
        """See ``Rings``."""
        self._keys[:, row] = self._values[:, row] = 0
        self._positional[row] = 0

    def past(self, rows: Rows) -> Mapping[str, Array]:
        """See ``Rings``."""
        named = {"keys": self._keys, "values": self._values, "positional": self._positional}
        return {"rows": rows.astype(np.int64), **named}

    def write(self, rows: Rows, features: Rows, fresh: Sequence[Array]) -> None:
        """See ``Rings``; the kernels have done it."""


def make_rings(past: Past, bundle: Bundle, capacity: int) -> Rings:
    """Rings as a backend takes them."""
    kinds: dict[Past, type[FloatRings] | type[Int8Rings] | type[KernelRings]]
    kinds = {Past.FLOATS: FloatRings, Past.BYTES: Int8Rings, Past.IN_PLACE: KernelRings}
    return kinds[past](bundle, capacity)


def _arrays(bundle: Bundle, capacity: int, kind: type) -> tuple[Array, Array]:
    """Keys ``[L, S, heads, d, C]`` and values ``[L, S, heads, C, d]``."""
    sizes = bundle.encoder
    layers, heads, context = sizes["layers"], sizes["heads"], sizes["context"]
    size = sizes["width"] // heads
    keys = np.zeros((layers, capacity, heads, size, context), kind)
    return keys, np.zeros((layers, capacity, heads, context, size), kind)


def _write(keys: Array, values: Array, rows: Rows, features: Rows, new_keys: Array, new_values: Array) -> None:
    """Puts entries ``[B, n, L, heads, d]`` of features ``[B, n]`` where they belong."""
    places = features % keys.shape[-1]
    keys[:, rows[:, None], :, :, places], values[:, rows[:, None], :, places] = new_keys, new_values
