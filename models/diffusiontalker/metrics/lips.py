"""The two lip curves everything about the mouth is measured on: how far the lips part and how far they round."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.arkit import COUNT, INDEX

Curve = NDArray[np.float64]
"""One value per frame, ``[T]``."""


def _weights(terms: dict[str, float]) -> Curve:
    weights = np.zeros(COUNT)
    for name, weight in terms.items():
        for full in (name,) if name in INDEX else (name + "Left", name + "Right"):
            weights[INDEX[full]] += weight
    return weights


_GAP = _weights(
    {
        "jawOpen": 1.0,
        "mouthClose": -1.0,
        "mouthLowerDown": 0.25,
        "mouthUpperUp": 0.25,
        "mouthPress": -0.25,
        "mouthRollLower": -0.3,
        "mouthRollUpper": -0.3,
    }
)
_ROUND = _weights({"mouthPucker": 1.0, "mouthFunnel": 1.0, "mouthStretch": -0.25, "mouthSmile": -0.25})


def _project(frames: NDArray[Any], weights: Curve) -> Curve:
    if frames.ndim < 1 or frames.shape[-1] != COUNT:
        raise ValueError(f"expected face frames of {COUNT} coefficients, got an array of shape {frames.shape}")
    curve: Curve = np.asarray(frames, np.float64) @ weights
    return curve


def gap(frames: NDArray[Any]) -> Curve:
    """Opening between the lips.

    ``jawOpen - mouthClose + (mouthLowerDown L+R) / 4 + (mouthUpperUp L+R) / 4 - (mouthPress L+R) / 4
    - 0.3 (mouthRollLower + mouthRollUpper)``: 0 is lips touching, 1 the jaw wide open; pressed lips are below 0.

    Args:
        frames: ``[..., 52]`` coefficients in 0..1.

    Returns:
        ``[...]``.

    Raises:
        ValueError: the last axis does not hold 52 coefficients.
    """
    return _project(frames, _GAP)


def round_(frames: NDArray[Any]) -> Curve:
    """Rounding of the lips, ``mouthPucker + mouthFunnel - (mouthStretch L+R + mouthSmile L+R) / 4``.

    Args:
        frames: ``[..., 52]`` coefficients in 0..1.

    Returns:
        ``[...]``; spread lips are below 0.

    Raises:
        ValueError: the last axis does not hold 52 coefficients.
    """
    return _project(frames, _ROUND)
