"""The pictures of docs/performance.md, drawn from the records that the tables are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullLocator

from benchmarks.records import Record


def _by_backend(rows: Any) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["backend"], []).append(row)
    return found


def _plain(axes: Axes) -> None:
    """Numbers of a logarithmic scale as people write them."""
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(lambda x, _: "" if f"{x:e}"[0] in "79" else f"{x:g}")  # they would touch 8 and 10


def _capacity(axes: Axes, results: Mapping[str, Any]) -> None:
    for search in results["searches"]:
        points: dict[int, float] = {}
        for one in search.get("tried", ()):
            if one["lateness_ms"] is not None:
                # A number is tried again when it failed; the better try is the one that counted.
                streams, late = int(one["streams"]), float(one["lateness_ms"]["p99"])
                points[streams] = min(points.get(streams, late), late)
        if points:
            label = f"{search['backend']}, workers: {search['workers']}"
            axes.plot(sorted(points), [points[n] for n in sorted(points)], marker="o", label=label)
    axes.axhline(results["p99_limit_ms"], color="0.6", linestyle="--", linewidth=1)
    axes.set(xlabel="live microphones", ylabel="99 in 100 frames no later than, ms", yscale="log")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _plain(axes)
    axes.legend(frameon=False)


def _sessions(axes: Axes, results: Mapping[str, Any]) -> None:
    for name, rows in _by_backend(results["rows"]).items():
        ordered = sorted(rows, key=lambda row: int(row["streams"]))
        axes.plot([r["streams"] for r in ordered], [1e3 * r["cpu_s"] for r in ordered], marker="o", label=name)
    axes.set(xlabel="streams", ylabel="ms of processor per second of audio")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)


def _itf(axes: Axes, results: Mapping[str, Any]) -> None:
    for name, rows in _by_backend(results["rows"]).items():
        ordered = sorted(rows, key=lambda row: int(row["steps"]))
        axes.plot([r["steps"] for r in ordered], [1e4 * r["total"] for r in ordered], marker="o", label=name)
    axes.axhline(3.9, color="0.6", linestyle="--", linewidth=1, label="the paper, 8 steps, V100 and TensorRT")
    axes.set(xlabel="denoise steps", ylabel="ITF, 1e-4 s", xscale="log", yscale="log")
    axes.set_xticks([1, 2, 4, 8, 16, 32], labels=["1", "2", "4", "8", "16", "32"])
    axes.xaxis.set_minor_locator(NullLocator())
    _plain(axes)
    axes.legend(frameon=False)


def _stream_length(axes: Axes, results: Mapping[str, Any]) -> None:
    hours = [mark["second"] / 3600 for mark in results["marks"]]
    axes.plot(hours, [mark["ratio"] for mark in results["marks"]], marker="o", label="cost, over a young stream")
    first = results["marks"][0]["resident_mib"]
    axes.plot(hours, [m["resident_mib"] / first for m in results["marks"]], marker="s", label="memory, over minute 1")
    axes.set(xlabel="hours of one stream", ylabel="ratio")
    axes.set_ylim(0, 1.2 * axes.get_ylim()[1])
    axes.legend(frameon=False)


PICTURES: Final[Mapping[str, tuple[Callable[[Axes, Mapping[str, Any]], None], str]]] = {
    "capacity": (_capacity, "Lateness against live microphones."),
    "itf": (_itf, "Inference time per frame against denoise steps."),
    "sessions": (_sessions, "Processor time against streams."),
    "stream_length": (_stream_length, "Cost and memory against the length of a stream."),
}
"""Name of a record, and of the section the picture stands in -> what draws it, and its caption."""


def draw(records: Mapping[str, Record], folder: Path) -> dict[str, tuple[Path, str]]:
    """Draw what there are records for.

    Args:
        records: by their names.
        folder: of the pictures; it is made where there is none.

    Returns:
        Name of the section -> the file, and its caption.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {}
    for name, (paint, caption) in PICTURES.items():
        if name in records:
            figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
            paint(axes, records[name].results)
            axes.spines[["top", "right"]].set_visible(False)
            axes.grid(axis="y", alpha=0.3)
            path = folder / f"performance-{name.replace('_', '-')}.png"
            figure.savefig(path, dpi=110, metadata={"Software": None})
            plt.close(figure)
            drawn[name] = (path, caption)
    return drawn
