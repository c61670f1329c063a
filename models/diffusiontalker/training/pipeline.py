"""Joins the stages: loads what one stage saved for the next, and exports the result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import safe_open
from safetensors.torch import load_file

from diffusiontalker.corpus.recordings import read_recordings
from diffusiontalker.corpus.store import Corpus
from diffusiontalker.denoiser.config import DenoiserConfig
from diffusiontalker.denoiser.identity import IdentityLibrary
from diffusiontalker.denoiser.model import Denoiser
from diffusiontalker.denoiser.schedule import Schedule
from diffusiontalker.encoder.phone_head import PhoneHead
from diffusiontalker.encoder.speech_head import SpeechHead
from diffusiontalker.encoder.streaming_hubert import StreamingHubert
from diffusiontalker.encoder.weights_file import ENCODER_FILE, read_encoder
from diffusiontalker.export.bundle_writer import write_bundle
from diffusiontalker.training.augment import AugmentConfig
from diffusiontalker.training.encoder_task import EncoderTask
from diffusiontalker.training.loop import LoopConfig, Report
from diffusiontalker.training.pretrain import UntranscribedSamples, pretrain_encoder
from diffusiontalker.training.rolling_run import is_rolling_run, load_rolling_run
from diffusiontalker.training.scenes import SECONDS, build_scenes
from diffusiontalker.training.speech_batches import Part, SpeechSamples
from diffusiontalker.training.train_encoder import load_acoustics

if TYPE_CHECKING:
    from diffusiontalker.encoder.rolling_hubert import RollingHubert


def load_encoder(weights: Path) -> EncoderTask:
    """The trained encoder with its heads, in evaluation mode."""
    config, state = read_encoder(weights)
    task = EncoderTask(config)
    task.load_state_dict(state)
    return task.eval()


def pretrain(
    corpora: Sequence[Path],
    out: Path,
    *,
    speech: Path | None,
    steps: int,
    seed: int = 0,
    report: Report | None = None,
) -> Path:
    """Pre-train an encoder on the corpora and on recordings nobody transcribed; the path of its weights."""
    labelled = SpeechSamples(
        [Corpus.open(folder) for folder in corpora], load_acoustics(speech), real_share=0.5, seed=seed
    )
    samples = UntranscribedSamples(labelled, read_recordings(speech) if speech else [])
    return pretrain_encoder(samples, out, LoopConfig(steps=steps, batch=8, warmup=150, seed=seed), report=report)


def build_training_scenes(
    corpora: Sequence[Path],
    encoder: Path,
    out: Path,
    *,
    count: int,
    part: Part = "train",
    speech: Path | None = None,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Encode scenes for the denoiser, of utterances trained on or of those kept for testing.

    Most voices keep their own speed and throat, so that identity can be learned.
    """
    task = load_encoder(encoder)
    samples = SpeechSamples(
        [Corpus.open(folder) for folder in corpora],
        load_acoustics(speech),
        seconds=SECONDS,
        real_share=0.5,
        nobody_share=0.03,
        seed=seed + 1,
        augment=AugmentConfig(speed_share=0.3, formant_share=0.2),
        part=part,
    )
    build_scenes(samples, task.encoder, task.phone_head, count, out, progress=progress)


def load_denoiser(weights: Path) -> tuple[Denoiser, IdentityLibrary, Schedule]:
    """The trained denoiser, its library and its sampler's steps."""
    with safe_open(weights, framework="pt") as file:
        metadata = file.metadata()
    state = load_file(weights)
    names = metadata["names"].split("\n")
    library = IdentityLibrary(names, len(state["library.voice_mean"]))
    width = state["denoiser.audio.weight"].shape[1] // 2
    # Denoisers from before the noise had a period had a new one in every frame.
    denoiser = Denoiser(DenoiserConfig(feature_width=width, noise_period=int(metadata.get("noise_period", "1"))))
    for prefix, module in (("denoiser.", denoiser), ("library.", library)):
        module.load_state_dict({k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)})
    return denoiser.eval(), library.eval(), Schedule.spaced(int(metadata["steps"]))


@torch.no_grad()
def export_runs(runs: Path, bundle: Path, *, steps: int, name: str, version: str) -> None:
    """Write the bundle of a run's encoder and its denoiser of so many steps, distilled or not.

    Raises:
        FileNotFoundError: a stage has not been trained to its end.
        EncoderError: the public HuBERT it was trained on is gone, or another one.
    """
    folder = runs / "encoder"
    encoder = folder / ENCODER_FILE
    denoisers = [runs / folder / "denoiser.safetensors" for folder in (f"distilled-{steps}", "denoiser")]
    if not encoder.exists() and not is_rolling_run(folder):
        raise FileNotFoundError(f"{encoder} is missing: run 'diffusiontalker train' to its end first")
    for path in denoisers:
        if path.exists():
            denoiser, library, schedule = load_denoiser(path)
            if len(schedule) == steps:
                break
    else:
        raise FileNotFoundError(
            f"{runs} holds no denoiser of {steps} steps: run 'diffusiontalker distill --to {steps}' first"
        )
    hearing: StreamingHubert | RollingHubert
    head: PhoneHead | SpeechHead
    if is_rolling_run(folder):
        hearing, head = load_rolling_run(folder)
    else:
        task = load_encoder(encoder)
        hearing, head = task.encoder, task.phone_head
    write_bundle(
        bundle,
        name=name,
        version=version,
        encoder=hearing,
        phone_head=head,
        denoiser=denoiser,
        schedule=schedule,
        identities=library,
    )
