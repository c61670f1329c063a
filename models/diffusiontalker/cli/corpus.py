"""``diffusiontalker corpus``: synthesise and align a corpus."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.progress import Progress

from diffusiontalker.cli import arguments as options
from diffusiontalker.cli.show import console


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


def add(verbs: options.Verbs) -> None:
    """Add the verb to the command."""
    verb = verbs.add_parser("corpus", parents=[options.speech(), options.amount()], help=corpus.__doc__)
    verb.add_argument("out", type=Path, help="folder to write")
    verb.set_defaults(run=corpus)
