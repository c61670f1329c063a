"""One simulated microphone: sends prepared chunks when they are due and notes when frames arrive.

It shares the machine with the server it measures, so that a frame costs no more here than one look at the clock.
"""

from __future__ import annotations

import asyncio
import math
from array import array
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from livetalker.bench.schedule import Schedule
from livetalker.client.call import AnimateCall
from livetalker.client.errors import LiveTalkerError
from livetalker.v1 import face_animation_pb2 as pb

Clock = Callable[[], float]

_SHORTEST_S: Final = 0.001
"""Sleep that is no busy waiting on any loop."""


@dataclass(slots=True)
class StreamLog:
    """What one stream noted; instants are seconds on the clock of its schedule.

    Attributes:
        schedule: its timetable.
        opened: when the call began; NaN if it never did.
        started: when the server said that it accepts the stream; NaN if it never did.
        sent: when the sending of each chunk began.
        lag: seconds by which each sending began later than it could: the load generator's own lateness.
        write_wait: seconds each sending took: long where the server holds the stream back.
        arrived: when each frame came; NaN for one that has not.
        repeated: frames that came twice, or that nobody asked for.
        model: name and version, as the server said.
        frame_gaps: frames the server said it will never send, by cause.
        warnings: warnings by reason.
        error: what ended the stream, if not its end.
    """

    schedule: Schedule
    opened: float = math.nan
    started: float = math.nan
    sent: array[float] = field(default_factory=lambda: array("d"))
    lag: array[float] = field(default_factory=lambda: array("d"))
    write_wait: array[float] = field(default_factory=lambda: array("d"))
    arrived: array[float] = field(init=False)
    repeated: int = 0
    model: str = ""
    frame_gaps: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    error: LiveTalkerError | None = None

    def __post_init__(self) -> None:
        self.arrived = array("d", [math.nan]) * self.schedule.frames

    @property
    def frames_received(self) -> int:
        """How many frames came."""
        return sum(not math.isnan(at) for at in self.arrived)


async def pace(
    log: StreamLog,
    send: Callable[[int], Awaitable[None]],
    clock: Clock,
    sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
) -> None:
    """Sends every chunk of the schedule when it is due, or at once if that has passed.

    Args:
        log: where to note ``sent``, ``lag`` and ``write_wait``.
        send: sends the chunk of a number.
        clock: seconds.
        sleep: waits so many seconds.
    """
    free = log.schedule.start  # when the chunk before was out of hand
    for chunk in range(log.schedule.chunks):
        due = log.schedule.due(chunk)
        while (delay := due - clock()) > 0:  # a loop whose timers count whole milliseconds may come too early
            await sleep(max(delay, _SHORTEST_S))
        begun = clock()
        log.sent.append(begun)
        log.lag.append(begun - max(due, free))
        await send(chunk)
        free = clock()
        log.write_wait.append(free - begun)


async def run_microphone(
    log: StreamLog,
    call: Callable[[], AnimateCall],
    config: pb.AnimateRequest,
    audio: Sequence[pb.AnimateRequest],
    clock: Clock,
) -> None:
    """Runs one stream from its opening, when its schedule says so, to its last frame; errors go to the log.

    Args:
        log: a fresh one.
        call: begins the call.
        config: the first request.
        audio: chunks of the schedule's length; repeated from the first when they are used up.
        clock: seconds, monotonic.
    """
    await asyncio.sleep(log.schedule.start - clock())
    log.opened = clock()
    animate = call()

    async def send(chunk: int) -> None:
        await animate.write(audio[chunk % len(audio)])

    async def send_all() -> None:
        try:
            await animate.write(config)
            await pace(log, send, clock)
            await animate.done_writing()
        except LiveTalkerError:
            return  # the reader is told why

    sender = asyncio.create_task(send_all())
    try:
        while (response := await animate.read()) is not None:
            _note(log, response, clock())
    except LiveTalkerError as error:
        log.error = error
    finally:
        sender.cancel()
        await asyncio.gather(sender, return_exceptions=True)
        animate.cancel()


def _note(log: StreamLog, response: pb.AnimateResponse, now: float) -> None:
    kind = response.WhichOneof("response")
    if kind == "frames":
        for frame in response.frames.frames:
            index = frame.index
            if 0 <= index < len(log.arrived) and math.isnan(log.arrived[index]):
                log.arrived[index] = now
            else:
                log.repeated += 1
    elif kind == "started":
        log.started = now
        log.model = f"{response.started.model_name} {response.started.model_version}"
    elif response.event.HasField("gap"):
        log.frame_gaps[pb.GapCause.Name(response.event.gap.cause)] += response.event.gap.frame_count
    elif response.event.HasField("warning"):
        log.warnings[response.event.warning.reason] += 1
    elif response.event.HasField("draining"):
        log.warnings["DRAINING"] += 1
