"""Scenes for the denoiser: ten seconds of somebody speaking, already heard by the frozen encoder, with the face.

The encoder does not change while the denoiser learns, so each scene is encoded once and kept on disk as half floats.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from diffusiontalker.animator import NEUTRAL, animate, style_for
from diffusiontalker.arkit import COUNT
from diffusiontalker.corpus.store import CorpusError
from diffusiontalker.draft import Draft
from diffusiontalker.encoder.phone_head import PhoneHead
from diffusiontalker.encoder.streaming_hubert import StreamingHubert
from diffusiontalker.encoder.voice_head import pool_voiced
from diffusiontalker.geometry import MODEL_FPS, PRESETS, STEADY_LOOK_AHEAD, frame_feature, frame_sample
from diffusiontalker.phones import TimedPhone
from diffusiontalker.training.contrasts import phone_spans
from diffusiontalker.training.speech_batches import Speech, SpeechSamples

Row = dict[str, object]
"""A scene's entry in the listing: ``speaker``, ``natural`` and, where they are known, ``phones``."""

SECONDS: Final = 10
SCENES_FILE: Final = "scenes.json"
WINDOWS: Final = 3
"""Voices per scene, each pooled and described."""
FRAMES: Final = SECONDS * MODEL_FPS - 6
"""Frames of a scene whose audio is there at every look-ahead."""


