"""What ``stream`` and ``mic`` share: the options of a stream that is watched, and what is said and kept of it."""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from livetalker.cli.options import NO_VOICE, add_address_option, add_config_options, frames_counted
from livetalker.cli.securing import add_client_security

if TYPE_CHECKING:
    from livetalker.client.watch import Watched
    from livetalker.core.config import StreamConfig


def add_watch_options(parser: argparse.ArgumentParser) -> None:
    """Adds ``--output --no-meter``, the server's address, security and the animation's options."""
    parser.add_argument("-o", "--output", type=Path, metavar="OUT", help="write the face to OUT.csv, .npz or .json")
    parser.add_argument("--no-meter", action="store_true", help="no live display")
    add_address_option(parser)
    add_client_security(parser)
    add_config_options(parser)


def let_interrupt_end(source: Callable[[], None]) -> None:
    """Has Ctrl-C end a source; the frames of what it gave still come, unless Ctrl-C comes again.

    Args:
        source: ends it; called on the running loop.
    """
    loop = asyncio.get_running_loop()

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        loop.call_soon_threadsafe(source)

    signal.signal(signal.SIGINT, on_interrupt)


def report(args: argparse.Namespace, config: StreamConfig, watched: Watched, *, lateness: bool) -> None:
    """Writes the take the options ask for and prints what came of the stream.

    Raises:
        FaceFileError: the take cannot be written.
    """
    from livetalker.media.face_files import FaceTake, write_take

    if watched.latency is not None:
        print(watched.latency if lateness else frames_counted(watched.latency.frames))
        if config.identity.mode == "auto" and not watched.identity:
            print(NO_VOICE)
    if watched.dropped:
        print(f"dropped on the way: {frames_counted(watched.dropped)}")
    if args.output is not None:
        take = FaceTake(
            watched.frames,
            config.fps,
            identity=watched.identity or config.identity.label,
            preset=config.preset,
            model=watched.info.model_name,
            model_version=watched.info.model_version,
            seed=config.seed,
        )
        write_take(args.output, take)
        print(f"wrote {args.output}")
