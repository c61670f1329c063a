"""The gRPC server: listening, health, reflection, and stopping without cutting anybody off in mid-sentence."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Sequence
from types import FrameType
from typing import Any, Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio  # type: ignore[attr-defined]  # the stubs lack it
from grpc_reflection.v1alpha import reflection

from livetalker.address import AddressInUseError
from livetalker.rpc.access import TokenCheck, TokenFile
from livetalker.rpc.options import ServerOptions
from livetalker.rpc.ports import Animator
from livetalker.rpc.servicer import FaceAnimationServicer
from livetalker.rpc.tls import server_credentials
from livetalker.v1 import face_animation_pb2 as pb
from livetalker.v1 import face_animation_pb2_grpc as rpc

log = logging.getLogger(__name__)

SERVICE: Final = pb.DESCRIPTOR.services_by_name["FaceAnimationService"].full_name
_LAST_WORDS_S: Final = 1.0


class FaceServer:
    """A server over an engine that is already running; the engine stays the caller's to stop.

    Raises:
        TokenFileError, TlsError: a file that the options name cannot be used.

    Attributes:
        port: TCP port listened at, known after ``start``.
        servicer: the streams being served.
    """

    def __init__(self, engine: Animator, options: ServerOptions) -> None:
        self.port = 0
        self.servicer = FaceAnimationServicer(engine, options)
        self._options = options
        self._health = health_aio.HealthServicer()
        self._credentials = None if options.tls is None else server_credentials(options.tls)
        checks = [] if options.token_file is None else [TokenCheck(TokenFile(options.token_file))]
        self._server = grpc.aio.server(
            interceptors=checks,
            options=(
                ("grpc.max_receive_message_length", options.max_message_bytes),
                # Without these two, gRPC grows its windows and buffers minutes of audio of a stream that is held back.
                ("grpc.http2.bdp_probe", 0),
                ("grpc.http2.lookahead_bytes", 65536),
                # Clients may ping every ten seconds, also while nothing is sent.
                ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
                ("grpc.keepalive_permit_without_calls", 1),
                # Find out within half a minute that a client's machine is gone.
                ("grpc.keepalive_time_ms", 20_000),
                ("grpc.keepalive_timeout_ms", 10_000),
                # Without being told so, a second server on the same port is a mistake to report, not to share with.
                ("grpc.so_reuseport", int(options.share_port)),
            ),
        )
        rpc.add_FaceAnimationServiceServicer_to_server(self.servicer, self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection(
            (SERVICE, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name, reflection.SERVICE_NAME), self._server
        )

    async def start(self) -> None:
        """Starts to listen and reports itself healthy.

        Raises:
            AddressInUseError: the address is taken or not this machine's.
        """
        address = f"{self._options.host}:{self._options.port}"
        try:
            if self._credentials is None:
                self.port = self._server.add_insecure_port(address)
            else:
                self.port = self._server.add_secure_port(address, self._credentials)
        except RuntimeError as error:
            await self._server.stop(None)
            raise AddressInUseError(address) from error
        await self._server.start()
        await self._health.set(SERVICE, health_pb2.HealthCheckResponse.SERVING)

    async def stop(self) -> None:
        """Stops gracefully: unhealthy at once, new streams refused, open ones told, flushed and ended in time."""
        await self._health.enter_graceful_shutdown()
        await self.servicer.drain(self._options.grace_s)
        # Left are statuses on their way, health watchers, and streams whose client does not read.
        await self._server.stop(_LAST_WORDS_S)

    async def serve_until_signalled(
        self,
        broken: Awaitable[None] | None = None,
        signals: Sequence[signal.Signals] = (signal.SIGTERM, signal.SIGINT),
        *,
        ready: Callable[[], None] = lambda: None,
    ) -> bool:
        """Serves until one of the signals, then stops gracefully; a second one stops at once.

        Args:
            broken: ends when the engine is beyond use; there is nothing to be graceful about then.
            signals: orders to stop.
            ready: called once these are obeyed: who hears that the server runs may stop it at once.

        Returns:
            Whether it was an order that ended it.
        """
        loop = asyncio.get_running_loop()
        signalled, again = asyncio.Event(), asyncio.Event()

        def on_signal() -> None:
            (again if signalled.is_set() else signalled).set()

        def handler(number: int, frame: FrameType | None) -> None:
            if not loop.is_closed():  # a late one, while the process is already on its way out
                loop.call_soon_threadsafe(on_signal)

        for number in signals:  # not loop.add_signal_handler, which Windows lacks
            signal.signal(number, handler)
        ready()
        ordered = asyncio.ensure_future(signalled.wait())
        waits: set[asyncio.Future[Any]] = {ordered}
        if broken is not None:
            waits.add(asyncio.ensure_future(broken))
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        if not ordered.done():
            ordered.cancel()
            await self._server.stop(_LAST_WORDS_S)  # streams are told by themselves
            return False
        for wait in waits:
            wait.cancel()
        log.info("stopping; %d streams are open", self.servicer.open_sessions)
        stopping = asyncio.ensure_future(self.stop())
        impatient = asyncio.ensure_future(again.wait())
        await asyncio.wait((stopping, impatient), return_when=asyncio.FIRST_COMPLETED)
        impatient.cancel()
        if stopping.done():
            await stopping  # raises what went wrong
        else:
            stopping.cancel()
            await self._server.stop(0)
            # gRPC logs a call that the closing loop cancels: those it has cancelled itself shall have ended by then.
            if others := asyncio.all_tasks() - {asyncio.current_task()}:
                await asyncio.wait(others, timeout=_LAST_WORDS_S)
        return True