def loudness(clean: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """Level around each frame in dB relative to the scene's speech level, ``[frames]``."""
    half = frame_sample(1)
    power = np.concatenate([[0.0], np.cumsum(np.square(clean.astype(np.float64)))])
    centre = np.array([frame_sample(n) for n in range(frames)])
    low, high = np.clip(centre - half, 0, len(clean)), np.clip(centre + half, 1, len(clean))
    level = 10 * np.log10((power[high] - power[low]) / (high - low) + 1e-10)
    return np.asarray(level - np.percentile(level, 85), np.float32)


def face(speech: Speech, seed: int) -> NDArray[np.float32]:
    """The truth: the animator's curves of a scene in its speaker's style, without blinks, ``[frames, 52]``."""
    style = style_for(speech.speaker) if speech.speaker else NEUTRAL
    level = loudness(speech.clean, FRAMES) if speech.speaker else None
    return animate(speech.phones, FRAMES, style=style, seed=seed, loudness=level, blinks=False)


class _Drawn(Dataset[tuple[int, Tensor, Tensor, Row]]):
    """Normalised audio and truth of scene ``i``, and its row of the listing."""

    def __init__(self, samples: SpeechSamples, count: int) -> None:
        self.samples = samples
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[int, Tensor, Tensor, Row]:
        speech = self.samples.speech(index)
        audio = torch.from_numpy(self.samples.normalized(speech.heard, index))
        phones = [(p.phone, round(p.start, 4), round(p.end, 4)) for p in speech.phones]
        row: Row = {"speaker": speech.speaker, "natural": speech.natural, "phones": phones}
        return index, audio, torch.from_numpy(face(speech, index)), row


def _batch(drawn: list[tuple[int, Tensor, Tensor, Row]]) -> tuple[list[int], Tensor, Tensor, list[Row]]:
    indexes, audio, truth, rows = zip(*drawn, strict=True)
    return list(indexes), torch.stack(audio), torch.stack(truth), list(rows)


@torch.no_grad()
def build_scenes(
    samples: SpeechSamples,
    encoder: StreamingHubert,
    phone_head: PhoneHead,
    count: int,
    out: Path,
    *,
    batch: int = 8,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Encode ``count`` scenes into ``out`` (replaced when complete)."""
    length, width = samples.features, encoder.config.width
    rows: list[Row] = [{}] * count
    encoder.eval()
    with Draft(out, SCENES_FILE) as draft:

        def array(name: str, *shape: int) -> NDArray[np.float16]:
            return np.lib.format.open_memmap(draft.folder / name, mode="w+", dtype=np.float16, shape=(count, *shape))

        features, curves = array("features.npy", length, width), array("curves.npy", FRAMES, COUNT)
        voices = array("voices.npy", WINDOWS, encoder.voice_head.description_width)
        for at, audio, truth, drawn in DataLoader(_Drawn(samples, count), batch, num_workers=2, collate_fn=_batch):
            heard, voice = encoder(audio)
            spoken = phone_head.speech(heard)[..., 0]
            features[at] = heard.half().numpy()
            curves[at] = truth.half().numpy()
            for w, (v, s) in enumerate(zip(voice.chunk(WINDOWS, 1), spoken.chunk(WINDOWS, 1), strict=True)):
                voices[at, w] = encoder.describe(pool_voiced(v, s)).half().numpy()
            for index, row in zip(at, drawn, strict=True):
                rows[index] = row
            if progress is not None:
                progress(len(at))
        (draft.folder / SCENES_FILE).write_text(json.dumps(rows), "utf-8")


@dataclass(frozen=True)
class Scenes:
    """Encoded scenes on disk.

    Attributes:
        features: ``[N, T, W]`` at 50 Hz.
        curves: ``[N, F, 52]`` at 30 fps, in 0..1.
        voices: ``[N, 3, D]`` described voice of each third (``AudioEncoder.describe``); zero where nobody spoke.
        speakers: ``N`` names, ``""`` for nobody.
        natural: ``[N]`` the voice is the speaker's own.
        phones: ``N`` times what was said, or ``()`` where nobody knows, as with captured faces.
    """

    features: NDArray[np.float16]
    curves: NDArray[np.float16]
    voices: NDArray[np.float16]
    speakers: Sequence[str]
    natural: NDArray[np.bool_]
    phones: Sequence[Sequence[TimedPhone]] = ()

    @classmethod
    def open(cls, folder: Path) -> Scenes:
        """Map the scenes of a folder."""
        rows = json.loads((folder / SCENES_FILE).read_text("utf-8"))
        known = all("phones" in row for row in rows)
        features, curves, voices = (
            np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("features", "curves", "voices")
        )
        return cls(
            features,
            curves,
            voices,
            speakers=[row["speaker"] for row in rows],
            natural=np.array([row["natural"] for row in rows], np.bool_),
            phones=[tuple(TimedPhone(*phone) for phone in row["phones"]) for row in rows] if known else (),
        )


def require_phones(folder: Path) -> None:
    """Refuse scenes of synthesised faces whose phones nobody noted: they would be learned from by half.

    Raises:
        CorpusError: they are an earlier release's.
    """
    if not all("phones" in row for row in json.loads((folder / SCENES_FILE).read_text("utf-8"))):
        raise CorpusError(f"{folder} is of an earlier release: delete it, and train again")


def frame_audio(features: NDArray[np.float32], look_ahead: int, frames: int) -> NDArray[np.float32]:
    """The two features each frame hears: the steady one, at a constant distance in every preset, and the newest.

    Args:
        features: ``[T, W]`` from the start of a stream.
        look_ahead: samples.
        frames: how many.

    Returns:
        ``[frames, 2 W]``.
    """
    places = [frame_feature(n, STEADY_LOOK_AHEAD) for n in range(frames)]
    near = np.array([k for k, _ in places])
    phase = np.array([p for _, p in places], np.float32)[:, None]
    newest = np.array([frame_feature(n, look_ahead)[0] for n in range(frames)])
    padded = np.concatenate([np.zeros((1, features.shape[1]), np.float32), features])
    steady = (1 - phase) * padded[near] + phase * padded[near + 1]
    return np.concatenate([steady, padded[newest + 1]], axis=1)


class SceneCrops(Dataset[dict[str, Tensor]]):
    """Crops of scenes; crop ``i`` is a function of ``(seed, i)``.

    Each has ``audio [F, 2 W]``, ``curves [F, 52]``, ``preset []``, ``speaker []`` (a row of ``speakers``, -1 for
    nobody), ``voice [W]``, ``voiced []`` and, where phones are known, ``phone_spans [kinds, MOST, 2]`` (``contrasts``).
    """

    def __init__(
        self, scenes: Scenes, speakers: Sequence[str], frames: int = 120, length: int = 1 << 20, seed: int = 0
    ):
        self.scenes = scenes
        self.frames = frames
        self.length = length
        self.seed = seed
        index = {name: i for i, name in enumerate(speakers)}
        self.rows = np.array([index.get(name, -1) for name in scenes.speakers])

    def __len__(self) -> int:
        """Crops per epoch."""
        return self.length

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Crop ``index``."""
        rng = np.random.default_rng([self.seed, index])
        scene = int(rng.integers(len(self.rows)))
        preset = list(PRESETS.values())[rng.integers(len(PRESETS))]
        audio = frame_audio(self.scenes.features[scene].astype(np.float32), preset.look_ahead, FRAMES)
        # Half of the crops begin with the stream, when hidden states are zero and nothing was heard.
        start = int(rng.integers(0, FRAMES - self.frames + 1)) if rng.random() < 0.5 else 0
        window = slice(start, start + self.frames)
        voice = self.scenes.voices[scene, rng.integers(WINDOWS)].astype(np.float32)
        crop = {
            "audio": torch.from_numpy(audio[window]),
            "curves": torch.from_numpy(self.scenes.curves[scene, window].astype(np.float32)),
            "preset": torch.tensor(preset.index),
            "speaker": torch.tensor(int(self.rows[scene])),
            "voice": torch.from_numpy(voice),
            "voiced": torch.tensor(bool(self.scenes.natural[scene] and np.any(voice))),
        }
        if self.scenes.phones:
            crop["phone_spans"] = torch.from_numpy(phone_spans(self.scenes.phones[scene], start, self.frames))
        return crop
