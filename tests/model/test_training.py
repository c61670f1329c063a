"""Training: labels in time, exact resume, and features that are the very ones serving computes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from diffusiontalker.bundle import Bundle, open_bundle
from diffusiontalker.corpus.store import Corpus, CorpusError, CorpusWriter
from diffusiontalker.encoder.config import StreamingHubertConfig
from diffusiontalker.geometry import PRESETS, SAMPLE_RATE, frame_feature, frame_sample
from diffusiontalker.level import LevelState, normalize_level
from diffusiontalker.phones import PHONE_INDEX, TimedPhone
from diffusiontalker.training.augment import Acoustics, AugmentConfig, change_speed, degrade
from diffusiontalker.training.encoder_task import EncoderTask
from diffusiontalker.training.loop import LoopConfig, train
from diffusiontalker.training.scenes import SceneCrops, Scenes, build_scenes, frame_audio, require_phones
from diffusiontalker.training.speech_batches import LABEL_RATE, SpeechSamples, label_indexes
from diffusiontalker.training.train_denoiser import DenoiserTask, library_of
from livetalker.core.config import StreamConfig
from livetalker.engine.backend import Floats, Integers
from livetalker.engine.backends.torch_backend import TorchBackend
from livetalker.engine.engine import Engine
from livetalker.engine.offline import animate_offline
from tests.tiny_model import DENOISER, ENCODER, tiny_modules


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Three speakers who hum: vowels are tones, M is a soft one."""
    folder = tmp_path_factory.mktemp("corpus") / "c"
    rng = np.random.default_rng(0)
    with CorpusWriter(folder) as writer:
        for index in range(9):
            phones, parts, at = [], [], 0.0
            for phone in ["SIL", *rng.choice(["AA", "M", "UW", "IY"], 12), "SIL"]:
                length = int(rng.integers(1600, 3200))
                tone = np.sin(np.arange(length) * (0.05 + 0.02 * (index % 3) + 0.01 * PHONE_INDEX[phone]))
                parts.append(tone * {"SIL": 0, "M": 1500}.get(str(phone), 8000))
                phones.append(TimedPhone(str(phone), at, at + length / SAMPLE_RATE))
                at += length / SAMPLE_RATE
            writer.add(
                clip=f"hum/{index}",
                corpus="recording/hum" if index % 2 else "flite",
                speaker=f"hum/{index % 3}",
                samples=np.concatenate(parts).astype(np.int16),
                phones=phones,
            )
    return Corpus.open(folder)


@pytest.fixture(scope="module")
def samples(corpus: Corpus) -> SpeechSamples:
    return SpeechSamples([corpus], Acoustics(), seconds=1.5)


def test_labels_stand_where_the_served_frame_stands() -> None:
    labels = label_indexes(40)
    for row, preset in zip(labels, PRESETS.values(), strict=True):
        for frame in range(5, 20):
            newest, _ = frame_feature(frame, preset.look_ahead)
            if newest < 40:
                instant = frame_sample(frame) / SAMPLE_RATE
                assert abs(row[newest] / LABEL_RATE - instant) <= 0.0201  # one feature stride


def test_samples_are_a_function_of_their_index(samples: SpeechSamples) -> None:
    first, again, other = samples[5], samples[5], samples[6]
    for name in first:
        torch.testing.assert_close(first[name], again[name])
    assert not torch.equal(first["samples"], other["samples"])
    assert first["phones"].shape == (3, samples.features)
    assert first["known"][0, 5:].all()


def test_degrading_keeps_length_and_range() -> None:
    rng = np.random.default_rng(0)
    speech = np.asarray(np.sin(np.arange(20_000) / 9) * 0.3, np.float32)
    config = AugmentConfig(room_share=1, noise_share=1)
    for _ in range(5):
        out = degrade(speech, config, Acoustics(), rng)
        assert out.shape == speech.shape
        assert np.isfinite(out).all() and np.abs(out).max() <= 1
        assert np.abs(out).max() > 1e-3
    assert len(change_speed(speech, 1.25)) == 16_000


