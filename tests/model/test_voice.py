"""The voice head: streams exactly, knows nothing of the encoder's layers, and finds people again once it is fitted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

from diffusiontalker.corpus.store import Corpus, CorpusWriter
from diffusiontalker.denoiser.identity import IdentityLibrary
from diffusiontalker.encoder.filterbank import LogMel
from diffusiontalker.encoder.streaming_hubert import StreamingHubert
from diffusiontalker.encoder.voice_head import LAGS, VoiceHead, pool_voiced
from diffusiontalker.encoder.weights_file import save_encoder
from diffusiontalker.geometry import FEATURE_WINDOW, SAMPLE_RATE
from diffusiontalker.phones import TimedPhone
from diffusiontalker.training import voice_network
from diffusiontalker.training.augment import Acoustics
from diffusiontalker.training.encoder_task import EncoderTask
from diffusiontalker.training.scenes import Scenes
from diffusiontalker.training.train_denoiser import library_of
from diffusiontalker.training.train_voice import PEOPLE_FILE, fit_voice_head, read_people, train_voice
from diffusiontalker.training.voice_crops import SIDES, THROATS, VoiceCrops, people
from diffusiontalker.training.voice_mixture import fit_mixture
from diffusiontalker.training.voice_network import VoiceNetwork, contrast
from diffusiontalker.voice_space import RELEVANCE, Mixture, VoiceSpace
from tests.tiny_model import ENCODER

LENGTH = 320 * 100 + 80


def buzz(pitch: float, throat: float, rng: np.random.Generator, length: int = LENGTH) -> NDArray[np.float32]:
    """Pulses through two wandering formants, both ``throat`` times as high as another's."""
    pulses = np.zeros(length)
    pulses[
        np.cumsum(rng.normal(SAMPLE_RATE / pitch, 2, 2 * length * int(pitch) // SAMPLE_RATE)).astype(int) % length
    ] = 1
    t = np.arange(320) / SAMPLE_RATE
    parts = []
    for start in range(0, length, 3200):
        formants = throat * rng.choice([[700, 1200], [300, 2200], [350, 900]])
        ring = sum(np.exp(-400 * t) * np.sin(2 * np.pi * f * t) for f in formants)
        parts.append(np.convolve(pulses[start : start + 3200], ring)[: min(3200, length - start)])
    sound = np.concatenate(parts)
    return np.asarray(sound / sound.std() + 0.003 * rng.standard_normal(length), np.float32)


@pytest.fixture(scope="module")
def speakers() -> Tensor:
    """Eight people, of whom two sides of four crops each are ``[8, 1, 2, 4, 32080]``."""
    rng = np.random.default_rng(0)
    shapes = [(pitch, throat) for pitch in (90, 130, 180, 250) for throat in (0.85, 1.15)]
    crops = np.stack([buzz(*shape, rng) for shape in shapes for _ in range(8)])
    return torch.from_numpy(crops).view(8, 1, 2, 4, LENGTH)


def test_a_fitted_head_finds_people_again(speakers: Tensor) -> None:
    head, spectrum = VoiceHead(40, 16, 8, 12, 32), LogMel(FEATURE_WINDOW, 40)
    samples = speakers.flatten(0, 3)
    heard = head.heard(samples, spectrum(samples.unfold(1, FEATURE_WINDOW, 320))).view(*speakers.shape[:4], 100, -1)
    learned, asked = heard[:, :, :, :2], heard[:, 0, 0, 2:]

    def found() -> float:
        enrolled = head.describe(head.voice(learned[:, 0, 1]).mean((1, 2)))
        nearest = head.describe(head.voice(asked).mean(2)) @ enrolled.T
        return float((nearest.argmax(-1) == torch.arange(8)[:, None]).float().mean())

    untrained = found()
    fit_voice_head(head, learned.half(), steps=60)
    assert found() > 0.9 > untrained


@torch.no_grad()
def test_pitch_is_heard_at_its_period() -> None:
    head = VoiceHead(40, 8, 4, 8, 16)
    lags = np.geomspace(SAMPLE_RATE / 420, SAMPLE_RATE / 80, LAGS)
    rng = np.random.default_rng(1)
    for pitch in (110.0, 160.0, 240.0):
        heard = head.periodicity(torch.from_numpy(buzz(pitch, 1.0, rng))[None])[0].mean(0).numpy()
        best = SAMPLE_RATE / lags[int(heard.argmax())]
        assert min(abs(best / pitch - 1), abs(2 * best / pitch - 1)) < 0.08


@torch.no_grad()
def test_the_voice_is_the_same_in_any_chunks_and_for_any_layers() -> None:
    torch.manual_seed(0)
    encoder, other = StreamingHubert(ENCODER).eval(), StreamingHubert(ENCODER).eval()
    samples = torch.randn(2, LENGTH)
    whole = encoder(samples)[1]
    assert whole.shape == (2, 100, encoder.voice_width)
    first = encoder.voice(samples[:, : 320 * 37 + 80])
    second = encoder.voice(samples[:, 320 * 37 :])
    torch.testing.assert_close(torch.cat([first, second], 1), whole, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(other(samples)[1], whole)


@torch.no_grad()
def test_the_mixture_places_gaussians_where_the_spectra_are() -> None:
    torch.manual_seed(0)
    head = VoiceHead(20, 8, 2, 6, 8)
    clusters = torch.randn(2, 20)
    spectra = clusters[torch.arange(2000) % 2] + 0.05 * torch.randn(2000, 20)
    fit_mixture(head, spectra[torch.randperm(2000)])
    share = head.responsibilities(head.cepstra(clusters))
    assert set(share.argmax(1).tolist()) == {0, 1} and share.max(1).values.min() > 0.99
    torch.testing.assert_close(head.shares, torch.tensor([0.5, 0.5]), atol=0.02, rtol=0)


@torch.no_grad()
def test_a_description_says_where_the_speakers_own_gaussians_lie() -> None:
    torch.manual_seed(0)
    head = VoiceHead(20, 8, 3, 6, 5)
    head.variances.uniform_(0.5, 2.0)
    moved = torch.randn(3, 6)
    share = torch.tensor([0.6, 0.4, 0.0])  # the third sound was not heard
    statistics = torch.cat([share[:, None] * (head.means + moved * head.variances.sqrt()), share[:, None]], 1).flatten()
    pooled = torch.cat([torch.randn(5), statistics])
    assert pooled.shape == (head.width,)
    network, own = torch.split(head.describe(pooled), [5, 18])
    torch.testing.assert_close(network, F.normalize(pooled[:5], dim=0))
    believed = share / (share + RELEVANCE)
    torch.testing.assert_close(own, F.normalize((believed[:, None] * moved).flatten(), dim=0), atol=1e-5, rtol=1e-4)
    assert not head.describe(torch.zeros(head.width)).any()


@torch.no_grad()
def test_the_space_that_serves_describes_as_the_head_does() -> None:
    torch.manual_seed(0)
    head = VoiceHead(20, 8, 3, 6, 5)
    head.variances.uniform_(0.5, 2.0)
    mean = 0.1 * torch.randn(head.description_width)
    space = VoiceSpace(mean.numpy(), Mixture(head.means.numpy(), head.variances.sqrt().numpy()))
    pooled = head.voice(torch.randn(40, 20 + LAGS)).mean(0)
    assert space.pooled_width == head.width
    ours = F.normalize(head.describe(pooled) - mean, dim=0)
    np.testing.assert_allclose(space.voiceprint(pooled.double().numpy()), ours.numpy(), atol=1e-5)
    plain = VoiceSpace(np.zeros(4, np.float32))
    np.testing.assert_allclose(plain.voiceprint(np.array([0.0, 3.0, 0.0, 4.0])), [0, 0.6, 0, 0.8], atol=1e-6)
    assert plain.pooled_width == 4


def test_the_contrast_is_least_where_the_sides_of_a_voice_agree() -> None:
    one = torch.eye(6)
    right, wrong = (float(contrast(one, other, torch.tensor(20.0))) for other in (one, one.roll(1, 0)))
    assert right < 0.01 and wrong > 10


@torch.no_grad()
def test_normalisation_is_folded_into_the_head(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice_network, "fast_bfloat16", lambda device: False)
    torch.manual_seed(0)
    head = VoiceHead(20, 8, 2, 6, 6)
    heard = 3 * torch.randn(5, 30, 20 + LAGS) + 1
    network = VoiceNetwork(head, heard.mean((0, 1)), heard.std((0, 1)))
    for _ in range(50):
        network(heard)
    network.eval().write_into(head)
    folded = F.normalize(head.voice(heard)[..., :6].mean(1), dim=-1)
    torch.testing.assert_close(folded, network(heard), atol=1e-4, rtol=0)


def test_only_voiced_features_are_pooled() -> None:
    voice = torch.tensor([[[1.0], [3.0], [50.0]]])
    assert float(pool_voiced(voice, torch.tensor([[0.9, 0.9, 0.2]]))) == 2.0


def test_a_stage_replaces_the_voice_of_an_encoder_and_nothing_else(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    with CorpusWriter(tmp_path / "corpus") as writer:
        for name, corpus in (("a", "flite"), ("b", "flite"), ("c", "recording/an4")):
            sound = 4000 * buzz(150, 1.0, rng, 2 * SAMPLE_RATE)
            writer.add(
                clip=f"{name}/clip-1",
                corpus=corpus,
                speaker=f"{name}/x",
                samples=sound.clip(-32768, 32767).astype(np.int16),
                phones=[TimedPhone("AA", 0.0, 2.0)],
            )
    heard = people([Corpus.open(tmp_path / "corpus")], [])
    assert list(heard) == ["a/x", "b/x"]  # an4 is kept for measuring
    crops = VoiceCrops(heard, Acoustics(), crops=1)
    assert len(crops) == 2 * THROATS * SIDES
    torch.testing.assert_close(crops[7][0], crops[7][0])
    assert crops[0][0].shape == (320 * 200 + 80,) and crops[0][1].any()
    torch.manual_seed(0)
    before = EncoderTask(ENCODER).state_dict()
    path = save_encoder(ENCODER, before, tmp_path / "encoder")
    done: list[tuple[int, int]] = []
    corpora = [tmp_path / "corpus"]
    train_voice(corpora, path, tmp_path / "voice", steps=3, progress=lambda n, total: done.append((n, total)))
    after = load_file(path)
    changed = {name for name, value in before.items() if name in after and not torch.equal(value, after[name])}
    assert changed and all(name.startswith("encoder.voice_head.") for name in changed)
    assert "encoder.voice_head.weight_0" in changed and done[-1] == (2 * THROATS * SIDES * 3 + 3 + 2 * SIDES * 8,) * 2
    voices = read_people(tmp_path / "voice" / PEOPLE_FILE)
    width = EncoderTask(ENCODER).encoder.voice_head.description_width
    assert {name: voice.shape for name, voice in voices.items()} == dict.fromkeys(heard, (SIDES * 8, width))
    EncoderTask(ENCODER).load_state_dict(after)
    again = load_file(train_voice(corpora, path, tmp_path / "voice", steps=3))
    assert all(torch.equal(value, again[name]) for name, value in after.items())


def test_a_library_never_learns_from_whom_recognition_is_measured_on() -> None:
    rng = np.random.default_rng(0)
    names = [name for name in ("flite/a", "flite/b", "espeak/c", "an4/d") for _ in range(4)]

    def library(change: float) -> IdentityLibrary:
        voices = np.random.default_rng(1).standard_normal((16, 3, 8))
        voices[12:] += change
        nothing = np.zeros((16, 1, 1), np.float16)
        return library_of(Scenes(nothing, nothing, voices.astype(np.float16), names, np.ones(16, np.bool_)))

    one, other = library(0.0), library(float(rng.uniform(5, 9)))
    held = one.names.index("an4/d")
    assert one.names == other.names
    torch.testing.assert_close(one.voice_mean, other.voice_mean)
    same = [torch.equal(a, b) for a, b in zip(one.voiceprints, other.voiceprints, strict=True)]
    assert [i for i, equal in enumerate(same) if not equal] == [held]


def test_voiceprints_learn_what_tells_speakers_apart() -> None:
    """Two speakers who share a loud trait and differ in a quiet one are told apart by the quiet one."""
    torch.manual_seed(0)
    library = IdentityLibrary(("ann", "bea", "cyd"), 6, 4)
    truth = torch.tensor([[5.0, 1, 0, 0, 0, 0], [5.0, -1, 0, 0, 0, 0], [0.0, 0, 5, 0, 0, 0]])
    speakers = torch.arange(300) % 3
    voices = truth[speakers] + 1.5 * torch.randn(300, 6) * torch.tensor([1.0, 0.2, 1, 1, 1, 1])
    library.hear(voices, speakers, torch.ones(3, dtype=torch.bool))
    torch.testing.assert_close(library.voiceprints.norm(dim=1), torch.ones(3))
    assert library.voiceprints[0, 1] > 0.3 and library.voiceprints[1, 1] < -0.3
    found = (library.voice(voices) @ library.voiceprints.T).argmax(1)
    assert (found == speakers).float().mean() > 0.97


def test_of_two_names_for_one_voice_one_is_listed() -> None:
    """Two who cannot be told apart count as one, those kept back are not listed, and who stays is still recognised."""
    torch.manual_seed(0)
    library = IdentityLibrary(("ann", "ann too", "bea", "cyd", "kept back"), 6, 4)
    truth = torch.eye(6)[[0, 0, 1, 2, 3]] * 4
    speakers = torch.arange(500) % 5
    voices = truth[speakers] + 0.5 * torch.randn(500, 6)
    contrasted = torch.tensor([True, True, True, True, False])
    library.hear(voices, speakers, contrasted)
    assert library.listed.all()
    library.list_distinct(voices, speakers, contrasted)
    assert library.listed[:2].sum() == 1
    assert library.listed[2:].tolist() == [True, True, False]
    # Two are always left, and what was saved before doubles were left out lists everybody.
    pair = IdentityLibrary(("ann", "ann too"), 6, 4)
    first = speakers < 2
    pair.hear(voices[first], speakers[first], contrasted[:2])
    pair.list_distinct(voices[first], speakers[first], contrasted[:2])
    assert pair.listed.all()
    saved = {name: value for name, value in library.state_dict().items() if name != "listed"}
    former = IdentityLibrary(library.names, 6, 4)
    former.load_state_dict(saved)
    assert former.listed.all()
    someone = (speakers == 0) | (speakers == 2)
    found = (library.voice(voices) @ library.voiceprints.T).masked_fill(~library.listed, -2.0).argmax(1)
    assert (truth[found] == truth[speakers])[someone].all()
