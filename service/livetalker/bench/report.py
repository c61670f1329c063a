"""What a run of the load generator says: one summary, as JSON for programs and as text for people."""

from __future__ import annotations

import os
import platform
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from livetalker.bench.lateness import Percentiles, frame_times, percentiles
from livetalker.bench.load import Load, LoadRun
from livetalker.bench.usage import Usage
from livetalker.rpc.errors import Reason

_BUSY_CLIENT_PERCENT = 80.0
_LATE_CLIENT_MS = 10.0


@dataclass(frozen=True, slots=True)
class Report:
    """One run, all times in milliseconds unless their names say otherwise, None where nothing was measured.

    Attributes:
        streams: microphones that were run.
        streams_held: those that the server accepted and that received every frame.
        refused: those that the server turned away because it was full.
        errors: streams that ended with an error, by the service's reason or gRPC's status.
        seconds: audio each one sent.
        warmup_s: seconds after the last stream's opening that were not timed.
        measured_s: length of the part that was timed.
        preset, fps, sample_rate: what each one asked for.
        frames_expected: frames of all streams, from their first to their last.
        frames_received: those that came.
        frames_missing: those that did not.
        frame_gaps: frames the server said it would never send, by cause.
        warnings: warnings by reason.
        frames_measured: frames whose lateness was taken.
        lateness_ms: arrival after the chunk with the last sample a frame needs was sent.
        since_capture_ms: arrival after the sample at the frame's instant was captured; look-ahead included.
        first_frame_ms: from the opening of a stream to its first frame; its look-ahead, which the microphone
            records meanwhile, included.
        started_ms: from the opening of a stream to the server's acceptance.
        sender_lag_ms: how late the load generator itself was in sending a chunk.
        write_wait_ms: how long sending a chunk took; long where the server holds streams back.
        server_cpu_percent: of one core, while timed.
        server_rss_mb: largest resident memory while timed, MiB, summed over the server's processes.
        server_rss_idle_mb: the same before the first stream.
        server_processes: how many processes that is.
        cpu_percent_per_stream, rss_mb_per_stream: share of one stream; of the memory what was added to the idle one.
        client_cpu_percent: of one core, by the load generator while timed.
        first_frame_ms_by_stream: the first frame of each stream, None for one that never came.
        machine: cores, processor, load average, versions.
        model: name and version.
        server: address, or the options of the server that was started.
    """

    streams: int
    streams_held: int
    refused: int
    errors: dict[str, int]
    seconds: float
    warmup_s: float
    measured_s: float
    preset: str
    fps: int
    sample_rate: int
    frames_expected: int
    frames_received: int
    frames_missing: int
    frame_gaps: dict[str, int]
    warnings: dict[str, int]
    frames_measured: int
    lateness_ms: Percentiles | None
    since_capture_ms: Percentiles | None
    first_frame_ms: Percentiles | None
    started_ms: Percentiles | None
    sender_lag_ms: Percentiles | None
    write_wait_ms: Percentiles | None
    server_cpu_percent: float | None
    server_rss_mb: float | None
    server_rss_idle_mb: float | None
    server_processes: int | None
    cpu_percent_per_stream: float | None
    rss_mb_per_stream: float | None
    client_cpu_percent: float | None
    first_frame_ms_by_stream: list[float | None]
    machine: dict[str, Any]
    model: str
    server: str

    def holds(self, p99_ms: float) -> bool:
        """Whether every stream got every frame, and 99 in 100 of those timed no later than this."""
        return self.streams_held == self.streams and self.lateness_ms is not None and self.lateness_ms.p99 <= p99_ms

    def verdict(self, p99_ms: float) -> str:
        """``held`` or ``not held``, and what was amiss."""
        if self.holds(p99_ms):
            return "held"
        if self.streams_held < self.streams:
            return f"not held ({self.streams_held} of {self.streams} complete)"
        if self.lateness_ms is None:
            return "not held (no frame was timed)"
        return f"not held (p99 {self.lateness_ms.p99:.1f} > {p99_ms:g} ms)"

    def to_json(self) -> dict[str, Any]:
        """The fields, by their names."""
        return asdict(self)

    def __str__(self) -> str:
        name = f"{self.streams} streams, {self.preset}, {self.fps} fps, {self.seconds:g} s"
        late = f"frame lateness over {self.frames_measured} frames"
        lines = [
            f"{name}: {self.streams_held} complete, {self.frames_missing} of {self.frames_expected} frames missing",
            f"  {late:<37}{_spread(self.lateness_ms)}",
            f"  {'since the frame was captured':<37}{_spread(self.since_capture_ms)}",
            f"  {'first frame after opening':<37}{_spread(self.first_frame_ms)}",
        ]
        if self.server_cpu_percent is not None:
            lines.append(
                f"  server: {self.server_cpu_percent:.0f} % of a core ({self.cpu_percent_per_stream:.1f} % a stream), "
                f"{self.server_rss_mb:.0f} MiB ({self.rss_mb_per_stream:.1f} MiB a stream)"
            )
        if self.client_cpu_percent is not None:
            lag = f", p99 {self.sender_lag_ms.p99:.1f} ms late in sending" if self.sender_lag_ms else ""
            lines.append(f"  load generator: {self.client_cpu_percent:.0f} % of a core{lag}")
        for name, counts in (("ended early", self.errors), ("gaps", self.frame_gaps), ("warnings", self.warnings)):
            if counts:
                lines.append(f"  {name}: " + ", ".join(f"{count} {reason}" for reason, count in counts.items()))
        if self.client_is_limit:
            lines.append("  the load generator was itself late or busy; the server may do better than this")
        return "\n".join(lines)

    @property
    def client_is_limit(self) -> bool:
        """Whether the load generator was so late or busy that it may be what was measured."""
        late = self.sender_lag_ms is not None and self.sender_lag_ms.p99 > _LATE_CLIENT_MS
        return late or (self.client_cpu_percent or 0.0) > _BUSY_CLIENT_PERCENT


