"""``livetalker serve``: the gRPC server, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from livetalker.cli.errors import CliError
from livetalker.cli.loading import load_engine
from livetalker.cli.options import add_backend_options, check_backend_options
from livetalker.rpc.options import ServerOptions

if TYPE_CHECKING:
    from livetalker.engine.engine import Engine


_DEFAULTS = ServerOptions()


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
        help="streams to serve at once; further ones are refused (default: 64)",
    )
    parser.add_argument("--model", type=Path, metavar="DIR", help="a model bundle instead of the shipped one")
    parser.add_argument(
        "--grace",
        type=float,
        default=_DEFAULTS.grace_s,
        metavar="SECONDS",
        help="how long open streams may go on after the order to stop (default: %(default)g)",
    )
    add_backend_options(parser)
    parser.add_argument("-v", "--verbose", action="store_true", help="log every stream")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Runs the command.

    Raises:
        CliError: the model or the address cannot be used, or an option is out of range.
    """
    if args.max_streams < 1:
        raise CliError(f"--max-streams is {args.max_streams}; give 1 or more")
    check_backend_options(args)
    if not 0 <= args.port <= 65535:
        raise CliError(f"--port is {args.port}; give 0 to 65535")
    if not 0 <= args.grace < float("inf"):
        raise CliError(f"--grace is {args.grace}; give a number of seconds, 0 or more")
    logging.basicConfig(
        level=logging.INFO if args.verbose else logging.WARNING, format="%(asctime)s %(levelname)s %(message)s"
    )
    engine = load_engine(
        args.model, max_streams=args.max_streams, threads=args.threads, backend=args.backend, device=args.device
    )
    with engine:
        asyncio.run(_serve(args, engine))
    return 0


async def _serve(args: argparse.Namespace, engine: Engine) -> None:
    from livetalker.rpc.server import AddressInUseError, FaceServer

    server = FaceServer(engine, ServerOptions(host=args.host, port=args.port, grace_s=args.grace))
    try:
        await server.start()
    except AddressInUseError as error:
        raise CliError(str(error)) from error
    print(
        f"serving {engine.info.name} {engine.info.version} at {args.host}:{server.port}, up to {args.max_streams} "
        f"streams, on {engine.backend}; Ctrl-C stops",
        flush=True,
    )
    await server.serve_until_signalled()
