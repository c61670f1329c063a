"""The 15 visemes of a face, for avatars that have those and not the 52: which of them does a mouth look most like?

A viseme is where the project's own animator takes the mouth for its phones: a mean and a spread for each of twelve
features of the lips, jaw and tongue, over many random utterances. Its weight is the probability that the mouth is it
(naive Bayes, one spread for all classes): never negative, always 1 in sum.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.animator.face import animate
from diffusiontalker.arkit import INDEX
from diffusiontalker.phones import PHONES, SILENCE, TimedPhone

PHONES_OF: Final[dict[str, tuple[str, ...]]] = {
    "sil": (SILENCE,),
    "PP": ("P", "B", "M"),
    "FF": ("F", "V"),
    "TH": ("TH", "DH"),
    "DD": ("T", "D"),
    "kk": ("K", "G", "NG"),
    "CH": ("CH", "JH", "SH", "ZH"),
    "SS": ("S", "Z"),
    "nn": ("N", "L"),
    "RR": ("R", "ER"),
    "aa": ("AA", "AE"),
    "E": ("EH",),
    "ih": ("IH", "IY", "Y"),
    "oh": ("AO",),
    "ou": ("UW", "UH", "W"),
}
"""Oculus LipSync's 15 in its order, and the phones of each. AH, HH and diphthongs lie between them."""

FEATURES: Final[tuple[tuple[str, ...], ...]] = (
    ("jawOpen",),
    ("mouthClose",),
    ("mouthPucker",),
    ("mouthFunnel",),
    ("mouthStretchLeft", "mouthStretchRight"),
    ("mouthRollLower",),
    ("mouthRollUpper",),
    ("mouthUpperUpLeft", "mouthUpperUpRight"),
    ("mouthLowerDownLeft", "mouthLowerDownRight"),
    ("mouthPressLeft", "mouthPressRight"),
    ("tongueOut",),
    ("jawForward",),
)
"""Each feature is the mean of these coefficients."""

_UTTERANCES: Final = 150
_LEVEL_DB: Final = -6.0
"""Typical of speech, relative to its loud moments: at 0 dB every mouth would be as wide as in the loudest ones."""
_LEAST_SPREAD: Final = 0.04
"""Lips that always do the same in the animator do not in front of a microphone."""
_SOFTENING: Final = 2.0
"""Widens the spreads: at 1, weights jump from one viseme to the next within a frame; at 3, no viseme is shown fully."""

Array = NDArray[np.float64]


def features(faces: NDArray[np.float32] | Array) -> Array:
    """``[n, 52]`` -> ``[n, 12]``."""
    columns = [np.asarray(faces, float)[:, [INDEX[name] for name in names]].mean(1) for names in FEATURES]
    return np.stack(columns, axis=1)


def utterance(seed: int, phones: int = 12) -> tuple[list[TimedPhone], NDArray[np.float32]]:
    """Random phones from 0.3 s on, and their faces at 60 fps."""
    draw = np.random.RandomState(seed)  # whose numbers never change
    said, at = list[TimedPhone](), 0.3
    for _ in range(phones):
        length = 0.06 + 0.1 * draw.random_sample()
        said.append(TimedPhone(PHONES[1 + int(draw.random_sample() * (len(PHONES) - 1))], at, at + length))
        at += length
    frames = int((at + 0.5) * 60)
    return said, animate(said, frames, fps=60, seed=seed, loudness=np.full(frames, _LEVEL_DB), blinks=False)


def examples(seeds: range) -> tuple[Array, NDArray[np.int64]]:
    """Features in the middle of phones and in silence, and the viseme of each."""
    viseme = {phone: number for number, names in enumerate(PHONES_OF.values()) for phone in names}
    rows, labels = list[Array](), list[int]()
    for seed in seeds:
        said, faces = utterance(seed)
        seen = features(faces)
        middles = [(phone.phone, round((phone.start + phone.end) / 2 * 60)) for phone in said]
        for name, frame in [*middles, *((SILENCE, frame) for frame in (2, 4, -2, -4))]:
            if name in viseme:
                rows.append(seen[frame])
                labels.append(viseme[name])
    return np.array(rows), np.array(labels)


def fit() -> tuple[Array, Array]:
    """Means ``[15, 12]`` and spreads ``[12]``, rounded as the table has them."""
    rows, labels = examples(range(_UTTERANCES))
    means = np.array([rows[labels == number].mean(0) for number in range(len(PHONES_OF))])
    variance = np.mean([((rows[labels == number] - mean) ** 2).mean(0) for number, mean in enumerate(means)], axis=0)
    spreads = np.maximum(np.sqrt(variance), _LEAST_SPREAD) * _SOFTENING
    return means.round(3), spreads.round(3)


def weights(seen: Array, means: Array, spreads: Array) -> Array:
    """Weights ``[n, 15]`` of features ``[n, 12]``."""
    distance = 0.5 * (((seen[:, None, :] - means) / spreads) ** 2).sum(axis=2)
    likeness = np.exp(distance.min(axis=1, keepdims=True) - distance)
    return np.asarray(likeness / likeness.sum(axis=1, keepdims=True))
