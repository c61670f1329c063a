"""Each synthesiser that is installed: it speaks, and its phones lie where its audio says they do."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from diffusiontalker.corpus.build import ENGINES
from diffusiontalker.corpus.engine import EngineFailed, EngineMissing, SpeechEngine
from diffusiontalker.corpus.espeak import Espeak
from diffusiontalker.corpus.flite import arpabet
from diffusiontalker.corpus.sentences import sentence
from diffusiontalker.corpus.synthesis import SynthesisedClip, synthesised_clip
from diffusiontalker.corpus.timing import check_timing


@pytest.fixture(scope="module", params=list(ENGINES))
def engine(request: pytest.FixtureRequest) -> Iterator[SpeechEngine]:
    try:
        started = ENGINES[request.param][0]()
    except EngineMissing as error:
        pytest.skip(str(error))
    yield started
    started.close()


@pytest.fixture(scope="module")
def clips(engine: SpeechEngine) -> list[SynthesisedClip]:
    return [synthesised_clip(engine, index, seed=1) for index in range(12)]


def test_clips_are_clips(engine: SpeechEngine, clips: list[SynthesisedClip]) -> None:
    assert [clip.speaker for clip in clips] == [engine.speakers[i % len(engine.speakers)] for i in range(12)]
    assert [clip.failures for clip in clips] == [()] * 12
    for clip in clips:
        assert 3.0 < clip.speech.seconds < 16.0
        assert clip.speech.phones[0].phone == clip.speech.phones[-1].phone == "SIL"
        assert clip.speech.phones[0].end >= 0.15
        assert np.abs(clip.speech.samples.astype(int)).max() > 2000


def test_phones_lie_where_the_audio_says(clips: list[SynthesisedClip]) -> None:
    check = check_timing((clip.speech.samples, clip.speech.phones) for clip in clips)
    assert abs(check.lag_ms) <= 15
    level = check.level
    assert level["vowel"] > -6
    assert level["p"] < level["vowel"] - 18
    assert level["t k"] < level["vowel"] - 15
    assert level["silence"] < level["vowel"] - 35


def test_the_seed_decides(engine: SpeechEngine, clips: list[SynthesisedClip]) -> None:
    again = synthesised_clip(engine, 3, seed=1)
    assert again.text == clips[3].text
    assert again.speech.phones == clips[3].speech.phones
    assert np.array_equal(again.speech.samples, clips[3].speech.samples)


def test_espeak_knows_every_phoneme_of_every_accent() -> None:
    from diffusiontalker.corpus.engine import Delivery
    from diffusiontalker.corpus.espeak import _ACCENTS

    try:
        espeak = Espeak()
    except EngineMissing as error:
        pytest.skip(str(error))
    rng = random.Random(5)
    text = " ".join(sentence(rng) for _ in range(30))
    spoken = [espeak.say(text, Delivery("espeak/m3", f"{accent}+m3", 0.7, 50)) for accent in _ACCENTS]
    with pytest.raises(EngineFailed, match="no voice"):
        espeak.say("Hello.", Delivery("espeak/m3", "xx-nowhere", 1.0, 50))
    assert espeak.say("Hello.", Delivery("espeak/m3", "en-us+m3", 1.0, 50)).seconds > 0.3, "goes on after an error"
    espeak.close()
    assert all(speech.seconds > 30 for speech in spoken)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_espeak_is_never_loaded_into_this_process() -> None:
    try:
        espeak = Espeak()
    except EngineMissing as error:
        pytest.skip(str(error))
    espeak.say("Hello.", espeak.delivery("espeak/f3", random.Random(0)))
    maps = Path("/proc/self/maps").read_text()
    espeak.close()
    assert "espeak" not in maps


@pytest.mark.parametrize(("name", "phone"), [("pau", "SIL"), ("ax", "AH"), ("axr", "ER"), ("hh", "HH"), ("zh", "ZH")])
def test_radio_phones(name: str, phone: str) -> None:
    assert arpabet(name) == phone


def test_an_unknown_radio_phone_is_named() -> None:
    with pytest.raises(EngineFailed, match="'brth'"):
        arpabet("brth")
