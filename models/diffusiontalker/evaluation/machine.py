"""What class of machine figures were taken on, in words."""

from __future__ import annotations

import platform
from pathlib import Path

_CPU_FILE = Path("/proc/cpuinfo")


def machine_class(threads: int) -> str:
    """Processor and threads: ``one thread of an x86_64 CPU (AMD EPYC)``."""
    kind = platform.machine() or "unknown"
    name = _cpu_name()
    count = "one thread" if threads == 1 else f"{threads} threads"
    return f"{count} of {'an' if kind[:1] in 'aeioux' else 'a'} {kind} CPU" + (f" ({name})" if name else "")


def _cpu_name() -> str:
    try:
        lines = _CPU_FILE.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
