"""Many simulated microphones at once against one server: connections, warm-up, the run, and who did not finish."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final, Protocol

import grpc
import numpy as np
from numpy.typing import NDArray

from livetalker.bench.microphone import StreamLog, run_microphone
from livetalker.bench.schedule import Schedule, chunk_samples, start_offsets
from livetalker.bench.speech import synthetic_speech
from livetalker.client.call import AnimateCall
from livetalker.client.client import LiveTalkerClient
from livetalker.client.errors import LiveTalkerError
from livetalker.client.security import PLAIN, Security
from livetalker.client.wire import Encoding, config_to_wire, pcm
from livetalker.core.config import StreamConfig
from livetalker.v1 import face_animation_pb2 as pb
from livetalker.v1 import face_animation_pb2_grpc as rpc

Caller = Callable[[], AnimateCall]

# Every microphone has a connection of its own, as people on different machines have.
_CHANNEL_OPTIONS: Final = (("grpc.use_local_subchannel_pool", 1),)
_CONNECT_S: Final = 20.0
_WARM_UP_CHUNKS: Final = 25
_WARM_UP_S: Final = 60.0
_DRAIN_S: Final = 10.0
"""How long after the last sample frames may still come; a server holds two seconds of audio at most."""
_VOICES: Final = 16
"""Different synthetic voices; further streams repeat them from another place on."""
_SAMPLING_S: Final = 0.5

UNFINISHED: Final = "UNFINISHED"
"""Reason given for a stream that the server had not ended in time."""


class Meter(Protocol):
    """Watches the server while it is under load; called on a thread, one call at a time."""

    def begin(self) -> None:
        """The measured part of the run begins."""

    def sample(self) -> None:
        """Some time has passed."""

    def end(self) -> None:
        """The measured part ends."""


@dataclass(frozen=True, slots=True)
class Load:
    """What the microphones do.

    Attributes:
        streams: how many there are, 1 or more.
        seconds: audio each one sends.
        warmup: seconds after the last stream's opening from which on frames are timed.
        config: what each stream asks for; stream ``i`` gets seed ``config.seed + i``.
        audio: ``[n]`` mono at ``config.sample_rate``, repeated as often as needed; None: synthetic voices.
    """

    streams: int
    seconds: float
    warmup: float
    config: StreamConfig
    audio: NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class LoadRun:
    """What a run brought.

    Attributes:
        logs: one a stream.
        window: begin and end of the part that is timed, in which every stream was to be open, on the logs' clock.
        client_cpu_percent: this process's own use of a core in the window; None if it was not reached.
    """

    logs: list[StreamLog]
    window: tuple[float, float]
    client_cpu_percent: float | None


async def run_load(address: str, load: Load, meter: Meter | None = None, security: Security = PLAIN) -> LoadRun:
    """Connects, warms the server up through every connection, and runs all streams to their end.

    Args:
        address: the server's ``host:port``.
        load: what to do.
        meter: watches meanwhile.
        security: how to reach the server.

    Raises:
        LiveTalkerError: the server cannot be reached, or refuses what every stream asks for.
    """
    clock = time.monotonic
    async with LiveTalkerClient(address, tls=security.tls, token=security.token) as client:
        await client.model_info()  # tells at once where nobody listens
    requests = _requests(load)
    async with AsyncExitStack() as stack:
        channels = [
            await stack.enter_async_context(security.channel(address, _CHANNEL_OPTIONS)) for _ in range(load.streams)
        ]
        await _connect(channels, address)
        callers = [_caller(rpc.FaceAnimationServiceStub(channel), address, security) for channel in channels]
        await _warm_up(callers, address, requests)
        offsets = start_offsets(load.streams, load.seconds)
        base = clock() + 0.2
        count = max(1, round(load.seconds * load.config.sample_rate / chunk_samples(load.config.sample_rate)))
        logs = [StreamLog(Schedule(base + at, load.config.sample_rate, load.config.fps, count)) for at in offsets]
        window = (max(log.schedule.start for log in logs) + load.warmup, logs[0].schedule.end)
        tasks = [
            asyncio.create_task(run_microphone(log, caller, config, audio, clock))
            for log, caller, (config, audio) in zip(logs, callers, requests, strict=True)
        ]
        watching = asyncio.create_task(_watch(window, meter))
        try:
            await _finish(tasks, logs, clock)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if clock() < window[1]:
                watching.cancel()
            (cpu,) = await asyncio.gather(watching, return_exceptions=True)
    if isinstance(cpu, Exception):
        raise cpu
    return LoadRun(logs, window, cpu if isinstance(cpu, float) else None)


def _requests(load: Load) -> list[tuple[pb.AnimateRequest, list[pb.AnimateRequest]]]:
    """The config and the chunks of every stream; ``start_sample`` is left out, so that chunks can be repeated."""
    rate = load.config.sample_rate
    size = chunk_samples(rate)
    if load.audio is None:
        voices = [synthetic_speech(seed, rate) for seed in range(min(load.streams, _VOICES))]
    else:
        voices = [load.audio]
    chunked = []
    for voice in voices:
        data = pcm(np.pad(voice, (0, -len(voice) % size)), Encoding.S16LE)
        pieces = [data[first : first + 2 * size] for first in range(0, len(data), 2 * size)]
        chunked.append([pb.AnimateRequest(audio=pb.AudioChunk(data=piece)) for piece in pieces])
    requests = []
    for i in range(load.streams):
        config = config_to_wire(load.config, Encoding.S16LE)
        config.seed += i
        chunks = chunked[i % len(chunked)]
        shift = 37 * (i // len(chunked)) % len(chunks)
        requests.append((pb.AnimateRequest(config=config), chunks[shift:] + chunks[:shift]))
    return requests


def _caller(stub: Any, address: str, security: Security) -> Caller:
    return lambda: AnimateCall(stub.Animate(metadata=security.metadata), address)


async def _connect(channels: Sequence[grpc.aio.Channel], address: str) -> None:
    try:
        async with asyncio.timeout(_CONNECT_S):
            await asyncio.gather(*(channel.channel_ready() for channel in channels))
    except TimeoutError:
        raise LiveTalkerError(
            grpc.StatusCode.UNAVAILABLE,
            f"the server at {address} did not take {len(channels)} connections in {_CONNECT_S:g} s",
        ) from None


async def _warm_up(
    callers: Sequence[Caller], address: str, requests: Sequence[tuple[pb.AnimateRequest, Sequence[pb.AnimateRequest]]]
) -> None:
    """A short stream over every connection, all at once, as fast as the server takes them.

    Raises:
        LiveTalkerError: not one of them was served; the first one's error.
    """

    async def one(
        caller: Caller, config: pb.AnimateRequest, audio: Sequence[pb.AnimateRequest]
    ) -> LiveTalkerError | None:
        call = caller()
        try:
            await call.write(config)
            for chunk in range(_WARM_UP_CHUNKS):
                await call.write(audio[chunk % len(audio)])
            await call.done_writing()
        except LiveTalkerError as error:
            if error.code is not grpc.StatusCode.CANCELLED:
                return error
        try:
            while await call.read() is not None:
                pass
        except LiveTalkerError as error:
            return error
        finally:
            call.cancel()
        return None

    try:
        async with asyncio.timeout(_WARM_UP_S):
            errors = await asyncio.gather(
                *(one(caller, *asked) for caller, asked in zip(callers, requests, strict=True))
            )
    except TimeoutError:
        raise LiveTalkerError(
            grpc.StatusCode.DEADLINE_EXCEEDED,
            f"the server at {address} did not animate half a second of audio in {_WARM_UP_S:g} s",
        ) from None
    failed = [error for error in errors if error is not None]
    if len(failed) == len(callers):
        raise failed[0]


async def _finish(tasks: Sequence[asyncio.Task[None]], logs: Sequence[StreamLog], clock: Any) -> None:
    """Waits for the streams; whoever has not come to its end in time is told so.

    Raises:
        Exception: what went wrong in the load generator itself.
    """
    last = max(log.schedule.end for log in logs)
    done, _ = await asyncio.wait(tasks, timeout=last + _DRAIN_S - clock())
    for log, task in zip(logs, tasks, strict=True):
        if task.cancelled():
            log.error = LiveTalkerError(grpc.StatusCode.CANCELLED, "the stream was cancelled")
        elif task in done:
            task.result()
        else:
            log.error = LiveTalkerError(
                grpc.StatusCode.DEADLINE_EXCEEDED,
                f"the stream had not ended {_DRAIN_S:g} s after its audio",
                reason=UNFINISHED,
            )


async def _watch(window: tuple[float, float], meter: Meter | None) -> float:
    """Has the meter look at the server in the window; returns this process's own use of a core, in percent."""
    clock = time.monotonic
    await asyncio.sleep(window[0] - clock())
    wall, cpu = time.perf_counter(), time.process_time()
    if meter is not None:
        await asyncio.to_thread(meter.begin)
    while (left := window[1] - clock()) > 0:
        await asyncio.sleep(min(left, _SAMPLING_S))
        if meter is not None:
            await asyncio.to_thread(meter.sample)
    if meter is not None:
        await asyncio.to_thread(meter.end)
    return 100 * (time.process_time() - cpu) / (time.perf_counter() - wall)
