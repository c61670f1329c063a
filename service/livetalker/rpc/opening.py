"""The first message of a stream: a config for a new one, or a token for one that goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from livetalker.core.config import StreamConfig
from livetalker.core.stream_state import Resumption
from livetalker.rpc.errors import Reason, ServiceError
from livetalker.rpc.requests import AudioFormat, read_config
from livetalker.rpc.resume_token import ResumeTokens
from livetalker.v1 import face_animation_pb2 as pb

_LAST_FRAME: Final = 1 << 40
"""Frames up to which nothing overflows: more than five hundred years."""


@dataclass(frozen=True, slots=True)
class Opening:
    """How a stream begins.

    Attributes:
        config: what is wanted.
        audio: how its chunks are written.
        message: the config as it was sent, for tokens.
        resumption: where it goes on; None for a new stream.
        mute_changes: known already, as ``core.mute.MuteTrack`` has them.
    """

    config: StreamConfig
    audio: AudioFormat
    message: pb.StreamConfig
    resumption: Resumption | None = None
    mute_changes: tuple[tuple[int, bool], ...] = ()


def read_opening(request: pb.AnimateRequest, tokens: ResumeTokens) -> Opening:
    """Reads a stream's first message.

    Raises:
        ServiceError: it is neither a config nor a resume, or not a valid one.
    """
    match request.WhichOneof("request"):
        case "config":
            return Opening(*read_config(request.config), request.config)
        case "resume":
            return _resumed(request.resume, tokens)
        case None:
            raise ServiceError(Reason.REQUEST_EMPTY, "the first request is empty; send a config first")
        case other:
            raise ServiceError(Reason.CONFIG_FIRST, f"the first request is {other}; send a config first")


def _resumed(message: pb.Resume, tokens: ResumeTokens) -> Opening:
    if not 0 <= message.next_frame <= _LAST_FRAME:
        raise ServiceError(
            Reason.CONFIG_INVALID,
            f"resume.next_frame is {message.next_frame}; give one more than the last index received, 0 if none was",
            field="resume.next_frame",
        )
    known = tokens.read(message.token)
    config, audio = read_config(known.config)
    return Opening(config, audio, known.config, Resumption(message.next_frame, known.state), known.mute_changes)
