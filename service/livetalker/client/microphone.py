"""The microphone as a source of chunks, through PortAudio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Any, Final

from diffusiontalker.geometry import SAMPLE_RATE
from livetalker.client.sources import LostAudio
from livetalker.core.config import SAMPLE_RATES

BLOCK_SECONDS: Final = 0.02
_QUEUE_BLOCKS: Final = 250
"""Five seconds: where a server holds audio back longer, what is recorded then is lost."""


class MicrophoneError(RuntimeError):
    """There is no usable microphone; the message says what to do."""


def portaudio() -> Any:
    """The sounddevice module.

    Raises:
        MicrophoneError: it or the PortAudio library is not installed.
    """
    try:
        import sounddevice
    except ModuleNotFoundError:
        raise MicrophoneError(
            "the microphone needs the sounddevice package: pip install '.[mic]' in LiveTalker's folder"
        ) from None
    except OSError:
        raise MicrophoneError(
            "the PortAudio library is missing; install it (Debian and Ubuntu: apt install libportaudio2)"
        ) from None
    return sounddevice


def list_inputs() -> list[str]:
    """One line for each input device: its number, name and channels.

    Raises:
        MicrophoneError: PortAudio is missing or fails.
    """
    sounddevice = portaudio()
    try:
        devices = sounddevice.query_devices()
    except sounddevice.PortAudioError as error:
        raise MicrophoneError(f"PortAudio cannot list the devices: {error}") from None
    return [
        f"{number:3d}  {device['name']} ({device['max_input_channels']} channels, "
        f"{device['default_samplerate']:.0f} Hz)"
        for number, device in enumerate(devices)
        if device["max_input_channels"] > 0
    ]


class Microphone:
    """An input device; ``chunks()`` yields what it records until ``stop()``.

    Attributes:
        sample_rate: hertz.

    Args:
        device: number or part of the name; None for the system's default.

    Raises:
        MicrophoneError: PortAudio or the device is missing or refuses mono 16-bit audio.
    """

    def __init__(self, device: str | None = None) -> None:
        self._sounddevice = portaudio()
        self._device = int(device) if device is not None and device.isdecimal() else device
        self._blocks: asyncio.Queue[bytes | LostAudio | None] = asyncio.Queue()
        self._lost = 0  # samples since the last block that was kept
        try:
            self.sample_rate = self._usable_rate()
        except (self._sounddevice.PortAudioError, ValueError) as error:
            named = "no microphone was found" if device is None else f"the microphone {device!r} cannot be used"
            raise MicrophoneError(f"{named} ({error}); see: livetalker mic --list-devices") from None

    def _usable_rate(self) -> int:
        """What the model hears if the device records it, else the device's own rate."""
        own = round(self._sounddevice.query_devices(self._device, "input")["default_samplerate"])
        for rate in (SAMPLE_RATE, min(own, SAMPLE_RATES[-1])):
            try:
                self._sounddevice.check_input_settings(self._device, channels=1, dtype="int16", samplerate=rate)
            except self._sounddevice.PortAudioError as error:
                refusal = error
            else:
                return rate
        raise refusal

    async def chunks(self) -> AsyncIterator[bytes | LostAudio]:
        """Records; chunks are 16-bit little-endian mono, 20 ms each, or holes where nobody took them for too long.

        Raises:
            MicrophoneError: the device cannot be opened.
        """
        loop = asyncio.get_running_loop()

        def on_block(data: Any, frames: int, time: Any, status: Any) -> None:
            loop.call_soon_threadsafe(self._put, bytes(data))

        with ExitStack() as recording:
            try:
                recording.enter_context(
                    self._sounddevice.RawInputStream(
                        samplerate=self.sample_rate,
                        blocksize=round(BLOCK_SECONDS * self.sample_rate),
                        device=self._device,
                        channels=1,
                        dtype="int16",
                        callback=on_block,
                    )
                )
            except self._sounddevice.PortAudioError as error:
                raise MicrophoneError(
                    f"the microphone cannot be opened ({error}); is another program using it?"
                ) from None
            while (block := await self._blocks.get()) is not None:
                yield block

    def stop(self) -> None:
        """Ends ``chunks()`` after what was recorded so far; call it on the event loop."""
        self._put_lost()
        self._blocks.put_nowait(None)

    def _put(self, block: bytes) -> None:
        if self._blocks.qsize() >= _QUEUE_BLOCKS:
            self._lost += len(block) // 2
            return
        self._put_lost()
        self._blocks.put_nowait(block)

    def _put_lost(self) -> None:
        if self._lost:
            self._blocks.put_nowait(LostAudio(self._lost))
            self._lost = 0
