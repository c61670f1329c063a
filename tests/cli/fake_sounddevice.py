"""A stand-in for the sounddevice package: two devices, and a microphone that hears a second and then Ctrl-C."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

BLOCKS = 50


class PortAudioError(Exception):
    pass


DEVICES: list[dict[str, Any]] = [
    {"name": "loudspeaker", "max_input_channels": 0, "default_samplerate": 44100.0},
    {"name": "USB microphone", "max_input_channels": 2, "default_samplerate": 48000.0},
]


def query_devices(device: int | str | None = None, kind: str | None = None) -> Any:
    if kind is None:
        return DEVICES
    if device not in (None, 1, "USB"):
        raise PortAudioError("Error querying device")
    return DEVICES[1]


def check_input_settings(device: int | str | None, channels: int, dtype: str, samplerate: int) -> None:
    assert (channels, dtype) == (1, "int16")
    if samplerate != 48_000:
        raise PortAudioError("Invalid sample rate")


class RawInputStream:
    def __init__(self, *, samplerate: int, blocksize: int, callback: Callable[..., None], **_: Any) -> None:
        assert (samplerate, blocksize) == (48_000, 960)
        self._block = bytes(2 * blocksize)
        self._callback = callback
        self._thread = threading.Thread(target=self._record)

    def _record(self) -> None:
        for _ in range(BLOCKS):
            self._callback(self._block, len(self._block) // 2, None, None)
        os.kill(os.getpid(), signal.SIGINT)

    def __enter__(self) -> RawInputStream:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
