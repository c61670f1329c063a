"""Is the mouth a mouth: does it open in speech, keep its lips uncrossed, rest in silence and stay in range?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.arkit import INDEX
from diffusiontalker.metrics.lips import gap
from diffusiontalker.metrics.speech import Mask


@dataclass(frozen=True, slots=True)
class MouthSanity:
    """What a face's mouth did; ``nan`` where it had no occasion.

    Attributes:
        voiced_gap_p90: 90th percentile of the lip gap on voiced speech.
        lip_crossing: largest ``mouthClose - jawOpen`` of any frame; above 0 the lips would cross.
        silent_gap: largest absolute lip gap in settled silence.
        lowest: smallest coefficient of any frame.
        highest: largest coefficient of any frame.
        finite: no coefficient is infinite or not a number.
    """

    voiced_gap_p90: float
    lip_crossing: float
    silent_gap: float
    lowest: float
    highest: float
    finite: bool

    @property
    def in_range(self) -> bool:
        """All coefficients are finite and within 0..1."""
        return self.finite and self.lowest >= 0.0 and self.highest <= 1.0


def mouth_sanity(frames: NDArray[Any], voiced: Mask | None = None, silence: Mask | None = None) -> MouthSanity:
    """Measure a face.

    Args:
        frames: ``[T, 52]``, at least one frame.
        voiced: ``[T]`` frames of voiced speech (``speech.voiced_mask``, or ``speech.speech_mask`` without phones).
        silence: ``[T]`` frames of silence the mouth has had time to settle in (``speech.settled_silence``).

    Returns:
        The measurements.

    Raises:
        ValueError: no frames.
    """
    if not len(frames):
        raise ValueError("a face without frames cannot be measured; was the clip animated?")
    lips = gap(frames)
    quiet = np.abs(lips[silence]) if silence is not None else lips[:0]
    spoken = lips[voiced] if voiced is not None else lips[:0]
    return MouthSanity(
        voiced_gap_p90=float(np.percentile(spoken, 90)) if spoken.size else float("nan"),
        lip_crossing=float((frames[:, INDEX["mouthClose"]] - frames[:, INDEX["jawOpen"]]).max()),
        silent_gap=float(quiet.max()) if quiet.size else float("nan"),
        lowest=float(frames.min()),
        highest=float(frames.max()),
        finite=bool(np.isfinite(frames).all()),
    )
