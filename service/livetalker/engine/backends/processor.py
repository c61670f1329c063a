"""Whether this processor multiplies 8-bit integers well: exactly, and several times as fast as floats."""

from __future__ import annotations

import platform
from collections.abc import Callable
from pathlib import Path
from typing import Final

_CPU_INFO: Final = Path("/proc/cpuinfo")
_FLAGS: Final = frozenset({"avx512_vnni", "avx_vnni", "avxvnni", "asimddp"})
"""What Linux calls AVX-512 VNNI, AVX-VNNI and Arm's dot product."""


def multiplies_int8(
    system: str | None = None, machine: str | None = None, read: Callable[[], str] = _CPU_INFO.read_text
) -> bool:
    """Whether ONNX Runtime's 8-bit products are exact and fast here; where nobody can tell, no.

    Without these instructions an x86 processor adds pairs of products in 16 bits, which can overflow.

    Args:
        system: such as ``Linux``; None for this one.
        machine: such as ``x86_64``; None for this one.
        read: gives the text of ``/proc/cpuinfo``.
    """
    if (system or platform.system(), machine or platform.machine()) == ("Darwin", "arm64"):
        return True  # every Apple processor of a Mac has the dot product
    try:
        words = read().split()
    except OSError:
        return False
    return not _FLAGS.isdisjoint(words)
