"""Draws ``docs/images/presentation.png``: when late frames are shown, and what an underrun looks like.

``python benchmarks/presentation_picture.py`` writes it from the Python client's jitter buffer and a made-up network.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from diffusiontalker.arkit import COUNT
from livetalker.client import JitterBuffer, PresentationState

TARGET: Final = Path(__file__).parents[1] / "docs" / "images" / "presentation.png"
FPS: Final = 30
HZ: Final = 60
COLOURS: Final = {
    PresentationState.RESTING: "#d9dee5",
    PresentationState.HOLDING: "#fbe3c4",
    PresentationState.EASING: "#f6c9c2",
}


class Shown(NamedTuple):
    """One sample: local time and audio position, the face's coefficient, and how the buffer stood."""

    now: float
    value: float
    state: PresentationState
    delay: float


def pose(instant: float) -> float:
    """A mouth that opens and closes three times in two seconds."""
    return 0.45 - 0.45 * float(np.cos(2 * np.pi * 1.5 * instant))


def stream(
    seconds: float, floor_s: float, latency: Callable[[float], float]
) -> tuple[list[tuple[float, float]], list[Shown]]:
    """Frames over a network, in order: instant and arrival of each, and what is shown of them."""
    arrivals, last = list[tuple[float, float]](), 0.0
    for index in range(int(seconds * FPS)):
        last = max(last, index / FPS + latency(index / FPS))
        arrivals.append((index / FPS, last))
    buffer, shown, sent = JitterBuffer(FPS, floor_s), list[Shown](), 0
    for number in range(int(seconds * HZ)):
        now = number / HZ
        while sent < len(arrivals) and arrivals[sent][1] <= now:
            weights = np.full(COUNT, pose(arrivals[sent][0]))
            buffer.push(sent, sent * 1_000_000 // FPS, weights, arrivals[sent][1])
            sent += 1
        face = buffer.sample(now, now)
        shown.append(Shown(now, float(face[0]), buffer.state, buffer.delay_s))
    return arrivals, shown


def draw_jitter(axes: Any) -> None:
    """Lateness of frames, and the delay that adapts to it."""
    draw = random.Random(5)
    arrivals, shown = stream(6.0, 0.08, lambda at: 0.02 + (0.08 if at < 3.0 else 0.02) * draw.random())
    axes.plot(
        [instant for instant, _ in arrivals],
        [1e3 * (arrived - instant + 1 / FPS) for instant, arrived in arrivals],
        "o", ms=3, color="#2f6db5", label="frames arrive, and can be interpolated",
    )  # fmt: skip
    axes.plot([row.now for row in shown], [1e3 * row.delay for row in shown], color="#c0392b", lw=2, label="shown")
    axes.axhline(80, color="#5f6b7a", lw=1, ls=":", label="floor")
    axes.set(xlabel="audio, s", ylabel="ms after its instant", xlim=(0, 6), ylim=(0, 165))
    axes.set_title(
        "0 to 80 ms of network jitter, 20 ms from the third second on: the delay grows to fit, and shrinks slowly"
    )
    axes.legend(loc="upper right", ncols=3, fontsize=9, frameon=False)


def draw_underrun(axes: Any) -> None:
    """A coefficient while nothing arrives, and when frames come back."""
    outages = ((1.0, 1.63), (2.6, 2.9))

    def latency(at: float) -> float:
        return 0.05 + max([end - at for start, end in outages if start <= at < end], default=0.0)

    _, shown = stream(4.0, 0.12, latency)
    times = np.array([row.now for row in shown])
    due = [pose(max(0.0, row.now - row.delay)) for row in shown]
    axes.plot(times, due, color="#9aa5b1", lw=1, label="what would have been shown")
    axes.plot(times, [row.value for row in shown], color="#2b8a57", lw=2, label="what is shown")
    named = set[PresentationState]()
    for now, _, state, _ in shown:
        if state in COLOURS:
            label = state.value if state not in named else None
            axes.axvspan(now, now + 1 / HZ, color=COLOURS[state], lw=0, label=label, zorder=0)
            named.add(state)
    axes.set(xlabel="audio, s", ylabel="a coefficient", xlim=(0, 4), ylim=(0, 1))
    axes.set_title("nothing arrives for 630 ms, and later for 300 ms: held, eased to rest, and eased back")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=5, fontsize=9, frameon=False)


def main() -> None:
    """Writes the picture."""
    figure, (upper, lower) = plt.subplots(2, 1, figsize=(10, 6.4), layout="constrained")
    draw_jitter(upper)
    draw_underrun(lower)
    for axes in (upper, lower):
        axes.spines[["top", "right"]].set_visible(False)
        axes.title.set_fontsize(10.5)
    figure.savefig(TARGET, dpi=110)


if __name__ == "__main__":
    main()
