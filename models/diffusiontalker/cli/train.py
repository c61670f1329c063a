"""``diffusiontalker train``, ``export`` and ``model``: from a corpus to a bundle, every stage resumable."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from diffusiontalker.cli import arguments as options
from diffusiontalker.cli.corpus import corpus
from diffusiontalker.cli.distill import distill, halving
from diffusiontalker.cli.show import TrainingSteps, bars, console

if TYPE_CHECKING:
    from rich.progress import TaskID

    from diffusiontalker.training.speech_batches import Part


def train(arguments: argparse.Namespace) -> None:
    """Train an encoder and a denoiser on a corpus of speech, or with --captures a denoiser on captured faces."""
    from diffusiontalker.training.train_denoiser import train_denoiser
    from diffusiontalker.training.train_voice import PEOPLE_FILE

    people = None
    if arguments.captures:
        _hear_captures(arguments)
    else:
        _hear_corpus(arguments)
        people = arguments.runs / "voice" / PEOPLE_FILE
    with bars() as progress:
        train_denoiser(
            arguments.runs / "scenes",
            arguments.runs / "denoiser",
            people=people,
            denoise_steps=arguments.denoise_steps,
            steps=arguments.denoiser_steps,
            seed=arguments.seed,
            report=TrainingSteps(progress, "Denoiser", arguments.denoiser_steps),
        )


def _hear_captures(arguments: argparse.Namespace) -> None:
    """Scenes of captured faces, with an encoder that exists."""
    from diffusiontalker.training.captured_run import hear_captures

    with bars() as progress:
        tasks: dict[str, TaskID] = {}

        def show(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(f"Hearing {name}", total=total, figures="")
            progress.update(tasks[name], completed=done)

        hear_captures(
            arguments.captures,
            arguments.runs,
            encoder=arguments.encoder,
            window=arguments.encoder_window,
            hop=arguments.encoder_hop,
            seed=arguments.seed,
            progress=show,
        )


def _hear_corpus(arguments: argparse.Namespace) -> None:
    """An encoder of our own, and scenes of the corpora it was trained on."""
    from diffusiontalker.training.captured_run import require_synthesised
    from diffusiontalker.training.pipeline import build_training_scenes, pretrain
    from diffusiontalker.training.scenes import require_phones
    from diffusiontalker.training.train_encoder import train_encoder
    from diffusiontalker.training.train_voice import train_voice

    runs, seed = arguments.runs, arguments.seed
    require_synthesised(runs)
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
        encoder = train_encoder(
            arguments.corpus,
            runs / "encoder",
            speech=arguments.speech,
            steps=arguments.encoder_steps,
            pretrained=pretrained,
            seed=seed,
            report=steps("Encoder", arguments.encoder_steps),
        )
        heard = progress.add_task("Voices", total=None, figures="")
        train_voice(
            arguments.corpus,
            encoder,
            runs / "voice",
            speech=arguments.speech,
            seed=seed,
            progress=lambda done, total: progress.update(heard, completed=done, total=total),
        )
        # A tenth as many of utterances that no stage has seen: what "evaluate" measures on.
        parts: tuple[tuple[Path, Part, int], ...] = (
            (runs / "scenes", "train", arguments.scenes),
            (runs / "test-scenes", "test", arguments.scenes // 10),
        )
        for folder, part, count in parts:
            if folder.exists():
                require_phones(folder)
            elif count:
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


def export(arguments: argparse.Namespace) -> None:
    """Write a bundle of the trained model."""
    from diffusiontalker.training.pipeline import export_runs

    bundle: Path = arguments.bundle
    name = arguments.name or bundle.resolve().name
    export_runs(arguments.runs, bundle, steps=arguments.to, name=name, version=arguments.model_version)
    console.print(f"wrote {bundle}: {name} {arguments.model_version}", markup=False, highlight=False, soft_wrap=True)


def model(arguments: argparse.Namespace) -> None:
    """Corpus, training, distillation and export, each stage skipped where its result lies already."""
    from diffusiontalker.bundle import METADATA
    from diffusiontalker.draft import require_room

    require_room(arguments.bundle, METADATA)  # hours before it is written
    if not arguments.corpus[0].exists():
        arguments.out = arguments.corpus[0]
        corpus(arguments)
    train(arguments)
    if arguments.to != arguments.denoise_steps:
        distill(arguments)
    export(arguments)


def add(verbs: options.Verbs) -> None:
    """Add the verbs to the command."""
    speech, amount, training = options.speech(), options.amount(), options.training()
    runs = options.runs()
    verb = verbs.add_parser("train", parents=[speech, training, runs], help=train.__doc__)
    verb.add_argument("--captures", type=Path, metavar="DIR", help="a captured corpus, instead of --corpus")
    verb.add_argument("--encoder", metavar="NAME", help="a HuBERT by hub name or folder (default: the shipped encoder)")
    verb.add_argument(
        "--encoder-window", type=int, metavar="N", help="features a HuBERT hears at a time, 50 a second (default: 100)"
    )
    verb.add_argument(
        "--encoder-hop",
        type=int,
        metavar="N",
        help="features kept of each window; more cost less and wait longer (default: 5)",
    )
    verb.set_defaults(run=train)
    verbs.add_parser("export", parents=[runs, options.bundle(8)], help=export.__doc__).set_defaults(run=export)
    shipped = [speech, amount, training, runs, halving(), options.bundle(4)]
    verb = verbs.add_parser("model", parents=shipped, help=model.__doc__)
    verb.set_defaults(run=model, captures=None)
