"""The picture of a take: the sound's waveform above the curves it moved, with the face drawn where it changed most.

Needs matplotlib (the ``demo`` extra); nothing else in the package imports this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import blended_transform_factory
from numpy.typing import NDArray

from diffusiontalker.arkit import INDEX
from diffusiontalker.metrics.lips import gap, round_
from diffusiontalker.phones import BILABIALS, LABIODENTALS, OPEN_VOWELS, ROUNDED, SILENCE, TimedPhone
from livetalker.media.audio_files import Audio
from livetalker.media.face_files import FaceTake
from livetalker.media.face_sketch import draw_face

PAPER: Final = "#fcfbf8"
INK: Final = "#2b2d42"
FAINT: Final = "#8d99ae"
SOUND: Final = "#a9b4c6"
ENERGY: Final = "#5c6b8a"
RED: Final = "#d1495b"
AMBER: Final = "#edae49"
BLUE: Final = "#00798c"
VIOLET: Final = "#7b5ea7"
FACES: Final = 13
"""Faces in the strip."""
_PHONE_KINDS: Final = (
    ("lips closed  p b m", BILABIALS, RED),
    ("lip on teeth  f v", LABIODENTALS, "#e39aa4"),
    ("rounded  oo oh w", ROUNDED, BLUE),
    ("open  ah aa ow", OPEN_VOWELS, AMBER),
)

Curve = NDArray[np.float64]


def draw_take(
    path: Path, audio: Audio, take: FaceTake, *, phones: Sequence[TimedPhone] = (), title: str = "", note: str = ""
) -> None:
    """Draw a take as a PNG, SVG or PDF, by suffix.

    Args:
        path: where to.
        audio: the sound, from the take's first instant on.
        take: the face that was made from it; at least one frame.
        phones: what was said when, if known: shown under the sound.
        title: headline, at the left.
        note: small print, at the right.

    Raises:
        ValueError: the take has no frames, or the suffix is not one matplotlib writes.
        OSError: the file cannot be written.
    """
    if not len(take.frames):
        raise ValueError("a take without frames has no picture")
    with matplotlib.rc_context({"font.size": 9, "axes.edgecolor": FAINT, "text.color": INK}):
        _figure(audio, take, phones, title, note).savefig(path, dpi=120)


def _figure(audio: Audio, take: FaceTake, phones: Sequence[TimedPhone], title: str, note: str) -> Figure:
    seconds = max(audio.duration, len(take.frames) / take.fps)
    heights = [1.25, 1.15, 0.32 if phones else 0.02, 1.5, 1.1, 1.0]
    figure = Figure(figsize=(13.5, 9.0), facecolor=PAPER)
    grid = figure.add_gridspec(6, 1, height_ratios=heights, left=0.112, right=0.985, top=0.93, bottom=0.06, hspace=0.14)
    faces, sound, said, mouth, shape, upper = (figure.add_subplot(grid[row]) for row in range(6))
    for axes in (faces, sound, said, mouth, shape, upper):
        axes.set(xlim=(0.0, seconds), facecolor="none")
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0, labelbottom=axes is upper, labelcolor=FAINT)
    figure.text(0.015, 0.962, title, fontsize=15, fontweight="bold")
    figure.text(0.985, 0.962, note, ha="right", color=ENERGY)

    _strip(figure, faces, take, phones)
    _sound(sound, audio)
    _phones(said, phones)
    _mouth(mouth, take)
    _shape(shape, take)
    _upper(upper, take)
    for phone in phones:
        if phone.phone in BILABIALS:
            for axes in (sound, mouth):
                axes.axvspan(phone.start, phone.end, color=RED, alpha=0.1, lw=0, zorder=0)
    upper.set_xlabel("seconds", color=FAINT, loc="right")
    for place, (kind, _, colour) in enumerate(_PHONE_KINDS if phones else ()):
        figure.text(0.112 + 0.125 * place, 0.018, f"\N{BLACK SQUARE} {kind}", color=colour, fontsize=8)
    return figure


def _strip(figure: Figure, axes: Axes, take: FaceTake, phones: Sequence[TimedPhone]) -> None:
    """Faces at the instants where the mouth differs most from the face before, one in each of ``FACES`` stretches."""
    axes.set(ylim=(0, 1), yticks=[])
    seconds = axes.get_xlim()[1]
    look = np.stack([gap(take.frames), 0.7 * round_(take.frames)], axis=1)
    shown = look[0]
    box = axes.get_position()
    across = blended_transform_factory(axes.transData, axes.transAxes)
    for part in np.array_split(np.arange(len(look)), min(FACES, len(look))):
        frame = int(part[np.argmax(np.abs(look[part] - shown).sum(axis=1))])
        shown = look[frame]
        time = frame / take.fps
        centre = (part[0] + part[-1] + 1) / 2 / take.fps
        width = box.width / FACES
        left = box.x0 + box.width * centre / seconds - width / 2
        draw_face(figure.add_axes((left, box.y0 + 0.018, width, box.height - 0.018)), take.frames[frame])
        said = next((phone.phone for phone in phones if phone.start <= time < phone.end), SILENCE)
        label = f"{time:.1f} s" + (f"  {said.lower()}" if said != SILENCE else "")
        axes.text(centre, 0.1, label, ha="center", va="center", fontsize=7.5, color=ENERGY)
        axes.plot([centre, time], [0.02, -0.14], color=FAINT, lw=0.6, transform=across, clip_on=False)


def _sound(axes: Axes, audio: Audio) -> None:
    """Waveform as its envelope, and its energy in 20 ms windows."""
    samples = audio.samples.astype(np.float64)
    hop = max(1, audio.rate // 50)
    blocks = np.array_split(samples, max(1, len(samples) // hop))
    times = (np.arange(len(blocks)) + 0.5) * len(samples) / len(blocks) / audio.rate
    peak = max(float(np.abs(samples).max()), 1e-6)
    high = np.array([block.max() for block in blocks]) / peak
    low = np.array([block.min() for block in blocks]) / peak
    energy = np.array([np.sqrt(np.mean(block**2)) for block in blocks]) / peak
    axes.fill_between(times, low, high, color=SOUND, lw=0)
    axes.plot(times, energy, color=ENERGY, lw=1.2)
    axes.set(ylim=(-1.08, 1.08), yticks=[])
    _name(axes, "voice", [("energy", ENERGY)])


def _phones(axes: Axes, phones: Sequence[TimedPhone]) -> None:
    axes.set(ylim=(0, 1), yticks=[])
    if not phones:
        return
    narrowest = 0.0042 * axes.get_xlim()[1]  # seconds a letter takes at this scale
    for phone in phones:
        if phone.phone == SILENCE:
            continue
        colour = next((colour for _, kind, colour in _PHONE_KINDS if phone.phone in kind), "#d9dee7")
        axes.axvspan(phone.start, phone.end, color=colour, alpha=0.85, ec=PAPER, lw=0.8)
        ink = "white" if colour in (RED, BLUE) else INK
        if phone.end - phone.start > narrowest * len(phone.phone):
            middle = (phone.start + phone.end) / 2
            axes.text(middle, 0.48, phone.phone.lower(), ha="center", va="center", fontsize=6.2, color=ink)
    _name(axes, "said", [])


def _mouth(axes: Axes, take: FaceTake) -> None:
    times, opening = _times(take), gap(take.frames)
    axes.axhline(0.0, color=FAINT, lw=0.6)
    axes.fill_between(times, 0.0, opening, where=opening > 0, color=RED, alpha=0.28, lw=0, interpolate=True)
    axes.plot(times, opening, color=RED, lw=1.6)
    axes.plot(times, _curve(take, "jawOpen"), color=INK, lw=1.0, alpha=0.8)
    axes.plot(times, _curve(take, "mouthClose"), color=AMBER, lw=1.0)
    _scale(axes, opening, _curve(take, "jawOpen"))
    _name(axes, "mouth", [("lip gap", RED), ("jawOpen", INK), ("mouthClose", AMBER)])


def _shape(axes: Axes, take: FaceTake) -> None:
    times = _times(take)
    pucker, funnel = _curve(take, "mouthPucker"), _curve(take, "mouthFunnel")
    spread = _both(take, "mouthStretch") + _both(take, "mouthSmile")
    axes.fill_between(times, 0.0, pucker, color=BLUE, alpha=0.25, lw=0)
    axes.plot(times, pucker, color=BLUE, lw=1.4)
    axes.plot(times, funnel, color=VIOLET, lw=1.1)
    axes.plot(times, spread, color=AMBER, lw=1.1)
    _scale(axes, pucker, funnel, spread)
    _name(axes, "rounding", [("pucker", BLUE), ("funnel", VIOLET), ("smile + stretch", AMBER)])


def _upper(axes: Axes, take: FaceTake) -> None:
    times = _times(take)
    inner, outer, blink = _curve(take, "browInnerUp"), _both(take, "browOuterUp"), _both(take, "eyeBlink")
    axes.fill_between(times, 0.0, blink, color=SOUND, alpha=0.55, lw=0)
    axes.plot(times, inner, color=VIOLET, lw=1.4)
    axes.plot(times, outer, color=BLUE, lw=1.1)
    _scale(axes, inner, outer, blink)
    _name(axes, "brows, lids", [("browInnerUp", VIOLET), ("browOuterUp", BLUE), ("blink", FAINT)])


def _times(take: FaceTake) -> Curve:
    times: Curve = np.arange(len(take.frames)) / take.fps
    return times


def _curve(take: FaceTake, name: str) -> Curve:
    return take.frames[:, INDEX[name]].astype(np.float64)


def _both(take: FaceTake, name: str) -> Curve:
    return (_curve(take, f"{name}Left") + _curve(take, f"{name}Right")) / 2


def _scale(axes: Axes, *curves: Curve) -> None:
    """Limits that hold every curve, and not so tight that a still face looks restless."""
    low = min(0.0, *(float(curve.min()) for curve in curves))
    high = max(0.25, *(float(curve.max()) for curve in curves))
    axes.set(ylim=(low - 0.04 * high, 1.12 * high))
    axes.yaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 2.5, 5, 10]))
    axes.grid(axis="y", color=FAINT, alpha=0.2, lw=0.6)


def _name(axes: Axes, name: str, keys: Sequence[tuple[str, str]]) -> None:
    """The panel's name and its curves' names in their colours, in the margin."""
    axes.text(-0.034, 0.97, name, transform=axes.transAxes, ha="right", va="top", fontweight="bold")
    for row, (key, colour) in enumerate(keys, 1):
        axes.text(-0.034, 0.97 - 0.19 * row, key, transform=axes.transAxes, ha="right", va="top", color=colour, size=8)
