"""Resume tokens: all that a stream needs to go on in another call, signed, so that a server needs to keep nothing.

A token is one byte of version, a ``ResumeToken`` message, and the HMAC-SHA256 of both. Servers with the same key and
the same model read each other's.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from google.protobuf.message import DecodeError

from diffusiontalker.errors import MendableError
from livetalker.core.admission import ModelInfo
from livetalker.core.config import ConfigError
from livetalker.core.stream_state import StreamState
from livetalker.internal.v1 import resume_token_pb2 as internal
from livetalker.rpc.errors import Reason, ServiceError
from livetalker.rpc.state_wire import state_from_wire, state_to_wire
from livetalker.v1 import face_animation_pb2 as pb

LIFETIME_S: Final = 24 * 3600
"""Seconds from its making on that a token is taken."""
LEAST_KEY_BYTES: Final = 32
_VERSION: Final = b"\x01"
_SIGNATURE: Final = hashlib.sha256().digest_size
_DIGEST: Final = 16


class ResumeKeyError(MendableError):
    """The file with the resume key cannot be used, and what to do about it."""


def read_resume_key(path: Path) -> bytes:
    """The secret in a file; a line break at its end is not part of it.

    Raises:
        ResumeKeyError: it cannot be read, or the secret is too short.
    """
    try:
        secret = path.read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise ResumeKeyError(f"the resume key {path} cannot be read: {error.strerror or error}") from None
    if len(secret) < LEAST_KEY_BYTES:
        raise ResumeKeyError(
            f"the resume key {path} has {len(secret)} bytes; give at least {LEAST_KEY_BYTES}, for instance with: "
            f"openssl rand -hex {LEAST_KEY_BYTES} > {path}"
        )
    return secret


@dataclass(frozen=True, slots=True)
class Resumable:
    """What a token says.

    Attributes:
        config: what the stream was opened with.
        mute_changes: as ``core.mute.MuteTrack`` has them.
        state: of the engine; None for a stream that had just begun.
    """

    config: pb.StreamConfig
    mute_changes: tuple[tuple[int, bool], ...]
    state: StreamState | None


class ResumeTokens:
    """Writes and reads the tokens of one model.

    Args:
        key: the secret shared by the servers among which streams may move.
        model: being served.
        clock: seconds since 1970.
    """

    def __init__(self, key: bytes, model: ModelInfo, clock: Callable[[], float] = time.time) -> None:
        self._key = hashlib.sha256(b"livetalker resume key\0" + key).digest()
        self._model = model
        self._digest = (bytes.fromhex(model.digest) if model.digest else b"")[:_DIGEST]
        self._clock = clock

    def write(
        self, config: pb.StreamConfig, mute_changes: Iterable[tuple[int, bool]], state: StreamState | None
    ) -> bytes:
        """Makes a token."""
        message = internal.ResumeToken(
            issued_at=int(self._clock()),
            model_name=self._model.name,
            model_version=self._model.version,
            model_digest=self._digest,
            config=config,
            mute_changes=[internal.MuteChange(sample=sample, muted=muted) for sample, muted in mute_changes],
            state=None if state is None else state_to_wire(state),
        )
        signed = _VERSION + message.SerializeToString()
        return signed + self._signature(signed)

    def read(self, token: bytes) -> Resumable:
        """Checks and reads a token.

        Raises:
            ServiceError: it is damaged, foreign, too old, or of another model.
        """
        signed, signature = token[:-_SIGNATURE], token[-_SIGNATURE:]
        if not signed or not hmac.compare_digest(self._signature(signed), signature):
            raise _invalid(
                "is damaged, or of a server with another key (give servers the same --resume-key-file to move streams "
                "between them)"
            )
        if signed[:1] != _VERSION:
            raise _invalid("is of another release of the server")
        message = internal.ResumeToken()
        try:
            message.ParseFromString(signed[1:])
        except DecodeError:
            raise _invalid("is of another release of the server") from None
        if self._clock() - message.issued_at > LIFETIME_S:
            raise _invalid(f"is older than {LIFETIME_S // 3600} hours")
        if (message.model_digest, message.model_version) != (self._digest, self._model.version):
            raise ServiceError(
                Reason.RESUME_MODEL_CHANGED,
                f"the stream was animated by {message.model_name} {message.model_version}, and this server has "
                f"{self._model.name} {self._model.version}, or another copy of that; open a new stream",
                field="resume.token",
            )
        try:
            state = state_from_wire(message.state) if message.HasField("state") else None
        except ConfigError:
            raise _invalid("is of another release of the server") from None
        changes = tuple((change.sample, change.muted) for change in message.mute_changes)
        return Resumable(message.config, changes, state)

    def _signature(self, signed: bytes) -> bytes:
        return hmac.digest(self._key, signed, "sha256")


def _invalid(what: str) -> ServiceError:
    return ServiceError(Reason.RESUME_INVALID, f"the resume token {what}; open a new stream", field="resume.token")
