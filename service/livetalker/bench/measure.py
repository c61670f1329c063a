"""One measurement from beginning to end: a server, a load on it, and a report."""

from __future__ import annotations

from collections.abc import Sequence

from livetalker import event_loop
from livetalker.bench.load import Load, LoadRun, run_load
from livetalker.bench.report import Report, summarise
from livetalker.bench.server_process import serving
from livetalker.bench.usage import ProcessMeter
from livetalker.client.security import PLAIN, Security


def measure(
    load: Load, address: str | None, server_options: Sequence[str] = (), security: Security = PLAIN
) -> tuple[Report, LoadRun]:
    """Runs a load.

    Args:
        load: what to do.
        address: a running server's ``host:port``, whose processor and memory are then unknown; None starts one.
        server_options: further options of ``livetalker serve`` for the server that is started.
        security: how to reach it.

    Raises:
        LiveTalkerError: the server cannot be reached, or refuses what every stream asks for.
        ServerStartError: it does not start.
        PsutilMissingError: the server is our own and psutil is not installed.
    """
    if address is not None:
        run = event_loop.run(run_load(address, load, security=security))
        return summarise(load, run, None, address), run
    with serving(load.streams, server_options) as server:
        meter = ProcessMeter(server.pid)
        run = event_loop.run(run_load(server.address, load, meter, security))
        return summarise(load, run, meter.usage(), " ".join(["livetalker serve", *server_options])), run
