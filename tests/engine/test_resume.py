"""A stream that broke off goes on as if it had not: same indexes, same clocks, and what lasts comes from its state."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from diffusiontalker.arkit import INDEX
from diffusiontalker.geometry import SAMPLE_RATE, frame_count
from livetalker.core.config import IdentityChoice, Shaping, StreamConfig
from livetalker.core.outputs import Checkpoint, Failed, Finished, Frames, IdentityMatched, Skipped
from livetalker.core.stream_state import Evidence, Fade, IdentityState, Resumption, ShapingState, StreamState
from livetalker.engine.engine import Engine
from livetalker.engine.resumed_stream import level_at, origin_of
from tests.engine.chunks import Audio, Listener
from tests.engine.test_exactness import TOLERANCE, voice

CLOSE = 0.02
"""What the tiny model, which forgets soon, comes back to after two seconds."""


@pytest.fixture(scope="module")
def engine(tiny_bundle: Path) -> Engine:
    return Engine.load(tiny_bundle, max_streams=4, threads=1)


def run(engine: Engine) -> None:
    while engine.tick():
        pass


def streamed(engine: Engine, audio: Audio, config: StreamConfig) -> Listener:
    """The stream that is not interrupted, a chunk of 20 ms a tick."""
    listener = Listener()
    stream = engine.open(config, listener)
    size = config.sample_rate // 50
    for start in range(0, len(audio), size):
        stream.push(audio[start : start + size])
        engine.tick()
    stream.finish()
    run(engine)
    return listener


def resumed(
    engine: Engine, audio: Audio, config: StreamConfig, resumption: Resumption, start: int | None = None
) -> Listener:
    """The stream that goes on with its audio from ``start``, two seconds back where that is not said."""
    listener = Listener()
    stream = engine.resume(config, listener, resumption)
    start = max(0, resumption.instant(config) - 2 * config.sample_rate) if start is None else start
    origin = stream.begin(start)
    known = np.concatenate([np.zeros(max(0, start - origin), np.float32), audio[max(start, origin) :]])
    size = config.sample_rate // 50
    for first in range(0, len(known), size):
        stream.push(known[first : first + size])
        engine.tick()
    stream.finish()
    run(engine)
    return listener


def indexes(listener: Listener) -> list[int]:
    return [o.first + i for o in listener.outputs if isinstance(o, Frames) for i in range(len(o))]


def state_before(listener: Listener, frame: int) -> StreamState:
    state = [o.state for o in listener.outputs if isinstance(o, Checkpoint) and o.frame <= frame][-1]
    return state


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 44_100, 48_000])
@pytest.mark.parametrize(("fps", "next_frame"), [(30, 71), (60, 142), (60, 143)])
def test_with_all_of_the_audio_the_frames_are_the_same(engine: Engine, rate: int, fps: int, next_frame: int) -> None:
    audio, config = voice(4.0, rate), StreamConfig(sample_rate=rate, fps=fps, seed=7)
    whole = streamed(engine, audio, config)
    rest = resumed(engine, audio, config, Resumption(next_frame), start=0)
    assert indexes(rest) == list(range(next_frame, 4 * fps))
    assert rest.outputs[-1] == Finished(4 * fps)
    np.testing.assert_allclose(rest.faces, whole.faces[next_frame:], atol=TOLERANCE)


@pytest.mark.parametrize("rate", [11_025, 16_000, 44_100, 48_000])
@pytest.mark.parametrize(("fps", "next_frame"), [(30, 160), (60, 331)])
@pytest.mark.parametrize("preset", ["low", "quality"])
def test_two_seconds_of_audio_bring_the_face_back(
    engine: Engine, rate: int, fps: int, next_frame: int, preset: str
) -> None:
    config = StreamConfig(sample_rate=rate, fps=fps, seed=7, preset=preset)
    audio = voice(7.0, rate, seed=3)
    audio[: 2 * rate] *= 8  # somebody was much louder once, which the held level still knows
    whole = streamed(engine, audio, config)
    rest = resumed(engine, audio, config, Resumption(next_frame, state_before(whole, next_frame)))
    assert indexes(rest) == list(range(next_frame, 7 * fps))
    np.testing.assert_allclose(rest.faces, whole.faces[next_frame:], atol=CLOSE)


def test_a_client_may_break_again_and_again(engine: Engine) -> None:
    audio, config = voice(8.0, SAMPLE_RATE, seed=3), StreamConfig(seed=2)
    whole = streamed(engine, audio, config)
    first = resumed(engine, audio, config, Resumption(100, state_before(whole, 100)))
    second = resumed(engine, audio, config, Resumption(170, state_before(first, 170)))
    np.testing.assert_allclose(second.faces, whole.faces[170:], atol=CLOSE)


def matches(listener: Listener) -> list[IdentityMatched]:
    return [o for o in listener.outputs if isinstance(o, IdentityMatched)]


@pytest.mark.parametrize("next_frame", [20, 40, 75, 130])
def test_matching_goes_on_where_it_was(engine: Engine, next_frame: int) -> None:
    """Features already heard are not counted twice; a fade under way goes on, a finished one is not redone."""
    audio, config = voice(9.0, SAMPLE_RATE, seed=3), StreamConfig(seed=2)
    whole = streamed(engine, audio, config)
    assert matches(whole)
    checkpoints = [o for o in whole.outputs if isinstance(o, Checkpoint) and o.frame <= next_frame]
    state = checkpoints[-1].state if checkpoints else None
    rest = resumed(engine, audio, config, Resumption(next_frame, state))
    decided = 0 if state is None or not state.identity.identity else 1
    assert [(m.identity, m.frame) for m in matches(rest)] == [(m.identity, m.frame) for m in matches(whole)[decided:]]
    np.testing.assert_allclose(rest.faces, whole.faces[next_frame:], atol=CLOSE)


def test_the_checkpoint_tells_of_a_match_at_once(engine: Engine) -> None:
    whole = streamed(engine, voice(4.0, SAMPLE_RATE, seed=3), StreamConfig())
    at = whole.outputs.index(matches(whole)[0])
    told = next(o for o in whole.outputs[at:] if isinstance(o, Checkpoint))
    assert told.state.identity.identity == matches(whole)[0].identity
    assert 0 <= told.frame - matches(whole)[0].frame <= 2


def test_checkpoints_come_every_second(engine: Engine) -> None:
    whole = streamed(engine, voice(6.0, SAMPLE_RATE), StreamConfig(fps=60, identity=IdentityChoice.pinned("ben")))
    frames = [o.frame for o in whole.outputs if isinstance(o, Checkpoint)]
    assert len(frames) == 5
    assert all(59 <= later - earlier <= 64 for earlier, later in zip([0, *frames], frames, strict=False))


@pytest.mark.parametrize("fps", [30, 60])
def test_a_flush_before_the_break_stays_one(engine: Engine, fps: int) -> None:
    audio, config = voice(6.0, SAMPLE_RATE, seed=3), StreamConfig(fps=fps)
    whole = Listener()
    stream = engine.open(config, whole)
    flushed = 3 * SAMPLE_RATE + 1_237
    for first, last in ((0, 3 * SAMPLE_RATE), (3 * SAMPLE_RATE, flushed)):
        stream.push(audio[first:last])
        if last != flushed:
            run(engine)
    stream.flush()
    stream.push(audio[flushed:])
    stream.finish()
    run(engine)
    faces = dict(zip(indexes(whole), whole.faces, strict=True))
    next_frame = 4 * fps + 7  # the two seconds sent again begin before the flush, and what was before stays forgotten
    rest = resumed(engine, audio, config, Resumption(next_frame, state_before(whole, next_frame)))
    assert indexes(rest) == list(range(next_frame, 6 * fps))
    np.testing.assert_allclose(rest.faces, [faces[n] for n in indexes(rest)], atol=TOLERANCE)


def test_a_flush_that_the_client_did_not_hear_of_is_told_again(engine: Engine) -> None:
    audio, config = voice(6.0, SAMPLE_RATE, seed=3), StreamConfig()
    whole = Listener()
    stream = engine.open(config, whole)
    stream.push(audio[: 3 * SAMPLE_RATE])
    run(engine)
    stream.push(audio[3 * SAMPLE_RATE : 5 * SAMPLE_RATE])
    stream.flush()
    run(engine)
    skipped = next(o for o in whole.outputs if isinstance(o, Skipped))
    state = [o.state for o in whole.outputs if isinstance(o, Checkpoint)][-1]
    rest = resumed(engine, audio, config, Resumption(80, state))
    told = next(o for o in rest.outputs if isinstance(o, Skipped))
    assert (told.first, told.first + told.count) == (80, skipped.first + skipped.count)
    assert indexes(rest) == list(range(told.first + told.count, 180))


@pytest.mark.parametrize("later", [0, 3, 30])
def test_a_change_of_shaping_goes_on_where_it_was(engine: Engine, later: int) -> None:
    audio, config = voice(6.0, SAMPLE_RATE, seed=3), StreamConfig(shaping=Shaping(gains={"jawOpen": 0.5}))
    whole = Listener()
    stream = engine.open(config, whole)
    stream.push(audio[: 4 * SAMPLE_RATE])
    run(engine)
    stream.shape(Shaping(offsets={"jawLeft": 0.7}))
    run(engine)
    stream.push(audio[4 * SAMPLE_RATE :])
    stream.finish()
    run(engine)
    next_frame = 120 + later
    state = [o.state for o in whole.outputs if isinstance(o, Checkpoint) and o.state.shaping.frame == 120][0]
    rest = resumed(engine, audio, config, Resumption(next_frame, state))
    np.testing.assert_allclose(rest.faces, whole.faces[next_frame:], atol=CLOSE)
    assert rest.faces[10:, INDEX["jawLeft"]].min() >= 0.69


def test_shaping_and_rematching_are_remembered_without_audio(engine: Engine) -> None:
    listener = Listener()
    stream = engine.open(StreamConfig(), listener)
    stream.shape(Shaping(gains={"jawOpen": 2.0}))
    stream.rematch_identity(IdentityChoice.pinned("ben"))
    run(engine)
    state = [o.state for o in listener.outputs if isinstance(o, Checkpoint)][-1]
    assert state.shaping.current == Shaping(gains={"jawOpen": 2.0})
    assert state.identity.pending == ((0, IdentityChoice.pinned("ben")),)
    stream.close()


def test_audio_that_begins_late_is_silence_up_to_there(engine: Engine) -> None:
    audio, config = voice(6.0, SAMPLE_RATE), StreamConfig()
    rest = resumed(engine, audio, config, Resumption(90), start=5 * SAMPLE_RATE)
    assert indexes(rest) == list(range(90, 180))


@pytest.mark.parametrize("fps", [30, 60])
def test_a_stream_that_gets_no_audio_ends_where_it_was(engine: Engine, fps: int) -> None:
    listener = Listener()
    engine.resume(StreamConfig(sample_rate=44_100, fps=fps), listener, Resumption(77)).finish()
    run(engine)
    assert indexes(listener) == []
    assert listener.outputs[-1] == Finished(77)


def test_controls_before_any_audio_harm_nothing(engine: Engine) -> None:
    audio, config = voice(6.0, SAMPLE_RATE, seed=3), StreamConfig()
    whole = streamed(engine, audio, config)
    listener = Listener()
    stream = engine.resume(config, listener, Resumption(100, state_before(whole, 100)))
    stream.flush()
    stream.rematch_identity(IdentityChoice.pinned("ben"))
    stream.shape(Shaping(expression={"jawLeft": 0.5}))
    origin = stream.begin(100 * 16_000 // 30 - 2 * SAMPLE_RATE)
    stream.push(audio[origin:])
    stream.finish()
    run(engine)
    assert indexes(listener) == list(range(100, 180))
    assert listener.faces[10:, INDEX["jawLeft"]].min() >= 0.5


def test_a_state_of_another_model_fails_the_stream_and_no_other(engine: Engine) -> None:
    whole = streamed(engine, voice(4.0, SAMPLE_RATE, seed=3), StreamConfig())
    state = state_before(whole, 120)
    state.identity.evidence.cosines.resize(5, refcheck=False)
    good, bad = Listener(), Listener()
    resuming = engine.resume(StreamConfig(), bad, Resumption(20, state))
    assert resuming.begin(0) == 0
    for stream in (resuming, engine.open(StreamConfig(), good)):
        stream.push(voice(1.0, SAMPLE_RATE))
        stream.finish()
    run(engine)
    assert isinstance(bad.outputs[-1], Failed)
    assert good.outputs[-1] == Finished(30)


@pytest.mark.parametrize("rate", [8_000, 8_001, 11_025, 44_100, 48_000])
@pytest.mark.parametrize("hop", [1, 5])
def test_origins_lie_on_the_grid_and_not_too_late(rate: int, hop: int) -> None:
    for next_frame in (0, 1, 59, 61, 1_000_003):
        for start in (0, 777, 3 * rate + 1, 10**9):
            config = StreamConfig(sample_rate=rate)
            origin = origin_of(config, Resumption(next_frame), start, hop, 1280)
            assert origin.sample <= start
            assert origin.discard == 0
            assert origin.feature * 320 * rate == origin.sample * 16_000
            assert origin.feature % hop == 0
            assert origin.frame <= next_frame
            assert frame_count(origin.sample, 30, rate) >= origin.frame


def test_a_level_falls_two_decibels_a_second_to_the_next_one_that_is_known() -> None:
    state = streamed_state(((16_000, -20.0), (32_000, -21.0)))
    assert level_at(state, 24_000) == pytest.approx(-20.0)
    assert level_at(state, 32_000) == pytest.approx(-21.0)
    assert level_at(state, 48_000) == pytest.approx(-23.0)
    assert level_at(streamed_state(()), 1) is None


def streamed_state(levels: tuple[tuple[int, float], ...]) -> StreamState:
    here = np.zeros(1, np.float32)
    identity = IdentityState(False, Evidence(0, 0, 0, np.zeros(1)), "", 0.0, "", 0, Fade(0, here, here))
    return StreamState(0, levels, 0, identity, ShapingState(Shaping(), Shaping()))
