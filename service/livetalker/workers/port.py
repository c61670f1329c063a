"""One port for several processes: reserved by the first, listened at by all, connections spread by the kernel."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from livetalker.address import AddressInUseError


class PortSharingError(Exception):
    """This system cannot share a port among processes; the message says what to do instead."""


@contextmanager
def reserved_port(host: str, port: int) -> Iterator[int]:
    """Holds a port for processes of this user to listen at with ``SO_REUSEPORT``; gives its number.

    Nothing connects to the reservation itself, which does not listen.

    Args:
        host: name or address as gRPC takes it; an IPv6 address may stand in brackets.
        port: TCP port, 0 for a free one.

    Raises:
        PortSharingError: the system has no ``SO_REUSEPORT``.
        AddressInUseError: the address is taken or not this machine's.
    """
    if not hasattr(socket, "SO_REUSEPORT"):
        raise PortSharingError("this system cannot share a port among processes: serve without --workers")
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host.removeprefix("[").removesuffix("]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        if port:  # one that is shared already could be joined without anybody noticing
            _bound(family, address, socket.SO_REUSEADDR).close()
        reservation = _reservation(family, address)
    except OSError as error:  # also what getaddrinfo raises
        raise AddressInUseError(f"{host}:{port}") from error
    with reservation:
        yield reservation.getsockname()[1]


def _reservation(family: int, address: object) -> socket.socket:
    """A socket whose address only those who share it can have.

    Raises:
        OSError: the address cannot be had.
    """
    try:
        # Without SO_REUSEADDR, so that another supervisor's look finds it before any worker listens.
        return _bound(family, address, socket.SO_REUSEPORT)
    except OSError:
        # Nobody listens, but a server that did not share the port may have left connections behind.
        return _bound(family, address, socket.SO_REUSEPORT, socket.SO_REUSEADDR)


def _bound(family: int, address: object, *options: int) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)  # as gRPC listens
        for option in options:
            opened.setsockopt(socket.SOL_SOCKET, option, 1)
        opened.bind(address)  # type: ignore[arg-type]  # getaddrinfo's types leave it open what fits which family
    except OSError:
        opened.close()
        raise
    return opened
