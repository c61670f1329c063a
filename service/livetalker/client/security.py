"""How a client shows who it is and finds out who the server is: TLS and a bearer token."""

from __future__ import annotations

import functools
import ipaddress
import logging
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc

from livetalker.client.errors import LiveTalkerError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tls:
    """TLS as a client wants it; files are PEM.

    Attributes:
        authority: whose servers are trusted; None for those the public authorities have signed.
        certificate: the client's own, for a server that wants to know; None for none.
        key: its private key.
    """

    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def credentials(self) -> grpc.ChannelCredentials:
        """What a channel needs.

        Raises:
            LiveTalkerError: a file is missing, cannot be read or is something else.
        """
        if (self.certificate is None) != (self.key is None):
            raise _unusable("a client's certificate and its key go together; give both or neither")
        authority = None if self.authority is None else _read(self.authority)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if authority is not None:
            try:
                context.load_verify_locations(cadata=authority.decode("ascii", "replace"))
            except (ssl.SSLError, ValueError):  # the latter of an empty file
                raise _unusable(f"{self.authority} holds no PEM certificate of an authority") from None
        if self.certificate is None or self.key is None:
            return grpc.ssl_channel_credentials(authority)
        certificate, key = _read(self.certificate), _read(self.key)
        try:
            context.load_cert_chain(self.certificate, self.key, password=lambda: "")
        except ssl.SSLError as error:
            raise _unusable(
                f"{self.certificate} and {self.key} are no PEM certificate and its unencrypted key "
                f"({error.reason or error})"
            ) from None
        return grpc.ssl_channel_credentials(authority, key, certificate)


@dataclass(frozen=True, slots=True)
class Security:
    """How to reach a server.

    Attributes:
        tls: None for plain text.
        token: bearer token; empty for none.

    Raises:
        LiveTalkerError: no server can have such a token.
    """

    tls: Tls | None = None
    token: str = ""

    def __post_init__(self) -> None:
        if not (self.token.isascii() and self.token.isprintable() and " " not in self.token):
            raise _unusable("the token has characters that no token has; is it the whole token, and nothing else?")

    def channel(self, address: str, options: Sequence[tuple[str, Any]]) -> grpc.aio.Channel:
        """A channel to a server; warns, once for each, of a token that others can read on the way.

        Raises:
            LiveTalkerError: the TLS files cannot be used.
        """
        if self.tls is None:
            if self.token and not _is_this_machine(address):
                _warn_of_open_token(address)
            return grpc.aio.insecure_channel(address, options=options)
        return grpc.aio.secure_channel(address, self.tls.credentials(), options=options)

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What goes with every call."""
        return (("authorization", f"Bearer {self.token}"),) if self.token else ()


PLAIN: Final = Security()
"""Plain text and no token."""


@functools.cache
def _warn_of_open_token(address: str) -> None:
    log.warning("the token goes to %s in plain text: anybody on the way can read it; use TLS", address)


def _is_this_machine(address: str) -> bool:
    """Whether an address, with or without gRPC's scheme, is one that never leaves this machine."""
    if address.startswith("unix"):
        return True
    host = address.rpartition("/")[2].rpartition(":")[0] or address
    host = host.removeprefix("dns:").removeprefix("ipv4:").removeprefix("ipv6:").strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unusable(f"{path} cannot be read: {error.strerror or error}") from None


def _unusable(message: str) -> LiveTalkerError:
    return LiveTalkerError(grpc.StatusCode.INVALID_ARGUMENT, message)