def summarise(load: Load, run: LoadRun, usage: Usage | None, server: str) -> Report:
    """Summarises a run.

    Args:
        load: what was to be done.
        run: what came of it.
        usage: what the server used; None if it is not known.
        server: what to say of the server.
    """
    logs = run.logs
    times = [frame_times(log.schedule, load.config.preset, log.sent, log.arrived, run.window) for log in logs]
    lateness = np.concatenate([stream.lateness for stream in times])
    errors = Counter(log.error.reason or log.error.code.name for log in logs if log.error is not None)
    expected = sum(log.schedule.frames for log in logs)
    received = sum(log.frames_received for log in logs)
    first = [log.arrived[0] - log.opened for log in logs]
    started = np.array([log.started - log.opened for log in logs])
    return Report(
        streams=len(logs),
        streams_held=sum(log.error is None and log.frames_received == log.schedule.frames for log in logs),
        refused=errors[Reason.SERVER_FULL.value],
        errors=dict(errors),
        seconds=round(logs[0].schedule.end - logs[0].schedule.start, 6),
        warmup_s=load.warmup,
        measured_s=round(run.window[1] - run.window[0], 3),
        preset=load.config.preset,
        fps=load.config.fps,
        sample_rate=load.config.sample_rate,
        frames_expected=expected,
        frames_received=received,
        frames_missing=expected - received,
        frame_gaps=_total(log.frame_gaps for log in logs),
        warnings=_total(log.warnings for log in logs),
        frames_measured=len(lateness),
        lateness_ms=percentiles(lateness),
        since_capture_ms=percentiles(np.concatenate([stream.since_capture for stream in times])),
        first_frame_ms=percentiles([at for at in first if not np.isnan(at)]),
        started_ms=percentiles(started[~np.isnan(started)]),
        sender_lag_ms=percentiles(np.concatenate([np.asarray(log.lag) for log in logs])),
        write_wait_ms=percentiles(np.concatenate([np.asarray(log.write_wait) for log in logs])),
        **_used(usage, len(logs)),
        client_cpu_percent=None if run.client_cpu_percent is None else round(run.client_cpu_percent, 2),
        first_frame_ms_by_stream=[None if np.isnan(at) else round(1e3 * at, 3) for at in first],
        machine=machine(),
        model=next((log.model for log in logs if log.model), ""),
        server=server,
    )


def machine() -> dict[str, Any]:
    """What the run took place on: cores this process may use, processor, load average, versions."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cores": cores,
        "processor": _processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "load_average": [round(value, 2) for value in os.getloadavg()] if hasattr(os, "getloadavg") else None,
        "versions": {
            "python": platform.python_version(),
            **{name: _version(name) for name in ("livetalker", "grpcio", "numpy", "onnxruntime")},
        },
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            names = (line.partition(":")[2].strip() for line in info if line.startswith("model name"))
            return next(names, platform.processor() or platform.machine())
    except OSError:
        return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _used(usage: Usage | None, streams: int) -> dict[str, Any]:
    """The report's fields on what the server used."""
    names = ("server_cpu_percent", "server_rss_mb", "server_rss_idle_mb", "cpu_percent_per_stream", "rss_mb_per_stream")
    if usage is None:
        return {"server_processes": None, **dict.fromkeys(names)}
    added = usage.rss_mb - usage.rss_idle_mb
    values = (usage.cpu_percent, usage.rss_mb, usage.rss_idle_mb, usage.cpu_percent / streams, added / streams)
    rounded = {name: round(value, 2) for name, value in zip(names, values, strict=True)}
    return {"server_processes": usage.processes, **rounded}


def _total(counters: Iterable[Counter[str]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for counter in counters:
        total.update(counter)
    return dict(total)


def _spread(spread: Percentiles | None) -> str:
    if spread is None:
        return "nothing was measured"
    return ", ".join(f"{field.name} {getattr(spread, field.name):.1f}" for field in fields(spread)) + " ms"
