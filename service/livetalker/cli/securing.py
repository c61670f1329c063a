"""The options that say who may use a server and who may listen: of ``serve``, and of the commands that call one."""

from __future__ import annotations

import argparse
import logging
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from livetalker.cli.errors import CliError
from livetalker.rpc.options import TlsFiles

if TYPE_CHECKING:
    from livetalker.client.security import Security
    from livetalker.rpc.options import ServerOptions

log = logging.getLogger(__name__)

_TOKEN_VARIABLE: Final = "LIVETALKER_TOKEN"
_LOOPBACK: Final = ("127.", "localhost", "[::1]", "::1")


def add_server_security(parser: argparse.ArgumentParser) -> None:
    """Adds ``--tls-cert --tls-key --tls-client-ca --token-file --resume-key-file``; ``secured`` reads them."""
    group = parser.add_argument_group("security")
    group.add_argument("--tls-cert", type=Path, metavar="PEM", help="serve TLS with this certificate (chain)")
    group.add_argument("--tls-key", type=Path, metavar="PEM", help="its private key")
    group.add_argument(
        "--tls-client-ca", type=Path, metavar="PEM", help="let in only clients with a certificate of this authority"
    )
    group.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help="let in only calls with one of the bearer tokens of FILE, one a line; # comments",
    )
    group.add_argument(
        "--resume-key-file",
        type=Path,
        metavar="FILE",
        help="a secret of 32 bytes or more: servers that share it take over one another's broken streams "
        "(default: a key for as long as this server runs)",
    )


def secured(options: ServerOptions, args: argparse.Namespace) -> ServerOptions:
    """The options of a server with what the command line says of security; warns of what makes it useless.

    Raises:
        CliError: a file cannot be used, or an option lacks another one.
    """
    from diffusiontalker.errors import MendableError
    from livetalker.rpc.access import read_tokens
    from livetalker.rpc.resume_token import read_resume_key
    from livetalker.rpc.tls import read_tls

    for given, missing in (("tls_cert", "tls_key"), ("tls_key", "tls_cert"), ("tls_client_ca", "tls_cert")):
        if getattr(args, given) is not None and getattr(args, missing) is None:
            raise CliError(f"--{given.replace('_', '-')} needs --{missing.replace('_', '-')} as well")
    try:
        if args.tls_cert is not None:
            tls = TlsFiles(args.tls_cert, args.tls_key, args.tls_client_ca)
            read_tls(tls)
            options = replace(options, tls=tls)
        if args.token_file is not None:
            read_tokens(args.token_file)
            options = replace(options, token_file=args.token_file)
        if args.resume_key_file is not None:
            options = replace(options, resume_key=read_resume_key(args.resume_key_file))
    except MendableError as error:
        raise CliError(str(error)) from error
    if not args.host.startswith(_LOOPBACK):
        if args.token_file is not None and args.tls_cert is None:
            log.warning("tokens travel in plain text: anybody on the way can read them; add --tls-cert and --tls-key")
        if args.token_file is None and args.tls_client_ca is None:
            log.warning("everybody who reaches %s may use this server; --token-file lets in only some", args.host)
    if hasattr(signal, "SIGHUP") and (args.token_file or args.tls_cert):
        # Files are looked at again by themselves; the usual order to do so shall not end the server.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return options


def add_client_security(parser: argparse.ArgumentParser) -> None:
    """Adds ``--tls --tls-ca --tls-cert --tls-key --token-file``; ``client_security`` reads them."""
    group = parser.add_argument_group("security")
    group.add_argument("--tls", action="store_true", help="the server speaks TLS; the options below imply it")
    group.add_argument(
        "--tls-ca",
        type=Path,
        metavar="PEM",
        help="authority of the server's certificate (default: public ones)",
    )
    group.add_argument("--tls-cert", type=Path, metavar="PEM", help="our certificate, for a server that wants one")
    group.add_argument("--tls-key", type=Path, metavar="PEM", help="its private key")
    group.add_argument(
        "--token-file", type=Path, metavar="FILE", help=f"our bearer token (default: what {_TOKEN_VARIABLE} holds)"
    )


def client_security(args: argparse.Namespace) -> Security:
    """What the command line and the environment say of security.

    Raises:
        CliError: a file cannot be used.
    """
    from livetalker.client.errors import LiveTalkerError
    from livetalker.client.security import Security, Tls

    files = (args.tls_ca, args.tls_cert, args.tls_key)
    tls = Tls(*files) if args.tls or any(files) else None
    try:
        if tls is not None:
            tls.credentials()
        return Security(tls, _token(args.token_file))
    except LiveTalkerError as error:
        raise CliError(str(error)) from error


def _token(path: Path | None) -> str:
    if path is None:
        return os.environ.get(_TOKEN_VARIABLE, "").strip()
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CliError(f"the token file {path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    tokens = [line.split()[0] for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not tokens:
        raise CliError(f"the token file {path} has no token")
    return tokens[0]


def described(options: ServerOptions) -> str:
    """What a greeting adds, such as ``, with TLS and tokens``; empty where there is nothing."""
    parts = ["TLS"] if options.tls is not None else []
    if options.tls is not None and options.tls.client_authority is not None:
        parts = ["mutual TLS"]
    if options.token_file is not None:
        parts.append("tokens")
    return f", with {' and '.join(parts)}" if parts else ""
