"""The low cut: a Butterworth high-pass, whatever blocks it is given in."""

from __future__ import annotations

import numpy as np
from scipy import signal

from diffusiontalker.geometry import SAMPLE_RATE
from diffusiontalker.highpass import BLOCK, CUTOFF, ORDER, high_pass


def test_it_is_the_textbook_filter_in_any_pieces() -> None:
    samples = np.random.default_rng(0).standard_normal((3, 200, BLOCK))
    sections = signal.butter(ORDER, CUTOFF, "high", fs=SAMPLE_RATE, output="sos")
    wanted = signal.sosfilt(sections, samples.reshape(3, -1), axis=1)
    state, parts = np.zeros((3, ORDER)), []
    for first, last in ((0, 1), (1, 77), (77, 200)):
        part, state = high_pass(samples[:, first:last], state)
        parts.append(part)
    np.testing.assert_allclose(np.concatenate(parts, axis=1).reshape(3, -1), wanted, atol=1e-9)
