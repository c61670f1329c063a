"""``livetalker info``: what a model is and whose styles it knows; of a bundle, or of what a server serves."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from livetalker.address import DEFAULT_ADDRESS
from livetalker.cli.errors import CliError
from livetalker.cli.securing import add_client_security, client_security

if TYPE_CHECKING:
    from livetalker.client.client import ModelInfo


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "info",
        help="name a model and the identities it knows",
        description="Name a model, its version and its identities, one a line: what --identity takes. "
        "Of the shipped model, of a bundle, or of what a server serves.",
    )
    whose = parser.add_mutually_exclusive_group()
    whose.add_argument("--model", type=Path, metavar="DIR", help="a model bundle instead of the shipped one")
    whose.add_argument(
        "--address", metavar="HOST:PORT", help=f"what the server there serves, such as {DEFAULT_ADDRESS}"
    )
    add_client_security(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Runs the command.

    Raises:
        CliError: the bundle or the server cannot be used.
    """
    if args.address is None and (args.tls or args.tls_ca or args.tls_cert or args.tls_key or args.token_file):
        raise CliError("--tls, --token-file and the like are for a server; give its --address as well")
    info = _of_bundle(args.model) if args.address is None else _of_server(args)
    # Beside the names, for people: what reads or counts those shall find nothing else.
    headline = f"{info.name} {info.version}, {info.steps} denoise steps, {len(info.identities)} identities:"
    print(headline, file=sys.stderr, flush=True)
    for name in info.identities:
        print(name)
    return 0


def _of_bundle(folder: Path | None) -> ModelInfo:
    from diffusiontalker.bundle import BundleError, open_bundle
    from livetalker.client.client import ModelInfo

    try:
        bundle = open_bundle(folder)
    except BundleError as error:
        raise CliError(str(error)) from error
    return ModelInfo(bundle.name, bundle.version, bundle.identities.names, bundle.steps)


def _of_server(args: argparse.Namespace) -> ModelInfo:
    from livetalker.client.client import LiveTalkerClient
    from livetalker.client.errors import LiveTalkerError

    async def ask() -> ModelInfo:
        security = client_security(args)
        async with LiveTalkerClient(args.address, tls=security.tls, token=security.token) as client:
            return await client.model_info()

    try:
        return asyncio.run(ask())
    except LiveTalkerError as error:
        raise CliError(str(error)) from error
