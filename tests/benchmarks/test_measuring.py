"""What the benchmarks conclude: perturbations on a tiny model, ratios, repetitions of a clip, and cuts."""

from __future__ import annotations

from contextlib import closing
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from benchmarks.isolation import streamed
from benchmarks.itf import medians, speed_up, take_turns
from benchmarks.latency import clicked, first_difference, largest_wait, measure, positions, replaced
from benchmarks.rolling_hubert import limit_ms
from benchmarks.sessions import added_mib
from benchmarks.stream_length import CHUNK, PERIOD, StreamProcess, chunks, mark_seconds, repetitions
from benchmarks.streams import demo_clip, demo_phones, random_pieces
from diffusiontalker.encoder.rolling_config import RollingHubertConfig
from diffusiontalker.phones import TimedPhone
from livetalker.core.config import StreamConfig
from livetalker.engine.engine import Engine


def test_the_first_frame_that_differs() -> None:
    frames = np.zeros((5, 52), np.float32)
    other = frames.copy()
    assert first_difference(frames, other) is None
    other[3, 7] = 1e-30
    assert first_difference(frames, other) == 3


def test_a_change_begins_where_it_is_said_to() -> None:
    audio, other = np.zeros(10, np.float32), np.ones(10, np.float32)
    assert replaced(audio, 4, other).tolist() == [0] * 4 + [1] * 6
    assert np.flatnonzero(clicked(audio, 4)).tolist() == [4]


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_positions_fill_one_period(rate: int) -> None:
    found = positions(rate, 40)
    assert round(0.4 * rate) <= found[0] and found[-1] < round(0.505 * rate)
    assert len(found) > 40


@pytest.mark.parametrize("ahead", [0, 800, 1600])
def test_the_wait_of_a_known_system_is_found(ahead: int) -> None:
    """Each frame is the sum of all up to ``ahead`` samples after its instant."""

    def animate(samples: np.ndarray) -> np.ndarray:
        instants = np.arange(30) * 16_000 // 30
        totals = np.cumsum(samples, dtype=np.float64)[np.minimum(instants + ahead, len(samples) - 1)]
        return np.repeat(totals[:, None], 52, axis=1)

    rng = np.random.default_rng(0)
    audio, other = (rng.normal(0, 0.1, 16_000).astype(np.float32) for _ in range(2))
    wait = largest_wait(animate, audio, other, range(6_400, 8_000), 16_000, 30)
    assert wait == pytest.approx(ahead / 16_000, abs=1.1 / 16_000)
    with pytest.raises(ValueError):
        largest_wait(lambda samples: np.zeros((30, 52), np.float32), audio, other, [6_400], 16_000, 30)


@pytest.mark.parametrize("fps", [30, 60])
def test_the_engine_waits_no_longer_than_it_states(tiny_bundle: Path, fps: int) -> None:
    engine = Engine.load(tiny_bundle, max_streams=1, threads=1)
    found = measure(engine, "low", fps, 16_000, 400)
    assert found["stated_ms"] - 5 < found["measured_ms"] <= found["stated_ms"]
    assert found["first_frame"] == 0


def test_candidates_take_turns_and_warm_up() -> None:
    order: list[str] = []

    def candidate(name: str, seconds: float):  # type: ignore[no-untyped-def]
        def run() -> dict[str, float]:
            order.append(name)
            return {"total": seconds * len(order)}

        return run

    taken = take_turns({"a": candidate("a", 1.0), "b": candidate("b", 2.0)}, 2, order.append)
    assert order == ["a", "a", "b", "b"] * 3
    assert {name: len(samples) for name, samples in taken.items()} == {"a": 2, "b": 2}


def test_ratios_are_within_rounds() -> None:
    slow = [{"total": 10.0}, {"total": 100.0}, {"total": 12.0}]
    fast = [{"total": 1.0}, {"total": 10.0}, {"total": 1.0}]
    assert speed_up(slow, fast) == 10.0
    assert medians(fast, 2) == {"total": 0.5}


def test_memory_of_one_more_stream_is_a_slope() -> None:
    rows = [{"streams": 1, "resident_mib": 100.0}, {"streams": 11, "resident_mib": 120.0}]
    assert added_mib(rows) == 2.0
    assert added_mib(rows[:1]) is None


def test_marks_are_the_first_minute_and_the_last_of_every_hour() -> None:
    assert mark_seconds(2) == [10, 3540, 7140]
    assert mark_seconds(0.1) == [10, 300]
    with pytest.raises(ValueError):
        mark_seconds(0.03)


def test_chunks_repeat_the_clip_after_a_period() -> None:
    clip = demo_clip()
    sound = np.concatenate(list(islice(chunks(clip), 300)))
    assert sound.shape == (30 * 16_000,) and CHUNK == 1_600
    np.testing.assert_array_equal(sound[PERIOD : PERIOD + len(clip)], clip)
    np.testing.assert_array_equal(sound[2 * PERIOD : 2 * PERIOD + 50], clip[:50])
    assert not sound[len(clip) : PERIOD].any()


def test_streams_in_processes_of_their_own_hear_the_same() -> None:
    with closing(StreamProcess("cpu", 1)) as old, closing(StreamProcess("cpu", 1)) as young:
        turns = [(old.hear(2), young.hear(2)) for _ in range(2)]
    for one, other in turns:
        assert min(one.cpu_s, other.cpu_s) > 0
        np.testing.assert_allclose(one.frames, other.frames, atol=1e-5)
    # The first turn lacks the balanced preset's look-ahead, in which no frame is complete.
    assert [len(one.frames) for one, _ in turns] == [58, 60]


def test_phones_of_a_repetition_stand_where_they_are_said() -> None:
    """Frames that say at which second of the stream they stand."""
    frames = np.repeat(((np.arange(60 * 30) / 30) + 100)[:, None], 52, axis=1).astype(np.float32)
    found = repetitions(frames, 100, len(demo_clip()), [TimedPhone("AA", 1.0, 1.5)])
    begins = [n * PERIOD / 16_000 for n in range(1, 20) if n * PERIOD / 16_000 >= 100]
    assert len(found) == 3 and len(demo_phones()) > 50
    for clip, begin in zip(found, begins, strict=False):
        assert clip.frames[0, 0] + clip.phones[0].start == pytest.approx(begin + 1.0, abs=1e-4)
        assert len(clip.frames) == len(demo_clip()) * 30 // 16_000


def test_pieces_cover_everything_once() -> None:
    pieces = random_pieces(np.random.default_rng(0), 1_000, (1, 7, 300))
    assert [piece.start for piece in pieces] == [0, *(piece.stop for piece in pieces[:-1])]
    assert pieces[-1].stop >= 1_000


def test_neighbours_change_nothing(tiny_bundle: Path) -> None:
    audio, config = demo_clip()[:24_000], StreamConfig(seed=5)
    alone = streamed(Engine.load(tiny_bundle, max_streams=1, threads=1), audio, config, 0, seed=1)
    engine = Engine.load(tiny_bundle, max_streams=4, threads=1)
    assert len(alone) == 45
    for others, seed in ((3, 2), (0, 3)):
        np.testing.assert_allclose(streamed(engine, audio, config, others, seed), alone, atol=1e-5)
    assert engine.open_streams == 0


def test_a_rolling_stream_that_keeps_up_has_its_hop_before_the_next() -> None:
    assert limit_ms(RollingHubertConfig("any", window=100, hop=25)) == 980.0
