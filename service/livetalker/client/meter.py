"""The face in a terminal: live bars of jaw, lips, rounding and brows, and how late the frames are."""

from __future__ import annotations

from types import TracebackType
from typing import Final, Self

from rich.bar import Bar
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from diffusiontalker.arkit import INDEX
from diffusiontalker.metrics import lips
from livetalker.client.wire import FaceFrame

_WIDTH: Final = 40
_COLOURS: Final = {"jaw": "red", "lips": "magenta", "rounding": "yellow", "brows": "cyan"}


def readings(frame: FaceFrame) -> dict[str, float]:
    """The four curves the meter shows, each mostly within 0..1.

    Returns:
        ``jaw`` (jawOpen), ``lips`` (opening between the lips), ``rounding`` and ``brows`` (how far they are raised).
    """
    weights = frame.weights
    return {
        "jaw": frame["jawOpen"],
        "lips": float(lips.gap(weights)),
        "rounding": float(lips.round_(weights)),
        "brows": float(
            weights[INDEX["browInnerUp"]] / 2
            + (weights[INDEX["browOuterUpLeft"]] + weights[INDEX["browOuterUpRight"]]) / 4
        ),
    }


class Meter:
    """A live display for the length of a ``with`` block; on anything but a terminal it shows nothing.

    Args:
        total_seconds: length of the audio; None where nobody knows, as with a microphone.
        console: where to draw.
    """

    def __init__(self, total_seconds: float | None = None, console: Console | None = None) -> None:
        self._console = console or Console()
        self._total = total_seconds
        self._frame: FaceFrame | None = None
        self._lateness_ms = 0.0
        self._note = ""
        self._live = Live(get_renderable=self.render, console=self._console, refresh_per_second=15, transient=True)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def show(self, frame: FaceFrame, lateness_ms: float) -> None:
        """Shows a frame at the next refresh."""
        self._frame = frame
        self._lateness_ms = lateness_ms

    def note(self, text: str) -> None:
        """Shows a short remark beside the clock, such as the matched identity."""
        self._note = text

    def render(self) -> Group:
        """The display as it stands."""
        if self._frame is None:
            return Group(Text("waiting for the first frame ..."))
        seconds = self._frame.time_us / 1e6
        clock = f"{seconds:6.1f} s" + (f" of {self._total:.1f} s" if self._total is not None else "")
        head = Text.assemble((clock, "bold"), f"   {self._lateness_ms:4.0f} ms late", f"   {self._note}")
        bars = Table.grid(padding=(0, 1))
        for name, value in readings(self._frame).items():
            bar = Bar(1.0, 0.0, min(max(value, 0.0), 1.0), width=_WIDTH, color=_COLOURS[name])
            bars.add_row(f"{name:>8}", bar, f"{value:5.2f}")
        return Group(head, bars)
