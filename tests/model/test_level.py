"""Level normalisation: causal, independent of chunks, the same for a whisper and a shout."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from diffusiontalker.geometry import SAMPLE_RATE
from diffusiontalker.level import BLOCK, FLOOR_DB, LevelState, normalize_level


def speechlike(blocks: int, seed: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    swell = np.repeat(np.clip(np.sin(np.arange(blocks) / 30), 0.01, 1), BLOCK)
    return np.asarray(rng.standard_normal(blocks * BLOCK) * swell * 0.1, np.float32)


@given(cuts=st.lists(st.integers(1, 299), max_size=5, unique=True))
@settings(max_examples=20, deadline=None)
def test_chunks_do_not_matter(cuts: list[int]) -> None:
    audio = np.stack([speechlike(300), speechlike(300, 1) * np.float32(0.01)])
    whole, end = normalize_level(audio, LevelState.initial(2))
    state, parts = LevelState.initial(2), []
    edges = [0, *sorted(cuts), 300]
    for low, high in zip(edges, edges[1:], strict=False):
        part, state = normalize_level(audio[:, low * BLOCK : high * BLOCK], state)
        parts.append(part)
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=1e-5)
    np.testing.assert_allclose(state.held, end.held)


def test_a_quieter_voice_is_heard_the_same() -> None:
    audio = speechlike(400)[None]
    loud, _ = normalize_level(audio, LevelState.initial(1))
    quiet, _ = normalize_level(audio * np.float32(10 ** (-37 / 20)), LevelState.initial(1))
    # The first blocks begin near the floor, where a level still counts.
    np.testing.assert_allclose(quiet[:, 40 * BLOCK :], loud[:, 40 * BLOCK :], rtol=1e-3, atol=1e-4)


def test_rumble_does_not_set_the_level() -> None:
    voice = speechlike(400)[None]
    rumble = 0.5 * np.sin(2 * np.pi * 30 * np.arange(400 * BLOCK) / SAMPLE_RATE)[None].astype(np.float32)
    heard, _ = normalize_level(voice + rumble, LevelState.initial(1))
    alone, _ = normalize_level(voice, LevelState.initial(1))
    ratio = np.sqrt(np.square(heard[:, 100 * BLOCK :]).mean() / np.square(alone[:, 100 * BLOCK :]).mean())
    assert 0.9 < ratio < 1.1, "30 Hz, 14 dB above the voice"


def test_silence_stays_silent_and_the_future_is_not_heard() -> None:
    silent, state = normalize_level(np.zeros((1, 50 * BLOCK), np.float32), LevelState.initial(1))
    assert not silent.any()
    assert state.held[0] == FLOOR_DB
    audio = speechlike(100)[None]
    other = audio.copy()
    other[:, 60 * BLOCK :] *= 9
    before, _ = normalize_level(audio, LevelState.initial(1))
    after, _ = normalize_level(other, LevelState.initial(1))
    np.testing.assert_array_equal(before[:, : 60 * BLOCK], after[:, : 60 * BLOCK])


def test_partial_blocks_are_refused() -> None:
    with pytest.raises(ValueError, match="whole blocks of 80"):
        normalize_level(np.zeros((1, 81), np.float32), LevelState.initial(1))
