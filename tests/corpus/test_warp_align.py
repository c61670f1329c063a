"""Alignment by warping: paths over hand-made sequences, tables of languages, and speech whose phone times are known."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from diffusiontalker.corpus.align import AlignmentFailed
from diffusiontalker.corpus.engine import Delivery, EngineFailed, EngineMissing
from diffusiontalker.corpus.espeak import Espeak, phone_spans, to_arpabet
from diffusiontalker.corpus.espeak_languages import foreign_phones
from diffusiontalker.corpus.utterance import Utterance, joined, silent, to_int16
from diffusiontalker.corpus.warp_align import WarpAligner, spoken_text, wrong_sentences
from diffusiontalker.corpus.warping import PAUSE, STEP_PRICE, Cepstra, cepstra, warp
from diffusiontalker.phones import BILABIALS

PARTS = (
    ("Bitte bringen Sie mir am Montag fünf Äpfel,", 1.35),
    ("eine Pumpe und das schöne Bild", 0.75),
    ("aus dem alten Haus am Meer.", 1.1),
)
"""What is said, and how long it is drawn."""
GERMAN = " ".join(text for text, _ in PARTS)
WRONG = [
    "Welche Katze schläft jetzt?",
    "Zwei Züge halten heute nicht in Köln.",
    "Der Regen fiel, kalt und lang, auf alle Dächer.",
]


def sequence(*values: float, speech: bool = True) -> Cepstra:
    """Frames that differ in one number."""
    features = np.repeat(np.array(values, np.float64)[:, None], 26, axis=1)
    return Cepstra(features, np.full(len(values), speech))


def test_a_sequence_lies_on_itself() -> None:
    path = warp(sequence(1, 5, 2, 9), sequence(1, 5, 2, 9))
    assert path.cost == 0
    assert path.steps.tolist() == [[0, 0], [1, 1], [2, 2], [3, 3]]
    assert path.pauses() == []


def test_a_longer_sequence_repeats_frames_for_a_price() -> None:
    path = warp(sequence(1, 5, 5, 5, 2), sequence(1, 5, 2))
    assert path.steps[:, 1].tolist() == [0, 1, 1, 1, 2]
    assert path.cost == pytest.approx(2 * STEP_PRICE / 8)
    assert path.first_at(np.array([0, 1, 2, 0.5, -3, 9])).tolist() == [0, 2, 4, 1, 0, 4]
    back = warp(sequence(1, 5, 2), sequence(1, 5, 5, 5, 2))
    assert back.steps[:, 0].tolist() == [0, 1, 1, 1, 2]
    assert back.cost == path.cost


def test_distances_are_paid_once_beside_and_twice_across() -> None:
    assert warp(sequence(0), sequence(3)).cost == pytest.approx(2 * 3 / 2)
    assert warp(sequence(0, 0), sequence(0.5)).cost == pytest.approx((2 * 0.5 + 0.5 + STEP_PRICE) / 3)


def test_the_band_keeps_a_path_from_wandering() -> None:
    # The only match lies 60 frames off; the band is narrower.
    first, second = np.zeros(100), np.zeros(100)
    first[10], second[70] = 50, 50
    path = warp(sequence(*first), sequence(*second))
    assert np.abs(path.steps[:, 0] - path.steps[:, 1]).max() <= 45
    assert path.cost > 50 / 200


def test_a_pause_passes_without_distance() -> None:
    words, pause = np.arange(1.0, 21.0), np.full(2 * PAUSE, -5.0)
    first = sequence(*words[:10], *pause, *words[10:])
    speech = first.speech.copy()
    speech[10 : 10 + len(pause)] = False
    path = warp(Cepstra(first.features, speech), sequence(*words))
    assert path.cost == pytest.approx(len(pause) * STEP_PRICE / 68)
    assert path.pauses() == [(10, 10 + len(pause))]
    assert path.first_at(np.array([9, 10])).tolist() == [9, 10 + len(pause)]


def test_short_silence_is_a_closure_not_a_pause() -> None:
    speech = np.ones(40, bool)
    speech[10 : 10 + PAUSE - 1] = False
    assert not Cepstra(np.zeros((40, 26)), speech).pauses.any()
    speech[10 : 10 + PAUSE] = False
    assert Cepstra(np.zeros((40, 26)), speech).pauses.sum() == PAUSE


def test_cepstra_find_the_speech() -> None:
    rng = np.random.default_rng(0)
    quiet = rng.normal(0, 3, 16000)
    quiet[6400:9600] += rng.normal(0, 3000, 3200)
    heard = cepstra(quiet.astype(np.int16))
    assert heard.features.shape == (100, 26)
    inside = np.flatnonzero(heard.speech)
    assert (inside[0], inside[-1]) == pytest.approx((40, 60), abs=2)
    assert heard.features[heard.speech].mean(axis=0) == pytest.approx(np.zeros(26), abs=1e-6)
    cut = heard.trimmed()
    assert (cut.offset, len(cut.speech)) == pytest.approx((30, 40), abs=3)


@pytest.mark.parametrize("samples", [np.zeros(16000, np.int16), np.ones(800, np.int16), np.full(16000, 7, np.int16)])
def test_silence_is_refused(samples: np.ndarray[tuple[int], np.dtype[np.int16]]) -> None:
    with pytest.raises(ValueError, match="no speech to align"):
        cepstra(samples)


@pytest.mark.parametrize(
    ("mnemonic", "voice", "phones"),
    [
        ("y:", "de", ("UW",)),
        ("Y:", "de", ("OW",)),
        ("C", "de", ("HH",)),
        ("x", "de", ("K",)),
        ("pF", "de", ("P", "F")),
        ("?", "de", ()),
        ("_:", "de", ("SIL",)),
        ("B", "es", ("V",)),
        ("n^", "es", ("N", "Y")),
        ("o", "es-419", ("OW",)),
        ("p", "cmn-latn-pinyin", ("B",)),
        ("S;", "cmn-latn-pinyin", ("S",)),
        ("uo", "cmn", ("W", "AO")),
    ],
)
def test_mnemonics(mnemonic: str, voice: str, phones: tuple[str, ...]) -> None:
    assert to_arpabet(mnemonic, voice) == phones


def test_an_unknown_mnemonic_is_named() -> None:
    with pytest.raises(EngineFailed, match=r"unknown espeak-ng phoneme 'q\*' in de"):
        foreign_phones("q*", "de")
    with pytest.raises(EngineFailed, match="no table of espeak-ng's phonemes for fr: there are de, es, cmn"):
        to_arpabet("a", "fr")


def test_foreign_words_are_read_by_their_own_table() -> None:
    # "a" is another vowel in German than in English
    events = [("a", 0), ("(en)", 1000), ("a", 1000), ("(de)", 2000), ("a", 2000)]
    spans = phone_spans(events, np.full(3000, 900, np.int16), 1000, "de")
    assert spans == [("AA", 0.0, 1.0), ("AE", 1.0, 2.0), ("AA", 2.0, 3.0)]


def test_a_glide_is_shorter_than_the_vowel_after_it() -> None:
    spans = phone_spans([("iou", 0)], np.full(1000, 900, np.int16), 1000, "cmn")
    assert [(phone, round(start, 2)) for phone, start, _ in spans] == [("Y", 0.0), ("OW", 0.35)]


def test_mandarin_is_read_as_pinyin() -> None:
    assert spoken_text("你好，我 (ni3 hao3 sp wo3)", "zh") == "ni3 hao3 , wo3"
    assert spoken_text("lü4 se4", "zh") == "lü4 se4"
    assert spoken_text("(nicht) hier", "de") == "(nicht) hier"
    with pytest.raises(AlignmentFailed, match="pinyin with tone digits"):
        spoken_text("你好", "zh")


def test_wrong_sentences_share_few_words() -> None:
    texts = ["the fan", "the fan on", "a door", "the lamp", "The fan"]
    assert wrong_sentences("the fan", texts) == ["a door", "the lamp", "the fan on"]


@pytest.fixture(scope="module")
def aligner() -> Iterator[WarpAligner]:
    try:
        started = WarpAligner()
    except EngineMissing as error:
        pytest.skip(str(error))
    yield started
    started.close()


@pytest.fixture(scope="module")
def spoken() -> Utterance:
    """German in another voice than the aligner's, stretched unevenly, in a little noise and between silences."""
    try:
        espeak = Espeak()
    except EngineMissing as error:
        pytest.skip(str(error))
    parts = [espeak.say(text, Delivery("", "de+f2", stretch, 60)) for text, stretch in PARTS]
    espeak.close()
    speech = joined([silent(0.4), *parts, silent(0.7)])
    noise = np.random.default_rng(0).normal(0, 20, len(speech.samples))
    return Utterance(to_int16(speech.samples + noise), speech.phones)


