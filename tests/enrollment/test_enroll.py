"""A new speaker in a bundle: found again by voice, nobody else changed, bad input refused whole."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import soundfile
import torch
from numpy.typing import NDArray
from safetensors import safe_open

from diffusiontalker.bundle import WEIGHTS, Bundle, open_bundle
from diffusiontalker.cli.main import main
from diffusiontalker.denoiser.model import sample
from diffusiontalker.denoiser.schedule import Schedule
from diffusiontalker.draft import OccupiedError
from diffusiontalker.enrollment.face import fit_embedding
from diffusiontalker.enrollment.library import (
    CARD,
    Speaker,
    enrolled,
    require_place,
    speaker_by_voice,
)
from diffusiontalker.enrollment.voice import EnrollmentError, VoiceListener
from diffusiontalker.geometry import SAMPLE_RATE
from diffusiontalker.training.scenes import SECONDS, Scenes, frame_audio
from tests.tiny_model import DENOISER, ENCODER, tiny_modules


def voice_of(bundle: Bundle, name: str, pitch: float = 150) -> Speaker:
    return speaker_by_voice(bundle, name, Loud(bundle).pooled([hum(pitch)]))


@pytest.fixture
def bundle(tiny_bundle: Path, tmp_path: Path) -> Bundle:
    return open_bundle(shutil.copytree(tiny_bundle, tmp_path / "bundle"))


def hum(pitch: float, seconds: float = 6.0) -> NDArray[np.float32]:
    t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    rng = np.random.default_rng(int(pitch))
    tones = sum(np.sin(2 * np.pi * pitch * k * t) / k for k in range(1, 12))
    return (0.1 * tones * (1 + 0.5 * np.sin(9 * t)) + 0.001 * rng.standard_normal(len(t))).astype(np.float32)


class Loud(VoiceListener):
    """The tiny model's speech detector is untrained: here everything counts as voice."""

    def voiced(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        self._encoder: Any = _AllVoiced(self._encoder) if not isinstance(self._encoder, _AllVoiced) else self._encoder
        return super().voiced(samples)


class _AllVoiced:
    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session

    def run(self, names: list[str], inputs: dict[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        (speech,) = self._session.run(names, inputs)
        return [np.ones_like(speech)]


def tensors(folder: Path) -> dict[str, NDArray[np.float32]]:
    with safe_open(folder / WEIGHTS, framework="numpy") as file:
        return {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118


def test_a_voice_is_enrolled_found_again_and_nothing_else_changes(bundle: Bundle, tmp_path: Path) -> None:
    listener = Loud(bundle)
    speaker = speaker_by_voice(bundle, "dora", listener.pooled([hum(190), hum(195)]))
    enrolled(bundle, speaker, tmp_path / "grown")
    grown = open_bundle(tmp_path / "grown")
    assert grown.identities.names == (*bundle.identities.names, "dora")
    again = grown.identities.voice_space.voiceprint(listener.pooled([hum(192)]))
    assert int(np.argmax(grown.identities.features @ again)) == 3
    before, after = tensors(bundle.folder), tensors(grown.folder)
    for name, values in before.items():
        np.testing.assert_array_equal(after[name][: len(values)], values, err_msg=name)
    assert sum(share for _, share in speaker.like) == pytest.approx(1, abs=0.01)
    assert (grown.folder / WEIGHTS).stat().st_mode & 0o044 == 0o044, "a server may run as somebody else"


def test_a_grown_bundle_serves_the_same_numbers(bundle: Bundle, tmp_path: Path) -> None:
    """The graphs point into a weights file whose layout moved: they must have moved with it."""
    enrolled(bundle, speaker_by_voice(bundle, "dora", Loud(bundle).pooled([hum(200)])), tmp_path / "grown")
    samples = hum(140)
    before, after = Loud(bundle).voiced(samples), Loud(open_bundle(tmp_path / "grown")).voiced(samples)
    np.testing.assert_array_equal(before, after)


def test_a_taken_name_is_refused_and_replaced_on_request(bundle: Bundle, tmp_path: Path) -> None:
    speaker = speaker_by_voice(bundle, "ben", Loud(bundle).pooled([hum(150)]))
    with pytest.raises(EnrollmentError, match="has a speaker 'ben'"):
        enrolled(bundle, speaker, tmp_path / "grown")
    assert not (tmp_path / "grown").exists()
    enrolled(bundle, speaker, tmp_path / "grown", replace=True)
    grown = open_bundle(tmp_path / "grown").identities
    assert grown.names == bundle.identities.names
    np.testing.assert_allclose(grown.features[1], speaker.feature)
    np.testing.assert_array_equal(grown.features[[0, 2]], bundle.identities.features[[0, 2]])


def test_a_bundle_can_grow_in_place(bundle: Bundle) -> None:
    enrolled(bundle, speaker_by_voice(bundle, "dora", Loud(bundle).pooled([hum(150)])), bundle.folder)
    assert open_bundle(bundle.folder).identities.names[-1] == "dora"


def test_two_people_in_one_model_need_it_named_as_the_bundle(bundle: Bundle, tmp_path: Path) -> None:
    out = tmp_path / "grown"
    enrolled(bundle, voice_of(bundle, "dora"), out)
    with pytest.raises(EnrollmentError, match=f"would lose dora, whom {bundle.folder} lacks: add --bundle {out}"):
        enrolled(bundle, voice_of(bundle, "carl"), out, replace=True)
    assert open_bundle(out).identities.names[-1] == "dora"
    grown = open_bundle(out)
    enrolled(grown, voice_of(grown, "carl"), out)
    assert open_bundle(out).identities.names == (*bundle.identities.names, "dora", "carl")


def test_the_same_enrolment_again_asks_for_replace(bundle: Bundle, tmp_path: Path) -> None:
    out = tmp_path / "grown"
    enrolled(bundle, voice_of(bundle, "dora"), out)
    with pytest.raises(EnrollmentError, match="has a speaker 'dora'; give another name, or --replace"):
        enrolled(bundle, voice_of(bundle, "dora"), out)
    enrolled(bundle, voice_of(bundle, "dora", 190), out, replace=True)
    assert open_bundle(out).identities.names == (*bundle.identities.names, "dora")


def test_a_grown_bundle_says_what_it_is(bundle: Bundle, tmp_path: Path) -> None:
    (bundle.folder / CARD).write_text("# the card of another model")
    out = tmp_path / "grown"
    enrolled(bundle, voice_of(bundle, "dora"), out)
    grown = open_bundle(out)
    assert (grown.name, grown.version) == ("tiny+dora", bundle.version)
    assert "tiny 0 with one more identity, dora, enrolled by voice," in (out / CARD).read_text()
    enrolled(grown, voice_of(grown, "dora"), out, replace=True)
    assert open_bundle(out).name == "tiny+dora"
    enrolled(grown, voice_of(grown, "carl"), out)
    assert open_bundle(out).name == "tiny+dora+carl"
    with safe_open(out / WEIGHTS, framework="numpy") as file:
        assert file.metadata()["name"] == "tiny+dora+carl"


def test_everybody_may_read_a_grown_bundle(bundle: Bundle, tmp_path: Path) -> None:
    enrolled(bundle, voice_of(bundle, "dora"), tmp_path / "grown")
    for path in (tmp_path / "grown").iterdir():
        assert path.stat().st_mode & 0o044 == 0o044, path


@pytest.mark.parametrize("name", ["auto", "bad=name", "a,b", " dora", "dora ", "", " ", "two\nlines"])
def test_names_that_nobody_could_ask_for_are_refused(bundle: Bundle, tmp_path: Path, name: str) -> None:
    with pytest.raises(EnrollmentError, match="name"):
        require_place(bundle, name, tmp_path / "grown")


@pytest.mark.parametrize("steps", ["0", "-2", "many"])
def test_no_steps_are_refused(steps: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["enroll", "dora", "--captures", "x", "--out", "y", "--steps", steps])
    assert f"{steps} is not a whole number of 1 or more" in capsys.readouterr().err


def test_a_missing_corpus_is_said_before_any_bar(
    bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["enroll", "dora", "--bundle", str(bundle.folder), "--out", str(tmp_path / "grown")]
    assert main([*words, "--captures", str(tmp_path / "none")]) == 2
    message = capsys.readouterr().err
    assert "is no captured corpus" in message and "--live-link" in message and "Style" not in message


def test_a_folder_that_is_no_bundle_is_not_replaced(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "holiday.txt").write_text("mine")
    with pytest.raises(OccupiedError, match="holds no model.json, so it is not replaced"):
        enrolled(bundle, speaker_by_voice(bundle, "dora", Loud(bundle).pooled([hum(150)])), tmp_path / "photos")
    assert (tmp_path / "photos" / "holiday.txt").read_text() == "mine"
    assert not list(tmp_path.glob("*.unfinished"))


def test_too_little_voice_says_how_much_is_needed(bundle: Bundle) -> None:
    with pytest.raises(EnrollmentError, match=r"only 1\.0 s of voice was heard; give at least 2 s"):
        Loud(bundle).pooled([hum(150, 1.01)])
    with pytest.raises(EnrollmentError, match=r"only 0\.0 s"):
        Loud(bundle).pooled([np.zeros(10, np.float32)])


def test_the_command_line_names_what_is_wrong(
    bundle: Bundle, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    silence = tmp_path / "silence.wav"
    soundfile.write(silence, np.zeros(SAMPLE_RATE), SAMPLE_RATE)
    words = ["enroll", "dora", "--bundle", str(bundle.folder), "--out", str(tmp_path / "grown"), "--audio"]
    assert main([*words, str(tmp_path / "missing.wav")]) == 2
    assert "there is no file" in capsys.readouterr().err
    (tmp_path / "text.wav").write_text("hello")
    assert main([*words, str(tmp_path / "text.wav")]) == 2
    assert "is not sound" in capsys.readouterr().err
    assert not (tmp_path / "grown").exists()


def test_a_face_teaches_the_style_that_made_it() -> None:
    """Curves made by one speaker's embedding lead another's back to the same curves."""
    _, _, denoiser, library = tiny_modules()
    rng = np.random.default_rng(0)
    scenes, frames = 3, SECONDS * 30 - 6
    features = rng.standard_normal((scenes, SECONDS * 50, ENCODER.width)).astype(np.float16)
    target = library.embeddings.weight[0].detach()
    schedule = Schedule.spaced(2)

    def animated(embedding: torch.Tensor) -> torch.Tensor:
        audio = torch.stack([torch.from_numpy(frame_audio(f.astype(np.float32), 1280, frames)) for f in features])
        identity = embedding.expand(scenes, frames, -1)
        noise = torch.zeros(scenes, frames, DENOISER.coefficients)
        with torch.no_grad():
            return sample(denoiser, schedule, audio, identity, torch.ones(scenes, dtype=torch.int64), noise)[0]

    curves = animated(target)
    taken = Scenes(
        features, curves.numpy().astype(np.float16), np.ones((scenes, 3, 4), np.float16), ["x"] * 3, np.ones(3, bool)
    )
    start = library.embeddings.weight[1].detach().numpy()
    learned = torch.from_numpy(fit_embedding(denoiser, schedule, taken, start, steps=40, batch=3, learning_rate=0.1))
    before = (animated(torch.from_numpy(start)) - curves).abs().mean()
    after = (animated(learned) - curves).abs().mean()
    assert after < 0.6 * before


def test_one_scene_is_too_little_for_a_style() -> None:
    _, _, denoiser, _ = tiny_modules()
    none = np.zeros((1, 1, 1), np.float16)
    with pytest.raises(EnrollmentError, match="10 s of face data is too little"):
        fit_embedding(
            denoiser, Schedule.spaced(2), Scenes(none, none, none, ["x"], np.ones(1, bool)), np.zeros(8, np.float32)
        )
