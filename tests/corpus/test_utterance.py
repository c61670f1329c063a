"""Timelines cover their audio whatever a synthesiser or aligner printed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffusiontalker.corpus.utterance import Utterance, joined, silent, timeline, warped
from diffusiontalker.phones import TimedPhone


def test_holes_become_silence() -> None:
    assert timeline([("B", 0.1, 0.2), ("AA", 0.2, 0.4), ("M", 0.5, 0.6)], 1.0) == (
        TimedPhone("SIL", 0.0, 0.1),
        TimedPhone("B", 0.1, 0.2),
        TimedPhone("AA", 0.2, 0.4),
        TimedPhone("SIL", 0.4, 0.5),
        TimedPhone("M", 0.5, 0.6),
        TimedPhone("SIL", 0.6, 1.0),
    )


def test_neighbouring_silences_are_one_and_overlaps_end() -> None:
    phones = timeline([("SIL", 0.0, 0.1), ("SIL", 0.1, 0.3), ("P", 0.3, 0.6), ("IY", 0.5, 2.0)], 1.0)
    assert phones == (TimedPhone("SIL", 0.0, 0.3), TimedPhone("P", 0.3, 0.5), TimedPhone("IY", 0.5, 1.0))


@given(
    st.lists(st.tuples(st.sampled_from(["SIL", "B", "AA", "S"]), st.floats(0, 3), st.floats(0, 0.5)), max_size=12),
    st.floats(0.05, 3),
)
def test_any_spans_cover(entries: list[tuple[str, float, float]], seconds: float) -> None:
    spans = sorted(((p, s, s + d) for p, s, d in entries), key=lambda span: span[1])
    phones = timeline(spans, seconds)
    assert phones[0].start == 0.0
    assert phones[-1].end == seconds
    assert all(a.end == b.start for a, b in zip(phones, phones[1:], strict=False))
    assert all(phone.end > phone.start for phone in phones)
    assert not any(a.phone == b.phone == "SIL" for a, b in zip(phones, phones[1:], strict=False))


def test_joining_moves_the_phones() -> None:
    tone = Utterance(np.full(1600, 100, dtype=np.int16), timeline([("M", 0.0, 0.1)], 0.1))
    both = joined([silent(0.2), tone, silent(0.0), tone, silent(0.1)])
    assert both.seconds == pytest.approx(0.5)
    assert [(p.phone, round(p.start, 6), round(p.end, 6)) for p in both.phones] == [
        ("SIL", 0.0, 0.2),
        ("M", 0.2, 0.3),
        ("M", 0.3, 0.4),
        ("SIL", 0.4, 0.5),
    ]
    assert np.array_equal(np.flatnonzero(both.samples), np.arange(3200, 6400))


def test_warping_moves_sound_and_phones_together() -> None:
    samples = np.zeros(16000, dtype=np.int16)
    samples[8000:12000] = (8000 * np.sin(2 * np.pi * 200 / 16000 * np.arange(4000))).astype(np.int16)
    shorter = warped(Utterance(samples, timeline([("AA", 0.5, 0.75)], 1.0)), 1.25)
    assert shorter.seconds == pytest.approx(0.8, abs=1e-3)
    vowel = shorter.phones[1]
    assert (vowel.start, vowel.end) == pytest.approx((0.4, 0.6))
    loud = np.flatnonzero(np.abs(shorter.samples.astype(int)) > 1000)
    assert loud[0] / 16000 == pytest.approx(0.4, abs=0.005)
    assert loud[-1] / 16000 == pytest.approx(0.6, abs=0.005)
    spectrum = np.abs(np.fft.rfft(shorter.samples[6400:9600]))
    assert np.argmax(spectrum) * 16000 / 3200 == pytest.approx(250, abs=6)
