"""Errors as the wire carries them: AIP-193 statuses with ErrorInfo, BadRequest and RetryInfo.

Every way a stream can fail is one ``Reason``; the contract's file comment gives clients the same table.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, NoReturn

import grpc
from google.protobuf import duration_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

DOMAIN: Final = "livetalker"
"""``ErrorInfo.domain`` of every error."""


class Reason(StrEnum):
    """``ErrorInfo.reason`` of every error."""

    TOKEN_REQUIRED = "TOKEN_REQUIRED"
    TOKEN_UNKNOWN = "TOKEN_UNKNOWN"
    CONFIG_FIRST = "CONFIG_FIRST"
    CONFIG_REPEATED = "CONFIG_REPEATED"
    CONFIG_TIMEOUT = "CONFIG_TIMEOUT"
    CONFIG_INVALID = "CONFIG_INVALID"
    RESUME_INVALID = "RESUME_INVALID"
    RESUME_MODEL_CHANGED = "RESUME_MODEL_CHANGED"
    UNKNOWN_IDENTITY = "UNKNOWN_IDENTITY"
    UNKNOWN_BLENDSHAPE = "UNKNOWN_BLENDSHAPE"
    REQUEST_EMPTY = "REQUEST_EMPTY"
    CHUNK_TOO_LARGE = "CHUNK_TOO_LARGE"
    AUDIO_PARTIAL_SAMPLE = "AUDIO_PARTIAL_SAMPLE"
    AUDIO_NOT_FINITE = "AUDIO_NOT_FINITE"
    AUDIO_OUT_OF_RANGE = "AUDIO_OUT_OF_RANGE"
    START_SAMPLE_NEGATIVE = "START_SAMPLE_NEGATIVE"
    GAP_TOO_LONG = "GAP_TOO_LONG"
    SERVER_FULL = "SERVER_FULL"
    SERVER_DRAINING = "SERVER_DRAINING"
    CLIENT_TOO_SLOW = "CLIENT_TOO_SLOW"
    SERVER_FAILED = "SERVER_FAILED"

    @property
    def code(self) -> grpc.StatusCode:
        """The status code an error of this reason travels under."""
        return _CODES.get(self, grpc.StatusCode.INVALID_ARGUMENT)


_CODES: Final[Mapping[Reason, grpc.StatusCode]] = {
    Reason.TOKEN_REQUIRED: grpc.StatusCode.UNAUTHENTICATED,
    Reason.TOKEN_UNKNOWN: grpc.StatusCode.UNAUTHENTICATED,
    Reason.CONFIG_FIRST: grpc.StatusCode.FAILED_PRECONDITION,
    Reason.CONFIG_REPEATED: grpc.StatusCode.FAILED_PRECONDITION,
    Reason.CONFIG_TIMEOUT: grpc.StatusCode.DEADLINE_EXCEEDED,
    Reason.RESUME_MODEL_CHANGED: grpc.StatusCode.FAILED_PRECONDITION,
    Reason.GAP_TOO_LONG: grpc.StatusCode.OUT_OF_RANGE,
    Reason.SERVER_FULL: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Reason.SERVER_DRAINING: grpc.StatusCode.UNAVAILABLE,
    Reason.CLIENT_TOO_SLOW: grpc.StatusCode.ABORTED,
    Reason.SERVER_FAILED: grpc.StatusCode.INTERNAL,
}


class ServiceError(Exception):
    """An error to end a call with.

    Attributes:
        reason: which one; it decides the status code.
        message: one sentence for a person, saying what to do.
        field: path of the offending request field, such as ``config.sample_rate``; makes a BadRequest violation.
        retry_after_s: makes a RetryInfo: seconds until another attempt is worth while.
    """

    def __init__(
        self, reason: Reason, message: str, *, field: str | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.field = field
        self.retry_after_s = retry_after_s

    def status(self) -> status_pb2.Status:
        """The error as AIP-193's ``google.rpc.Status``."""
        status = status_pb2.Status(code=self.reason.code.value[0], message=self.message)
        status.details.add().Pack(error_details_pb2.ErrorInfo(reason=self.reason.value, domain=DOMAIN))
        if self.field is not None:
            violation = error_details_pb2.BadRequest.FieldViolation(field=self.field, description=self.message)
            status.details.add().Pack(error_details_pb2.BadRequest(field_violations=[violation]))
        if self.retry_after_s is not None:
            delay = duration_pb2.Duration()
            delay.FromNanoseconds(round(self.retry_after_s * 1e9))
            status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
        return status


async def abort(context: grpc.aio.ServicerContext[Any, Any], error: ServiceError) -> NoReturn:
    """Ends a call with an error and its details."""
    status = rpc_status.to_status(error.status())
    await context.abort(status.code, status.details, status.trailing_metadata)
