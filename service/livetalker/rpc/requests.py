"""Reading what a client sends: wire messages to a checked stream configuration and to mono float audio."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from livetalker.core.config import (
    AUTO,
    ConfigError,
    Delivery,
    IdentityChoice,
    Shaping,
    StreamConfig,
    UnknownBlendshapeError,
    UnknownIdentityError,
)
from livetalker.rpc.errors import Reason, ServiceError
from livetalker.v1 import face_animation_pb2 as pb

T = TypeVar("T")

MAX_CHANNELS: Final = 8
MAX_CHUNK_SECONDS: Final = 1
LARGEST_SAMPLE: Final = 16.0
"""Overshoot of full scale that still is audio; beyond, somebody sent integers as floats."""
_ONE_STEP: Final = np.float32(1 / 32768)
"""Of 16-bit integers."""

PRESETS: Final[Mapping[int, str]] = {
    pb.LATENCY_PRESET_LOW: "low",
    pb.LATENCY_PRESET_BALANCED: "balanced",
    pb.LATENCY_PRESET_QUALITY: "quality",
}
_DELIVERIES: Final[Mapping[int, Delivery]] = {pb.DELIVERY_LIVE: Delivery.LIVE, pb.DELIVERY_LOSSLESS: Delivery.LOSSLESS}
_DTYPES: Final[Mapping[int, np.dtype[Any]]] = {
    pb.AUDIO_ENCODING_PCM_S16LE: np.dtype("<i2"),
    pb.AUDIO_ENCODING_PCM_F32LE: np.dtype("<f4"),
}
_WIRE_FIELDS: Final = {"fps": "frame_rate", "preset": "latency_preset", "idle": "idle_motion"}
"""Fields that core.config names otherwise than the wire does."""


@contextmanager
def config_errors(prefix: str) -> Iterator[None]:
    """Turns a ``ConfigError`` into the wire's error, with the field's path below ``prefix``."""
    try:
        yield
    except ConfigError as error:
        match error:
            case UnknownBlendshapeError():
                reason = Reason.UNKNOWN_BLENDSHAPE
            case UnknownIdentityError():
                reason = Reason.UNKNOWN_IDENTITY
            case _:
                reason = Reason.CONFIG_INVALID
        path = f"{prefix}.{_WIRE_FIELDS.get(error.field, error.field)}"
        raise ServiceError(reason, f"{path}: {error.message}", field=path) from error


def _invalid(field: str, message: str) -> ServiceError:
    return ServiceError(Reason.CONFIG_INVALID, f"{field}: {message}", field=field)


def read_config(message: pb.StreamConfig) -> tuple[StreamConfig, AudioFormat]:
    """Reads a config.

    Raises:
        ServiceError: it is not a valid one.
    """
    with config_errors("config"):
        config = StreamConfig(
            sample_rate=message.sample_rate,
            fps=message.frame_rate or 30,
            preset=_choice(PRESETS, message.latency_preset, "balanced", "config.latency_preset"),
            seed=message.seed,
            identity=read_identity(message.identity),
            shaping=read_shaping(message.shaping),
            delivery=_choice(_DELIVERIES, message.delivery, Delivery.LOSSLESS, "config.delivery"),
            blinks=message.blinks if message.HasField("blinks") else True,
            idle=message.idle_motion if message.HasField("idle_motion") else True,
        )
    if message.encoding not in _DTYPES:
        raise _invalid("config.encoding", "choose AUDIO_ENCODING_PCM_S16LE or AUDIO_ENCODING_PCM_F32LE")
    if not 0 <= message.channels <= MAX_CHANNELS:
        raise _invalid("config.channels", f"{message.channels} channels are not supported; send 1 to {MAX_CHANNELS}")
    return config, AudioFormat(_DTYPES[message.encoding], message.channels or 1, message.sample_rate)


def _choice(table: Mapping[int, T], value: int, default: T, field: str) -> T:
    """Reads an open enum: 0 is the default, unknown numbers are errors."""
    if value == 0:
        return default
    if value not in table:
        raise _invalid(field, f"{value} is not one of its values")
    return table[value]


def read_identity(message: pb.Identity) -> IdentityChoice:
    """Reads an identity choice; unset is automatic.

    Raises:
        ConfigError: impossible weights.
    """
    match message.WhichOneof("choice"):
        case "pinned":
            return IdentityChoice.pinned(message.pinned)
        case "blended":
            return IdentityChoice.blended(dict(sorted(message.blended.weights.items())))  # a map has no order
        case _:
            return AUTO


def read_shaping(message: pb.Shaping) -> Shaping:
    """Reads adjustments; unset is none.

    Raises:
        ConfigError: an unknown name or a value out of range.
    """
    return Shaping(
        gains=message.gains,
        offsets=message.offsets,
        clamp=message.clamp if message.HasField("clamp") else True,
        expression=message.expression,
    )


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """How a stream's chunks are written.

    Attributes:
        dtype: of one sample, little-endian 16-bit integer or 32-bit float.
        channels: interleaved channels.
        sample_rate: hertz.
    """

    dtype: np.dtype[Any]
    channels: int
    sample_rate: int

    def decode(self, chunk: pb.AudioChunk) -> NDArray[np.float32]:
        """Reads a chunk's samples, mixed down to mono by averaging the channels.

        Returns:
            ``[n]`` at full scale 1.0; empty for an empty chunk.

        Raises:
            ServiceError: a partial sample, more than a second, or numbers that are no audio.
        """
        width = self.dtype.itemsize * self.channels
        count, rest = divmod(len(chunk.data), width)
        if rest:
            raise ServiceError(
                Reason.AUDIO_PARTIAL_SAMPLE,
                f"a chunk of {len(chunk.data)} bytes is not a whole number of samples; send a multiple of {width} "
                f"bytes ({self.channels} channel(s) of {self.dtype.itemsize} bytes)",
                field="audio.data",
            )
        if count > MAX_CHUNK_SECONDS * self.sample_rate:
            raise ServiceError(
                Reason.CHUNK_TOO_LARGE,
                f"a chunk of {count} samples is longer than one second at {self.sample_rate} Hz; send smaller chunks, "
                "20 to 100 ms are good",
                field="audio.data",
            )
        if chunk.HasField("start_sample") and chunk.start_sample < 0:
            raise ServiceError(
                Reason.START_SAMPLE_NEGATIVE,
                f"start_sample is {chunk.start_sample}; count samples from 0 at the start of the stream",
                field="audio.start_sample",
            )
        samples: NDArray[np.float32]
        if self.dtype.kind == "i":
            samples = np.multiply(np.frombuffer(chunk.data, self.dtype), _ONE_STEP, dtype=np.float32)
        else:
            samples = np.frombuffer(chunk.data, self.dtype).astype(np.float32)
            _check_finite(samples)
        return samples if self.channels == 1 else samples.reshape(-1, self.channels).mean(axis=1, dtype=np.float32)


def _check_finite(samples: NDArray[np.float32]) -> None:
    peak = float(np.abs(samples).max(initial=0.0))  # NaN if any sample is
    if not np.isfinite(peak):
        first = int(np.flatnonzero(~np.isfinite(samples))[0])
        raise ServiceError(
            Reason.AUDIO_NOT_FINITE,
            f"sample {first} of a chunk is {samples[first]}; send finite numbers",
            field="audio.data",
        )
    if peak > LARGEST_SAMPLE:
        raise ServiceError(
            Reason.AUDIO_OUT_OF_RANGE,
            f"a sample is {peak:g} where full scale is 1; divide 16-bit integers by 32768, or send them as "
            "AUDIO_ENCODING_PCM_S16LE",
            field="audio.data",
        )
