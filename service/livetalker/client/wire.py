"""The client's translation between Python values and wire messages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.arkit import INDEX
from livetalker.core.config import Delivery, StreamConfig
from livetalker.messages import identity_to_wire, shaping_to_wire
from livetalker.v1 import face_animation_pb2 as pb


class Encoding(Enum):
    """How samples travel; the value is bytes per sample."""

    S16LE = 2
    """16-bit integers: half the bytes, exact for what a microphone delivers."""
    F32LE = 4
    """32-bit floats: exact for everything."""


_ENCODINGS: Final = {
    Encoding.S16LE: pb.AUDIO_ENCODING_PCM_S16LE,
    Encoding.F32LE: pb.AUDIO_ENCODING_PCM_F32LE,
}
_PRESETS: Final = {
    "low": pb.LATENCY_PRESET_LOW,
    "balanced": pb.LATENCY_PRESET_BALANCED,
    "quality": pb.LATENCY_PRESET_QUALITY,
}
_DELIVERIES: Final = {Delivery.LIVE: pb.DELIVERY_LIVE, Delivery.LOSSLESS: pb.DELIVERY_LOSSLESS}


@dataclass(frozen=True, slots=True)
class FaceFrame:
    """The face at one instant; ``frame["jawOpen"]`` is one coefficient.

    Attributes:
        index: number of the frame since the start of the stream.
        time_us: the frame's instant on the stream's audio, microseconds.
        weights: float32 ``[52]`` in ARKit order, see ``diffusiontalker.arkit.BLENDSHAPES``.
    """

    index: int
    time_us: int
    weights: NDArray[np.float32]

    def __getitem__(self, name: str) -> float:
        return float(self.weights[INDEX[name]])


def frame_from_wire(frame: pb.Frame) -> FaceFrame:
    """Reads a frame."""
    return FaceFrame(frame.index, frame.time_us, np.fromiter(frame.weights, np.float32, len(frame.weights)))


def config_to_wire(config: StreamConfig, encoding: Encoding) -> pb.StreamConfig:
    """Writes a config for mono audio."""
    return pb.StreamConfig(
        sample_rate=config.sample_rate,
        encoding=_ENCODINGS[encoding],
        channels=1,
        frame_rate=config.fps,
        latency_preset=_PRESETS[config.preset],
        delivery=_DELIVERIES[config.delivery],
        identity=identity_to_wire(config.identity),
        seed=config.seed,
        shaping=shaping_to_wire(config.shaping),
        blinks=config.blinks,
        idle_motion=config.idle,
    )


def pcm(samples: NDArray[np.float32] | NDArray[np.int16] | bytes, encoding: Encoding) -> bytes:
    """Writes mono samples.

    Args:
        samples: float ``[n]`` or ``[n, 1]`` at full scale 1.0, int16 of the same shapes, or bytes that are in
            ``encoding`` already.
        encoding: how to write them.

    Raises:
        ValueError: several channels, single samples, or another type of number; the message says what to do.
    """
    if isinstance(samples, bytes):
        return samples
    values = _mono(np.asarray(samples))
    if encoding is Encoding.F32LE:
        scale = np.float32(1 / 32768) if values.dtype == np.int16 else np.float32(1)
        return (values.astype("<f4") * scale).astype("<f4").tobytes()
    if values.dtype == np.int16:
        return values.astype("<i2").tobytes()
    rounded: NDArray[np.int16] = np.clip(np.rint(values * 32768), -32768, 32767).astype("<i2")
    return rounded.tobytes()


def _mono(values: NDArray[Any]) -> NDArray[Any]:
    """Samples that mean one channel without a doubt, as ``[n]``: others would be heard at another speed, or as noise.

    Raises:
        ValueError: they do not.
    """
    shape = list(values.shape)
    if values.ndim == 0:
        raise ValueError("a source gives chunks, and this is a single sample; put an array of samples in a list")
    if values.ndim == 2 and shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        hint = "average the channels first: samples.mean(axis=1)" if values.ndim == 2 else "give one channel, [n]"
        raise ValueError(f"audio of the shape {shape} is not mono; {hint}")
    if values.dtype != np.int16 and not np.issubdtype(values.dtype, np.floating):
        raise ValueError(
            f"audio of {values.dtype} has no full scale that we know; give floats within -1 to 1, int16, or bytes in "
            "the encoding of the stream"
        )
    return values
