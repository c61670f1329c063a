"""What the encoder is trained for: hidden units, and who speaks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from diffusiontalker.corpus.store import Corpus, CorpusWriter
from diffusiontalker.encoder.voice_head import pool_voiced
from diffusiontalker.geometry import FEATURE_OVERLAP, FEATURE_STRIDE, SAMPLE_RATE
from diffusiontalker.phones import TimedPhone
from diffusiontalker.training.augment import Acoustics, AugmentConfig, degrade, shift_formants, through_codec
from diffusiontalker.training.pretrain import DELAYS, MaskedPrediction, UntranscribedSamples
from diffusiontalker.training.speech_batches import SpeechSamples, utterance_part
from diffusiontalker.training.units import AcousticUnits
from tests.tiny_model import ENCODER


def voice(pitch: float, seconds: float = 2.0) -> NDArray[np.int16]:
    t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    tones = sum(np.sin(2 * np.pi * pitch * k * t) / k for k in range(1, 20))
    return np.asarray(6000 * np.asarray(tones) / np.abs(tones).max(), np.int16)


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> SpeechSamples:
    folder = tmp_path_factory.mktemp("voices") / "corpus"
    with CorpusWriter(folder) as writer:
        for name, pitch in (("low", 110.0), ("high", 230.0), ("an4/kept", 170.0)):
            for i in range(4):
                samples = voice(pitch + i)
                phones = [TimedPhone("AA", 0.0, len(samples) / SAMPLE_RATE)]
                writer.add(clip=f"{name}-{i}", corpus="flite", speaker=name, samples=samples, phones=phones)
    return SpeechSamples([Corpus.open(folder)], Acoustics(), seconds=1.0)


def test_an_utterance_is_trained_on_or_tested_on_never_both(speech: SpeechSamples) -> None:
    clips = [clip for pool in speech.pools.values() for _, clip in pool]
    assert {utterance_part(clip.clip) for clip in clips} == {"train"}


def test_units_name_what_sounds_alike() -> None:
    torch.manual_seed(0)
    shapes = torch.randn(6, 12)
    which = torch.randint(6, (20, 30))
    which[:, :] = which[:, :1]  # one sound a row, so that derivatives vanish
    spectra = 3 * shapes[which] + 0.05 * torch.randn(20, 30, 12)
    units = AcousticUnits(12, 6)
    units.fit(spectra)
    named = units(spectra)
    for row, sound in zip(named, which[:, 0], strict=True):
        assert len(row.unique()) == 1
        assert {int(s) for s, n in zip(which[:, 0], named[:, 0], strict=True) if n == row[0]} == {int(sound)}


def test_about_half_of_all_features_are_hidden_in_spans_of_ten() -> None:
    torch.manual_seed(0)
    hidden = MaskedPrediction(ENCODER).hidden(torch.zeros(64, 200))
    assert 0.45 < float(hidden.float().mean()) < 0.65
    first = hidden[:, 1:] & ~hidden[:, :-1]
    for row, at in first.nonzero().tolist():
        assert hidden[row, at + 1 : at + 11].all()


def test_a_hidden_feature_cannot_be_heard(speech: SpeechSamples) -> None:
    """Audio under the mask changes no loss but through the units it asks for."""
    task = MaskedPrediction(ENCODER, start_share=1.0).eval()
    samples = UntranscribedSamples(speech, [])
    batch = {key: torch.stack([samples[i][key] for i in range(2)]) for key in ("clean", "heard")}
    assert batch["heard"].shape == (2, FEATURE_STRIDE * speech.features + FEATURE_OVERLAP)
    task.units = AcousticUnits(ENCODER.long_bands, 5)
    task.unit_head = torch.nn.Linear(ENCODER.width, 5 * len(DELAYS))
    task.units.fit(task.encoder.front_end.spectra(batch["clean"]).repeat(4, 1, 1))
    loss, hits = task(batch)
    other, _ = task(batch | {"heard": torch.randn_like(batch["heard"])})
    torch.testing.assert_close(loss, other)
    assert 0 <= float(hits) <= 1 and len(DELAYS) == 3


def test_silence_does_not_count_as_voice() -> None:
    features = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [100.0, 100.0]]])
    torch.testing.assert_close(pool_voiced(features, torch.tensor([[0.9, 0.6, 0.1]])), torch.tensor([[2.0, 3.0]]))
    torch.testing.assert_close(pool_voiced(features, torch.zeros(1, 3)), torch.zeros(1, 2))


def test_formants_move_and_pitch_stays() -> None:
    rng = np.random.default_rng(0)
    pulses = np.zeros(SAMPLE_RATE, np.float32)
    pulses[::128] = 1.0  # 125 Hz
    t = np.arange(400) / SAMPLE_RATE
    throat = np.exp(-1000 * t) * np.sin(2 * np.pi * 1200 * t)
    voiced = np.convolve(pulses, throat)[:SAMPLE_RATE] + 1e-4 * rng.standard_normal(SAMPLE_RATE)
    spoken = np.asarray(voiced, np.float32)
    np.testing.assert_allclose(shift_formants(spoken, 1.0), spoken, atol=1e-4)
    moved = shift_formants(spoken, 1.15)
    frequency = np.fft.rfftfreq(len(moved), 1 / SAMPLE_RATE)

    def centre(x: NDArray[np.float32]) -> float:
        power = np.abs(np.fft.rfft(x)) ** 2 * (frequency > 600) * (frequency < 2600)
        return float((frequency * power).sum() / power.sum())

    assert centre(moved) / centre(spoken) == pytest.approx(1.15, abs=0.06)
    harmonics = np.abs(np.fft.rfft(moved))[[125, 250, 375]]
    between = np.abs(np.fft.rfft(moved))[[188, 312, 438]]
    assert harmonics.min() > 5 * between.max()


@pytest.mark.parametrize("codec", [("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III"), ("WAV", "ULAW")])
def test_a_codec_changes_no_timing(codec: tuple[str, str]) -> None:
    rng = np.random.default_rng(0)
    samples = (np.convolve(rng.standard_normal(16_000), np.hanning(9), "same") * 0.05).astype(np.float32)
    decoded = through_codec(samples, *codec)
    assert decoded.shape == samples.shape
    shifts = range(-400, 401, 1)
    middle = samples[1000:-1000]
    best = max(shifts, key=lambda s: float(np.dot(middle, decoded[1000 + s : 15_000 + s])))
    assert abs(best) <= 1


def test_a_clean_share_stays_as_it_was_recorded() -> None:
    samples = (0.1 * np.sin(np.arange(16_000) / 9)).astype(np.float32)
    out = degrade(samples, AugmentConfig(clean_share=1.0), Acoustics(), np.random.default_rng(0))
    assert np.corrcoef(out, samples)[0, 1] > 0.999999
