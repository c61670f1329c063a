"""Options that several commands share: what to make of the audio, and where the server is."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from livetalker.address import DEFAULT_ADDRESS
from livetalker.cli.errors import CliError
from livetalker.engine.backends.names import AUTO, BACKENDS, ON_PROCESSOR

if TYPE_CHECKING:
    from livetalker.core.config import IdentityChoice, StreamConfig

NO_VOICE: Final = "no identity: no voice was heard, or less than a second of it"
"""Said of a stream whose voice was to choose the identity and did not."""


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """Adds ``--fps --preset --identity --seed``; ``stream_config`` reads them."""
    group = parser.add_argument_group("animation")
    group.add_argument("--fps", type=int, choices=(30, 60), default=30, help="frames per second (default: 30)")
    group.add_argument(
        "--preset",
        choices=("low", "balanced", "quality"),
        default="balanced",
        help="latency preset: how far the model may listen ahead (default: balanced)",
    )
    group.add_argument(
        "--identity",
        default="auto",
        metavar="WHO",
        help="speaking style: 'auto' matches the voice; a NAME pins one ('livetalker info' lists them); "
        "NAME=0.7,NAME=0.3 blends (default: auto)",
    )
    group.add_argument("--seed", type=int, default=0, help="seed of everything random (default: 0)")


def add_address_option(parser: argparse.ArgumentParser) -> None:
    """Adds ``--address``."""
    parser.add_argument(
        "--address", default=DEFAULT_ADDRESS, metavar="HOST:PORT", help=f"the server (default: {DEFAULT_ADDRESS})"
    )


def add_backend_options(parser: argparse.ArgumentParser) -> None:
    """Adds ``--backend --device --threads``, which ``load_engine`` takes; ``check_backend_options`` checks them."""
    group = parser.add_argument_group("backend")
    group.add_argument(
        "--backend",
        choices=BACKENDS,
        default=AUTO,
        help="what runs the model (default: auto: cuda where ONNX Runtime and a GPU offer it, else native, compiled "
        "kernels, where they were installed for this processor, else cpu-int8 where it has instructions for that, "
        "else cpu)",
    )
    group.add_argument(
        "--device",
        type=int,
        metavar="N",
        help="GPU, counted among those CUDA_VISIBLE_DEVICES leaves visible (default: 0)",
    )
    group.add_argument(
        "--threads",
        type=int,
        metavar="N",
        help="threads of the model on the CPU (default: half of the cores; native always has one: use serve --workers)",
    )


def check_backend_options(args: argparse.Namespace) -> None:
    """Refuses what no backend can mean.

    Raises:
        CliError: ``--threads`` or ``--device`` is out of range or nothing to the backend, or there is no such GPU.
    """
    for name, value, least in (("--threads", args.threads, 1), ("--device", args.device, 0)):
        if value is not None and value < least:
            raise CliError(f"{name} is {value}; give {least} or more")
    if args.backend == "native" and args.threads is not None and args.threads > 1:
        raise CliError(
            f"--threads is {args.threads}, and --backend native computes on one; more cores are 'serve --workers N'"
        )
    if args.device is None:
        return
    if args.backend in ON_PROCESSOR:
        raise CliError(f"--device chooses a GPU, and --backend {args.backend} uses none; leave one of them out")
    if args.backend == AUTO:
        from livetalker.engine.backends.devices import visible_devices

        visible = len(visible_devices())
        if args.device >= visible:
            raise CliError(f"--device is {args.device}, and this process sees {visible} NVIDIA GPUs; leave it out")


def stream_config(args: argparse.Namespace, sample_rate: int) -> StreamConfig:
    """Makes the config the options ask for.

    Raises:
        CliError: an option is out of range.
    """
    from livetalker.core.config import ConfigError, StreamConfig

    try:
        return StreamConfig(
            sample_rate=sample_rate,
            fps=args.fps,
            preset=args.preset,
            identity=_identity(args.identity),
            seed=args.seed,
        )
    except ConfigError as error:
        raise CliError(str(error)) from error


def _identity(text: str) -> IdentityChoice:
    from livetalker.core.config import IdentityChoice

    if not text.strip():
        raise CliError("--identity is empty; give auto, a NAME, or a blend such as NAME=0.7,NAME=0.3")
    if text == "auto":
        return IdentityChoice("auto", ())
    if "=" not in text and "," not in text:
        return IdentityChoice("pinned", ((text, 1.0),))
    weights = []
    for part in text.split(","):
        name, _, weight = part.rpartition("=")
        try:
            if not name.strip():
                raise ValueError("no name")
            weights.append((name.strip(), float(weight)))
        except ValueError:
            raise CliError(f"--identity: {part!r} is not NAME=WEIGHT; a blend is NAME=0.7,NAME=0.3") from None
    return IdentityChoice("blended", tuple(weights))


def frames_counted(number: int) -> str:
    """``1 frame``, ``2 frames``."""
    return f"{number} frame" + "s" * (number != 1)
