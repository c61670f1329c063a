from livetalker.v1 import face_animation_pb2 as _face_animation_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ResumeToken(_message.Message):
    __slots__ = ("issued_at", "model_name", "model_version", "model_digest", "config", "mute_changes", "state")
    ISSUED_AT_FIELD_NUMBER: _ClassVar[int]
    MODEL_NAME_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    MODEL_DIGEST_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    MUTE_CHANGES_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    issued_at: int
    model_name: str
    model_version: str
    model_digest: bytes
    config: _face_animation_pb2.StreamConfig
    mute_changes: _containers.RepeatedCompositeFieldContainer[MuteChange]
    state: StreamState
    def __init__(self, issued_at: _Optional[int] = ..., model_name: _Optional[str] = ..., model_version: _Optional[str] = ..., model_digest: _Optional[bytes] = ..., config: _Optional[_Union[_face_animation_pb2.StreamConfig, _Mapping]] = ..., mute_changes: _Optional[_Iterable[_Union[MuteChange, _Mapping]]] = ..., state: _Optional[_Union[StreamState, _Mapping]] = ...) -> None: ...

class MuteChange(_message.Message):
    __slots__ = ("sample", "muted")
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    MUTED_FIELD_NUMBER: _ClassVar[int]
    sample: int
    muted: bool
    def __init__(self, sample: _Optional[int] = ..., muted: _Optional[bool] = ...) -> None: ...

class StreamState(_message.Message):
    __slots__ = ("frame", "levels", "flushed", "identity", "shaping", "previous_shaping", "shaping_frame")
    FRAME_FIELD_NUMBER: _ClassVar[int]
    LEVELS_FIELD_NUMBER: _ClassVar[int]
    FLUSHED_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    SHAPING_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_SHAPING_FIELD_NUMBER: _ClassVar[int]
    SHAPING_FRAME_FIELD_NUMBER: _ClassVar[int]
    frame: int
    levels: _containers.RepeatedCompositeFieldContainer[Level]
    flushed: int
    identity: IdentityState
    shaping: _face_animation_pb2.Shaping
    previous_shaping: _face_animation_pb2.Shaping
    shaping_frame: int
    def __init__(self, frame: _Optional[int] = ..., levels: _Optional[_Iterable[_Union[Level, _Mapping]]] = ..., flushed: _Optional[int] = ..., identity: _Optional[_Union[IdentityState, _Mapping]] = ..., shaping: _Optional[_Union[_face_animation_pb2.Shaping, _Mapping]] = ..., previous_shaping: _Optional[_Union[_face_animation_pb2.Shaping, _Mapping]] = ..., shaping_frame: _Optional[int] = ...) -> None: ...

class Level(_message.Message):
    __slots__ = ("sample", "held_db")
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    HELD_DB_FIELD_NUMBER: _ClassVar[int]
    sample: int
    held_db: float
    def __init__(self, sample: _Optional[int] = ..., held_db: _Optional[float] = ...) -> None: ...

class IdentityState(_message.Message):
    __slots__ = ("matching", "voiced", "listened", "cosines", "identity", "confidence", "challenger", "held", "heard", "embedding", "embedding_before", "fade_frame", "pending")
    MATCHING_FIELD_NUMBER: _ClassVar[int]
    VOICED_FIELD_NUMBER: _ClassVar[int]
    LISTENED_FIELD_NUMBER: _ClassVar[int]
    COSINES_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    CHALLENGER_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    HEARD_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_BEFORE_FIELD_NUMBER: _ClassVar[int]
    FADE_FRAME_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    matching: bool
    voiced: int
    listened: int
    cosines: bytes
    identity: str
    confidence: float
    challenger: str
    held: int
    heard: int
    embedding: _containers.RepeatedScalarFieldContainer[float]
    embedding_before: _containers.RepeatedScalarFieldContainer[float]
    fade_frame: int
    pending: _containers.RepeatedCompositeFieldContainer[PendingIdentity]
    def __init__(self, matching: _Optional[bool] = ..., voiced: _Optional[int] = ..., listened: _Optional[int] = ..., cosines: _Optional[bytes] = ..., identity: _Optional[str] = ..., confidence: _Optional[float] = ..., challenger: _Optional[str] = ..., held: _Optional[int] = ..., heard: _Optional[int] = ..., embedding: _Optional[_Iterable[float]] = ..., embedding_before: _Optional[_Iterable[float]] = ..., fade_frame: _Optional[int] = ..., pending: _Optional[_Iterable[_Union[PendingIdentity, _Mapping]]] = ...) -> None: ...

class PendingIdentity(_message.Message):
    __slots__ = ("feature", "identity")
    FEATURE_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    feature: int
    identity: _face_animation_pb2.Identity
    def __init__(self, feature: _Optional[int] = ..., identity: _Optional[_Union[_face_animation_pb2.Identity, _Mapping]] = ...) -> None: ...
