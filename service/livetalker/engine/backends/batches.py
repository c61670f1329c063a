"""What backends of every runtime share: how many threads to take, and batches padded to few sizes."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray


def cpu_threads(threads: int | None) -> int:
    """Threads for one operator.

    None takes half of the cores, so that the event loop and whoever else lives on the machine can run: threads that
    wait for a core cost more than they bring.
    """
    return threads or max(1, (os.cpu_count() or 1) // 2)


def bucket(batch: int) -> int:
    """The power of two a batch is padded to, so that few shapes occur."""
    return 1 << max(0, batch - 1).bit_length()


def padded(array: NDArray[Any], batch: int, axis: int = 0) -> NDArray[Any]:
    """``[..., B, ...]`` to ``[..., batch, ...]``, contiguous, with zeros at the end of an axis.

    Rows are independent, so none changes.
    """
    shape = list(array.shape)
    present, shape[axis] = shape[axis], batch
    if present == batch:
        return np.ascontiguousarray(array)
    out = np.zeros(shape, array.dtype)
    out.swapaxes(0, axis)[:present] = array.swapaxes(0, axis)
    return out