def test_phones_are_found_in_speech_stretched_unevenly(aligner: WarpAligner, spoken: Utterance) -> None:
    found = aligner.align(spoken.samples, GERMAN, "de")
    said = [phone for phone in spoken.phones if phone.phone != "SIL"]
    assert [phone for phone, _, _ in found.spans] == [phone.phone for phone in said]
    errors = np.array([(s + e) / 2 - (p.start + p.end) / 2 for (_, s, e), p in zip(found.spans, said, strict=True)])
    lips = np.abs(errors[[phone.phone in BILABIALS for phone in said]])
    assert len(lips) >= 8
    assert np.median(np.abs(errors)) < 0.02 and np.percentile(np.abs(errors), 90) < 0.05
    assert np.median(lips) < 0.02 and lips.max() < 0.06
    assert np.isnan(found.ratio) and not found.trustworthy


def test_a_right_text_is_told_from_a_wrong_one(aligner: WarpAligner, spoken: Utterance) -> None:
    right = aligner.align(spoken.samples, GERMAN, "de", WRONG)
    wrong = aligner.align(spoken.samples, WRONG[0], "de", [*WRONG[1:], "Kein Mensch kennt Zeit."])
    assert right.trustworthy and right.ratio < 0.9
    assert not wrong.trustworthy
    phones = right.phones(spoken.seconds)
    assert phones[0].phone == phones[-1].phone == "SIL"
    assert phones[-1].end == spoken.seconds


