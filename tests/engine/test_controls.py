"""What a client may do to a running stream: interrupt it, reshape it, choose another identity, vanish."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from diffusiontalker.arkit import INDEX
from diffusiontalker.geometry import SAMPLE_RATE, frame_count
from livetalker.core.config import IdentityChoice, Shaping, StreamConfig, UnknownIdentityError
from livetalker.core.outputs import Failed, Finished, Frames, Skipped, SkipReason
from livetalker.engine.engine import Engine, EngineFull
from tests.engine.test_exactness import Listener, voice


@pytest.fixture
def engine(tiny_bundle: Path) -> Engine:
    return Engine.load(tiny_bundle, max_streams=2, threads=1)


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
    run(engine)
    engine.open(StreamConfig(), Listener())


def test_a_stream_that_fails_does_not_take_the_others_with_it(engine: Engine) -> None:
    good, bad = Listener(), Listener()
    streams = [engine.open(StreamConfig(), listener) for listener in (good, bad)]
    audio = voice(1.0, SAMPLE_RATE)
    streams[0].push(audio)
    streams[1].push(np.zeros((2, 2), np.float32))  # no audio at all: two axes
    for stream in streams:
        stream.finish()
    run(engine)
    assert isinstance(bad.outputs[-1], Failed)
    assert good.outputs[-1] == Finished(30)


def test_stopping_fails_what_is_open(engine: Engine) -> None:
    listener = Listener()
    engine.start()
    engine.open(StreamConfig(), listener)
    engine.stop()
    assert isinstance(listener.outputs[-1], Failed)
