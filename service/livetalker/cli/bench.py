"""``livetalker bench``: simulated microphones against a server, how late its frames are, and how many it holds."""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from livetalker.cli.errors import CliError
from livetalker.cli.options import add_config_options, stream_config
from livetalker.cli.securing import add_client_security, client_security

if TYPE_CHECKING:
    from livetalker.bench.capacity import Capacity
    from livetalker.bench.load import Load, LoadRun
    from livetalker.bench.report import Report
    from livetalker.client.security import Security

_PASSED_ON: Final = {"backend": "NAME", "device": "N", "threads": "N", "workers": "N", "model": "DIR"}
"""Options of ``livetalker serve``, and what they take, that the server of the command gets; others go after ``--``."""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "bench",
        help="measure how many streams a server holds, and how late its frames are",
        description="Run simulated microphones in real time and report how late the frames come. Without an address "
        "it starts a server of its own and also reports the processor time and memory that takes.",
    )
    load = parser.add_argument_group("load")
    load.add_argument("--streams", type=int, default=8, metavar="N", help="microphones at once (default: %(default)s)")
    load.add_argument(
        "--seconds", type=float, default=10.0, metavar="S", help="audio each one sends (default: %(default)g)"
    )
    load.add_argument(
        "--warmup",
        type=float,
        metavar="SECONDS",
        help="frames of the first SECONDS after the last stream has opened are not timed "
        "(default: 2, or a quarter of a short run)",
    )
    load.add_argument("--audio", type=Path, metavar="FILE", help="what they hear (default: a synthetic voice for each)")
    load.add_argument(
        "--sample-rate", type=int, metavar="HZ", help="rate of the synthetic voices (default: 16000, no resampling)"
    )
    search = parser.add_argument_group("capacity")
    search.add_argument(
        "--find-capacity", action="store_true", help="find the largest number of streams; begins with --streams"
    )
    search.add_argument(
        "--p99",
        type=float,
        default=60.0,
        metavar="MS",
        help="a number is held if no frame is missing and 99 in 100 are no later than this (default: %(default)g)",
    )
    search.add_argument("--most", type=int, default=512, metavar="N", help="most streams to try (default: %(default)s)")
    search.add_argument(
        "--tries", type=int, default=2, metavar="N", help="failures that give a number up (default: %(default)s)"
    )
    server = parser.add_argument_group("server")
    server.add_argument("--address", metavar="HOST:PORT", help="a running server (default: start one)")
    add_client_security(parser)
    for name, value in _PASSED_ON.items():
        server.add_argument(f"--{name}", metavar=value, help="passed on to the server that is started")
    server.add_argument(
        "serve_options", nargs="*", metavar="-- OPTION", help="further options of `livetalker serve` to pass on"
    )
    output = parser.add_argument_group("output")
    output.add_argument("--json", type=Path, metavar="FILE", help="also write the figures")
    output.add_argument("--plot", type=Path, metavar="PNG", help="also draw them (needs the bench extra)")
    add_config_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Runs the command.

    Raises:
        CliError: an option, the audio, the server or a target is not usable, or the server turned streams away.
    """
    _check(args)
    from livetalker.bench.server_process import ServerStartError
    from livetalker.bench.usage import PsutilMissingError
    from livetalker.client.errors import LiveTalkerError
    from livetalker.media.audio_files import AudioFileError

    try:
        (_find_capacity if args.find_capacity else _measure_once)(args, _Bench.of(args))
    except (AudioFileError, LiveTalkerError, ServerStartError, PsutilMissingError) as error:
        raise CliError(str(error)) from error
    except OSError as error:
        raise CliError(f"{error.filename or 'the result'} cannot be written: {error.strerror or error}") from error
    return 0


@dataclass(frozen=True, slots=True)
class _Bench:
    """Measures any number of streams as the options say."""

    load: Load
    address: str | None
    server_options: list[str]
    security: Security

    @classmethod
    def of(cls, args: argparse.Namespace) -> _Bench:
        from livetalker.bench.load import Load
        from livetalker.media.audio_files import read_audio

        audio = read_audio(args.audio) if args.audio is not None else None
        config = stream_config(args, audio.rate if audio is not None else args.sample_rate or 16_000)
        warmup = min(2.0, args.seconds / 4) if args.warmup is None else args.warmup
        load = Load(args.streams, args.seconds, warmup, config, audio.samples if audio is not None else None)
        options = [
            text
            for name in _PASSED_ON
            if getattr(args, name) is not None
            for text in (f"--{name}", getattr(args, name))
        ]
        return cls(load, args.address, [*options, *args.serve_options], client_security(args))

    def __call__(self, streams: int) -> tuple[Report, LoadRun]:
        from dataclasses import replace

        from livetalker.bench.measure import measure

        return measure(replace(self.load, streams=streams), self.address, self.server_options, self.security)


def _measure_once(args: argparse.Namespace, bench: _Bench) -> None:
    report, ran = bench(args.streams)
    print(report, f"  -> {report.verdict(args.p99)}", sep="\n")
    if args.json is not None:
        _write(args.json, report.to_json())
    if args.plot is not None:
        from livetalker.bench.plot import draw_run

        draw_run(args.plot, ran, report)
    if report.streams == sum(report.errors.values()):
        error = next(log.error for log in ran.logs if log.error is not None)
        raise CliError(f"not one stream came to its end: {error}")


@dataclass(frozen=True, slots=True)
class _Outcome:
    """A report as the search reads it."""

    report: Report
    p99_ms: float

    @property
    def held(self) -> bool:
        return self.report.holds(self.p99_ms)

    @property
    def refused(self) -> int:
        return self.report.refused


def _find_capacity(args: argparse.Namespace, bench: _Bench) -> None:
    from livetalker.bench.capacity import Bound, find_capacity

    def measure(streams: int) -> _Outcome:
        report, _ = bench(streams)
        outcome = _Outcome(report, args.p99)
        print(report, f"  -> {report.verdict(args.p99)}", sep="\n", flush=True)
        return outcome

    capacity = find_capacity(measure, first=args.streams, most=args.most, tries=args.tries)
    reports = [outcome.report for _, outcome in capacity.tried]
    print(f"capacity with p99 of at most {args.p99:g} ms: {capacity}")
    if args.json is not None:
        _write(args.json, _capacity_json(capacity, args.p99))
    if args.plot is not None:
        from livetalker.bench.plot import draw_capacity

        draw_capacity(args.plot, reports, args.p99, str(capacity))
    if capacity.bound is Bound.AT_LEAST_FULL:
        raise CliError(
            f"the server holds {capacity.streams} streams and admits no more; "
            "start it with a larger --max-streams to find out what it can do"
        )


def _capacity_json(capacity: Capacity[_Outcome], p99_ms: float) -> dict[str, Any]:
    """The report of the largest number held (of the smallest tried, if none was), and the search."""
    held = [outcome.report for n, outcome in capacity.tried if outcome.held and n == capacity.streams]
    shown = held[-1] if held else min((o.report for _, o in capacity.tried), key=lambda report: report.streams)
    tried = [{"held": outcome.held, **outcome.report.to_json()} for _, outcome in capacity.tried]
    found = {"streams": capacity.streams, "bound": capacity.bound.value, "p99_limit_ms": p99_ms, "tried": tried}
    return {**shown.to_json(), "capacity": found}


def _write(path: Path, figures: dict[str, Any]) -> None:
    path.write_text(json.dumps(figures, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _check(args: argparse.Namespace) -> None:
    """Refuses what cannot work before anything is started.

    Raises:
        CliError: an option is out of range or contradicts another.
    """
    for name in ("streams", "most", "tries"):
        if (value := getattr(args, name)) < 1:
            raise CliError(f"--{name} is {value}; give 1 or more")
    for name in ("seconds", "p99"):
        if not 0 < (value := getattr(args, name)) < math.inf:
            raise CliError(f"--{name} is {value:g}; give more than 0")
    if args.warmup is not None and not 0 <= args.warmup <= args.seconds / 2:
        raise CliError(f"--warmup is {args.warmup:g}; give 0 to half of --seconds")
    if args.find_capacity and args.streams > args.most:
        raise CliError(f"--streams is {args.streams}; the search begins with it and ends at --most, {args.most}")
    if args.audio is not None and args.sample_rate is not None:
        raise CliError("--sample-rate is for synthetic voices; the rate of --audio is the file's")
    if args.address is not None and (args.serve_options or any(getattr(args, name) is not None for name in _PASSED_ON)):
        raise CliError("options of the server have no effect with --address; give them to that server")
    for name in ("json", "plot"):
        path = getattr(args, name)
        if path is not None and (path.is_dir() or not path.parent.is_dir()):
            raise CliError(f"--{name}: {path} is not a file name in a folder that exists")
    if args.plot is not None and args.plot.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise CliError(f"{args.plot}: the picture's name must end in .png, .svg or .pdf")
    if args.plot is not None and find_spec("matplotlib") is None:
        raise CliError("the picture needs matplotlib; pip install '.[bench]' in LiveTalker's folder")
    if args.address is None and find_spec("psutil") is None:
        raise CliError("measuring the server needs psutil; pip install '.[bench]' in LiveTalker's folder")
