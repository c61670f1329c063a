"""``diffusiontalker``: the model's command line: corpus, train, export, and all of it in one command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from diffusiontalker.bundle import shipped_bundle

console = Console(stderr=True)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[figures]}"),
        console=console,
    )


class _Steps:
    """Shows a training run: a bar and its loss; the log has the rest."""

    def __init__(self, progress: Progress, what: str, total: int) -> None:
        self._progress = progress
        self._task = progress.add_task(what, total=total, figures="")

    def __call__(self, step: int, figures: Mapping[str, float]) -> None:
        self._progress.update(self._task, completed=step + 1, figures=f"loss {figures['loss']:.3f}")


def corpus(arguments: argparse.Namespace) -> None:
    """Synthesise and align a corpus."""
    from diffusiontalker.corpus.build import build_corpus

    with Progress(console=console) as progress:
        report = build_corpus(
            arguments.out, speech=arguments.speech, hours=arguments.hours, seed=arguments.seed, progress=progress
        )
    for name, seconds in sorted(report.seconds.items()):
        console.print(f"{name:36} {seconds / 60:7.1f} min  {len(report.speakers[name]):4} speakers")
    for reason, count in report.left_out.most_common():
        console.print(f"left out: {count} x {reason}")


def train(arguments: argparse.Namespace) -> None:
    """Train the encoder, hear the corpus with it, train the denoiser."""
    from diffusiontalker.training.pipeline import build_training_scenes
    from diffusiontalker.training.train_denoiser import train_denoiser
    from diffusiontalker.training.train_encoder import train_encoder

    runs: Path = arguments.runs
    with _progress() as progress:
        encoder = train_encoder(
            arguments.corpus,
            runs / "encoder",
            speech=arguments.speech,
            steps=arguments.encoder_steps,
            seed=arguments.seed,
            report=_Steps(progress, "Encoder", arguments.encoder_steps),
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
            report=_Steps(progress, "Denoiser", arguments.denoiser_steps),
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="diffusiontalker", description="Train and export LiveTalker's face model.")
    verbs = parser.add_subparsers(required=True, metavar="corpus | train | export | model")

    speech = argparse.ArgumentParser(add_help=False)
    speech.add_argument("--speech", type=Path, metavar="DIR", help="folder of aligned recordings and noise")
    speech.add_argument("--seed", type=int, default=0)
    amount = argparse.ArgumentParser(add_help=False)
    amount.add_argument("--hours", type=float, default=9.0, help="hours of synthetic speech (default: 9)")
    training = argparse.ArgumentParser(add_help=False)
    training.add_argument("--corpus", type=Path, nargs="+", default=[Path("corpus")], metavar="DIR")
    training.add_argument("--encoder-steps", type=int, default=3600)
    training.add_argument("--scenes", type=int, default=2400, help="ten-second scenes for the denoiser")
    training.add_argument("--denoiser-steps", type=int, default=4000)
    training.add_argument("--denoise-steps", type=int, default=8, help="steps of the sampler (default: 8)")
    runs = argparse.ArgumentParser(add_help=False)
    runs.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR", help="checkpoints and logs")
    bundle = argparse.ArgumentParser(add_help=False)
    bundle.add_argument(
        "--bundle", type=Path, default=shipped_bundle(), metavar="DIR", help="default: the package's own"
    )
    bundle.add_argument("--name", default="diffusiontalker-compact")
    bundle.add_argument("--model-version", default="1.0.0")

    verb = verbs.add_parser("corpus", parents=[speech, amount], help=corpus.__doc__)
    verb.add_argument("out", type=Path, help="folder to write")
    verb.set_defaults(run=corpus)
    verbs.add_parser("train", parents=[speech, training, runs], help=train.__doc__).set_defaults(run=train)
    verbs.add_parser("export", parents=[runs, bundle], help=export.__doc__).set_defaults(run=export)
    verb = verbs.add_parser("model", parents=[speech, amount, training, runs, bundle], help=model.__doc__)
    verb.set_defaults(run=model)
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Run a command; errors a person can mend are one line."""
    from diffusiontalker.corpus.engine import EngineMissing
    from diffusiontalker.corpus.store import CorpusError

    arguments = _parser().parse_args(words)
    try:
        arguments.run(arguments)
    except ModuleNotFoundError as error:
        console.print(f"diffusiontalker: {error.name} is not installed; pip install 'livetalker\\[train]'")
        return 2
    except (EngineMissing, CorpusError, FileNotFoundError) as error:
        console.print(f"diffusiontalker: {error}")
        return 2
    except KeyboardInterrupt:
        console.print("stopped; the same command goes on from the last checkpoint")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
