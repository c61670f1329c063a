"""``livetalker bake FILE -o OUT``: a recording to a face file, offline, without a server."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from livetalker.cli.errors import CliError
from livetalker.cli.loading import load_engine
from livetalker.cli.options import (
    NO_VOICE,
    add_backend_options,
    add_config_options,
    check_backend_options,
    frames_counted,
    stream_config,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from livetalker.core.config import StreamConfig
    from livetalker.core.outputs import IdentityMatched
    from livetalker.engine.engine import Engine
    from livetalker.media.audio_files import Audio


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "bake",
        help="animate a sound file offline, no server needed",
        description="Animate a sound file offline, with the very frames a stream of it would get.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="WAV, FLAC, OGG, MP3 or AIFF")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="OUT",
        help="where the face goes: OUT.csv (Live Link Face), OUT.npz or OUT.json",
    )
    parser.add_argument("--picture", type=Path, metavar="PNG", help="also draw the take (needs the demo extra)")
    parser.add_argument("--model", type=Path, metavar="DIR", help="a model bundle instead of the shipped one")
    add_config_options(parser)
    add_backend_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Runs the command.

    Raises:
        CliError: the file, the target, the model or an option is not usable.
    """
    from livetalker.media.audio_files import AudioFileError, read_audio
    from livetalker.media.face_files import FaceFileError, FaceTake, check_target, write_take

    try:
        check_target(args.output)
        if args.picture is not None:
            _check_picture(args.picture)
        audio = read_audio(args.file)
        config = stream_config(args, audio.rate)
        check_backend_options(args)
        engine = load_engine(args.model, max_streams=1, threads=args.threads, backend=args.backend, device=args.device)
        frames, identity = _animate(engine, audio, config)
        info = engine.info
        style = identity or config.identity.label
        take = FaceTake(frames, config.fps, style, config.preset, info.name, info.version, config.seed)
        write_take(args.output, take)
    except (AudioFileError, FaceFileError) as error:
        raise CliError(str(error)) from error
    count = f"{frames_counted(len(frames))} at {config.fps} fps"
    print(f"{args.output}: {count}, {audio.duration:.1f} s, " + (f"identity {identity}" if identity else NO_VOICE))
    if args.picture is not None:
        from livetalker.media.picture import draw_take

        try:
            draw_take(args.picture, audio, take, title=args.file.name, note=count)
        except OSError as error:
            raise CliError(f"{args.picture} cannot be written: {error.strerror or error}") from error
        print(f"{args.picture}: the picture")
    return 0


def _animate(engine: Engine, audio: Audio, config: StreamConfig) -> tuple[NDArray[np.float32], str]:
    """Frames ``[n, 52]`` and the name of the identity they use; empty if the voice was to choose and did not."""
    from rich.console import Console
    from rich.progress import Progress

    from livetalker.core.config import ConfigError
    from livetalker.engine.offline import animate_offline

    identity = "" if config.identity.mode == "auto" else config.identity.label

    def matched(event: IdentityMatched) -> None:
        nonlocal identity
        identity = event.identity

    try:
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("animating", total=1.0)
            frames = animate_offline(
                engine, audio.samples, config, lambda share: bar.update(task, completed=share), matched
            )
    except ConfigError as error:
        raise CliError(str(error)) from error
    return frames, identity


def _check_picture(path: Path) -> None:
    from importlib.util import find_spec

    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise CliError(f"{path}: the picture's name must end in .png, .svg or .pdf")
    if path.is_dir():
        raise CliError(f"{path} is a folder; give a file name")
    if not path.parent.is_dir():
        raise CliError(f"the folder {path.parent} does not exist; make it first")
    if find_spec("matplotlib") is None:
        raise CliError("the picture needs matplotlib; pip install '.[demo]' in LiveTalker's folder")
