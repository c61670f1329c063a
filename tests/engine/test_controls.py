"""What a client may do to a running stream: interrupt it, reshape it, choose another identity, vanish."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from diffusiontalker.arkit import INDEX
from diffusiontalker.geometry import SAMPLE_RATE, frame_count
from livetalker.core.admission import EngineFull
from livetalker.core.config import IdentityChoice, Shaping, StreamConfig, UnknownIdentityError
from livetalker.core.outputs import Failed, Finished, Frames, Output, Skipped, SkipReason
from livetalker.engine.engine import Engine
from livetalker.engine.offline import animate_offline
from livetalker.engine.stream import EngineStream
from tests.engine.chunks import Listener
from tests.engine.test_exactness import voice


@pytest.fixture
def engine(tiny_bundle: Path) -> Engine:
    return Engine.load(tiny_bundle, max_streams=2, threads=1)


class Until:
    """Passes outputs on, and says when one of a kind has come."""

    def __init__(self, listener: Listener, kind: type[Output], came: threading.Event) -> None:
        self._listener, self._kind, self._came = listener, kind, came

    def __call__(self, output: Output) -> None:
        self._listener(output)
        if isinstance(output, self._kind):
            self._came.set()


def run(engine: Engine) -> None:
    while engine.tick():
        pass


@pytest.mark.parametrize("fps", [30, 60])
@pytest.mark.parametrize("preset", ["low", "quality"])
@pytest.mark.parametrize("later", [0, 40, 400, 9000])
def test_a_flush_skips_what_was_not_animated_and_nothing_else(
    engine: Engine, fps: int, preset: str, later: int
) -> None:
    listener = Listener()
    stream = engine.open(StreamConfig(fps=fps, preset=preset), listener)
    audio = voice(3.0, SAMPLE_RATE)
    stream.push(audio[: SAMPLE_RATE + 37])
    run(engine)
    stream.push(audio[SAMPLE_RATE + 37 : 2 * SAMPLE_RATE + 11])
    stream.flush()
    stream.push(audio[2 * SAMPLE_RATE + 11 :][:later])
    stream.finish()
    run(engine)
    total = frame_count(2 * SAMPLE_RATE + 11 + later, fps, SAMPLE_RATE)
    assert listener.outputs[-1] == Finished(total)
    skips = [o for o in listener.outputs if isinstance(o, Skipped)]
    assert [s.reason for s in skips] == [SkipReason.FLUSH]
    due = 0
    for output in listener.outputs:
        if isinstance(output, Frames):
            assert output.first == due
            due += len(output)
        elif isinstance(output, Skipped):
            assert output.first == due
            due += output.count
    assert due == total
    faces = listener.faces
    assert np.abs(np.diff(faces, axis=0)).max() < 1


def test_the_first_frames_after_a_flush_do_not_pop(engine: Engine) -> None:
    listener = Listener()
    stream = engine.open(StreamConfig(blinks=False), listener)
    audio = voice(3.0, SAMPLE_RATE)
    stream.push(audio[:SAMPLE_RATE])
    run(engine)
    before = listener.faces[-1]
    stream.push(audio[SAMPLE_RATE : 2 * SAMPLE_RATE])
    stream.flush()
    stream.push(audio[2 * SAMPLE_RATE :])
    run(engine)
    skipped = next(i for i, o in enumerate(listener.outputs) if isinstance(o, Skipped))
    after = next(o for o in listener.outputs[skipped:] if isinstance(o, Frames))
    assert np.abs(after.values[0] - before).max() < 0.3


def test_shaping_takes_effect_where_it_was_asked_for(engine: Engine) -> None:
    audio = voice(2.0, SAMPLE_RATE)
    faces = []
    for shaping in (None, Shaping(gains={"jawOpen": 0.0})):
        listener = Listener()
        stream = engine.open(StreamConfig(), listener)
        stream.push(audio[:SAMPLE_RATE])
        if shaping is not None:
            stream.shape(shaping)
        stream.push(audio[SAMPLE_RATE:])
        stream.finish()
        run(engine)
        faces.append(listener.faces)
    plain, shaped = faces
    np.testing.assert_array_equal(plain[:30], shaped[:30])
    assert shaped[36:, INDEX["jawOpen"]].max() == 0
    assert plain[36:, INDEX["jawOpen"]].max() > 0.05


def test_identities_differ_and_unknown_ones_are_refused(engine: Engine) -> None:
    audio = voice(1.0, SAMPLE_RATE)
    faces = []
    for name in ("anna", "ben"):
        listener = Listener()
        stream = engine.open(StreamConfig(identity=IdentityChoice.pinned(name)), listener)
        stream.push(audio)
        stream.finish()
        run(engine)
        faces.append(listener.faces)
    assert np.abs(faces[0] - faces[1]).max() > 1e-3
    with pytest.raises(UnknownIdentityError, match="did you mean 'anna'"):
        engine.open(StreamConfig(identity=IdentityChoice.pinned("ana")), Listener())
    stream = engine.open(StreamConfig(), Listener())
    with pytest.raises(UnknownIdentityError):
        stream.rematch_identity(IdentityChoice.pinned("nobody"))
    assert engine.open_streams == 1


def test_a_full_engine_refuses_and_a_closed_stream_makes_room(engine: Engine) -> None:
    streams = [engine.open(StreamConfig(), Listener()) for _ in range(2)]
    with pytest.raises(EngineFull, match="all 2 streams are taken"):
        engine.open(StreamConfig(), Listener())
    streams[0].close()
    engine.open(StreamConfig(), Listener())  # without waiting for a tick
    assert engine.open_streams == 2


def broken(*_: object) -> None:
    raise ZeroDivisionError("broken")


def test_a_stream_that_fails_does_not_take_the_others_with_it(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = Listener(), Listener()
    streams = [engine.open(StreamConfig(), listener) for listener in (good, bad)]
    audio = voice(1.0, SAMPLE_RATE)
    monkeypatch.setattr(streams[1], "_finish", broken)
    for stream in streams:
        stream.push(audio)
        stream.finish()
    run(engine)
    assert isinstance(bad.outputs[-1], Failed)
    assert good.outputs[-1] == Finished(30)


def test_what_is_no_audio_is_refused_where_it_is_given(engine: Engine) -> None:
    listener = Listener()
    stream = engine.open(StreamConfig(), listener)
    with pytest.raises(ValueError, match="dimension"):
        stream.push(np.zeros((2, 2), np.float32))
    stream.close()
    run(engine)


@pytest.mark.parametrize("step", ["hear", "deliver"])
def test_an_error_in_one_stream_of_a_batch_ends_that_stream_only(
    engine: Engine, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = Listener(), Listener()
    streams = [engine.open(StreamConfig(), listener) for listener in (bad, good)]
    monkeypatch.setattr(streams[0], step, broken)
    for stream in streams:
        stream.push(voice(1.0, SAMPLE_RATE))
        stream.finish()
    run(engine)
    failed = bad.outputs[-1]
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, ZeroDivisionError)
    assert not any(isinstance(output, Frames) for output in bad.outputs)
    assert good.outputs[-1] == Finished(30)
    assert len(good.faces) == 30
    assert engine.open_streams == 0


def test_a_backend_that_fails_ends_the_batch_and_the_next_stream_lives(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    listeners = [Listener(), Listener()]

    def broken(*_: object) -> None:
        raise ZeroDivisionError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(engine._backend, "denoise", broken)
        for listener in listeners:
            engine.open(StreamConfig(), listener).push(voice(1.0, SAMPLE_RATE))
        run(engine)
    assert all(isinstance(listener.outputs[-1], Failed) for listener in listeners)
    assert len(animate_offline(engine, voice(0.5, SAMPLE_RATE), StreamConfig())) == 15


def test_a_sink_that_raises_ends_its_own_stream(engine: Engine) -> None:
    told = []

    def deaf(output: Output) -> None:
        told.append(output)
        raise ZeroDivisionError("deaf")

    good, done = Listener(), threading.Event()
    with engine:
        streams = [engine.open(StreamConfig(), deaf), engine.open(StreamConfig(), Until(good, Finished, done))]
        for stream in streams:
            stream.push(voice(1.0, SAMPLE_RATE))
            stream.finish()
        assert done.wait(60)
    assert isinstance(told[-1], Failed)
    assert len(told) == 2
    assert good.outputs[-1] == Finished(30)


def test_a_tick_that_breaks_ends_every_stream_but_not_the_engine(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("broken")

    with engine:
        listener, failed = Listener(), threading.Event()
        stream = engine.open(StreamConfig(), Until(listener, Failed, failed))
        with monkeypatch.context() as patch:
            patch.setattr(engine, "_advance", broken)
            stream.push(voice(0.1, SAMPLE_RATE))
            assert failed.wait(60)
        finished = threading.Event()
        stream = engine.open(StreamConfig(), Until(Listener(), Finished, finished))
        stream.push(voice(0.1, SAMPLE_RATE))
        stream.finish()
        assert finished.wait(60)


def test_a_slot_is_not_given_away_while_a_tick_may_write_to_it(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client leaves in mid-tick and another comes: it waits for the tick's end, and hears only itself."""
    expected = animate_offline(engine, voice(0.5, SAMPLE_RATE, seed=1), StreamConfig())
    denoise, inside, go_on = engine._backend.denoise, threading.Event(), threading.Event()

    def slow(*arguments: Any) -> Any:
        inside.set()
        assert go_on.wait(60)
        return denoise(*arguments)

    monkeypatch.setattr(engine._backend, "denoise", slow)
    listener, finished = Listener(), threading.Event()
    with engine:
        leaving = engine.open(StreamConfig(), Listener())
        engine.open(StreamConfig(), Listener())
        leaving.push(voice(0.5, SAMPLE_RATE))
        assert inside.wait(60)
        leaving.close()
        admitted: list[EngineStream] = []
        opening = threading.Thread(
            target=lambda: admitted.append(engine.open(StreamConfig(), Until(listener, Finished, finished)))
        )
        opening.start()
        opening.join(0.05)
        assert not admitted
        go_on.set()
        opening.join(60)
        admitted[0].push(voice(0.5, SAMPLE_RATE, seed=1))
        admitted[0].finish()
        assert finished.wait(60)
    np.testing.assert_allclose(listener.faces, expected, atol=1e-4)


def test_nothing_follows_the_end_of_a_stream(engine: Engine) -> None:
    listener = Listener()
    stream = engine.open(StreamConfig(), listener)
    stream.push(voice(0.5, SAMPLE_RATE))
    stream.finish()
    late_calls: list[Callable[[], None]] = [
        lambda: stream.push(np.zeros(8000, np.float32)),
        stream.flush,
        stream.finish,
    ]
    for late in late_calls:
        with pytest.raises(RuntimeError, match="the stream was finished"):
            late()
    run(engine)
    assert listener.outputs[-1] == Finished(15)
    assert len(listener.faces) == 15


def test_stopping_fails_what_is_open(engine: Engine) -> None:
    listener = Listener()
    engine.start()
    engine.open(StreamConfig(), listener)
    engine.stop()
    assert isinstance(listener.outputs[-1], Failed)
    assert engine.open_streams == 0
