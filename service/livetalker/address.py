"""Where a server listens and a client looks for it, unless told otherwise."""

from __future__ import annotations

from typing import Final

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 50051
DEFAULT_ADDRESS: Final = f"{DEFAULT_HOST}:{DEFAULT_PORT}"


class AddressInUseError(OSError):
    """An address cannot be listened at.

    Args:
        address: ``host:port``.
    """

    def __init__(self, address: str) -> None:
        super().__init__(
            f"cannot listen at {address}: another program does already, or it is no address of this machine"
        )
