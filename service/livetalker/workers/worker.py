"""A worker: a gRPC server with an engine of its own, which runs in yet another process."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from contextlib import suppress
from multiprocessing.connection import Connection

from livetalker import event_loop
from livetalker.threads import switch_often
from livetalker.workers.places import SharedCounts, SharedPlaces
from livetalker.workers.setup import Failed, Ready, WorkerSetup


def work(number: int, setup: WorkerSetup, counts: SharedCounts, supervisor: Connection) -> None:
    """Serves until SIGTERM, or until the supervisor is no more; says ``Ready`` or ``Failed`` to it.

    Args:
        number: of this worker, from 0.
        setup: of all workers.
        counts: of everybody's streams.
        supervisor: a pipe to the process that started this one.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C reaches everybody; the supervisor passes it on
    threading.Thread(target=_outlive_nobody, args=(supervisor,), name="livetalker-lifeline", daemon=True).start()
    logging.basicConfig(
        level=setup.log_level, format=f"%(asctime)s worker {number} %(levelname)s %(message)s", stream=sys.stderr
    )
    from diffusiontalker.errors import MendableError
    from livetalker.address import AddressInUseError
    from livetalker.core.admission import EngineLost

    try:
        _serve(number, setup, SharedPlaces(counts, number), supervisor)
    except (MendableError, EngineLost, AddressInUseError) as error:
        with suppress(OSError):  # the supervisor may have given up already
            supervisor.send(Failed(str(error)))
        sys.exit(1)


def _outlive_nobody(supervisor: Connection) -> None:
    """Stops this process when the supervisor is gone, even if that was killed."""
    with suppress(EOFError, OSError):
        supervisor.recv()  # it never says anything
    os.kill(os.getpid(), signal.SIGTERM)


def _serve(number: int, setup: WorkerSetup, places: SharedPlaces, supervisor: Connection) -> None:
    from dataclasses import replace

    from livetalker.engine.process.messages import EngineSetup
    from livetalker.engine.process.remote import RemoteEngine
    from livetalker.rpc.server import FaceServer

    engine = RemoteEngine(
        EngineSetup(
            setup.model,
            max_streams=setup.max_streams,
            threads=setup.threads_each(),
            backend=setup.backend,
            device=setup.device_of(number),
            log_level=setup.log_level,
        ),
        places,
    )
    options = replace(setup.options, share_port=True, session_prefix=f"{number}-")

    async def serve() -> None:
        server = FaceServer(engine, options)

        def ready() -> None:
            with suppress(OSError):
                supervisor.send(Ready(f"{engine.info.name} {engine.info.version}", engine.backend))

        async with engine.connected():
            await server.start()
            if not await server.serve_until_signalled(engine.lost(), (signal.SIGTERM,), ready=ready):
                sys.exit("the engine's process ended")

    switch_often()
    with engine:
        event_loop.run(serve())
