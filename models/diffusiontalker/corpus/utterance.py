"""A stretch of speech with its phones, and what can be done with it: filling holes, joining, warping the voice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.geometry import SAMPLE_RATE
from diffusiontalker.phones import SILENCE, TimedPhone

_SHORTEST: Final = 0.001
"""Seconds; a phone or hole shorter than this is rounding, not speech."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """Speech and the phones that cover it.

    Attributes:
        samples: ``[N]`` int16 at 16 kHz.
        phones: from 0 to the end of the samples without holes.
    """

    samples: NDArray[np.int16]
    phones: tuple[TimedPhone, ...]

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.samples) / SAMPLE_RATE


def timeline(spans: Iterable[tuple[str, float, float]], seconds: float) -> tuple[TimedPhone, ...]:
    """Turn ordered ``(phone, start, end)`` spans into phones that cover ``seconds`` without holes.

    Holes become silence, neighbouring silences one, spans beyond the end are cut, and each span gives way to the start
    of the next.
    """
    ordered = [(p, max(0.0, s), min(e, seconds)) for p, s, e in spans]
    pieces: list[tuple[str, float]] = []  # phone and the time it starts
    at = 0.0
    for i, (phone, start, end) in enumerate(ordered):
        start = max(start, at)
        if i + 1 < len(ordered):
            end = min(end, max(ordered[i + 1][1], start))
        if end - start < _SHORTEST:
            continue
        if start - at >= _SHORTEST or (not pieces and start > 0):
            pieces.append((SILENCE, at))
            pieces.append((phone, start))
        else:
            pieces.append((phone, at))
        at = end
    if seconds - at >= _SHORTEST or not pieces:
        pieces.append((SILENCE, at))
    merged = [p for i, p in enumerate(pieces) if i == 0 or p[0] != SILENCE or pieces[i - 1][0] != SILENCE]
    ends = [start for _, start in merged[1:]] + [seconds]
    return tuple(TimedPhone(phone, start, end) for (phone, start), end in zip(merged, ends, strict=True))


def silent(seconds: float) -> Utterance:
    """Digital silence."""
    samples = np.zeros(round(seconds * SAMPLE_RATE), dtype=np.int16)
    return Utterance(samples, timeline((), len(samples) / SAMPLE_RATE))


def joined(parts: Sequence[Utterance]) -> Utterance:
    """One after the other."""
    spans: list[tuple[str, float, float]] = []
    at = 0.0
    for part in parts:
        spans += [(p.phone, p.start + at, p.end + at) for p in part.phones]
        at += part.seconds
    return Utterance(np.concatenate([part.samples for part in parts]), timeline(spans, at))


def warped(utterance: Utterance, factor: float) -> Utterance:
    """The same words from a vocal tract ``factor`` times shorter: pitch, formants and pace all rise by it."""
    # scipy.signal takes a second or two to import; the aligner's processes do without it.
    from scipy.signal import resample_poly

    percent = round(100 * factor)
    if percent == 100:
        return utterance
    samples = resample_poly(utterance.samples.astype(np.float64), 100, percent)
    scale = 100 / percent
    spans = [(p.phone, p.start * scale, p.end * scale) for p in utterance.phones]
    return Utterance(to_int16(samples), timeline(spans, len(samples) / SAMPLE_RATE))


def to_int16(samples: NDArray[np.float64]) -> NDArray[np.int16]:
    """Round and clip samples that are already on the 16-bit scale."""
    return np.clip(np.rint(samples), -32768, 32767).astype(np.int16)
