"""The real server, started as a user starts it, with the shipped model."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from diffusiontalker.bundle import BundleError, open_bundle
from livetalker.engine.engine import Engine
from livetalker.media.audio_files import read_audio

ROOT = Path(__file__).resolve().parents[2]
MAX_STREAMS = 4


@dataclass
class Server:
    """A running `livetalker serve`."""

    process: subprocess.Popen[str]
    address: str


@contextmanager
def serving(*options: str) -> Iterator[Server]:
    """Runs the server for the length of the block and checks that it stops cleanly."""
    command = [sys.executable, "-m", "livetalker.cli.main", "serve", "--port", "0", "--threads", "1", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            greeting = process.stdout.readline()
            found = re.search(r" at (127\.0\.0\.1:\d+),", greeting)
            if found is None:
                process.kill()
                pytest.fail(f"the server did not start: {process.communicate()[1]}")
            yield Server(process, found[1])
            unheard = process.stdout.closed
            process.terminate()
            said, errors = process.communicate(timeout=60)
            assert (process.returncode, said, errors) == (0, "" if unheard else "stopped\n", "")
        finally:
            if process.poll() is None:
                process.kill()


@pytest.fixture(scope="session", autouse=True)
def shipped_model() -> None:
    """Skips where the checkout has no model, which `make model` makes."""
    try:
        open_bundle(None)
    except BundleError as error:
        pytest.skip(f"no shipped model: {error}")


@pytest.fixture(scope="session")
def server(shipped_model: None) -> Iterator[Server]:
    """One server for all tests."""
    with serving("--max-streams", str(MAX_STREAMS), "--grace", "1") as running:
        yield running


@pytest.fixture(scope="session")
def offline(shipped_model: None) -> Engine:
    """An engine in this process, not started, to bake with on the backend that the server chooses."""
    return Engine.load(max_streams=1, threads=1, backend="auto")


@pytest.fixture(scope="session")
def speech() -> NDArray[np.float32]:
    """The demo's sentence at 16 kHz."""
    audio = read_audio(ROOT / "demo" / "clip.flac")
    assert audio.rate == 16_000
    return audio.samples
