from __future__ import annotations

import numpy as np
import pytest

from livetalker.bench.lateness import Percentiles, frame_times, percentiles
from livetalker.bench.schedule import Schedule, needed_chunks

EVER = (0.0, 1e9)


@pytest.mark.parametrize(("rate", "fps"), [(16000, 30), (48000, 60)])
def test_a_frame_is_as_late_as_it_came_after_the_chunk_it_needs(rate: int, fps: int) -> None:
    schedule = Schedule(1000.0, rate, fps, 100)
    needed = needed_chunks(schedule, "balanced")
    whole = int((needed < 100).sum())
    sent = np.array([schedule.due(k) + 0.003 for k in range(100)])
    late = np.linspace(0.001, 0.2, whole)
    arrived = np.full(schedule.frames, np.nan)
    arrived[:whole] = sent[needed[:whole]] + late
    arrived[whole:] = schedule.end + 0.01  # the tail, which waits for nothing that is sent
    times = frame_times(schedule, "balanced", sent, arrived, EVER)
    np.testing.assert_allclose(times.lateness, late, atol=1e-9)
    np.testing.assert_allclose(times.since_capture, arrived[:whole] - 1000.0 - np.arange(whole) / fps, atol=1e-9)
    np.testing.assert_allclose(times.needed, [schedule.due(int(k)) for k in needed[:whole]])


def test_only_frames_due_in_the_window_count_and_only_those_that_came() -> None:
    schedule = Schedule(0.0, 16000, 30, 100)
    sent = [schedule.due(k) for k in range(100)]
    needed = needed_chunks(schedule, "low")
    arrived = np.array([schedule.due(int(k)) + 0.01 for k in needed])
    arrived[30] = np.nan
    times = frame_times(schedule, "low", sent, arrived, (0.5, 1.5))
    assert len(times.lateness) == 30 - 1
    assert times.needed.min() >= 0.5 and times.needed.max() < 1.5
    np.testing.assert_allclose(times.lateness, 0.01)


def test_a_stream_that_broke_off_keeps_what_it_had() -> None:
    schedule = Schedule(0.0, 16000, 30, 100)
    arrived = np.full(schedule.frames, np.nan)
    assert len(frame_times(schedule, "balanced", [], arrived, EVER).lateness) == 0
    arrived[0] = 0.1
    assert len(frame_times(schedule, "balanced", [0.02, 0.04, 0.06, 0.08], arrived, EVER).lateness) == 1


def test_a_frame_that_needed_less_counts_from_what_had_been_sent() -> None:
    schedule = Schedule(0.0, 16000, 30, 10)
    arrived = np.full(schedule.frames, np.nan)
    arrived[0] = 0.025
    times = frame_times(schedule, "quality", [schedule.due(k) for k in range(10)], arrived, EVER)
    np.testing.assert_allclose(times.lateness, [0.005])


def test_percentiles_are_milliseconds() -> None:
    assert percentiles([]) is None
    assert percentiles(np.arange(101) / 1000) == Percentiles(50.0, 95.0, 99.0, 100.0)
