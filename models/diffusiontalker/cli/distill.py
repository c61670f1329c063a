"""``diffusiontalker distill``: a teacher's denoise steps halved, and halved again."""

from __future__ import annotations

import argparse
from pathlib import Path

from diffusiontalker.cli import arguments as options
from diffusiontalker.cli.show import TrainingSteps, bars, console


def distill(arguments: argparse.Namespace) -> None:
    """Halve the denoiser's steps by progressive distillation."""
    from diffusiontalker.training.distill import distill_runs

    runs: Path = arguments.runs
    with bars() as progress:
        students = distill_runs(
            runs,
            arguments.scenes or runs / "scenes",
            to=arguments.to,
            steps=arguments.steps,
            batch=arguments.batch,
            learning_rate=arguments.learning_rate,
            seed=arguments.seed,
            report=lambda stage: TrainingSteps(progress, f"Distilling to {stage}", arguments.steps),
        )
    console.print(f"wrote {', '.join(str(student) for student in students)}", soft_wrap=True)


def add(verbs: options.Verbs) -> None:
    """Add the verb to the command."""
    verb = verbs.add_parser("distill", parents=[options.runs()], help=distill.__doc__)
    verb.add_argument("--to", type=int, default=8, metavar="N", help="steps of the last student (default: 8)")
    verb.add_argument("--steps", type=int, default=1500, help="optimiser steps of each halving (default: 1500)")
    verb.add_argument("--scenes", type=Path, metavar="DIR", help="encoded scenes (default: those in --runs)")
    verb.add_argument("--batch", type=int, default=32, help="crops per optimiser step (default: 32)")
    verb.add_argument("--learning-rate", type=float, default=5e-4, help="peak of each stage (default: 5e-4)")
    verb.add_argument("--seed", type=int, default=0)
    verb.set_defaults(run=distill)
