"""espeak-ng's phonemes as ARPAbet phones, and stops that take their closures back."""

from __future__ import annotations

import numpy as np
import pytest

from diffusiontalker.corpus.engine import EngineFailed
from diffusiontalker.corpus.espeak import phone_spans, to_arpabet

RATE = 22050


@pytest.mark.parametrize(
    ("mnemonic", "accent", "phones"),
    [
        ("p", "en-us", ("P",)),
        ("tS", "en", ("CH",)),
        ("oU", "en", ("OW",)),
        ("@L", "en-us", ("AH", "L")),
        ("?", "en-us", ("T",)),
        ("A@", "en-us", ("AA", "R")),
        ("A@", "en", ("AA",)),
        ("A@", "en-gb-scotland", ("AA",)),
        ("3", "en-us", ("ER",)),
        ("3", "en", ("AH",)),
        ("aI3", "en-us", ("AY", "ER")),
        (";", "en", ()),
        ("_:", "en", ("SIL",)),
        ("_", "en", ("SIL",)),
    ],
)
def test_mnemonics(mnemonic: str, accent: str, phones: tuple[str, ...]) -> None:
    assert to_arpabet(mnemonic, accent) == phones


def test_an_unknown_mnemonic_is_named() -> None:
    with pytest.raises(EngineFailed, match=r"'q\*' in en-us"):
        to_arpabet("q*", "en-us")


def sound(*pieces: tuple[float, int]) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return np.concatenate([np.full(round(seconds * RATE), level, dtype=np.int16) for seconds, level in pieces])


def test_a_stop_takes_its_closure_from_the_vowel_before() -> None:
    raw = sound((0.2, 1000), (0.06, 0), (0.03, 500), (0.2, 1000))
    events = [("a", 0), ("p", round(0.26 * RATE)), ("i:", round(0.29 * RATE))]
    spans = phone_spans(events, raw, RATE, "en-us")
    assert [phone for phone, _, _ in spans] == ["AE", "P", "IY"]
    assert spans[1][1:] == pytest.approx((0.2, 0.29), abs=1e-3)
    assert spans[0][2] == spans[1][1]


def test_a_stop_after_silence_closes_a_moment_before_its_burst() -> None:
    raw = sound((0.5, 0), (0.03, 500), (0.2, 1000))
    spans = phone_spans([("_:", 0), ("b", round(0.5 * RATE)), ("0", round(0.53 * RATE))], raw, RATE, "en-us")
    assert [phone for phone, _, _ in spans] == ["SIL", "B", "AA"]
    assert spans[0][1:] == pytest.approx((0.0, 0.43), abs=1e-3)
    assert spans[1][1:] == pytest.approx((0.43, 0.53), abs=1e-3)


def test_a_voiced_stop_without_a_gap_stays_where_it_is() -> None:
    raw = sound((0.2, 1000), (0.06, 80), (0.2, 1000))
    spans = phone_spans([("a", 0), ("b", round(0.2 * RATE)), ("i", round(0.26 * RATE))], raw, RATE, "en-us")
    assert spans[1][1] == pytest.approx(0.2, abs=1e-3)


def test_two_phones_of_one_mnemonic_share_its_time() -> None:
    spans = phone_spans([("A@", 0)], sound((1.0, 1000)), RATE, "en-us")
    assert [phone for phone, _, _ in spans] == ["AA", "R"]
    assert spans[1][1:] == pytest.approx((0.65, 1.0), abs=1e-3)
