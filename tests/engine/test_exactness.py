"""Streaming is exact: no chunking, tick, neighbour or former user of a slot can change a frame."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffusiontalker.geometry import PRESETS, SAMPLE_RATE, frame_count
from livetalker.core.config import IdentityChoice, StreamConfig
from livetalker.core.outputs import Finished, Frames, IdentityMatched
from livetalker.engine.engine import Engine
from livetalker.engine.offline import animate_offline
from tests.engine.chunks import Audio, Listener, chunked

TOLERANCE = 2e-4
"""Random weights amplify the last bits of float32; the shipped model is held to 1e-4 end to end."""


def voice(seconds: float, rate: int, seed: int = 0) -> Audio:
    """Something with pauses and pitch."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * rate)) / rate
    tone = np.sign(np.sin(2 * np.pi * (110 + 30 * np.sin(3 * time)) * time)) * 0.2
    swell = np.clip(np.sin(2 * np.pi * 1.7 * time + seed), 0, 1)
    return np.asarray((tone + 0.05 * rng.standard_normal(len(time))) * swell, np.float32)


@pytest.fixture(scope="module")
def engine(tiny_bundle: Path) -> Engine:
    """Not started: the tests tick it."""
    return Engine.load(tiny_bundle, max_streams=8, threads=1)


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
@pytest.mark.parametrize("fps", [30, 60])
@given(sizes=st.lists(st.integers(1, 30_000), min_size=1, max_size=6))
@settings(max_examples=6, deadline=None)
def test_any_chunking_gives_the_offline_frames(engine: Engine, rate: int, fps: int, sizes: list[int]) -> None:
    audio = voice(2.3, rate)
    config = StreamConfig(sample_rate=rate, fps=fps, seed=7)
    offline = animate_offline(engine, audio, config)
    sizes = [max(size, len(audio) // 400) for size in sizes]
    streamed = chunked(engine, audio, config, sizes).faces
    assert len(offline) == frame_count(len(audio), fps, rate)
    np.testing.assert_allclose(streamed, offline, atol=TOLERANCE)


@pytest.mark.parametrize("rate", [8000, 48000])
def test_single_samples_give_the_offline_frames(engine: Engine, rate: int) -> None:
    audio = voice(0.3, rate)
    config = StreamConfig(sample_rate=rate)
    np.testing.assert_allclose(
        chunked(engine, audio, config, [1]).faces, animate_offline(engine, audio, config), atol=TOLERANCE
    )


@pytest.mark.parametrize("preset", sorted(PRESETS))
@pytest.mark.parametrize("identity", [IdentityChoice(), IdentityChoice.pinned("ben")])
def test_every_preset_and_identity_mode_is_exact(engine: Engine, preset: str, identity: IdentityChoice) -> None:
    audio = voice(4.0, SAMPLE_RATE, seed=3)
    config = StreamConfig(preset=preset, identity=identity, seed=11)
    np.testing.assert_allclose(
        chunked(engine, audio, config, [320, 777]).faces, animate_offline(engine, audio, config), atol=TOLERANCE
    )


@given(
    samples=st.integers(0, 5000),
    rate=st.sampled_from([8000, 11025, 16000, 44100, 48000]),
    fps=st.sampled_from([30, 60]),
)
@settings(max_examples=40, deadline=None)
def test_frame_count_is_exact(engine: Engine, samples: int, rate: int, fps: int) -> None:
    audio = voice(1.0, rate)[:samples]
    listener = chunked(engine, audio, StreamConfig(sample_rate=rate, fps=fps), [1000])
    frames = [o for o in listener.outputs if isinstance(o, Frames)]
    assert sum(len(f) for f in frames) == -(-len(audio) * fps // rate)
    assert [f.first for f in frames] == list(itertools.accumulate([0, *(len(f) for f in frames[:-1])]))[: len(frames)]
    assert listener.outputs[-1] == Finished(-(-len(audio) * fps // rate))
    for f in frames:
        assert np.isfinite(f.values).all() and f.values.min() >= 0 and f.values.max() <= 1


def test_neighbours_and_former_users_leave_no_trace(tiny_bundle: Path) -> None:
    engine = Engine.load(tiny_bundle, max_streams=4, threads=1)
    audio, config = voice(2.0, SAMPLE_RATE), StreamConfig(seed=5)
    alone = animate_offline(engine, audio, config)
    listeners = [Listener() for _ in range(4)]
    streams = [
        engine.open(StreamConfig(seed=5 if i == 0 else i, preset=("balanced", "low", "quality", "low")[i]), listener)
        for i, listener in enumerate(listeners)
    ]
    voices = [audio, *(voice(2.0, SAMPLE_RATE, seed) * 0.3 for seed in (1, 2, 3))]
    for start in range(0, len(audio), 500):
        for i, stream in enumerate(streams):
            if i == 0 or start % (500 * (i + 1)) == 0:
                stream.push(voices[i][start : start + 500])
        engine.tick()
    streams[0].finish()
    while engine.tick():
        pass
    for stream in streams:
        stream.close()
    engine.tick()
    assert engine.open_streams == 0
    np.testing.assert_allclose(listeners[0].faces, alone, atol=1e-5)
    for _ in range(4):
        np.testing.assert_allclose(animate_offline(engine, audio, config), alone, atol=1e-5)


def test_level_does_not_matter(engine: Engine) -> None:
    audio = voice(2.0, SAMPLE_RATE) + np.float32(1e-3)
    loud = animate_offline(engine, audio, StreamConfig())
    quiet = animate_offline(engine, audio * np.float32(0.014), StreamConfig())
    assert np.abs(loud - quiet).max() < 1e-2
    np.testing.assert_allclose(loud.mean(0), quiet.mean(0), atol=1e-3)


def test_identity_is_matched_once_and_reported(engine: Engine) -> None:
    listener = chunked(engine, voice(6.0, SAMPLE_RATE), StreamConfig(), [320])
    matches = [o for o in listener.outputs if isinstance(o, IdentityMatched)]
    assert matches, "six seconds of voice must be enough for a match"
    assert matches[0].identity in engine.info.identities
    assert 0 < matches[0].confidence <= 1
