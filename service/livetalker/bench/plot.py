"""Pictures of what the load generator measured; matplotlib is loaded only here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from livetalker.bench.lateness import frame_times
from livetalker.bench.load import LoadRun
from livetalker.bench.report import Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_run(path: Path, run: LoadRun, report: Report) -> None:
    """Draws one run: lateness over time, and the share of frames that stayed under each lateness.

    Raises:
        OSError: the picture cannot be written.
    """
    times = [frame_times(log.schedule, report.preset, log.sent, log.arrived, run.window) for log in run.logs]
    late = 1e3 * np.concatenate([stream.lateness for stream in times])
    since = 1e3 * np.concatenate([stream.since_capture for stream in times])
    when = np.concatenate([stream.needed for stream in times]) - run.logs[0].schedule.start
    figure = _figure(f"{report.streams} streams, {report.preset}, {report.fps} fps")
    over_time, shares = figure.subplots(1, 2)
    over_time.plot(when, late, ".", markersize=2, alpha=0.4)
    over_time.set(xlabel="seconds since the first stream opened", ylabel="lateness, ms")
    share = 100 * (np.arange(len(late)) + 1) / max(1, len(late))
    shares.plot(np.sort(late), share, label="after the last sample needed was sent")
    shares.plot(np.sort(since), share, label="after the frame's instant was captured")
    shares.set(xlabel="ms", ylabel="% of frames", ylim=(0, 100))
    _legend(shares)
    figure.savefig(path)


def draw_capacity(path: Path, reports: Sequence[Report], p99_limit_ms: float, capacity: str) -> None:
    """Draws a search: lateness and processor time over the number of streams.

    Raises:
        OSError: the picture cannot be written.
    """
    measured = sorted((report for report in reports if report.lateness_ms), key=lambda report: report.streams)
    streams = [report.streams for report in measured]
    figure = _figure(f"capacity at p99 of {p99_limit_ms:g} ms: {capacity}")
    lateness, processor = figure.subplots(1, 2)
    for name in ("p50", "p95", "p99"):
        lateness.plot(streams, [getattr(report.lateness_ms, name) for report in measured], "o-", label=name)
    lateness.axhline(p99_limit_ms, color="gray", linestyle="--", label="limit of p99")
    lateness.set(xlabel="streams", ylabel="frame lateness, ms", yscale="log")
    lateness.yaxis.set_major_formatter("{x:g}")
    lateness.yaxis.set_minor_formatter("{x:g}")
    _legend(lateness)
    for label, values in (
        ("server", [report.server_cpu_percent for report in measured]),
        ("load generator", [report.client_cpu_percent for report in measured]),
    ):
        known = [(n, value) for n, value in zip(streams, values, strict=True) if value is not None]
        if known:
            processor.plot(*zip(*known, strict=True), "o-", label=label)
    processor.set(xlabel="streams", ylabel="% of a core", ylim=(0, None))
    _legend(processor)
    for axes in (lateness, processor):
        axes.xaxis.get_major_locator().set_params(integer=True)
    figure.savefig(path)


def _legend(axes: Axes) -> None:
    """Above the curves, so that it covers none."""
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, frameon=False, fontsize="small")


def _figure(title: str) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.5), dpi=110, layout="constrained")
    figure.suptitle(title)
    return figure
