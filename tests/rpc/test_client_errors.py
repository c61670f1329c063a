"""What a client says of errors that are gRPC's own: their words, as this release of gRPC has them."""

from __future__ import annotations

import grpc
import pytest
from grpc.aio import AioRpcError, Metadata

from livetalker.client.errors import from_rpc

UNREACHABLE = "failed to connect to all addresses; last error: UNAVAILABLE: ipv4:127.0.0.1:50051: "


@pytest.mark.parametrize(
    ("address", "details", "message"),
    [
        ("here:50051", UNREACHABLE + "Socket closed", "hung up at once: it may want TLS"),
        # A mutual TLS server that polls its sockets, as `livetalker serve` does, and no certificate of ours.
        ("here:50051", UNREACHABLE + "Secure read failed (Socket closed)", "hung up at once: it may want TLS"),
        ("here:50051", UNREACHABLE + "Connection refused (111)", "is `livetalker serve` running there?"),
        ("here", UNREACHABLE + "Connection refused (111)", "an address is host:port, such as here:50051"),
        ("http://here:50051", "DNS resolution failed: address lookup failed", "an address is host:port and no URL"),
        ("here:50051", "Socket closed", "no answer from a LiveTalker server at here:50051 (Socket closed)"),
    ],
)
def test_what_grpc_says_becomes_what_to_do(address: str, details: str, message: str) -> None:
    error = AioRpcError(grpc.StatusCode.UNAVAILABLE, Metadata(), Metadata(), details, "")
    assert message in str(from_rpc(error, address))
