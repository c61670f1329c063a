"""``diffusiontalker train``, ``export`` and ``model``: from a corpus to a bundle, every stage resumable."""

from __future__ import annotations

import argparse
from pathlib import Path

from diffusiontalker.cli import arguments as options
from diffusiontalker.cli.corpus import corpus
from diffusiontalker.cli.show import TrainingSteps, bars, console


def train(arguments: argparse.Namespace) -> None:
    """Train the encoder, hear the corpus with it, train the denoiser."""
    from diffusiontalker.training.pipeline import build_training_scenes, pretrain
    from diffusiontalker.training.train_denoiser import train_denoiser
    from diffusiontalker.training.train_encoder import train_encoder

    runs: Path = arguments.runs
    with bars() as progress:
        pretrained = pretrain(
            arguments.corpus,
            runs / "pretrain",
            speech=arguments.speech,
            steps=arguments.pretrain_steps,
            seed=arguments.seed,
            report=TrainingSteps(progress, "Pre-training", arguments.pretrain_steps),
        )
        encoder = train_encoder(
            arguments.corpus,
            runs / "encoder",
            speech=arguments.speech,
            steps=arguments.encoder_steps,
            pretrained=pretrained,
            seed=arguments.seed,
            report=TrainingSteps(progress, "Encoder", arguments.encoder_steps),
        )
        scenes = runs / "scenes"
        if not scenes.exists():
            task = progress.add_task("Scenes", total=arguments.scenes, figures="")
            build_training_scenes(
                arguments.corpus,
                encoder,
                scenes,
                count=arguments.scenes,
                speech=arguments.speech,
                seed=arguments.seed,
                progress=lambda done: progress.advance(task, done),
            )
        train_denoiser(
            scenes,
            runs / "denoiser",
            denoise_steps=arguments.denoise_steps,
            steps=arguments.denoiser_steps,
            seed=arguments.seed,
            report=TrainingSteps(progress, "Denoiser", arguments.denoiser_steps),
        )


def export(arguments: argparse.Namespace) -> None:
    """Write a bundle of the trained model."""
    from diffusiontalker.training.pipeline import export_runs

    export_runs(arguments.runs, arguments.bundle, name=arguments.name, version=arguments.model_version)
    console.print(f"wrote {arguments.bundle}")


def model(arguments: argparse.Namespace) -> None:
    """Corpus, training and export, each stage skipped where its result lies already."""
    if not arguments.corpus[0].exists():
        arguments.out = arguments.corpus[0]
        corpus(arguments)
    train(arguments)
    export(arguments)


def add(verbs: options.Verbs) -> None:
    """Add the verbs to the command."""
    speech, amount, training = options.speech(), options.amount(), options.training()
    runs, bundle = options.runs(), options.bundle()
    verbs.add_parser("train", parents=[speech, training, runs], help=train.__doc__).set_defaults(run=train)
    verbs.add_parser("export", parents=[runs, bundle], help=export.__doc__).set_defaults(run=export)
    verb = verbs.add_parser("model", parents=[speech, amount, training, runs, bundle], help=model.__doc__)
    verb.set_defaults(run=model)
