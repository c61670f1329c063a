"""A call that outlives its connection: broken, it goes on in another call, and whoever reads and writes need not know.

Requests are kept for some seconds; frames are counted. After a break the reader connects again, shows the newest token
and has the last two seconds sent again. Where the server cannot resume (another key, another model), a new stream takes
over on the old one's clock, some whole seconds later.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

import grpc

from livetalker.client.call import AnimateCall, StreamEnded
from livetalker.client.errors import LiveTalkerError
from livetalker.client.replay import BACK_SECONDS, Replay
from livetalker.v1 import face_animation_pb2 as pb

PATIENCE_S: Final = 300.0
"""Seconds without an answer after which a stream is given up."""
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 2.0
_LONGEST_EARLY_PAUSE_S: Final = 0.4
"""In the first ten seconds, with the jitter: half a second."""
_EARLY_S: Final = 10.0
_JITTER: Final = 0.2
_UNASKED: Final = "the server ended the stream unasked"
CANNOT_RESUME: Final = ("RESUME_INVALID", "RESUME_MODEL_CHANGED", "GAP_TOO_LONG")
"""Reasons of refusals that a new stream mends."""


class Call(Protocol):
    """What a stream needs of a call: ``AnimateCall``, or one that lasts longer."""

    async def write(self, request: pb.AnimateRequest) -> None:
        """Sends a request."""
        ...

    async def done_writing(self) -> None:
        """Half-closes the call."""
        ...

    async def read(self) -> pb.AnimateResponse | None:
        """Receives a response; None once the call has ended well."""
        ...

    def cancel(self) -> None:
        """Ends the call at once."""
        ...


def pause_s(attempt: int, since_s: float) -> float:
    """Seconds to wait before an attempt to connect.

    Args:
        attempt: from 0.
        since_s: seconds since the connection broke.
    """
    longest = _LONGEST_EARLY_PAUSE_S if since_s < _EARLY_S else _LONGEST_PAUSE_S
    pause: float = min(_FIRST_PAUSE_S * 2 ** min(attempt, 16), longest)
    return pause * random.uniform(1 - _JITTER, 1 + _JITTER)


class ResumingCall:
    """An ``AnimateCall`` that goes on after its connection broke.

    Somebody has to read: it is the reader who connects again. Writers wait meanwhile; what they write is not lost.

    Args:
        begin: begins a call.
        width: bytes of a sample.
        on_note: is told when the connection breaks and when the stream goes on, for a person.
    """

    def __init__(
        self, begin: Callable[[], AnimateCall], width: int, on_note: Callable[[str], None] | None = None
    ) -> None:
        self._begin = begin
        self._width = width
        self._on_note = on_note or (lambda text: None)
        self._call = begin()
        self._config = pb.StreamConfig()
        self._token = b""
        self._known = 0  # sample up to which the token knows of controls
        self._knows_standing = True  # whether it knows what was in force when its stream began
        self._next_frame = 0
        self._offset_s = 0  # whole seconds from the old clock's zero to that of the call under way
        self._max_gap_s = 10.0
        self._started = False
        self._finished = False  # no more requests
        self._ended = False  # no more responses
        self._jump: int | None = None  # sample at which a new stream must begin: a hole too long to be filled
        self._live = asyncio.Event()  # the call under way has been sent all there is
        self._attempt = 0  # since the last frame came
        self._broke: float | None = None  # when the connection broke, if no frame has come since
        self._catching_up: asyncio.Task[None] | None = None
        self._clock = asyncio.get_running_loop().time

    # Writing --------------------------------------------------------------------------------------------------------

    async def write(self, request: pb.AnimateRequest) -> None:
        """Sends a request, the config first; waits while the transport is held back or broken.

        Raises:
            StreamEnded: the stream has ended; ``read`` tells why.
            LiveTalkerError: the first call was refused.
        """
        if request.HasField("config"):
            self._config = request.config
            self._replay = Replay(self._rate, self._width * max(1, self._config.channels))
            await self._call.write(request)
            self._live.set()
            return
        if request.HasField("audio") and request.audio.start_sample - self._replay.end > self._max_gap_s * self._rate:
            self._jump = request.audio.start_sample
            self._live.clear()
            self._replay.end = self._jump
            self._call.cancel()  # the reader goes on from here
        self._replay.add(request)
        if self._live.is_set() and not self._ended:
            call = self._call
            try:
                await call.write(self._shifted(request))
                return
            except LiveTalkerError:
                if call is self._call:  # else the reader has gone on already
                    self._live.clear()
        if not self._ended:
            await self._live.wait()  # by then it was sent, with all the rest
        if self._ended:
            raise StreamEnded

    async def done_writing(self) -> None:
        """Half-closes the call."""
        self._finished = True
        if self._live.is_set():
            await self._call.done_writing()

    def cancel(self) -> None:
        """Ends the stream at once."""
        self._end()
        self._call.cancel()

    def _end(self) -> None:
        self._ended = True
        self._live.set()
        if self._catching_up is not None:
            self._catching_up.cancel()

    # Reading --------------------------------------------------------------------------------------------------------

    async def read(self) -> pb.AnimateResponse | None:
        """Receives a response; None once the stream has ended well.

        Raises:
            LiveTalkerError: the stream has ended otherwise, or has found no server for too long.
        """
        while True:
            try:
                response = await self._call.read()
            except LiveTalkerError as error:
                await self._go_on(error)
                continue
            except asyncio.CancelledError as error:
                task = asyncio.current_task()
                if self._jump is None or task is None or task.cancelling():
                    raise
                await self._go_on(LiveTalkerError(grpc.StatusCode.CANCELLED, str(error)))  # write() has cancelled it
                continue
            if response is None and not self._finished:
                await self._go_on(LiveTalkerError(grpc.StatusCode.UNAVAILABLE, _UNASKED))
                continue
            if response is None:
                self._end()
                return None
            if (noted := self._noted(response)) is not None:
                return noted

    def _noted(self, response: pb.AnimateResponse) -> pb.AnimateResponse | None:
        """Notes what a response says, and gives it as it is on the stream's clock; None for nothing to tell."""
        match response.WhichOneof("response"):
            case "started":
                self._token = response.started.resume_token
                self._max_gap_s = response.started.limits.max_gap_ms / 1000 or self._max_gap_s
                first_time, self._started = not self._started, True
                return response if first_time else None
            case "frames":
                return self._counted(response)
            case "event":
                return self._told(response)
        return None

    def _counted(self, response: pb.AnimateResponse) -> pb.AnimateResponse | None:
        frames, shift = response.frames.frames, self._offset_s * self._fps
        if self._offset_s:
            for frame in frames:
                frame.index += shift
                frame.time_us += self._offset_s * 1_000_000
        while frames and frames[0].index < self._next_frame:
            del frames[0]
        if not frames:
            return None
        self._next_frame = frames[-1].index + 1
        self._replay.forget(self._instant(self._next_frame))
        self._attempt, self._broke = 0, None
        return response

    def _told(self, response: pb.AnimateResponse) -> pb.AnimateResponse | None:
        event, shift = response.event, self._offset_s * self._fps
        match event.WhichOneof("event"):
            case "resume_point":
                self._token = event.resume_point.token
                self._known = self._instant(event.resume_point.frame_index + shift)
                self._knows_standing = True
                return None
            case "identity_matched":
                event.identity_matched.frame_index += shift
            case "gap" if event.gap.sample_count:
                event.gap.start_sample += self._offset_s * self._rate
            case "gap":
                event.gap.first_frame += shift
                self._next_frame = max(self._next_frame, event.gap.first_frame + event.gap.frame_count)
        return response

    # Going on -------------------------------------------------------------------------------------------------------

    async def _go_on(self, error: LiveTalkerError) -> None:
        """Connects again, as often as it takes.

        Raises:
            LiveTalkerError: that is of no use, or has taken too long.
        """
        try:
            await self._connect_again(error)
        except LiveTalkerError:
            self._end()
            raise

    async def _connect_again(self, error: LiveTalkerError) -> None:
        jumped = self._jump is not None
        anew = error.reason in CANNOT_RESUME
        if self._ended or not self._started or not (jumped or anew or error.is_transient):
            raise error
        self._live.clear()
        if self._catching_up is not None:
            self._catching_up.cancel()
        if not jumped:
            self._on_note("the connection broke; connecting again")
        resume = bool(self._token) and not anew
        while True:
            if not jumped:
                await self._pause(error)
            resume = resume and self._jump is None  # writers may have jumped meanwhile
            try:
                await self._open(resume)
            except LiveTalkerError as refused:
                if refused.reason in CANNOT_RESUME and resume:
                    resume = False
                elif not refused.is_transient:
                    raise
                error, jumped = refused, False
                continue
            self._on_note("connected again" if resume else "connected again, as a new stream")
            return

    async def _pause(self, error: LiveTalkerError) -> None:
        """Waits as long as is wise after an error."""
        if self._broke is None:
            self._broke = self._clock()
        since_s = self._clock() - self._broke
        if since_s > PATIENCE_S:
            raise error
        full = error.retry_after_s if error.reason == "SERVER_FULL" else None
        await asyncio.sleep(full or pause_s(self._attempt, since_s))
        self._refuse_when_ended()
        self._attempt += 1

    def _refuse_when_ended(self) -> None:
        """Says to a reader that it was cancelled, as gRPC does, who knows nothing of a call yet to be made."""
        if self._ended:
            raise asyncio.CancelledError

    async def _open(self, resume: bool) -> None:
        """Opens a call that goes on with the stream, or a new stream on its clock, and has the audio sent again."""
        wanted, jump = self._instant(self._next_frame), self._jump
        if resume:
            next_frame = self._next_frame - self._offset_s * self._fps
            first = pb.AnimateRequest(resume=pb.Resume(token=self._token, next_frame=next_frame))
            offset_s, start, known = self._offset_s, wanted - BACK_SECONDS * self._rate, self._known
        else:
            first = pb.AnimateRequest(config=self._config)
            start = max(0, wanted - BACK_SECONDS * self._rate, self._replay.oldest) if jump is None else jump
            offset_s, known = start // self._rate, start
        call = self._begin()
        try:
            with suppress(StreamEnded):  # refused at once; reading tells why
                await call.write(first)
            response = await call.read()
            self._refuse_when_ended()
        except BaseException:
            call.cancel()
            raise
        if response is None:
            raise LiveTalkerError(grpc.StatusCode.UNAVAILABLE, _UNASKED)
        self._call, self._offset_s = call, offset_s
        if jump is not None:
            self._next_frame = max(self._next_frame, offset_s * self._fps)
            if self._jump == jump:  # else writers have jumped again, and the server will not fill that hole either
                self._jump = None
        self._noted(response)
        self._known, self._knows_standing = known, self._knows_standing and resume
        standing = [] if self._knows_standing else self._replay.standing(start)
        self._catching_up = asyncio.create_task(self._catch_up(call, start, known, standing))

    async def _catch_up(self, call: AnimateCall, start: int, known: int, standing: list[pb.AnimateRequest]) -> None:
        """Sends again what was sent since a sample, and what comes meanwhile; then writers write for themselves."""
        try:
            for request in standing:
                await call.write(request)
            for request in self._replay.since(start, known):
                await call.write(self._shifted(request))
        except LiveTalkerError:
            return  # the reader learns it, too, and begins again
        self._live.set()
        if self._finished:
            await call.done_writing()

    def _shifted(self, request: pb.AnimateRequest) -> pb.AnimateRequest:
        """A request on the clock of the call under way."""
        if not (self._offset_s and request.HasField("audio")):
            return request
        chunk = request.audio
        start = chunk.start_sample - self._offset_s * self._rate
        cut = max(0, -start)  # a chunk that straddles the new clock's zero
        data = chunk.data[cut * self._width * max(1, self._config.channels) :]
        return pb.AnimateRequest(audio=pb.AudioChunk(start_sample=start + cut, data=data))

    @property
    def _rate(self) -> int:
        return self._config.sample_rate

    @property
    def _fps(self) -> int:
        return self._config.frame_rate or 30

    def _instant(self, frame: int) -> int:
        return frame * self._rate // self._fps
