from __future__ import annotations

import json

import grpc
import numpy as np

from livetalker.bench.lateness import Percentiles
from livetalker.bench.load import Load, LoadRun
from livetalker.bench.microphone import StreamLog
from livetalker.bench.report import Report, summarise
from livetalker.bench.schedule import Schedule, needed_chunks
from livetalker.bench.usage import Usage
from livetalker.client.errors import LiveTalkerError
from livetalker.core.config import StreamConfig

LOAD = Load(streams=3, seconds=2.0, warmup=0.5, config=StreamConfig())


def scripted() -> LoadRun:
    """A stream whose frames are 7 ms late, one that lost its last ten, and one that was refused."""
    logs = [StreamLog(Schedule(100.0 + i, 16000, 30, 100)) for i in range(3)]
    for log in logs[:2]:
        log.opened, log.started, log.model = log.schedule.start, log.schedule.start + 0.002, "scripted 1"
        for chunk in range(100):
            log.sent.append(log.schedule.due(chunk))
            log.lag.append(0.001)
            log.write_wait.append(0.0005)
        for frame, chunk in enumerate(needed_chunks(log.schedule, "balanced").tolist()):
            log.arrived[frame] = log.schedule.due(chunk) + 0.007
    logs[1].arrived[50:] = type(logs[1].arrived)("d", [np.nan] * 10)
    logs[1].frame_gaps["GAP_CAUSE_SLOW_READER"] = 10
    logs[2].error = LiveTalkerError(grpc.StatusCode.RESOURCE_EXHAUSTED, "full", reason="SERVER_FULL")
    return LoadRun(logs, (100.5, 103.0), client_cpu_percent=12.345)


def test_the_report_counts_and_measures() -> None:
    report = summarise(LOAD, scripted(), Usage(150.0, 300.0, 120.0, 2), "somewhere")
    assert (report.streams, report.streams_held, report.refused, report.errors) == (3, 1, 1, {"SERVER_FULL": 1})
    assert (report.frames_expected, report.frames_received, report.frames_missing) == (180, 110, 70)
    assert report.frame_gaps == {"GAP_CAUSE_SLOW_READER": 10}
    assert report.lateness_ms == Percentiles(7.0, 7.0, 7.0, 7.0)
    assert report.since_capture_ms is not None and 80 < report.since_capture_ms.p50 < 107
    assert report.first_frame_ms == Percentiles(87.0, 87.0, 87.0, 87.0)
    assert report.first_frame_ms_by_stream == [87.0, 87.0, None]
    assert report.started_ms == Percentiles(2.0, 2.0, 2.0, 2.0)
    assert report.sender_lag_ms == Percentiles(1.0, 1.0, 1.0, 1.0)
    assert (report.cpu_percent_per_stream, report.rss_mb_per_stream) == (50.0, 60.0)
    assert report.model == "scripted 1"
    assert not report.holds(1e9)


def test_json_has_the_fields_that_programs_read() -> None:
    figures = json.loads(json.dumps(summarise(LOAD, scripted(), None, "somewhere").to_json(), allow_nan=False))
    assert set(figures["lateness_ms"]) == {"p50", "p95", "p99", "worst"}
    assert figures["server_cpu_percent"] is None and figures["server_rss_mb"] is None
    wanted = {"streams", "frames_expected", "frames_received", "preset", "fps", "seconds", "client_cpu_percent"}
    assert wanted <= set(figures)
    assert figures["machine"]["cores"] >= 1
    assert {"python", "grpcio"} <= set(figures["machine"]["versions"])


def test_the_text_says_what_went_wrong() -> None:
    text = str(summarise(LOAD, scripted(), Usage(150.0, 300.0, 120.0, 2), "somewhere"))
    for said in ("1 complete, 70 of 180 frames missing", "p99 7.0", "1 SERVER_FULL", "10 GAP_CAUSE_SLOW_READER"):
        assert said in text
    assert "load generator was itself late" not in text


def held_one(run: LoadRun) -> Report:
    return summarise(LOAD, LoadRun(run.logs[:1], (100.5, 102.0), run.client_cpu_percent), None, "")


def test_held_means_every_frame_and_in_time() -> None:
    assert held_one(scripted()).holds(7.0)
    assert not held_one(scripted()).holds(6.9)


def test_the_verdict_says_what_was_amiss() -> None:
    assert held_one(scripted()).verdict(7.0) == "held"
    assert held_one(scripted()).verdict(6.9) == "not held (p99 7.0 > 6.9 ms)"
    assert summarise(LOAD, scripted(), None, "").verdict(7.0) == "not held (1 of 3 complete)"
    run = scripted()
    nothing = summarise(LOAD, LoadRun(run.logs[:1], (0.0, 1.0), None), None, "")
    assert nothing.verdict(60) == "not held (no frame was timed)"


def test_a_late_load_generator_is_told_of() -> None:
    run = scripted()
    run.logs[0].lag[:] = type(run.logs[0].lag)("d", [0.02] * 100)
    assert "load generator was itself late" in str(held_one(run))


def test_nothing_measured_is_said_so() -> None:
    report = summarise(LOAD, LoadRun(scripted().logs[2:], (0.0, 1.0), None), None, "")
    assert report.lateness_ms is None and not report.holds(60)
    assert "nothing was measured" in str(report)
