"""What a client raises: a server's refusal, with the reason and details the service put on the wire."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, cast

import grpc
from google.protobuf import any_pb2
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from grpc_status import rpc_status

from livetalker.address import DEFAULT_PORT

_PASSING: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DATA_LOSS,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
    }
)


class LiveTalkerError(Exception):
    """The server refused or ended a call, or cannot be reached.

    Attributes:
        code: gRPC's status code.
        reason: the service's reason, such as ``SERVER_FULL``; empty for errors of the transport.
        message: a sentence for a person.
        field: the request field at fault, such as ``config.sample_rate``; empty where none is.
        retry_after_s: seconds until another attempt is worth while; None where the server did not say.
        tls_mistake: whether client and server disagree about TLS, which no waiting mends.
    """

    tls_mistake = False

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        *,
        reason: str = "",
        field: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason
        self.field = field
        self.retry_after_s = retry_after_s

    @property
    def is_transient(self) -> bool:
        """Whether the same call may succeed later without anybody changing anything; docs/clients.md has the table."""
        return self.reason == "SERVER_FULL" or (self.code in _PASSING and not self.tls_mistake)

    def __str__(self) -> str:
        return self.message


def from_rpc(error: grpc.aio.AioRpcError, address: str) -> LiveTalkerError:
    """Makes the client's error of gRPC's."""
    made = LiveTalkerError(error.code(), error.details() or error.code().name)
    for packed in _packed_details(error):
        info, request, retry = ErrorInfo(), BadRequest(), RetryInfo()
        if packed.Unpack(info):
            made.reason = info.reason
        elif packed.Unpack(request) and request.field_violations:
            made.field = request.field_violations[0].field
        elif packed.Unpack(retry):
            made.retry_after_s = retry.retry_delay.ToNanoseconds() / 1e9
    if not made.reason:
        made.tls_mistake = error.code() is grpc.StatusCode.UNAVAILABLE and any(
            sign in made.message for sign in _TLS_MISTAKES
        )
        made.message = _explained(made, address)
    return made


_TLS_MISTAKES: Final = ("CERTIFICATE_VERIFY_FAILED", "is not in peer certificate", "WRONG_VERSION_NUMBER")


def _explained(error: LiveTalkerError, address: str) -> str:
    """What to do about an error that the service has not written itself."""
    text = error.message
    if error.code is grpc.StatusCode.UNIMPLEMENTED:
        return f"what answers at {address} does not know livetalker.v1: is it a LiveTalker server, of this release?"
    if error.code is not grpc.StatusCode.UNAVAILABLE:
        return text
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return f"the certificate of the server at {address} is signed by nobody we trust; name its authority (--tls-ca)"
    if "is not in peer certificate" in text:
        return f"the certificate of the server at {address} is for another name; use the address it was made for"
    if "WRONG_VERSION_NUMBER" in text:
        return f"the server at {address} does not speak TLS: leave --tls out, or start it with --tls-cert and --tls-key"
    port = address.rpartition(":")[2]
    if "Failed to parse port" in text or (port.isdecimal() and int(port) > 65535):
        return f"the port of the address {address} is no number from 1 to 65535"
    if "address lookup failed" in text:
        advice = "an address is host:port and no URL" if "://" in address else "check it"
        return f"nobody knows the name in the address {address}; {advice}"
    cause = text.rpartition(": ")[2]
    if "failed to connect" in text and "Socket closed" in cause:  # TLS wraps it: Secure read failed (Socket closed)
        return (
            f"the server at {address} hung up at once: it may want TLS (--tls), or a certificate of ours "
            "(--tls-cert and --tls-key)"
        )
    advice = "is `livetalker serve` running there?"
    if ":" not in address:
        advice = f"an address is host:port, such as {address}:{DEFAULT_PORT}"
    return f"no answer from a LiveTalker server at {address} ({cause}); {advice}"


def _packed_details(error: grpc.aio.AioRpcError) -> Iterable[any_pb2.Any]:
    try:
        status = rpc_status.from_call(cast(grpc.Call, error))
    except ValueError:  # details that contradict the status: a proxy answered in the service's place
        return ()
    return status.details if status is not None else ()
