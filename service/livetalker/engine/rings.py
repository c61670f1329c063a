"""Rings: what a streaming encoder remembers of every stream's last features, as its attention reads it.

Feature ``k`` of a stream has its keys and values at place ``k % C``. There is one kind of rings for each way a backend
computes attention; see ``diffusiontalker.export.attention``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.bundle import Bundle

Array = NDArray[Any]
Rows = NDArray[np.intp]


class Rings(Protocol):
    """The rings of a fixed number of streams, one row each."""

    def clear(self, row: int) -> None:
        """Forget what a row's former user said."""
        ...

    def past(self, rows: Rows) -> Mapping[str, Array]:
        """What the encoder is given of some rows, by the names of its inputs."""
        ...

    def write(self, rows: Rows, places: Rows, new: Rows, fresh: Sequence[Array]) -> None:
        """Keep new features.

        Args:
            rows: ``[B]`` of the streams.
            places: ``[B, n]`` in their rings.
            new: ``[n]`` which of the call's features.
            fresh: what the encoder has returned for the rings.
        """
        ...


class FloatRings:
    """Float32; the rows of a call are brought together for it.

    Args:
        bundle: whose encoder's they are.
        capacity: streams.
    """

    def __init__(self, bundle: Bundle, capacity: int) -> None:
        self._keys, self._values = _arrays(bundle, capacity, np.float32)
        # What a batch is given of the rings: memory that is kept, since fresh pages cost more than the copying.
        self._batch_keys, self._batch_values = (np.empty_like(ring) for ring in (self._keys, self._values))

    def clear(self, row: int) -> None:
        """See ``Rings``."""
        for ring in (self._keys, self._values):
            ring[:, row] = 0

    def past(self, rows: Rows) -> Mapping[str, Array]:
        """See ``Rings``."""
        kinds = (("keys", self._keys, self._batch_keys), ("values", self._values, self._batch_values))
        return {
            f"{name}_{layer}": ring.take(rows, axis=0, out=batch[: len(rows)], mode="clip")
            for name, rings, batches in kinds
            for layer, (ring, batch) in enumerate(zip(rings, batches, strict=True))
        }

    def write(self, rows: Rows, places: Rows, new: Rows, fresh: Sequence[Array]) -> None:
        """See ``Rings``."""
        _write(self._keys, self._values, rows, places, new, fresh)


class Int8Rings:
    """8-bit integers around 128, with a scale for each feature and head; the encoder picks the rows itself.

    Args:
        bundle: whose encoder's they are.
        capacity: streams.
    """

    def __init__(self, bundle: Bundle, capacity: int) -> None:
        self._keys, self._values = _arrays(bundle, capacity, np.uint8)
        sizes = bundle.encoder
        self._scales = np.zeros((capacity, sizes["layers"], 2, sizes["heads"], sizes["context"]), np.float32)

    def clear(self, row: int) -> None:
        """See ``Rings``."""
        for ring in (self._keys, self._values):
            ring[:, row] = 128
        self._scales[row] = 0

    def past(self, rows: Rows) -> Mapping[str, Array]:
        """See ``Rings``."""
        kinds = (("keys", self._keys), ("values", self._values))
        rings = {f"{name}_{layer}": ring for name, rings in kinds for layer, ring in enumerate(rings)}
        return {"rows": rows.astype(np.int64), **rings, "scales": self._scales}

    def write(self, rows: Rows, places: Rows, new: Rows, fresh: Sequence[Array]) -> None:
        """See ``Rings``."""
        *entries, scales = fresh
        _write(self._keys, self._values, rows, places, new, entries)
        self._scales[rows[:, None], :, :, :, places] = scales[..., new].transpose(0, 4, 1, 2, 3)


def _arrays(bundle: Bundle, capacity: int, kind: type) -> tuple[Array, Array]:
    """Keys ``[L, S, heads, d, C]`` and values ``[L, S, heads, C, d]``."""
    sizes = bundle.encoder
    layers, heads, context = sizes["layers"], sizes["heads"], sizes["context"]
    size = sizes["width"] // heads
    keys = np.zeros((layers, capacity, heads, size, context), kind)
    return keys, np.zeros((layers, capacity, heads, context, size), kind)


def _write(keys: Array, values: Array, rows: Rows, places: Rows, new: Rows, fresh: Sequence[Array]) -> None:
    """Puts entries ``[B, L, heads, h, d]`` where they belong."""
    entries = (x[:, :, :, new].transpose(0, 3, 1, 2, 4) for x in fresh)
    keys[:, rows[:, None], :, :, places], values[:, rows[:, None], :, places] = entries
