"""The timing check sees phones that are early or late."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from diffusiontalker.corpus.timing import check_timing
from diffusiontalker.corpus.utterance import timeline
from diffusiontalker.phones import TimedPhone


def speech(shift: float) -> tuple[NDArray[np.int16], tuple[TimedPhone, ...]]:
    """Loud vowels and quiet stops; the phones are ``shift`` seconds late."""
    rng = np.random.default_rng(0)
    levels, spans, at = [], [], 0.0
    for i in range(30):
        for phone, seconds, level in ((("P", "T", "G")[i % 3], 0.08, 10), ("AA", 0.15, 4000)):
            levels.append(np.full(round(seconds * 16000), level))
            spans.append((phone, at + shift, at + seconds + shift))
            at += seconds
    loudness = np.concatenate(levels)
    return (rng.normal(size=len(loudness)) * loudness).astype(np.int16), timeline(spans, len(loudness) / 16000)


@pytest.mark.parametrize("shift", [-0.05, -0.02, 0.0, 0.03, 0.06])
def test_a_shift_is_found(shift: float) -> None:
    assert check_timing([speech(shift)]).lag_ms == pytest.approx(-1000 * shift, abs=5)


def test_levels_are_those_of_the_classes() -> None:
    level = check_timing([speech(0.0)]).level
    assert level["vowel"] == pytest.approx(0, abs=3)
    assert level["p"] < -40
    assert "m n ng" not in level


def test_silence_cannot_be_checked() -> None:
    with pytest.raises(ValueError, match="vowels and stops"):
        check_timing([(np.zeros(16000, dtype=np.int16), timeline((), 1.0))])
