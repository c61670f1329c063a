"""The service's two calls: admission and the stream's life, and the model's description."""

from __future__ import annotations

import asyncio
import itertools
import logging
from typing import Any

import grpc

from livetalker.core.outputs import Output
from livetalker.rpc import responses
from livetalker.rpc.errors import Reason, ServiceError, abort
from livetalker.rpc.mailbox import Mailbox
from livetalker.rpc.opening import read_opening
from livetalker.rpc.options import ServerOptions
from livetalker.rpc.ports import Animator
from livetalker.rpc.resume_token import ResumeTokens
from livetalker.rpc.session import RETRY_AFTER_S, PeerGone, Session, peer_gone
from livetalker.v1 import face_animation_pb2 as pb
from livetalker.v1 import face_animation_pb2_grpc as rpc

log = logging.getLogger(__name__)

Context = grpc.aio.ServicerContext[Any, Any]


class FaceAnimationServicer(rpc.FaceAnimationServiceServicer):
    """Serves streams and knows which are open.

    Attributes:
        draining: whether new streams are refused; ``drain`` sets it.

    Args:
        engine: who animates.
        options: the server's limits.
    """

    def __init__(self, engine: Animator, options: ServerOptions) -> None:
        self.draining = False
        self._engine = engine
        self._options = options
        self._tokens = ResumeTokens(options.resume_key, engine.info)
        self._sessions: set[Session] = set()
        self._empty = asyncio.Event()
        self._empty.set()
        self._mailbox: Mailbox[Output] | None = None  # made on the loop that serves
        self._numbers = itertools.count(1)

    @property
    def open_sessions(self) -> int:
        """Streams being served."""
        return len(self._sessions)

    async def Animate(self, request_iterator: object, context: Context) -> None:
        """Serves one stream; see the contract."""
        try:
            await self._animate(context)
        except ServiceError as error:
            log.info("%s: %s: %s", context.peer(), error.reason, error)
            await abort(context, error)
        except PeerGone:
            log.info("%s: gone", context.peer())
        except Exception:
            log.exception("%s: a stream failed", context.peer())
            await abort(context, ServiceError(Reason.SERVER_FAILED, "the server failed; open a new stream"))

    async def GetModelInfo(self, request: pb.GetModelInfoRequest, context: Context) -> pb.GetModelInfoResponse:
        """Describes the model."""
        return responses.model_info(self._engine.info, self._options)

    async def _animate(self, context: Context) -> None:
        first = await self._first_request(context)
        if not isinstance(first, pb.AnimateRequest):  # grpc.aio.EOF: opened and half-closed, nothing was asked for
            return
        opening = read_opening(first, self._tokens)
        config = opening.config
        # By itself, so that a first write that is given up in the middle does not leave grpc.aio in doubt whether the
        # headers went out: it would send them again with the status, which fails, and the client would wait for ever.
        with peer_gone():
            await context.send_initial_metadata(())
        if self.draining:
            raise ServiceError(
                Reason.SERVER_DRAINING,
                "the server is stopping; open the stream elsewhere",
                retry_after_s=RETRY_AFTER_S,
            )
        name = f"{self._options.session_prefix}{next(self._numbers):06d}"
        if self._mailbox is None:
            self._mailbox = Mailbox(asyncio.get_running_loop())
        session = Session(name, context, self._engine, opening, self._options, self._mailbox, self._tokens)
        self._sessions.add(session)
        self._empty.clear()
        try:
            log.info(
                "%s: stream %s %s: %d Hz, %d fps, %s, %s, identity %s",
                context.peer(),
                name,
                "opened" if opening.resumption is None else f"goes on at frame {opening.resumption.next_frame}",
                config.sample_rate,
                config.fps,
                config.preset,
                config.delivery.value,
                config.identity.label,
            )
            await session.run()
            log.info("%s: stream %s done", context.peer(), name)
        finally:
            self._sessions.discard(session)
            if not self._sessions:
                self._empty.set()

    async def _first_request(self, context: Context) -> Any:
        try:
            with peer_gone():
                async with asyncio.timeout(self._options.config_deadline_s):
                    return await context.read()
        except TimeoutError as error:
            raise ServiceError(
                Reason.CONFIG_TIMEOUT,
                f"no config came within {self._options.config_deadline_s:g} s; send it first and at once",
            ) from error

    async def drain(self, grace_s: float) -> None:
        """Refuses new streams, tells the open ones, and ends those that remain.

        The last quarter of the grace period is kept for flushing what remaining clients have already sent.

        Args:
            grace_s: seconds for all of it.
        """
        self.draining = True
        until_cut = 0.75 * grace_s
        for session in self._sessions:
            session.announce_draining(until_cut)
        if await self._emptied(until_cut):
            return
        for session in list(self._sessions):
            session.cut_off()
        await self._emptied(grace_s - until_cut)

    async def _emptied(self, timeout_s: float) -> bool:
        try:
            async with asyncio.timeout(timeout_s):
                await self._empty.wait()
        except TimeoutError:
            return False
        return True
