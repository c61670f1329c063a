"""Entry of the ``livetalker`` command: reads the arguments, runs the command, turns expected errors into messages.

Commands import what they need when they run, so that ``livetalker --help`` answers at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from diffusiontalker import __version__
from livetalker.cli import bake, bench, info, mic, serve, stream
from livetalker.cli.errors import CliError


def build_parser() -> argparse.ArgumentParser:
    """The whole command line; every command sets ``run``, a function of the parsed arguments."""
    parser = argparse.ArgumentParser(
        prog="livetalker", description="A live voice in, a talking face out: 52 ARKit blendshapes per frame over gRPC."
    )
    parser.add_argument("--version", action="version", version=f"livetalker {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in (serve, stream, mic, bake, bench, info):
        module.add_parser(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Returns:
        The exit status: 0 done, 1 an error that was explained, 2 wrong usage, 130 interrupted.
    """
    # gRPC's core writes log lines of its own to standard error; what matters of them is in our messages.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    if sys.platform == "linux":
        # Its older way to wait for sockets takes a fifth less of a core for many small streams: no thread pool between.
        os.environ.setdefault("GRPC_EXPERIMENTS", "-event_engine_listener,-event_engine_client")
    args = build_parser().parse_args(argv)
    try:
        status: int = args.run(args)
        sys.stdout.flush()  # a reader that is gone is noticed here and not as Python exits
    except CliError as error:
        print(f"livetalker: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # for instance `| head`; nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


if __name__ == "__main__":
    sys.exit(main())
