"""A face drawn from 52 coefficients in a few strokes: enough to see what the lips, lids and brows do.

The face looks at us, so the character's left is on our right. Lengths are in units of half a head's width, with the
eyes at height 0.3 and the mouth at -0.55.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from diffusiontalker.arkit import INDEX
from diffusiontalker.metrics.lips import gap

INK: Final = "#2b2d42"
SKIN: Final = "#f6e3d3"
LIP: Final = "#d1495b"
MOUTH: Final = "#4a1522"
BROW: Final = "#5b3a29"
EYE: Final = "#ffffff"
IRIS: Final = "#30638e"

Curve = NDArray[np.float64]
_T: Final[Curve] = np.linspace(-1.0, 1.0, 41)
_ARCH: Final[Curve] = 1.0 - _T**2

TOP: Final = 1.25
BOTTOM: Final = -1.45


def draw_face(axes: Axes, frame: NDArray[np.float32]) -> None:
    """Draw one face ``[52]`` into ``axes``, which shows nothing else."""
    value = {name: float(frame[i]) for name, i in INDEX.items()}
    _head(axes, value)
    for side, name in ((1.0, "Left"), (-1.0, "Right")):
        _eye(axes, value, side, name)
        _brow(axes, value, side, name)
    axes.plot([-0.07, 0.0, 0.07], [-0.17, -0.2, -0.17], color=INK, lw=0.8, solid_capstyle="round")
    _lips(axes, value, max(0.0, float(gap(frame))))
    axes.set(xlim=(-1.1, 1.1), ylim=(BOTTOM, TOP), aspect="equal")
    axes.axis("off")


def _head(axes: Axes, value: dict[str, float]) -> None:
    angle = np.linspace(0.0, 2 * np.pi, 81)
    chin = -1.08 - 0.3 * value["jawOpen"]
    y = np.where(np.sin(angle) >= 0, 1.15 * np.sin(angle), -chin * np.sin(angle))
    x = np.cos(angle) * np.where(y < 0, 1.0 - 0.28 * (y / chin) ** 2, 1.0) * 0.92
    axes.fill(x, y, facecolor=SKIN, edgecolor=INK, lw=1.0)


def _eye(axes: Axes, value: dict[str, float], side: float, name: str) -> None:
    shut = value[f"eyeBlink{name}"]
    wide = 1.0 + 0.4 * value[f"eyeWide{name}"] - 0.35 * value[f"eyeSquint{name}"]
    x = side * 0.39 + 0.22 * _T
    lower = 0.3 - 0.075 * _ARCH
    upper = lower + (0.21 * wide * (1.0 - shut)) * _ARCH
    axes.fill_between(x, lower, upper, color=EYE, lw=0)
    iris = np.linspace(0.0, 2 * np.pi, 33)
    ix, iy = side * 0.39 + 0.095 * np.cos(iris), 0.325 + 0.095 * np.sin(iris)
    iy = np.clip(iy, np.interp(ix, x, lower), np.interp(ix, x, upper))
    axes.fill(ix, iy, color=IRIS, lw=0)
    axes.plot(x, upper, color=INK, lw=1.3, solid_capstyle="round")


def _brow(axes: Axes, value: dict[str, float], side: float, name: str) -> None:
    inner = 0.66 + 0.24 * value["browInnerUp"] - 0.14 * value[f"browDown{name}"]
    outer = 0.63 + 0.24 * value[f"browOuterUp{name}"] - 0.1 * value[f"browDown{name}"]
    share = (_T + 1.0) / 2
    x = side * (0.18 + 0.42 * share)
    axes.plot(x, inner + (outer - inner) * share + 0.07 * _ARCH, color=BROW, lw=2.0, solid_capstyle="round")


def _lips(axes: Axes, value: dict[str, float], opening: float) -> None:
    def both(name: str) -> float:
        return (value[f"{name}Left"] + value[f"{name}Right"]) / 2

    rounding = value["mouthPucker"] + 0.6 * value["mouthFunnel"]
    width = 0.4 * (1.0 + 0.25 * both("mouthSmile") + 0.3 * both("mouthStretch") - 0.55 * min(rounding, 1.0))
    x = (value["mouthLeft"] - value["mouthRight"]) * 0.15 + width * _T
    corners = -0.53 + 0.16 * (both("mouthSmile") - both("mouthFrown")) * _T**2 - 0.1 * value["jawOpen"]
    fullness = 1.0 + 0.5 * value["mouthFunnel"] + 0.3 * value["mouthPucker"] - 0.4 * both("mouthPress")
    upper_inner = corners + (0.2 * opening + 0.06 * both("mouthUpperUp")) * _ARCH
    lower_inner = corners - (0.62 * opening) * _ARCH**0.8
    bow = 1.0 - 0.28 * np.exp(-((_T / 0.16) ** 2))
    upper = upper_inner + 0.1 * fullness * (1.0 - 0.7 * value["mouthRollUpper"]) * _ARCH**0.7 * bow
    lower = lower_inner - 0.13 * fullness * (1.0 - 0.7 * value["mouthRollLower"]) * _ARCH**0.6
    axes.fill_between(x, lower, upper, color=LIP, lw=0)
    axes.fill_between(x, lower_inner, upper_inner, color=MOUTH, lw=0)
    axes.plot(x, upper_inner, color=MOUTH, lw=0.7)