def test_the_encoder_learns(samples: SpeechSamples, tmp_path: Path) -> None:
    torch.manual_seed(0)
    task = EncoderTask(StreamingHubertConfig.from_dict(ENCODER.to_dict() | {"dropout": 0.0}))
    losses: list[float] = []

    def objective(batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, float]]:
        out = task(batch)
        return out.total, {}

    config = LoopConfig(steps=25, batch=4, learning_rate=3e-3, warmup=5, workers=0, bfloat16=False)
    train(task, objective, samples, config, tmp_path, report=lambda _, figures: losses.append(figures["loss"]))
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:3])


class _Recorder(TorchBackend):
    """Keeps what the denoiser was given."""

    def __init__(self, bundle: Bundle) -> None:
        super().__init__(bundle, threads=1)
        self.heard: list[Floats] = []

    def denoise(
        self, audio: Floats, identity: Floats, preset: Integers, noise: Floats, hidden: Floats
    ) -> tuple[Floats, Floats]:
        self.heard.append(audio[0])
        return super().denoise(audio, identity, preset, noise, hidden)


@torch.no_grad()
@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_the_denoiser_is_trained_on_what_it_is_served(tiny_bundle: Path, preset: str) -> None:
    audio: NDArray[np.float32] = np.random.default_rng(0).standard_normal(SAMPLE_RATE * 2).astype(np.float32) * 0.1
    bundle = open_bundle(tiny_bundle)
    recorder = _Recorder(bundle)
    engine = Engine(bundle, recorder, max_streams=1)
    animate_offline(engine, audio, StreamConfig(preset=preset))
    served = np.concatenate(recorder.heard)
    encoder, *_ = tiny_modules()
    padded = np.concatenate([audio, np.zeros(SAMPLE_RATE, np.float32)])[None, : 320 * 120 + 80]
    features, _ = encoder(torch.from_numpy(normalize_level(padded, LevelState.initial(1))[0]))
    trained = frame_audio(features[0].numpy(), PRESETS[preset].look_ahead, len(served))
    np.testing.assert_allclose(served, trained, atol=1e-5)


def test_the_denoiser_and_its_library_learn(corpus: Corpus, tmp_path: Path) -> None:
    encoder, head, *_ = tiny_modules()
    with torch.no_grad():
        head.linear.bias.view(3, -1)[:, 0] = -9.0  # everything is speech: three hummers, always heard
    ten_seconds = SpeechSamples([corpus], Acoustics(), seconds=10, nobody_share=0, augment=AugmentConfig(speed_share=0))
    build_scenes(ten_seconds, encoder, head, 8, tmp_path / "scenes", batch=4)
    scenes = Scenes.open(tmp_path / "scenes")
    library = library_of(scenes, least=1)
    assert set(library.names) <= {"hum/0", "hum/1", "hum/2"}
    assert scenes.phones[3] == tuple(
        TimedPhone(p.phone, round(p.start, 4), round(p.end, 4)) for p in ten_seconds.speech(3).phones
    )
    crops = SceneCrops(scenes, library.names, frames=60)
    spans = torch.stack([crops[i]["phone_spans"] for i in range(4)])
    assert (spans < 60).all() and (spans >= 0).any()
    from diffusiontalker.denoiser.model import Denoiser

    denoiser = Denoiser(DENOISER)
    denoiser.scale.fill_(0.1)
    library_embedding = nn.Embedding(len(library.names), DENOISER.identity_width)
    library.embeddings = library_embedding
    library.encoder[0] = nn.Linear(DENOISER.identity_width, 128)
    task = DenoiserTask(denoiser, library, 4)
    losses: list[float] = []
    config = LoopConfig(steps=20, batch=4, learning_rate=5e-3, warmup=3, workers=0, bfloat16=False)
    train(
        task,
        task,
        SceneCrops(scenes, library.names, frames=60),
        config,
        tmp_path / "run",
        report=lambda _, figures: losses.append(figures["loss"]),
    )
    assert np.mean(losses[-4:]) < 0.7 * np.mean(losses[:2])


def test_scenes_whose_phones_nobody_noted_are_refused(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [{"speaker": "", "natural": True, "phones": [["SIL", 0.0, 10.0]]}]
    (tmp_path / "scenes.json").write_text(json.dumps(rows), "utf-8")
    require_phones(tmp_path)
    (tmp_path / "scenes.json").write_text(json.dumps([*rows, {"speaker": "", "natural": True}]), "utf-8")
    with pytest.raises(CorpusError, match="earlier release: delete it"):
        require_phones(tmp_path)
