from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from diffusiontalker.arkit import BROWS, EYES
from livetalker.core.idle import IdleMotion
from tests.core.splits import ranges, splits


def test_it_is_small_smooth_and_only_of_brows_and_eyes() -> None:
    motion = IdleMotion(7).motion(0, 3000)
    assert 0.02 < motion.max() <= 0.07
    assert motion.min() >= 0.0
    assert np.abs(np.diff(motion, axis=0)).max() < 0.01
    moved = set(np.flatnonzero(motion.any(0)).tolist())
    assert moved <= {*BROWS, *EYES}
    assert len(moved) > 10


def test_seeds_differ_and_repeat() -> None:
    assert np.array_equal(IdleMotion(2**64 - 1).motion(0, 50), IdleMotion(2**64 - 1).motion(0, 50))
    assert not np.allclose(IdleMotion(1).motion(0, 50), IdleMotion(2).motion(0, 50))
    assert not np.allclose(IdleMotion(1).motion(0, 50), IdleMotion(1 + 2**32).motion(0, 50))


@settings(deadline=None)
@given(first=st.integers(0, 10**7), sizes=splits(150))
def test_any_split_gives_the_same_motion(first: int, sizes: list[int]) -> None:
    whole = IdleMotion(5).motion(first, 150)
    idle = IdleMotion(5)
    pieces = [idle.motion(first + piece.start, piece.stop - piece.start) for piece in ranges(sizes)]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
