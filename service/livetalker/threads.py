"""How a server's threads take turns."""

from __future__ import annotations

import sys
from typing import Final

SWITCH_S: Final = 0.0005
"""Seconds a thread may hold the interpreter's lock while another one waits; Python's own choice is ten times that.

Whoever comes out of a network, or has frames to pass on, shall not wait for a burst of messages to end.
"""


def switch_often() -> None:
    """Have this process's threads take turns often; for programs that are servers, not for libraries."""
    sys.setswitchinterval(SWITCH_S)
