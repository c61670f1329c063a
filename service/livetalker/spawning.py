"""Starting processes of our own, so that a Ctrl-C in the terminal does not kill them before they know what to do."""

from __future__ import annotations

import multiprocessing
import signal
from multiprocessing.process import BaseProcess
from typing import Final

SPAWN: Final = multiprocessing.get_context("spawn")
"""Fresh processes on every system; threads and locks of ours are not copied in whatever state they are."""


def start(process: BaseProcess) -> None:
    """Starts a process that ignores SIGINT itself, as one of its first acts."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        process.start()
        return
    from multiprocessing import resource_tracker

    # A signal blocked here is blocked there. The tracker, which spawning brings along, would unblock it again if it
    # were started in between.
    resource_tracker.ensure_running()
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
