"""``livetalker stream FILE``: a recording through a running server, at microphone pace, with a live meter."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from livetalker.cli.errors import CliError
from livetalker.cli.options import stream_config
from livetalker.cli.securing import client_security
from livetalker.cli.watching import add_watch_options, let_interrupt_end, report

if TYPE_CHECKING:
    from livetalker.media.audio_files import Audio


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "stream",
        help="stream a sound file through a server",
        description="Stream a sound file through a running server as if it were a microphone, and watch the face. "
        "Ctrl-C ends it where it is, a second one stops at once.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="WAV, FLAC, OGG, MP3 or AIFF")
    parser.add_argument("--fast", action="store_true", help="as fast as the server can, not at microphone pace")
    add_watch_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Runs the command.

    Raises:
        CliError: the file, the server or an option is not usable.
    """
    from livetalker.client.errors import LiveTalkerError
    from livetalker.media.audio_files import AudioFileError, read_audio
    from livetalker.media.face_files import FaceFileError, check_target

    try:
        if args.output is not None:
            check_target(args.output)
        audio = read_audio(args.file)
        asyncio.run(_stream(args, audio))
    except (AudioFileError, FaceFileError, LiveTalkerError) as error:
        raise CliError(str(error)) from error
    return 0


async def _stream(args: argparse.Namespace, audio: Audio) -> None:
    from rich.console import Console

    from livetalker.client.client import LiveTalkerClient
    from livetalker.client.sources import paced, unpaced, until
    from livetalker.client.watch import watch

    config = stream_config(args, audio.rate)
    enough = asyncio.Event()
    source = until(enough, (unpaced if args.fast else paced)(audio.samples, audio.rate))
    security = client_security(args)
    async with LiveTalkerClient(args.address, tls=security.tls, token=security.token) as client:
        let_interrupt_end(enough.set)
        watched = await watch(
            client,
            source,
            config,
            keep_frames=args.output is not None,
            total_seconds=audio.duration,
            reconnect=True,
            console=None if args.no_meter else Console(stderr=True),
        )
    report(args, config, watched, lateness=not args.fast)
