"""The sentences are ours, repeatable, and rich in the sounds the mouth shows."""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest

from diffusiontalker.corpus.sentences import content_words, sentence
from diffusiontalker.phones import PHONES, SILENCE


def many(seed: int, count: int) -> list[str]:
    rng = random.Random(seed)
    return [sentence(rng) for _ in range(count)]


def test_the_seed_decides() -> None:
    assert many(3, 50) == many(3, 50)
    assert many(3, 50) != many(4, 50)


def test_variety() -> None:
    texts = many(0, 3000)
    assert len(set(texts)) > 2700
    assert len(content_words()) > 600
    assert {text[-1] for text in texts} >= {".", "!", "?"}
    assert min(len(text.split()) for text in texts) == 1
    assert 12 < max(len(text.split()) for text in texts) <= 24
    assert any(re.fullmatch(r"([A-Z][ ,]*)+", text) for text in texts), "spelled letters"
    assert not any("{" in text or "-" in text for text in texts)
    assert all(text[0].isupper() for text in texts)


def test_every_phone_is_heard_often() -> None:
    pocketsphinx = pytest.importorskip("pocketsphinx")
    dictionary = pocketsphinx.Decoder(lm=None, loglevel="FATAL")
    counts: Counter[str] = Counter()
    for word in re.findall(r"[a-z][a-z']*", " ".join(many(1, 2000)).lower()):
        counts.update((dictionary.lookup_word(word) or "").split())
    total = counts.total()
    rare = {phone for phone in PHONES if phone != SILENCE and counts[phone] < 0.002 * total}
    assert rare <= {"ZH", "OY"}, rare
    assert all(counts[phone] > 0 for phone in PHONES if phone != SILENCE)
    assert sum(counts[phone] for phone in ("P", "B", "M")) > 0.06 * total
