"""What must hold for every animated utterance, whatever its phones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from diffusiontalker.animator import NEUTRAL, SpeakerStyle, animate, style_for
from diffusiontalker.arkit import INDEX, JAW_AND_MOUTH, MIRROR, UPPER_FACE
from diffusiontalker.metrics.lips import gap, round_
from diffusiontalker.phones import BILABIALS, LABIODENTALS, PHONES, SILENCE, TimedPhone

CONTACT = 0.02
"""Lip gap at which lips count as touching."""
FINE = 600
"""Frames per second at which movements are looked at closely."""


def say(*phones: tuple[str, float], start: float = 0.5) -> list[TimedPhone]:
    """Phones of given durations one after the other."""
    spoken = []
    for phone, duration in phones:
        spoken.append(TimedPhone(phone, start, start + duration))
        start += duration
    return spoken


def frames_for(phones: list[TimedPhone], fps: int = 30) -> int:
    """Frames that last half a second beyond the last phone."""
    return int((phones[-1].end + 0.5) * fps)


def during(phone: TimedPhone, fps: int, widened: float = 0.0) -> slice:
    """The frames of a phone."""
    return slice(max(0, int(np.ceil((phone.start - widened) * fps))), int((phone.end + widened) * fps) + 1)


phones_and_contacts = st.sampled_from([*PHONES, *sorted(BILABIALS | LABIODENTALS)])
utterances = st.builds(
    lambda parts, start: say(*parts, start=start),
    st.lists(st.tuples(phones_and_contacts, st.floats(0.03, 0.3)), min_size=1, max_size=20),
    st.floats(0.0, 0.6),
)
speakers = st.one_of(st.just(NEUTRAL), st.text(max_size=8).map(style_for))
rates = st.sampled_from([30, 60])


@settings(deadline=None)
@given(phones=utterances, style=speakers, fps=rates, seed=st.integers(0, 2**63), loud=st.booleans())
def test_every_face_is_a_face(phones: list[TimedPhone], style: SpeakerStyle, fps: int, seed: int, loud: bool) -> None:
    frames = frames_for(phones, fps)
    loudness = np.linspace(-60.0, 40.0, frames) if loud else None
    face = animate(phones, frames, fps=fps, style=style, seed=seed, loudness=loudness)
    assert face.shape == (frames, 52) and face.dtype == np.float32
    assert np.isfinite(face).all() and face.min() >= 0.0 and face.max() <= 1.0
    assert (face[:, INDEX["mouthClose"]] <= face[:, INDEX["jawOpen"]] + 1e-6).all(), "the lips cross"


@settings(deadline=None)
@given(phones=utterances, style=speakers, fps=rates)
def test_lips_meet_in_every_bilabial(phones: list[TimedPhone], style: SpeakerStyle, fps: int) -> None:
    lips = gap(animate(phones, frames_for(phones, fps), fps=fps, style=style))
    for phone in phones:
        if phone.phone in BILABIALS:
            assert lips[during(phone, fps, 0.02)].min() <= CONTACT, f"{phone} stays open"


@pytest.mark.parametrize("phone", sorted(BILABIALS))
@pytest.mark.parametrize("duration", [0.05, 0.09, 0.16])
def test_lips_stay_together_through_most_of_a_bilabial(phone: str, duration: float) -> None:
    phones = say(("AA", 0.15), (phone, duration), ("AA", 0.15))
    lips = gap(animate(phones, frames_for(phones, FINE), fps=FINE))
    assert (lips[during(phones[1], FINE)] <= CONTACT).mean() >= 0.6
    assert lips[during(phones[0], FINE)].max() > 0.4 and lips[during(phones[2], FINE)].max() > 0.4


def test_the_jaw_need_not_close_for_the_lips_to_meet() -> None:
    phones = say(("AA", 0.12), ("B", 0.08), ("AA", 0.12))
    face = animate(phones, frames_for(phones, FINE), fps=FINE)
    together = gap(face)[during(phones[1], FINE)] <= CONTACT
    assert face[during(phones[1], FINE), INDEX["jawOpen"]][together].min() > 0.05


@settings(deadline=None)
@given(phones=utterances, style=speakers)
def test_the_lower_lip_meets_the_teeth_in_every_labiodental(phones: list[TimedPhone], style: SpeakerStyle) -> None:
    face = animate(phones, frames_for(phones), style=style)
    for phone in phones:
        if phone.phone in LABIODENTALS:
            # The narrowest instant may lie between two frames.
            assert gap(face)[during(phone, 30, 0.02)].min() <= 0.15, f"{phone} stays open"
            assert face[during(phone, 30, 0.02), INDEX["mouthRollLower"]].max() >= 0.1


def test_labiodentals_leave_more_room_than_bilabials() -> None:
    narrowest = {}
    for phone in sorted(BILABIALS | LABIODENTALS):
        phones = say(("AA", 0.15), (phone, 0.1), ("AA", 0.15))
        lips = gap(animate(phones, frames_for(phones, FINE), fps=FINE))
        narrowest[phone] = lips[during(phones[1], FINE)].min()
    assert min(narrowest[p] for p in LABIODENTALS) > max(narrowest[p] for p in BILABIALS)


def test_rounding_is_prepared_100_to_200_ms_ahead_through_consonants_that_leave_the_lips_free() -> None:
    phones = say(("AH", 0.08), ("S", 0.1), ("T", 0.08), ("UW", 0.14))
    pucker = animate(phones, frames_for(phones, FINE), fps=FINE)[:, INDEX["mouthPucker"]]
    begins = np.argmax(pucker > 0.15 * pucker.max()) / FINE
    assert 0.1 <= phones[3].start - begins <= 0.2


def test_sibilants_narrow_the_jaw_and_velars_leave_it() -> None:
    def jaw(consonant: str) -> float:
        phones = say(("AA", 0.15), (consonant, 0.1), ("AA", 0.15))
        face = animate(phones, frames_for(phones, FINE), fps=FINE)
        return float(face[during(phones[1], FINE), INDEX["jawOpen"]].min())

    assert jaw("S") < 0.18 < jaw("K")


def test_fast_speech_undershoots_and_slow_speech_reaches_its_targets() -> None:
    def opening(scale: float) -> float:
        phones = say(*((phone, duration * scale) for phone, duration in (("S", 0.1), ("AA", 0.14), ("S", 0.1))))
        return float(gap(animate(phones, frames_for(phones, FINE), fps=FINE)).max())

    assert opening(0.4) < 0.75 * opening(1.0) and opening(1.0) < opening(2.0)


@pytest.mark.parametrize("curve", ["jawOpen", "mouthLowerDownLeft", "mouthUpperUpRight"])
def test_louder_vowels_open_jaw_and_lips_wider(curve: str) -> None:
    phones = say(("HH", 0.08), ("AA", 0.3))
    frames = frames_for(phones)
    wide = [animate(phones, frames, loudness=np.full(frames, db))[:, INDEX[curve]].max() for db in (-18.0, 0.0, 6.0)]
    assert 0 < wide[0] < wide[1] < wide[2]
    assert wide[1] == animate(phones, frames)[:, INDEX[curve]].max()


@pytest.mark.parametrize("phone", ["AA", "IY", "S", "M", "UW", "K"])
def test_lips_open_shortly_before_speech_and_rest_shortly_after_it(phone: str) -> None:
    phones = say(("AE", 0.15), (phone, 0.15))
    lips = gap(animate(phones, frames_for(phones, FINE), fps=FINE))
    opens = phones[0].start - np.argmax(lips > 0.05) / FINE
    assert 0.06 <= opens <= 0.15
    assert np.abs(lips[int((phones[-1].end + 0.15) * FINE) :]).max() < 0.02


@settings(deadline=None)
@given(style=speakers, seed=st.integers(0, 100))
def test_in_silence_the_mouth_rests(style: SpeakerStyle, seed: int) -> None:
    face = animate([TimedPhone(SILENCE, 0.0, 2.0)], 150, style=style, seed=seed)
    assert np.abs(gap(face)).max() < 1e-6
    np.testing.assert_array_equal(
        face[:, JAW_AND_MOUTH], np.broadcast_to(face[0, JAW_AND_MOUTH], (150, len(JAW_AND_MOUTH)))
    )
    np.testing.assert_array_equal(face, animate([], 150, style=style, seed=seed))


def test_a_stop_that_an_alignment_stretches_over_a_pause_does_not_keep_the_mouth_open() -> None:
    phones = say(("AE", 0.15), ("K", 0.9), ("T", 0.1))
    lips = gap(animate(phones, frames_for(phones)))
    assert np.abs(lips[int(1.1 * 30) : int(1.3 * 30)]).max() < 0.02


def test_the_seed_moves_the_upper_face_only() -> None:
    phones = say(("HH", 0.08), ("EH", 0.1), ("L", 0.08), ("OW", 0.3))
    one, other = (animate(phones, 300, seed=seed) for seed in (1, 2))
    np.testing.assert_array_equal(one[:, JAW_AND_MOUTH], other[:, JAW_AND_MOUTH])
    assert np.abs(one - other)[:, UPPER_FACE].max(axis=0).min() > 0.005
    np.testing.assert_array_equal(one, animate(phones, 300, seed=1))


def test_a_symmetric_style_moves_both_sides_alike_but_for_the_gaze() -> None:
    phones = say(("F", 0.1), ("AY", 0.2), ("V", 0.08), ("W", 0.1), ("IY", 0.2), ("P", 0.1))
    face = animate(phones, 120, style=NEUTRAL, seed=3)
    gaze = [INDEX[f"eyeLook{way}{side}"] for way in ("In", "Out") for side in ("Left", "Right")]
    sides = np.setdiff1d(np.arange(52), gaze)
    np.testing.assert_array_equal(face[:, sides], face[:, list(MIRROR)][:, sides])


def test_a_mirrored_style_is_the_mirrored_mouth() -> None:
    phones = say(("F", 0.1), ("AY", 0.2), ("S", 0.1), ("IY", 0.2))
    left, right = (animate(phones, 60, style=SpeakerStyle(asymmetry=a))[:, JAW_AND_MOUTH] for a in (0.15, -0.15))
    mirror = [JAW_AND_MOUTH.index(MIRROR[i]) for i in JAW_AND_MOUTH]
    np.testing.assert_allclose(left, right[:, mirror], atol=1e-6)
    assert np.abs(left - right).max() > 0.05


def test_sixty_frames_a_second_is_the_same_movement() -> None:
    phones = say(("M", 0.05), ("AO", 0.1), ("R", 0.07), ("P", 0.04), ("IY", 0.1))
    np.testing.assert_allclose(animate(phones, 100, fps=60)[::2, JAW_AND_MOUTH], animate(phones, 50)[:, JAW_AND_MOUTH])


def test_rounded_and_spread_vowels_shape_the_lips_opposite_ways() -> None:
    def shape(vowel: str) -> NDArray[np.float64]:
        phones = say((vowel, 0.2))
        return round_(animate(phones, frames_for(phones)))[during(phones[0], 30)]

    assert min(shape(v).max() for v in ("UW", "OW", "UH")) > 0.4 > 0.0 > max(shape(v).min() for v in ("IY", "EH", "AE"))


def test_an_empty_clip_has_no_frames() -> None:
    assert animate([], 0).shape == (0, 52)


@pytest.mark.parametrize(
    ("phones", "message"),
    [
        ([TimedPhone("AX", 0.0, 0.1)], "unknown phone 'AX'"),
        ([TimedPhone("AA", 0.1, 0.1)], "no duration"),
        ([TimedPhone("AA", 0.0, 0.2), TimedPhone("T", 0.1, 0.3)], "follow each other"),
    ],
)
def test_bad_phones_are_refused(phones: list[TimedPhone], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        animate(phones, 10)


def test_loudness_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="each of the 10 frames"):
        animate([], 10, loudness=np.zeros(9))
