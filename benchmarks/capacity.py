"""How many live microphones a server holds, the load generator on the same machine: ``livetalker bench``, many times.

For each backend and number of worker processes the search for the largest number of 30 fps streams whose frames all
come, 99 in 100 of them no later than 60 ms; then the reports of 1, 64 and 100 streams as they are. The reports of
``bench`` lie in a folder beside the figures. Nothing else may run on the machine meanwhile.

``python -m benchmarks.capacity --out DIR``
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.records import add_out, cell, record, table
from benchmarks.streams import CPU_BACKENDS

P99_MS: Final = 60.0
STREAMS: Final = (1, 64, 100)
_KEPT: Final = (
    "streams",
    "streams_held",
    "frames_expected",
    "frames_missing",
    "lateness_ms",
    "since_capture_ms",
    "first_frame_ms",
    "server_cpu_percent",
    "server_rss_mb",
    "server_rss_idle_mb",
    "rss_mb_per_stream",
    "client_cpu_percent",
    "sender_lag_ms",
)
"""What the page needs of a report."""


def bench(path: Path, options: Sequence[str], serve: Sequence[str] = ()) -> dict[str, Any]:
    """Run ``livetalker bench`` in a process of its own.

    Args:
        path: file of its report.
        options: of the command.
        serve: further options of its server.

    Returns:
        The report.

    Raises:
        RuntimeError: it wrote none; the message is what it said last.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    command = [sys.executable, "-m", "livetalker.cli.main", "bench", "--json", str(path), *options]
    if serve:
        command += ["--", *serve]
    ran = subprocess.run(command, stdout=sys.stderr, stderr=subprocess.PIPE, text=True)
    # A search that stops at what the server admits ends with an error, and has its report all the same.
    if not path.is_file():
        raise RuntimeError((ran.stderr.strip().splitlines() or [f"it ended with status {ran.returncode}"])[-1])
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return report


def shortened(report: Mapping[str, Any]) -> dict[str, Any]:
    """What the page needs of a report."""
    return {name: report[name] for name in _KEPT}


def found(report: Mapping[str, Any]) -> dict[str, Any]:
    """A search, shortened: ``streams``, ``bound``, ``p99_limit_ms``, ``tried`` and the ``report`` of the largest."""
    capacity = report["capacity"]
    tried = [{"held": one["held"], **shortened(one)} for one in capacity["tried"]]
    return {**capacity, "tried": tried, "report": shortened(report)}


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_out(parser)
    parser.add_argument("--backend", nargs="+", default=list(CPU_BACKENDS))
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2], help="server processes")
    parser.add_argument("--streams", nargs="*", type=int, default=list(STREAMS), help="numbers to report as they are")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--first", type=int, default=32, help="where the search begins")
    parser.add_argument("--most", type=int, default=256, help="where it ends")
    options = parser.parse_args()
    searches: list[dict[str, Any]] = []
    reports: list[dict[str, Any]] = []
    results = {"p99_limit_ms": P99_MS, "seconds": options.seconds, "searches": searches, "reports": reports}
    common = ["--fps", "30", "--seconds", f"{options.seconds:g}"]
    for backend in options.backend:
        for workers in options.workers:
            who = {"backend": backend, "workers": workers}
            serve = ["--workers", str(workers)]
            folder = options.out / "bench"
            name = f"{backend}-{workers}"
            search = [*common, "--backend", backend, "--find-capacity", "--p99", f"{P99_MS:g}"]
            search += ["--streams", str(min(options.first, options.most)), "--most", str(options.most)]
            try:
                searches.append({**who, **found(bench(folder / f"{name}-search.json", search, serve))})
                for streams in options.streams:
                    one = [*common, "--backend", backend, "--streams", str(streams)]
                    reports.append({**who, **shortened(bench(folder / f"{name}-{streams}.json", one, serve))})
            except RuntimeError as error:
                searches.append({**who, "error": str(error)})
            # Hours may have gone into what there is.
            record("capacity", ["capacity", *sys.argv[1:]], results).write(options.out)
    lines = [
        [one["backend"], str(one["workers"]), one.get("error") or f"{one['bound']}: {one['streams']}"]
        for one in searches
    ]
    print(table(["backend", "workers", "streams"], lines))
    lines = [
        [
            one["backend"],
            str(one["workers"]),
            str(one["streams"]),
            cell((one["lateness_ms"] or {}).get("p99"), ".1f"),
            str(one["frames_missing"]),
        ]
        for one in reports
    ]
    print(table(["backend", "workers", "streams", "p99, ms", "missing"], lines))
    print(record("capacity", ["capacity", *sys.argv[1:]], results).write(options.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
