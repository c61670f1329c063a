"""``livetalker mic``: the microphone through a running server, with a live meter, until Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import replace

from livetalker.cli.errors import CliError
from livetalker.cli.options import stream_config
from livetalker.cli.securing import client_security
from livetalker.cli.watching import add_watch_options, let_interrupt_end, report


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "mic",
        help="stream the microphone through a server",
        description="Stream the microphone through a running server and watch the face. Ctrl-C ends it, "
        "a second one stops at once.",
    )
    parser.add_argument("--device", metavar="DEVICE", help="number or part of the name (default: the system's choice)")
    parser.add_argument("--list-devices", action="store_true", help="list the microphones and stop")
    add_watch_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Runs the command.

    Raises:
        CliError: the microphone, the server or an option is not usable.
    """
    from livetalker.client.errors import LiveTalkerError
    from livetalker.client.microphone import MicrophoneError, list_inputs
    from livetalker.media.face_files import FaceFileError, check_target

    try:
        if args.list_devices:
            print("\n".join(list_inputs()) or "no microphone was found")
            return 0
        if args.output is not None:
            check_target(args.output)
        asyncio.run(_stream(args))
    except (MicrophoneError, FaceFileError, LiveTalkerError) as error:
        raise CliError(str(error)) from error
    return 0


async def _stream(args: argparse.Namespace) -> None:
    from rich.console import Console

    from livetalker.client.client import LiveTalkerClient
    from livetalker.client.microphone import Microphone
    from livetalker.client.watch import watch
    from livetalker.client.wire import Encoding
    from livetalker.core.config import Delivery

    microphone = Microphone(args.device)
    config = replace(stream_config(args, microphone.sample_rate), delivery=Delivery.LIVE)
    security = client_security(args)
    async with LiveTalkerClient(args.address, tls=security.tls, token=security.token) as client:
        let_interrupt_end(microphone.stop)
        watched = await watch(
            client,
            microphone.chunks(),
            config,
            encoding=Encoding.S16LE,
            keep_frames=args.output is not None,
            reconnect=True,
            console=None if args.no_meter else Console(stderr=True),
        )
    report(args, config, watched, lateness=True)
