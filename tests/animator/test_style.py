"""Speaker styles: the same for the same name, and told apart by what they do to a face."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from diffusiontalker.animator import SpeakerStyle, animate, style_for
from diffusiontalker.arkit import BROWS, INDEX, indices
from diffusiontalker.metrics.lips import gap
from diffusiontalker.phones import TimedPhone

WORDS = "HH AH L OW SIL W AH T AE B Y UW T IH F UH L M AO R N IH NG SIL F AA DH ER S EY P IY S".split()
SENTENCE = [TimedPhone(phone, 0.09 * i, 0.09 * (i + 1)) for i, phone in enumerate(WORDS)]
FRAMES = 100


def test_a_name_always_has_the_same_style() -> None:
    assert style_for("flite/slt") == style_for("flite/slt") != style_for("flite/rms")


@given(st.text(max_size=20))
def test_every_style_speaks_intelligibly(speaker: str) -> None:
    style = style_for(speaker)
    assert 0.7 <= style.jaw <= 1.3 and 10.0 <= style.blinks <= 25.0
    lips = gap(animate(SENTENCE, FRAMES, style=style))
    assert 0.25 <= np.percentile(lips, 90) <= 0.65


def test_traits_show_in_the_face() -> None:
    def face(**traits: float) -> NDArray[np.float32]:
        return animate(SENTENCE, FRAMES, style=SpeakerStyle(**traits), seed=4)

    def moves(trait: str, low: float, high: float, *names: str) -> bool:
        columns = list(indices(*names))
        return bool(face(**{trait: high})[:, columns].mean() > 1.1 * face(**{trait: low})[:, columns].mean())

    assert moves("jaw", 0.8, 1.2, "jawOpen")
    assert moves("rounding", 0.8, 1.2, "mouthPucker", "mouthFunnel")
    assert moves("spreading", 0.7, 1.3, "mouthStretchLeft", "mouthDimpleRight")
    assert moves("lower_lip", 0.7, 1.3, "mouthLowerDownLeft")
    assert moves("upper_lip", 0.6, 1.4, "mouthUpperUpLeft")
    assert moves("press", 0.7, 1.3, "mouthPressLeft", "mouthRollUpper")
    assert moves("asymmetry", -0.1, 0.1, "mouthStretchLeft", "mouthSmileLeft")
    assert moves("smile", 0.05, 0.2, "mouthSmileLeft", "cheekSquintLeft")
    assert moves("squint", 0.05, 0.2, "eyeSquintLeft")
    assert moves("blinks", 12.0, 60.0, "eyeBlinkLeft")


def test_lively_brows_move_more() -> None:
    def activity(brows: float) -> float:
        style = SpeakerStyle(brows=brows)
        return float(np.mean([animate(SENTENCE, FRAMES, style=style, seed=i)[:, BROWS].std(axis=0) for i in range(8)]))

    assert activity(1.5) > 2.0 * activity(0.5)


def test_speakers_are_further_apart_than_one_speaker_from_another_take() -> None:
    names = [f"speaker {i}" for i in range(24)]
    backwards = [
        TimedPhone(phone, 0.09 * i, 0.09 * (i + 1)) for i, phone in enumerate([*WORDS[16:], "SIL", *WORDS[:15]])
    ]
    habits = []
    for take in (SENTENCE, backwards):
        faces = [animate(take, FRAMES, style=style_for(name), blinks=False) for name in names]
        mouth = [INDEX[n] for n in INDEX if n.startswith(("jaw", "mouth"))]
        habits.append(np.array([np.r_[face[:, mouth].mean(0), face[:, mouth].std(0)] for face in faces]))
    distance = np.linalg.norm(habits[0][:, None] - habits[1][None], axis=-1)
    matched = distance.argmin(axis=1) == np.arange(len(names))
    assert matched.mean() >= 0.8