@pytest.mark.parametrize(
    ("text", "language", "first"),
    [
        ("El perro pequeño llama a su buen amigo Guillermo, jugando en la ciudad y la huerta.", "es", "EH"),
        ("(wo3 de5 peng2 you3 qu4 shang1 hai3 sp ni3 jue2 de5 zen3 me5 yang4 er2 zi5 cong2 xiong2)", "zh", "W"),
        ("Jürgen möchte Äpfel, Chips und ein Croissant; die Universität zahlt das Team, oder?", "de", "Y"),
        ("Maybe Bob should move the brown piano.", "en", "M"),
    ],
)
def test_every_language_is_spoken(aligner: WarpAligner, text: str, language: str, first: str) -> None:
    noise = np.random.default_rng(1).normal(0, 1, 32000)
    noise[8000:24000] *= 3000
    found = aligner.align(noise.astype(np.int16), text, language)
    assert found.spans[0][0] == first
    assert all(0.3 < start <= end < 1.7 for _, start, end in found.spans)


def test_what_cannot_be_aligned_is_said(aligner: WarpAligner, spoken: Utterance) -> None:
    with pytest.raises(AlignmentFailed, match="no voice for the language 'fr': there are en, de, es, zh"):
        aligner.align(spoken.samples, "Bonjour.", "fr")
    with pytest.raises(AlignmentFailed, match="no speech to align"):
        aligner.align(np.zeros(32000, np.int16), GERMAN, "de")
    with pytest.raises(AlignmentFailed, match=r"espeak-ng cannot say '\.\.\.'"):
        aligner.align(spoken.samples, "...", "de")
