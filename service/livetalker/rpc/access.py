"""Who may call: bearer tokens from a file, checked once a call, before the service hears of it.

A line of the file is a token, or ``sha256:`` and the hexadecimal SHA-256 of one, and perhaps a name for the log. Empty
lines and lines that begin with ``#`` are left out. The file is looked at again when it has changed: one without a token
lets nobody in, one that cannot be read or has a broken line changes nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import re
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, Final

import grpc
from grpc_health.v1 import health_pb2

from diffusiontalker.errors import MendableError
from livetalker.rpc.errors import Reason, ServiceError, abort

log = logging.getLogger(__name__)

LEAST_TOKEN: Final = 16
"""Characters of a token; shorter ones can be guessed."""
_HASHED: Final = "sha256:"
_HEALTH: Final = f"/{health_pb2.DESCRIPTOR.services_by_name['Health'].full_name}/"


class TokenFileError(MendableError):
    """The file with the tokens cannot be used, and what to do about it."""


class TokenFile:
    """The tokens of a file, as it stands.

    Args:
        path: of the file.

    Raises:
        TokenFileError: it cannot be read, has no token, or a line is none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = _stamp(path)
        self._known = read_tokens(path)

    def name_of(self, token: str) -> str | None:
        """The name of a token, ``line N`` for one without; None if it is unknown."""
        self._look_again()
        presented = hashlib.sha256(token.encode()).digest()
        found = None
        for known, name in self._known:  # all of them, so that the time says nothing
            if hmac.compare_digest(known, presented):
                found = name
        return found

    def _look_again(self) -> None:
        try:
            stamp = _stamp(self._path)
            if stamp == self._stamp:
                return
            self._stamp = stamp
            self._known = _tokens_of(self._path)
            if self._known:
                log.info("%s was read again: %d tokens", self._path, len(self._known))
            else:
                log.warning("%s has no token any more: nobody is let in until it has one", self._path)
        except (TokenFileError, OSError) as error:
            log.warning("the tokens known so far stay in force: %s", error)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Changes when the file does."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def read_tokens(path: Path) -> list[tuple[bytes, str]]:
    """SHA-256 and name of every token in a file.

    Raises:
        TokenFileError: it cannot be read, has no token, or a line is none.
    """
    found = _tokens_of(path)
    if not found:
        raise TokenFileError(f"the token file {path} has no token; put one a line, such as openssl rand -hex 32 makes")
    return found


def _tokens_of(path: Path) -> list[tuple[bytes, str]]:
    """The same of a file that may have none."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError as error:
        raise TokenFileError(f"the token file {path} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise TokenFileError(f"the token file {path} is not text") from None
    found = []
    for number, line in enumerate(lines, 1):
        token, _, name = line.strip().partition(" ")
        if token and not token.startswith("#"):
            found.append((_digest(token, f"{path}, line {number}"), name.strip() or f"line {number}"))
    return found


def _digest(token: str, where: str) -> bytes:
    if token.startswith(_HASHED):
        if not re.fullmatch("[0-9a-fA-F]{64}", token[len(_HASHED) :]):
            raise TokenFileError(f"{where}: {_HASHED} is followed by something else than 64 hexadecimal digits")
        return bytes.fromhex(token[len(_HASHED) :])
    if not (token.isascii() and token.isprintable()):
        raise TokenFileError(f"{where}: a token has printable ASCII characters only")
    if len(token) < LEAST_TOKEN:
        raise TokenFileError(f"{where}: a token of {len(token)} characters can be guessed; give {LEAST_TOKEN} or more")
    return hashlib.sha256(token.encode()).digest()


class TokenCheck(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]  # it takes none at run time
    """Lets calls with a known token through, and health checks.

    Args:
        tokens: the known ones.
    """

    def __init__(self, tokens: TokenFile) -> None:
        self._tokens = tokens

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any]]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Any, Any]:
        """Once a call: hands on its handler, or one that refuses."""
        handler = await continuation(handler_call_details)
        if handler is None or handler_call_details.method.startswith(_HEALTH):
            return handler
        try:
            name = self._tokens.name_of(bearer_token(handler_call_details.invocation_metadata))
            if name is None:
                raise ServiceError(
                    Reason.TOKEN_UNKNOWN,
                    "the bearer token is not one of this server's; ask who runs it for another one",
                )
        except ServiceError as error:
            log.info("%s: %s", handler_call_details.method, error.reason)
            return _refusal(handler, error)
        log.info("%s: token %s", handler_call_details.method, name)
        return handler


def bearer_token(metadata: Iterable[tuple[str, str | bytes]]) -> str:
    """The token that a call brings.

    Raises:
        ServiceError: it brings none.
    """
    for key, value in metadata:
        if key == "authorization" and isinstance(value, str):
            scheme, _, token = value.partition(" ")
            if scheme.lower() == "bearer" and token.strip():
                return token.strip()
    raise ServiceError(
        Reason.TOKEN_REQUIRED,
        "this server wants a token: send the metadata `authorization: Bearer TOKEN` with every call "
        "(`livetalker` takes it from --token-file or LIVETALKER_TOKEN)",
    )


def _refusal(handler: grpc.RpcMethodHandler[Any, Any], error: ServiceError) -> grpc.RpcMethodHandler[Any, Any]:
    """A handler of the same kind that only says no."""

    async def refuse(request: object, context: grpc.aio.ServicerContext[Any, Any]) -> None:
        await abort(context, error)

    kinds = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }
    return kinds[handler.request_streaming, handler.response_streaming](refuse)
