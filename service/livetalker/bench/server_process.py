"""A server of one's own to measure: ``livetalker serve`` in another process, from its greeting to its end."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Final

_START_S: Final = 180.0
_STOP_S: Final = 20.0
_ADDRESS: Final = re.compile(r" at (\S+:\d+)")


class ServerStartError(Exception):
    """The server did not start; the message says what it said."""


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A server that is listening.

    Attributes:
        address: its ``host:port``.
        pid: of the process that was started; it may have children.
    """

    address: str
    pid: int


@contextmanager
def serving(max_streams: int, options: Sequence[str] = ()) -> Iterator[ServerProcess]:
    """Runs a server on a free port for the length of the block.

    Args:
        max_streams: streams it admits.
        options: further options of ``livetalker serve``.

    Raises:
        ServerStartError: it ended, or said nothing in time.
    """
    command = [sys.executable, "-m", "livetalker.cli.main", "serve", "--port", "0", "--grace", "0"]
    command += ["--max-streams", str(max_streams), *options]
    with tempfile.TemporaryFile("w+") as complaints:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints, text=True)
        try:
            yield ServerProcess(_address(process, complaints), process.pid)
        finally:
            _stop(process)


def _address(process: subprocess.Popen[str], complaints: IO[str]) -> str:
    assert process.stdout is not None
    impatience = threading.Timer(_START_S, process.kill)
    impatience.start()
    try:
        for line in process.stdout:
            if (found := _ADDRESS.search(line)) is not None:
                return found[1]
    finally:
        impatience.cancel()
    process.wait()
    complaints.seek(0)
    lines = complaints.read().strip().splitlines() or [f"it ended with status {process.returncode}, without a word"]
    raise ServerStartError(f"the server did not start: {lines[-1].removeprefix('livetalker: ')}")


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
