"""Scenes of captured faces for the denoiser, heard by the shipped encoder or by a public HuBERT."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from diffusiontalker.bundle import file_hash, open_bundle
from diffusiontalker.captures.store import CURVES_FILE, TAKES_FILE, CaptureCorpus
from diffusiontalker.corpus.store import AUDIO_FILE, CorpusError, Split
from diffusiontalker.encoder.fingerprint import require_same_encoder
from diffusiontalker.encoder.loading import encoder_fingerprint, load_audio_encoder
from diffusiontalker.encoder.streaming_hubert import StreamingHubert
from diffusiontalker.encoder.weights_file import save_encoder
from diffusiontalker.export.bundle_reader import read_modules
from diffusiontalker.training.captured_scenes import build_captured_scenes, scenes_of
from diffusiontalker.training.encoder_task import EncoderTask
from diffusiontalker.training.rolling_run import is_rolling_run, save_rolling_run
from diffusiontalker.training.speech_head import SPEECH_FILE, Detector, fit_to_scenes

FINGERPRINT = "encoder.txt"
"""In a folder of scenes: which encoder heard them."""
HEARD: Final = "captures.txt"
"""Likewise: which captured corpus was heard, as ``captures_fingerprint`` says it."""
SIDES: dict[str, Split] = {"scenes": "train", "test-scenes": "held_out"}
"""Folder of a run -> the side of the captured corpus it holds."""
_LEAST_SPEAKERS: Final = 2
_LEAST_SCENES: Final = 3
"""Of each of them: what a library of identities needs."""


def captures_fingerprint(captures: Path) -> str:
    """Digest of everything in a captured corpus, whatever its folder is called: 64 hexadecimal digits."""
    files = (TAKES_FILE, AUDIO_FILE, CURVES_FILE)
    return hashlib.sha256(" ".join(file_hash(captures / name) for name in files).encode()).hexdigest()


def hear_captures(
    captures: Path,
    runs: Path,
    *,
    encoder: str | None = None,
    window: int | None = None,
    hop: int | None = None,
    seed: int = 0,
    progress: Callable[[str, int, int], None] | None = None,
) -> None:
    """Encode both sides of a captured corpus into ``runs/scenes`` and ``runs/test-scenes``, each unless it is there.

    Args:
        captures: folder of a captured corpus.
        runs: of the training run.
        encoder: as ``encoder.loading.load_audio_encoder`` takes it; None for the shipped one, which is then also
            written to ``runs/encoder`` so that the run can be exported. Of another one, its name and a speech detector
            fitted to its features are kept there.
        window: features a public HuBERT hears at a time, None for what it was saved with or 100.
        hop: features kept of each window, likewise or 5.
        seed: of the scenes.
        progress: called with the folder's name, scenes done and scenes in all.

    Raises:
        EncoderMismatch: scenes that are there were heard by another encoder.
        EncoderError: there is no such encoder.
        CorpusError: the folder is no captured corpus, holds too little to train on, or is another one than the scenes
            that are there were made of.
    """
    corpus = CaptureCorpus.open(captures)
    _require_people(corpus, captures)
    heard = captures_fingerprint(captures)
    for name in SIDES:
        _require_same_captures(runs / name, heard, captures)
    speech: Callable[[Tensor], Tensor] | None = None
    detector: Detector | None = None
    modules = read_modules(open_bundle())
    if encoder is None:
        head, hearing = modules.phone_head, modules.encoder
        speech = lambda features: head.speech(features)[..., 0]  # noqa: E731
        mark = encoder_fingerprint(hearing)
        assert isinstance(hearing, StreamingHubert)  # the shipped model's encoder is the compact one
        _keep(EncoderTask(hearing.config), {"encoder": hearing, "phone_head": head}, runs / "encoder")
    else:
        hearing = load_audio_encoder(encoder, window=window, hop=hop)
        mark = encoder_fingerprint(hearing)
        detector = lambda audio: modules.phone_head.speech(modules.encoder(audio)[0])  # noqa: E731
    present = {take.split for take in corpus.takes}
    for name, side in SIDES.items():
        folder = runs / name
        if folder.exists():
            note = folder / FINGERPRINT
            require_same_encoder(note.read_text("utf-8").strip() if note.is_file() else "?", mark, str(folder))
        elif side in present or side == "train":
            build_captured_scenes(
                captures,
                hearing,
                folder,
                split=side,
                speech=speech,
                detector=detector,
                seed=seed,
                progress=(lambda done, total, name=name: progress(name, done, total)) if progress else None,  # type: ignore[misc]
            )
            (folder / FINGERPRINT).write_text(mark + "\n", "utf-8")
            (folder / HEARD).write_text(heard + "\n", "utf-8")
    if isinstance(hearing, StreamingHubert):
        return
    if not (runs / "scenes" / SPEECH_FILE).is_file():
        raise CorpusError(f"{runs / 'scenes'} is of an earlier release: delete it, and train again")
    if not is_rolling_run(runs / "encoder"):
        save_rolling_run(runs / "encoder", hearing, fit_to_scenes(runs / "scenes", hearing, seed=seed))


def _require_people(corpus: CaptureCorpus, captures: Path) -> None:
    """Refuse, before hours are spent on hearing it, a corpus that no library of identities can be made of."""
    train = [take for take in corpus.takes if take.split == SIDES["scenes"]]
    scenes = Counter(pieces[0].take.speaker for pieces in scenes_of(train))
    if sum(count >= _LEAST_SCENES for count in scenes.values()) < _LEAST_SPEAKERS:
        people = sorted({take.speaker for take in corpus.takes})
        found = ", ".join(f"{speaker} {scenes[speaker]}" for speaker in people[:5])
        more = f" and {len(people) - 5} more" if len(people) > 5 else ""
        raise CorpusError(
            f"{captures} has too few people to train on: {_LEAST_SPEAKERS} are needed, each with {_LEAST_SCENES} "
            f"scenes of ten seconds that are not held out ({found}{more}). Add takes, or teach one person's style to "
            "a model that exists: diffusiontalker enroll"
        )


def _require_same_captures(folder: Path, heard: str, captures: Path) -> None:
    """Refuse to go on with scenes of other captures: the model would be trained on people that nobody named."""
    note = folder / HEARD
    if folder.exists() and (not note.is_file() or note.read_text("utf-8").strip() != heard):
        raise CorpusError(
            f"{folder} was not made of {captures} as it is now: train into another folder with --runs, "
            f"or delete {folder.parent} to begin anew"
        )


def require_synthesised(runs: Path) -> None:
    """Refuse to train on a corpus of speech in a run whose scenes are captured faces.

    Raises:
        CorpusError: ``hear_captures`` made the run's scenes.
    """
    for folder in (runs / name for name in SIDES):
        if (folder / HEARD).is_file() or (folder / FINGERPRINT).is_file():
            raise CorpusError(f"{folder} holds captured faces: go on with --captures, or give another --runs")


def _keep(task: EncoderTask, parts: dict[str, torch.nn.Module], folder: Path) -> None:
    """Save a served encoder where ``export`` looks for it; the training heads it lacks stay untrained."""
    for name, module in parts.items():
        task.get_submodule(name).load_state_dict(module.state_dict())
    save_encoder(task.encoder.config, task.state_dict(), folder)
