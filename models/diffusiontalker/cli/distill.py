"""``diffusiontalker distill``: a teacher's denoise steps halved, and halved again."""

from __future__ import annotations

import argparse
from pathlib import Path

from diffusiontalker.cli import arguments as options
from diffusiontalker.cli.show import TrainingSteps, bars, console


def halving() -> argparse.ArgumentParser:
    """``--distill-steps`` and ``--distill-scenes``, for every verb that distils."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--distill-steps", type=int, default=1500, metavar="N", help="optimiser steps of each halving (default: 1500)"
    )
    parser.add_argument("--distill-scenes", type=Path, metavar="DIR", help="encoded scenes (default: those in --runs)")
    return parser


def distill(arguments: argparse.Namespace) -> None:
    """Halve the denoiser's steps by progressive distillation, 32 to 16 to 8 and further."""
    from diffusiontalker.training.distill import distill_runs

    runs: Path = arguments.runs
    with bars() as progress:
        students = distill_runs(
            runs,
            arguments.distill_scenes or runs / "scenes",
            to=arguments.to,
            steps=arguments.distill_steps,
            seed=arguments.seed,
            report=lambda stage: TrainingSteps(progress, f"Distilling to {stage}", arguments.distill_steps),
        )
    for student in students:
        console.print(f"wrote {student}", soft_wrap=True, highlight=False)


def add(verbs: options.Verbs) -> None:
    """Add the verb to the command."""
    verb = verbs.add_parser("distill", parents=[options.runs(), halving()], help=distill.__doc__)
    verb.add_argument("--to", type=int, default=4, metavar="N", help="steps of the last student (default: 4)")
    verb.add_argument("--seed", type=int, default=0, metavar="N", help="of all that is drawn (default: 0)")
    verb.set_defaults(run=distill)
