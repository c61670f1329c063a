"""Stream geometry in integers: samples, audio features and frames, and which of them a frame may see.

The model listens at 16 kHz. A feature is one output of HuBERT's convolutional front end: feature ``k`` covers samples
``[320 k, 320 k + 400)``. A model frame ``n`` (30 fps) stands at sample ``n * 16000 // 30`` and may use every sample up
to its instant plus the look-ahead of its latency preset. Everything is a function of absolute indexes, so that no
chunking and no tick can change which sample a frame saw.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SAMPLE_RATE: Final = 16_000
"""Hertz, what the model hears."""
FEATURE_STRIDE: Final = 320
"""Samples between features: 50 Hz."""
FEATURE_WINDOW: Final = 400
"""Samples one feature covers."""
FEATURE_OVERLAP: Final = FEATURE_WINDOW - FEATURE_STRIDE
"""Samples a feature shares with the next one; also the granularity of level normalisation."""
MODEL_FPS: Final = 30
"""Frames per second the decoder works at; 60 fps streams are interpolated from it."""


@dataclass(frozen=True, slots=True)
class LatencyPreset:
    """How much audio after its own instant a frame may use.

    Attributes:
        name: what a client asks for.
        index: position in the decoder's preset embedding.
        look_ahead: samples at 16 kHz after the frame's instant.
    """

    name: str
    index: int
    look_ahead: int


PRESETS: Final[dict[str, LatencyPreset]] = {
    "low": LatencyPreset("low", 0, 640),
    "balanced": LatencyPreset("balanced", 1, 1280),
    "quality": LatencyPreset("quality", 2, 2560),
}
DEFAULT_PRESET: Final = "balanced"
STEADY_LOOK_AHEAD: Final = min(preset.look_ahead for preset in PRESETS.values())
"""Samples after a frame's instant at which its steady feature ends, whatever the preset."""
FEATURE_HISTORY: Final = (max(p.look_ahead for p in PRESETS.values()) - STEADY_LOOK_AHEAD) // FEATURE_STRIDE + 2
"""Features before the newest that a frame may need for its steady one."""


def frame_sample(frame: int, fps: int = MODEL_FPS, rate: int = SAMPLE_RATE) -> int:
    """Sample index of a frame's instant, ``frame * rate // fps``."""
    return frame * rate // fps


def frame_count(samples: int, fps: int, rate: int) -> int:
    """Frames of a stream: ``ceil(samples * fps / rate)`` in integer arithmetic."""
    return -(-samples * fps // rate)


def frame_time_us(frame: int, fps: int) -> int:
    """A frame's instant in microseconds, ``floor(frame * 1e6 / fps)``."""
    return frame * 1_000_000 // fps


def frame_feature(frame: int, look_ahead: int) -> tuple[int, float]:
    """Newest feature frame ``frame`` (30 fps) may use, and the phase of its window within the feature grid.

    Returns:
        ``(k, phase)``: ``k`` is the largest feature whose window ends by the frame's instant plus ``look_ahead``;
        ``phase`` in [0, 1) is how far beyond it the window reaches, in strides, so that
        ``(1 - phase) * h[k - 1] + phase * h[k]`` is a feature at a constant distance from the frame.
    """
    reach = frame_sample(frame) + look_ahead - FEATURE_WINDOW
    k, rest = divmod(reach, FEATURE_STRIDE)
    return k, rest / FEATURE_STRIDE
