"""One stream: a task that reads what the client sends, and a task that writes what the engine makes.

Between them stand two bounded places: the engine's backlog of audio and the outbox of frames. While the backlog is full
the stream stops reading, so that the transport holds the client back. While the outbox is full a lossless stream stops
reading too; a live one drops its oldest frames.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import grpc

from livetalker.core.admission import EngineFull, EngineLost
from livetalker.core.mute import MuteTrack
from livetalker.core.outbox import Outbox
from livetalker.core.outputs import Checkpoint, Failed, Finished, Frames, IdentityMatched, Output, Skipped
from livetalker.core.timeline import AudioTimeline, GapTooLongError
from livetalker.rpc import requests, responses
from livetalker.rpc.errors import Reason, ServiceError
from livetalker.rpc.mailbox import Mailbox
from livetalker.rpc.opening import Opening
from livetalker.rpc.options import ServerOptions
from livetalker.rpc.ports import Animator, ResumedVoice, Voice
from livetalker.rpc.requests import config_errors
from livetalker.rpc.resume_token import ResumeTokens
from livetalker.rpc.write_deadline import WriteDeadline
from livetalker.v1 import face_animation_pb2 as pb

log = logging.getLogger(__name__)

RETRY_AFTER_S: Final = 1.0
"""What a refused client is told to wait."""
_FRAMES_PER_MESSAGE: Final = 60
_EVENTS_WAITING: Final = 64
"""Events that may wait for the client before its input is held back, in either delivery."""


class PeerGone(Exception):
    """The client cancelled or its connection broke; nobody is left to tell."""


@contextmanager
def peer_gone() -> Iterator[None]:
    """Turns what grpc.aio raises in mid-operation, when the client goes away, into ``PeerGone``."""
    try:
        yield
    except grpc.aio.BaseError as error:
        raise PeerGone from error


def _engine_lost() -> ServiceError:
    """A server without its engine stops, so that clients go on where they can: here when it is back, or elsewhere."""
    return ServiceError(
        Reason.SERVER_DRAINING,
        "the server's engine has ended, and the server with it; resume the stream here later, or elsewhere",
        retry_after_s=RETRY_AFTER_S,
    )


class Session:
    """An admitted stream; ``run`` is its whole life. Everything but the engine's sink happens on the event loop.

    Args:
        session_id: name of the stream in logs.
        context: the call.
        engine: who animates.
        opening: what the client asked for.
        options: the server's limits.
        mailbox: brings the engine's outputs to the event loop.
        tokens: writes what the stream could be resumed with.

    Raises:
        ServiceError: every slot is taken, the engine is no more, or the model lacks what the config asks for.
    """

    def __init__(
        self,
        session_id: str,
        context: grpc.aio.ServicerContext[pb.AnimateRequest, pb.AnimateResponse],
        engine: Animator,
        opening: Opening,
        options: ServerOptions,
        mailbox: Mailbox[Output],
        tokens: ResumeTokens,
    ) -> None:
        config, resumption = opening.config, opening.resumption
        self._id = session_id
        self._context = context
        self._engine = engine
        self._opening = opening
        self._config = config
        self._audio = opening.audio
        self._options = options
        self._tokens = tokens
        self._state = None if resumption is None else resumption.state
        self._state_frame = 0 if resumption is None else resumption.next_frame
        self._token_old = False
        self._timeline = AudioTimeline(config.sample_rate, MuteTrack(opening.mute_changes))
        self._outbox = Outbox(config.delivery, max(1, round(options.outbox_s * config.fps)), options.outbox_s)
        self._notices: deque[pb.AnimateResponse] = deque()
        self._backlog_limit = round(options.backlog_s * config.sample_rate)
        self._news = asyncio.Event()  # something to send
        self._room = asyncio.Event()  # the backlog or the outbox may have shrunk
        self._reader: asyncio.Task[None] | None = None
        self._deadline: WriteDeadline
        self._cut_off = False

        def sink(output: Output) -> None:
            mailbox.post(self._on_output, output)

        with config_errors("config"):
            try:
                self._voice: Voice
                self._unplaced: ResumedVoice | None = None  # a resumed stream of which no audio has come yet
                if resumption is None:
                    self._voice = engine.open(config, sink)
                else:
                    self._voice = self._unplaced = engine.resume(config, sink, resumption)
            except EngineFull as error:
                raise ServiceError(
                    Reason.SERVER_FULL,
                    f"{error}; try again later or on another server",
                    retry_after_s=RETRY_AFTER_S,
                ) from error
            except EngineLost as error:
                raise _engine_lost() from error

    async def run(self) -> None:
        """Serves the stream to its end; frees the slot whatever happens.

        Raises:
            ServiceError: the stream ends with an error.
            PeerGone: the client is gone.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                self._reader = tasks.create_task(self._read_all())
                writer = tasks.create_task(self._write_all())
                self._deadline = WriteDeadline(writer, self._options.write_deadline_s)
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None
        finally:
            self._voice.close()
            self._deadline.stop()
        if self._cut_off:
            raise ServiceError(
                Reason.SERVER_DRAINING,
                "the server is stopping and has ended the stream; open a new one elsewhere",
                retry_after_s=RETRY_AFTER_S,
            )

    def announce_draining(self, grace_s: float) -> None:
        """Tells the client that the server is stopping."""
        self._notices.append(responses.draining(grace_s))
        self._news.set()

    def cut_off(self) -> None:
        """Stops listening; the frames of what was heard are still sent, then the stream ends with an error.

        A stream that the client has half-closed ends by itself and is left alone.
        """
        if self._reader is not None and not self._reader.done():
            self._cut_off = True
            self._reader.cancel()
            self._voice.finish()

    # Reading --------------------------------------------------------------------------------------------------------

    async def _read_all(self) -> None:
        while isinstance(request := await self._receive(), pb.AnimateRequest):  # else it is grpc.aio.EOF
            match request.WhichOneof("request"):
                case "audio":
                    self._hear(request.audio)
                case "control":
                    self._control(request.control)
                case "config" | "resume":
                    raise ServiceError(
                        Reason.CONFIG_REPEATED, "the stream has its config already; open a new stream for another one"
                    )
                case _:
                    raise ServiceError(Reason.REQUEST_EMPTY, "a request is empty; send audio or a control")
            if not self._has_room:
                await self._wait_for_room()
        self._voice.finish()

    async def _receive(self) -> Any:
        try:
            return await self._context.read()
        except grpc.aio.BaseError as error:
            raise PeerGone from error

    def _hear(self, chunk: pb.AudioChunk) -> None:
        samples = self._audio.decode(chunk)
        if self._unplaced is not None:
            self._begin(self._unplaced, chunk)
        try:
            placed = self._timeline.place(samples, chunk.start_sample if chunk.HasField("start_sample") else None)
        except GapTooLongError as error:
            raise ServiceError(Reason.GAP_TOO_LONG, str(error), field="audio.start_sample") from error
        if placed.gap is not None:
            self._notice(responses.audio_missing(placed.gap))
        if placed.overlap is not None:
            self._notice(responses.audio_overlap(placed.overlap))
        if len(placed.samples):
            self._voice.push(placed.samples)

    def _begin(self, voice: ResumedVoice, chunk: pb.AudioChunk) -> None:
        """The first audio of a resumed stream says where it begins."""
        assert self._opening.resumption is not None
        if not chunk.HasField("start_sample"):
            raise ServiceError(
                Reason.CONFIG_INVALID,
                "the first audio of a resumed stream has no start_sample; say where on the stream's clock it begins",
                field="audio.start_sample",
            )
        self._timeline.begin(voice.begin(chunk.start_sample), self._opening.resumption.instant(self._config))
        self._unplaced = None

    def _control(self, control: pb.Control) -> None:
        match control.WhichOneof("control"):
            case "flush":
                self._voice.flush()
            case "mute":
                self._mute(True)
            case "unmute":
                self._mute(False)
            case "rematch_identity":
                with config_errors("control.rematch_identity"):
                    self._voice.rematch_identity(requests.read_identity(control.rematch_identity.identity))
            case "shaping":
                with config_errors("control"):
                    shaping = requests.read_shaping(control.shaping)
                self._voice.shape(shaping)
            case _:
                raise ServiceError(Reason.REQUEST_EMPTY, "a control is empty; set one of its fields", field="control")

    def _mute(self, muted: bool) -> None:
        self._timeline.muted = muted
        self._token_old = True
        self._news.set()

    @property
    def _has_room(self) -> bool:
        return (
            self._voice.backlog_samples <= self._backlog_limit
            and not self._outbox.full
            and len(self._outbox) + len(self._notices) < self._outbox.frames + _EVENTS_WAITING
        )

    async def _wait_for_room(self) -> None:
        while not self._has_room:
            self._room.clear()
            await self._room.wait()

    # Writing --------------------------------------------------------------------------------------------------------

    def _notice(self, response: pb.AnimateResponse) -> None:
        self._notices.append(response)
        self._news.set()

    def _on_output(self, output: Output) -> None:
        self._outbox.put(output)
        self._news.set()
        self._room.set()

    async def _write_all(self) -> None:
        await self._send(
            responses.started(self._id, self._opening, self._engine.info, self._options, self._resume_token())
        )
        while not isinstance(output := await self._next_output(), Finished):
            match output:
                case Frames():
                    await self._send_frames(output)
                case IdentityMatched():
                    await self._send(responses.identity_matched(output))
                case Skipped():
                    await self._send(responses.skipped(output))
                case Checkpoint():
                    self._state, self._state_frame = output.state, output.frame
                    await self._send_resume_point()
                case Failed(EngineLost()):
                    raise _engine_lost()
                case Failed():
                    log.error("stream %s failed in the engine", self._id, exc_info=output.error)
                    raise ServiceError(Reason.SERVER_FAILED, "the server could not animate the stream; open a new one")

    async def _next_output(self) -> Output:
        """Waits for the engine's next output; sends the session's own notices meanwhile and before it."""
        while True:
            if self._notices:
                await self._send(self._notices.popleft())
                self._room.set()
            elif self._token_old:
                await self._send_resume_point()
            elif (output := self._outbox.take()) is not None:
                self._room.set()
                return output
            else:
                self._news.clear()
                await self._news.wait()

    def _resume_token(self) -> bytes:
        self._token_old = False
        return self._tokens.write(self._opening.message, self._timeline.mutes.changes, self._state)

    async def _send_resume_point(self) -> None:
        await self._send(responses.resume_point(self._resume_token(), self._state_frame))

    async def _send_frames(self, frames: Frames) -> None:
        if len(frames) <= _FRAMES_PER_MESSAGE:  # always, while the voice is live
            await self._send(responses.frames(frames, self._config.fps))
            return
        for start in range(0, len(frames), _FRAMES_PER_MESSAGE):
            run = Frames(frames.first + start, frames.values[start : start + _FRAMES_PER_MESSAGE])
            await self._send(responses.frames(run, self._config.fps))

    async def _send(self, response: pb.AnimateResponse) -> None:
        self._deadline.begin()
        try:
            await self._context.write(response)
        except grpc.aio.BaseError as error:
            raise PeerGone from error
        except asyncio.CancelledError:
            if not self._deadline.passed:
                raise
            raise ServiceError(
                Reason.CLIENT_TOO_SLOW,
                f"the client read nothing for {self._options.write_deadline_s:g} s; read the responses while sending",
            ) from None
        self._deadline.end()
