"""What a benchmark measured, as a small JSON file beside those of the others; ``performance_page`` reads them all."""

from __future__ import annotations

import argparse
import json
import math
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from livetalker.bench.report import machine

_MISSING: Final = "–"
_PATH: Final = re.compile(r"[^=]*/.*")


@dataclass(frozen=True)
class Record:
    """One run of one benchmark.

    Attributes:
        name: of its file, without the ending.
        command: what was typed, without the folder.
        date: ISO 8601, UTC, to the day.
        machine: as ``livetalker.bench.report.machine`` tells it.
        results: figures, as plain JSON types; the benchmark's own docstring says which.
    """

    name: str
    command: str
    date: str
    machine: Mapping[str, Any]
    results: Mapping[str, Any]

    def write(self, folder: Path) -> Path:
        """Write ``folder/NAME.json``, and the folder where there is none.

        Raises:
            ValueError: a figure is not finite; it has no place in JSON.
            OSError: the file cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.json"
        path.write_text(json.dumps(asdict(self), indent=1, allow_nan=False) + "\n", encoding="utf-8")
        return path


def record(name: str, arguments: Sequence[str], results: Mapping[str, Any]) -> Record:
    """A record of a run that ends now on this machine.

    Args:
        name: of the record.
        arguments: module and options that were typed, such as ``["itf", "--rounds", "3"]``; ``--out`` and its value
            are left out, and paths, which say nothing on another machine, become ``DIR``.
        results: see ``Record``.
    """
    kept: list[str] = []
    skipped = False
    for argument in arguments:
        if not skipped and argument != "--out" and not argument.startswith("--out="):
            kept.append(_PATH.sub("DIR", argument))
        skipped = argument == "--out"
    command = shlex.join(["python", "-m", f"benchmarks.{kept[0]}", *kept[1:]])
    return Record(name, command, datetime.now(UTC).date().isoformat(), machine(), results)


def read_records(folder: Path) -> dict[str, Record]:
    """All records of a folder by their names; files of another form are passed over."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        data = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(data, dict) and data.keys() == Record.__dataclass_fields__.keys():
            found[data["name"]] = Record(**data)
    return found


def finite(value: float) -> float | None:
    """A figure as JSON can hold it: None for one that is not a finite number."""
    return float(value) if math.isfinite(value) else None


def cell(value: object, form: str = "") -> str:
    """A figure as a table shows it; a dash for None."""
    return _MISSING if value is None else format(value, form)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, which reads well on a terminal too: columns are padded.

    Raises:
        ValueError: a row has more or fewer cells than the head.
    """
    lines = [list(head), *(list(row) for row in rows)]
    if any(len(line) != len(head) for line in lines):
        raise ValueError(f"every row needs {len(head)} cells, as the head has: {lines}")
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    text = ["| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |" for line in lines]
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(text)


def add_out(parser: argparse.ArgumentParser) -> None:
    """Adds ``--out``, the folder of the records."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder the figures are written to")
