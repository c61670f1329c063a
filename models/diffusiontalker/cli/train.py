"""``diffusiontalker train``, ``export`` and ``model``: from a corpus to a bundle, every stage resumable."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from diffusiontalker.cli import arguments as options
from diffusiontalker.cli.corpus import corpus
from diffusiontalker.cli.show import TrainingSteps, bars, console

if TYPE_CHECKING:
    from diffusiontalker.training.speech_batches import Part


def train(arguments: argparse.Namespace) -> None:
    """Train the encoder, its voice head, and on what it hears the teacher of the denoiser."""
    from diffusiontalker.training.pipeline import build_training_scenes, pretrain, teach_voices
    from diffusiontalker.training.train_denoiser import train_denoiser
    from diffusiontalker.training.train_encoder import train_encoder

    runs, seed = arguments.runs, arguments.seed
    with bars() as progress:

        def steps(what: str, total: int) -> TrainingSteps:
            return TrainingSteps(progress, what, total)

        pretrained = pretrain(
            arguments.corpus,
            runs / "pretrain",
            speech=arguments.speech,
            steps=arguments.pretrain_steps,
            seed=seed,
            report=steps("Pre-training", arguments.pretrain_steps),
        )
        phonetic = train_encoder(
            arguments.corpus,
            runs / "encoder",
            speech=arguments.speech,
            steps=arguments.encoder_steps,
            pretrained=pretrained,
            seed=seed,
            report=steps("Encoder", arguments.encoder_steps),
        )
        encoder = teach_voices(
            arguments.corpus,
            phonetic,
            runs / "voice",
            speech=arguments.speech,
            steps=arguments.voice_steps,
            seed=seed,
            report=steps("Voices", arguments.voice_steps),
        )
        # A tenth as many of utterances that no stage has seen: what "evaluate" measures on.
        parts: tuple[tuple[Path, Part, int], ...] = (
            (runs / "scenes", "train", arguments.scenes),
            (runs / "test-scenes", "test", arguments.scenes // 10),
        )
        for folder, part, count in parts:
            if count and not folder.exists():
                task = progress.add_task(f"Scenes to {part}", total=count, figures="")
                build_training_scenes(
                    arguments.corpus,
                    encoder,
                    folder,
                    count=count,
                    part=part,
                    speech=arguments.speech,
                    seed=seed,
                    progress=lambda done, task=task: progress.advance(task, done),  # type: ignore[misc]
                )
        train_denoiser(
            runs / "scenes",
            runs / "denoiser",
            denoise_steps=arguments.denoise_steps,
            steps=arguments.denoiser_steps,
            seed=seed,
            report=steps("Denoiser", arguments.denoiser_steps),
        )


def export(arguments: argparse.Namespace) -> None:
    """Write a bundle of the trained model."""
    from diffusiontalker.training.pipeline import export_runs

    export_runs(
        arguments.runs, arguments.bundle, steps=arguments.to, name=arguments.name, version=arguments.model_version
    )
    console.print(f"wrote {arguments.bundle}")


def model(arguments: argparse.Namespace) -> None:
    """Corpus, training, distillation and export, each stage skipped where its result lies already."""
    if not arguments.corpus[0].exists():
        arguments.out = arguments.corpus[0]
        corpus(arguments)
    train(arguments)
    if arguments.to != arguments.denoise_steps:
        _distill(arguments)
    export(arguments)


def _distill(arguments: argparse.Namespace) -> None:
    from diffusiontalker.training.distill import distill_runs

    with bars() as progress:
        distill_runs(
            arguments.runs,
            arguments.runs / "scenes",
            to=arguments.to,
            steps=arguments.distill_steps,
            seed=arguments.seed,
            report=lambda stage: TrainingSteps(progress, f"Distilling to {stage}", arguments.distill_steps),
        )


def add(verbs: options.Verbs) -> None:
    """Add the verbs to the command."""
    speech, amount, training = options.speech(), options.amount(), options.training()
    runs, bundle = options.runs(), options.bundle()
    verbs.add_parser("train", parents=[speech, training, runs], help=train.__doc__).set_defaults(run=train)
    verbs.add_parser("export", parents=[runs, bundle], help=export.__doc__).set_defaults(run=export)
    verb = verbs.add_parser("model", parents=[speech, amount, training, runs, bundle], help=model.__doc__)
    verb.add_argument("--distill-steps", type=int, default=1000, help="optimiser steps of each halving (default: 1000)")
    verb.set_defaults(run=model)
