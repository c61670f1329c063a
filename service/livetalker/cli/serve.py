"""``livetalker serve``: the gRPC server, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import logging
import os
import socket
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from livetalker import event_loop
from livetalker.address import AddressInUseError
from livetalker.cli.errors import CliError
from livetalker.cli.loading import start_engine
from livetalker.cli.options import add_backend_options, check_backend_options
from livetalker.cli.securing import add_server_security, described, secured
from livetalker.rpc.options import ServerOptions
from livetalker.threads import switch_often

if TYPE_CHECKING:
    from livetalker.engine.process.remote import RemoteEngine


_DEFAULTS = ServerOptions()
_ENGINE_LOST = "the engine's process ended, and all streams with it; start the server again"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "serve",
        help="run the server",
        description="Run the gRPC server. Ctrl-C or SIGTERM stops it gracefully, a second one at once.",
    )
    parser.add_argument(
        "--host",
        default=_DEFAULTS.host,
        help="address to listen at; 0.0.0.0 for every interface (default: %(default)s, this machine only)",
    )
    parser.add_argument(
        "--port", type=int, default=_DEFAULTS.port, help="TCP port; 0 picks a free one (default: %(default)s)"
    )
    parser.add_argument(
        "--max-streams",
        type=int,
        default=64,
        metavar="N",
        help="streams to serve at once, all workers together; further ones are refused (default: 64)",
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=1,
        metavar="N",
        help="processes that share the port and the load, each with a model of its own; without --device each takes "
        "the next visible GPU, without --threads they divide the cores (default: 1)",
    )
    parser.add_argument("--model", type=Path, metavar="DIR", help="a model bundle instead of the shipped one")
    parser.add_argument(
        "--grace",
        type=float,
        default=_DEFAULTS.grace_s,
        metavar="SECONDS",
        help="how long stopping may take: open streams go on for three quarters of it (default: %(default)g)",
    )
    add_server_security(parser)
    add_backend_options(parser)
    parser.add_argument("-v", "--verbose", action="store_true", help="log every stream")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Runs the command.

    Raises:
        CliError: the model or the address cannot be used, or an option is out of range.
    """
    for name, value in (("--max-streams", args.max_streams), ("--workers", args.workers)):
        if value < 1:
            raise CliError(f"{name} is {value}; give 1 or more")
    check_backend_options(args)
    if not 0 <= args.port <= 65535:
        raise CliError(f"--port is {args.port}; give 0 to 65535")
    if not 0 <= args.grace < float("inf"):
        raise CliError(f"--grace is {args.grace}; give a number of seconds, 0 or more")
    logging.basicConfig(
        level=logging.INFO if args.verbose else logging.WARNING, format="%(asctime)s %(levelname)s %(message)s"
    )
    _check_host(args.host)
    options = secured(ServerOptions(host=args.host, port=args.port, grace_s=args.grace), args)
    if args.workers > 1:
        _supervise(args, options)
        return 0
    from livetalker.engine.process.messages import EngineSetup

    engine = start_engine(
        EngineSetup(
            args.model,
            max_streams=args.max_streams,
            threads=args.threads,
            backend=args.backend,
            device=args.device or 0,
            log_level=logging.getLogger().getEffectiveLevel(),
        )
    )
    switch_often()
    with engine:
        event_loop.run(_serve(args, engine, options))
    return 0


async def _serve(args: argparse.Namespace, engine: RemoteEngine, options: ServerOptions) -> None:
    from livetalker.rpc.server import FaceServer

    server = FaceServer(engine, options)
    model, backend = f"{engine.info.name} {engine.info.version}", engine.backend + described(options)
    async with engine.connected():
        try:
            await server.start()
        except AddressInUseError as error:
            raise CliError(str(error)) from error
        ended = engine.lost()
        if not await server.serve_until_signalled(ended, ready=lambda: _greet(args, model, server.port, backend)):
            raise CliError(_ENGINE_LOST)
    _take_leave()


def _supervise(args: argparse.Namespace, options: ServerOptions) -> None:
    from livetalker.workers.port import PortSharingError, reserved_port

    try:
        with reserved_port(args.host, args.port) as port:
            _serve_with_workers(args, replace(options, port=port))
    except (PortSharingError, AddressInUseError) as error:
        raise CliError(str(error)) from error


def _serve_with_workers(args: argparse.Namespace, options: ServerOptions) -> None:
    # Where ports cannot be shared these cannot be imported either.
    from livetalker.workers.setup import Ready, WorkerSetup
    from livetalker.workers.supervisor import Supervisor, WorkerStartError

    setup = WorkerSetup(
        options,
        workers=args.workers,
        max_streams=args.max_streams,
        model=args.model,
        backend=args.backend,
        device=args.device,
        threads=args.threads,
        log_level=logging.getLogger().getEffectiveLevel(),
    )

    def greet(ready: Sequence[Ready]) -> None:
        backends = " and ".join(dict.fromkeys(worker.backend for worker in ready))
        _greet(args, ready[0].model, options.port, f"{backends}, in {args.workers} processes{described(options)}")

    async def serve() -> None:
        await Supervisor(setup, greet).run()

    try:
        event_loop.run(serve())
    except WorkerStartError as error:
        raise CliError(str(error)) from error
    _take_leave()


def _check_host(host: str) -> None:
    """Refuses an address that nobody can listen at here, whatever the port.

    Raises:
        CliError: it is not one of this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host.removeprefix("[").removesuffix("]"), 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.bind(address)
    except (OSError, UnicodeError) as error:
        raise CliError(
            f"--host {host} is no address of this machine; give 127.0.0.1 for this machine only, or 0.0.0.0 for every "
            "interface"
        ) from error


def _take_leave() -> None:
    """Says that the server stopped in order."""
    try:
        print("stopped", flush=True)
    except OSError:  # whoever read the greeting has closed the pipe since, which is no fault of the server's
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _greet(args: argparse.Namespace, model: str, port: int, where: str) -> None:
    """Says that clients may come; the address is for programs to read, too."""
    streams = "1 stream" if args.max_streams == 1 else f"{args.max_streams} streams"
    print(f"serving {model} at {args.host}:{port}, up to {streams}, on {where}; Ctrl-C stops", flush=True)
