from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AudioEncoding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AUDIO_ENCODING_UNSPECIFIED: _ClassVar[AudioEncoding]
    AUDIO_ENCODING_PCM_S16LE: _ClassVar[AudioEncoding]
    AUDIO_ENCODING_PCM_F32LE: _ClassVar[AudioEncoding]

class LatencyPreset(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LATENCY_PRESET_UNSPECIFIED: _ClassVar[LatencyPreset]
    LATENCY_PRESET_LOW: _ClassVar[LatencyPreset]
    LATENCY_PRESET_BALANCED: _ClassVar[LatencyPreset]
    LATENCY_PRESET_QUALITY: _ClassVar[LatencyPreset]

class Delivery(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DELIVERY_UNSPECIFIED: _ClassVar[Delivery]
    DELIVERY_LIVE: _ClassVar[Delivery]
    DELIVERY_LOSSLESS: _ClassVar[Delivery]

class GapCause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GAP_CAUSE_UNSPECIFIED: _ClassVar[GapCause]
    GAP_CAUSE_AUDIO_MISSING: _ClassVar[GapCause]
    GAP_CAUSE_SLOW_READER: _ClassVar[GapCause]
    GAP_CAUSE_FLUSH: _ClassVar[GapCause]
AUDIO_ENCODING_UNSPECIFIED: AudioEncoding
AUDIO_ENCODING_PCM_S16LE: AudioEncoding
AUDIO_ENCODING_PCM_F32LE: AudioEncoding
LATENCY_PRESET_UNSPECIFIED: LatencyPreset
LATENCY_PRESET_LOW: LatencyPreset
LATENCY_PRESET_BALANCED: LatencyPreset
LATENCY_PRESET_QUALITY: LatencyPreset
DELIVERY_UNSPECIFIED: Delivery
DELIVERY_LIVE: Delivery
DELIVERY_LOSSLESS: Delivery
GAP_CAUSE_UNSPECIFIED: GapCause
GAP_CAUSE_AUDIO_MISSING: GapCause
GAP_CAUSE_SLOW_READER: GapCause
GAP_CAUSE_FLUSH: GapCause

class AnimateRequest(_message.Message):
    __slots__ = ("config", "audio", "control", "resume")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    CONTROL_FIELD_NUMBER: _ClassVar[int]
    RESUME_FIELD_NUMBER: _ClassVar[int]
    config: StreamConfig
    audio: AudioChunk
    control: Control
    resume: Resume
    def __init__(self, config: _Optional[_Union[StreamConfig, _Mapping]] = ..., audio: _Optional[_Union[AudioChunk, _Mapping]] = ..., control: _Optional[_Union[Control, _Mapping]] = ..., resume: _Optional[_Union[Resume, _Mapping]] = ...) -> None: ...

class Resume(_message.Message):
    __slots__ = ("token", "next_frame")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    NEXT_FRAME_FIELD_NUMBER: _ClassVar[int]
    token: bytes
    next_frame: int
    def __init__(self, token: _Optional[bytes] = ..., next_frame: _Optional[int] = ...) -> None: ...

class StreamConfig(_message.Message):
    __slots__ = ("sample_rate", "encoding", "channels", "frame_rate", "latency_preset", "delivery", "identity", "seed", "shaping", "blinks", "idle_motion")
    SAMPLE_RATE_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    FRAME_RATE_FIELD_NUMBER: _ClassVar[int]
    LATENCY_PRESET_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    SHAPING_FIELD_NUMBER: _ClassVar[int]
    BLINKS_FIELD_NUMBER: _ClassVar[int]
    IDLE_MOTION_FIELD_NUMBER: _ClassVar[int]
    sample_rate: int
    encoding: AudioEncoding
    channels: int
    frame_rate: int
    latency_preset: LatencyPreset
    delivery: Delivery
    identity: Identity
    seed: int
    shaping: Shaping
    blinks: bool
    idle_motion: bool
    def __init__(self, sample_rate: _Optional[int] = ..., encoding: _Optional[_Union[AudioEncoding, str]] = ..., channels: _Optional[int] = ..., frame_rate: _Optional[int] = ..., latency_preset: _Optional[_Union[LatencyPreset, str]] = ..., delivery: _Optional[_Union[Delivery, str]] = ..., identity: _Optional[_Union[Identity, _Mapping]] = ..., seed: _Optional[int] = ..., shaping: _Optional[_Union[Shaping, _Mapping]] = ..., blinks: _Optional[bool] = ..., idle_motion: _Optional[bool] = ...) -> None: ...

class Identity(_message.Message):
    __slots__ = ("automatic", "pinned", "blended")
    AUTOMATIC_FIELD_NUMBER: _ClassVar[int]
    PINNED_FIELD_NUMBER: _ClassVar[int]
    BLENDED_FIELD_NUMBER: _ClassVar[int]
    automatic: AutomaticIdentity
    pinned: str
    blended: BlendedIdentity
    def __init__(self, automatic: _Optional[_Union[AutomaticIdentity, _Mapping]] = ..., pinned: _Optional[str] = ..., blended: _Optional[_Union[BlendedIdentity, _Mapping]] = ...) -> None: ...

class AutomaticIdentity(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class BlendedIdentity(_message.Message):
    __slots__ = ("weights",)
    class WeightsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    weights: _containers.ScalarMap[str, float]
    def __init__(self, weights: _Optional[_Mapping[str, float]] = ...) -> None: ...

class Shaping(_message.Message):
    __slots__ = ("gains", "offsets", "clamp", "expression")
    class GainsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    class OffsetsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    class ExpressionEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    GAINS_FIELD_NUMBER: _ClassVar[int]
    OFFSETS_FIELD_NUMBER: _ClassVar[int]
    CLAMP_FIELD_NUMBER: _ClassVar[int]
    EXPRESSION_FIELD_NUMBER: _ClassVar[int]
    gains: _containers.ScalarMap[str, float]
    offsets: _containers.ScalarMap[str, float]
    clamp: bool
    expression: _containers.ScalarMap[str, float]
    def __init__(self, gains: _Optional[_Mapping[str, float]] = ..., offsets: _Optional[_Mapping[str, float]] = ..., clamp: _Optional[bool] = ..., expression: _Optional[_Mapping[str, float]] = ...) -> None: ...

class AudioChunk(_message.Message):
    __slots__ = ("start_sample", "data")
    START_SAMPLE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    start_sample: int
    data: bytes
    def __init__(self, start_sample: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...

class Control(_message.Message):
    __slots__ = ("flush", "mute", "unmute", "rematch_identity", "shaping")
    FLUSH_FIELD_NUMBER: _ClassVar[int]
    MUTE_FIELD_NUMBER: _ClassVar[int]
    UNMUTE_FIELD_NUMBER: _ClassVar[int]
    REMATCH_IDENTITY_FIELD_NUMBER: _ClassVar[int]
    SHAPING_FIELD_NUMBER: _ClassVar[int]
    flush: Flush
    mute: Mute
    unmute: Unmute
    rematch_identity: RematchIdentity
    shaping: Shaping
    def __init__(self, flush: _Optional[_Union[Flush, _Mapping]] = ..., mute: _Optional[_Union[Mute, _Mapping]] = ..., unmute: _Optional[_Union[Unmute, _Mapping]] = ..., rematch_identity: _Optional[_Union[RematchIdentity, _Mapping]] = ..., shaping: _Optional[_Union[Shaping, _Mapping]] = ...) -> None: ...

class Flush(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Mute(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Unmute(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RematchIdentity(_message.Message):
    __slots__ = ("identity",)
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    identity: Identity
    def __init__(self, identity: _Optional[_Union[Identity, _Mapping]] = ...) -> None: ...

class AnimateResponse(_message.Message):
    __slots__ = ("started", "frames", "event")
    STARTED_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    started: Started
    frames: Frames
    event: Event
    def __init__(self, started: _Optional[_Union[Started, _Mapping]] = ..., frames: _Optional[_Union[Frames, _Mapping]] = ..., event: _Optional[_Union[Event, _Mapping]] = ...) -> None: ...

class Started(_message.Message):
    __slots__ = ("session_id", "model_name", "model_version", "blendshape_names", "frame_rate", "algorithmic_latency_us", "limits", "resume_token", "first_frame")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_NAME_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    BLENDSHAPE_NAMES_FIELD_NUMBER: _ClassVar[int]
    FRAME_RATE_FIELD_NUMBER: _ClassVar[int]
    ALGORITHMIC_LATENCY_US_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FIRST_FRAME_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    model_name: str
    model_version: str
    blendshape_names: _containers.RepeatedScalarFieldContainer[str]
    frame_rate: int
    algorithmic_latency_us: int
    limits: Limits
    resume_token: bytes
    first_frame: int
    def __init__(self, session_id: _Optional[str] = ..., model_name: _Optional[str] = ..., model_version: _Optional[str] = ..., blendshape_names: _Optional[_Iterable[str]] = ..., frame_rate: _Optional[int] = ..., algorithmic_latency_us: _Optional[int] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., resume_token: _Optional[bytes] = ..., first_frame: _Optional[int] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("max_chunk_ms", "max_message_bytes", "max_gap_ms", "write_deadline_ms")
    MAX_CHUNK_MS_FIELD_NUMBER: _ClassVar[int]
    MAX_MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_GAP_MS_FIELD_NUMBER: _ClassVar[int]
    WRITE_DEADLINE_MS_FIELD_NUMBER: _ClassVar[int]
    max_chunk_ms: int
    max_message_bytes: int
    max_gap_ms: int
    write_deadline_ms: int
    def __init__(self, max_chunk_ms: _Optional[int] = ..., max_message_bytes: _Optional[int] = ..., max_gap_ms: _Optional[int] = ..., write_deadline_ms: _Optional[int] = ...) -> None: ...

class Frames(_message.Message):
    __slots__ = ("frames",)
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    frames: _containers.RepeatedCompositeFieldContainer[Frame]
    def __init__(self, frames: _Optional[_Iterable[_Union[Frame, _Mapping]]] = ...) -> None: ...

class Frame(_message.Message):
    __slots__ = ("index", "time_us", "weights")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    TIME_US_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    index: int
    time_us: int
    weights: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, index: _Optional[int] = ..., time_us: _Optional[int] = ..., weights: _Optional[_Iterable[float]] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("identity_matched", "gap", "draining", "warning", "resume_point")
    IDENTITY_MATCHED_FIELD_NUMBER: _ClassVar[int]
    GAP_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    WARNING_FIELD_NUMBER: _ClassVar[int]
    RESUME_POINT_FIELD_NUMBER: _ClassVar[int]
    identity_matched: IdentityMatched
    gap: Gap
    draining: Draining
    warning: StreamWarning
    resume_point: ResumePoint
    def __init__(self, identity_matched: _Optional[_Union[IdentityMatched, _Mapping]] = ..., gap: _Optional[_Union[Gap, _Mapping]] = ..., draining: _Optional[_Union[Draining, _Mapping]] = ..., warning: _Optional[_Union[StreamWarning, _Mapping]] = ..., resume_point: _Optional[_Union[ResumePoint, _Mapping]] = ...) -> None: ...

class ResumePoint(_message.Message):
    __slots__ = ("token", "frame_index")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    FRAME_INDEX_FIELD_NUMBER: _ClassVar[int]
    token: bytes
    frame_index: int
    def __init__(self, token: _Optional[bytes] = ..., frame_index: _Optional[int] = ...) -> None: ...

class IdentityMatched(_message.Message):
    __slots__ = ("identity", "confidence", "frame_index")
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    FRAME_INDEX_FIELD_NUMBER: _ClassVar[int]
    identity: str
    confidence: float
    frame_index: int
    def __init__(self, identity: _Optional[str] = ..., confidence: _Optional[float] = ..., frame_index: _Optional[int] = ...) -> None: ...

class Gap(_message.Message):
    __slots__ = ("cause", "start_sample", "sample_count", "first_frame", "frame_count")
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    START_SAMPLE_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_COUNT_FIELD_NUMBER: _ClassVar[int]
    FIRST_FRAME_FIELD_NUMBER: _ClassVar[int]
    FRAME_COUNT_FIELD_NUMBER: _ClassVar[int]
    cause: GapCause
    start_sample: int
    sample_count: int
    first_frame: int
    frame_count: int
    def __init__(self, cause: _Optional[_Union[GapCause, str]] = ..., start_sample: _Optional[int] = ..., sample_count: _Optional[int] = ..., first_frame: _Optional[int] = ..., frame_count: _Optional[int] = ...) -> None: ...

class Draining(_message.Message):
    __slots__ = ("grace_ms",)
    GRACE_MS_FIELD_NUMBER: _ClassVar[int]
    grace_ms: int
    def __init__(self, grace_ms: _Optional[int] = ...) -> None: ...

class StreamWarning(_message.Message):
    __slots__ = ("reason", "message")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    reason: str
    message: str
    def __init__(self, reason: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class GetModelInfoRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetModelInfoResponse(_message.Message):
    __slots__ = ("model_name", "model_version", "blendshape_names", "frame_rates", "latency_presets", "identities", "denoise_steps", "limits")
    MODEL_NAME_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    BLENDSHAPE_NAMES_FIELD_NUMBER: _ClassVar[int]
    FRAME_RATES_FIELD_NUMBER: _ClassVar[int]
    LATENCY_PRESETS_FIELD_NUMBER: _ClassVar[int]
    IDENTITIES_FIELD_NUMBER: _ClassVar[int]
    DENOISE_STEPS_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    model_name: str
    model_version: str
    blendshape_names: _containers.RepeatedScalarFieldContainer[str]
    frame_rates: _containers.RepeatedScalarFieldContainer[int]
    latency_presets: _containers.RepeatedCompositeFieldContainer[LatencyPresetInfo]
    identities: _containers.RepeatedScalarFieldContainer[str]
    denoise_steps: int
    limits: Limits
    def __init__(self, model_name: _Optional[str] = ..., model_version: _Optional[str] = ..., blendshape_names: _Optional[_Iterable[str]] = ..., frame_rates: _Optional[_Iterable[int]] = ..., latency_presets: _Optional[_Iterable[_Union[LatencyPresetInfo, _Mapping]]] = ..., identities: _Optional[_Iterable[str]] = ..., denoise_steps: _Optional[int] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ...) -> None: ...

class LatencyPresetInfo(_message.Message):
    __slots__ = ("latency_preset", "algorithmic_latency_us")
    LATENCY_PRESET_FIELD_NUMBER: _ClassVar[int]
    ALGORITHMIC_LATENCY_US_FIELD_NUMBER: _ClassVar[int]
    latency_preset: LatencyPreset
    algorithmic_latency_us: int
    def __init__(self, latency_preset: _Optional[_Union[LatencyPreset, str]] = ..., algorithmic_latency_us: _Optional[int] = ...) -> None: ...
