"""``diffusiontalker evaluate``: measures a run's denoisers, or with ``--tables`` the paper's tables."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import Progress

from diffusiontalker.cli import arguments as options
from diffusiontalker.cli.show import bars, console

if TYPE_CHECKING:
    from diffusiontalker.evaluation.scenes import StudyScenes
    from diffusiontalker.evaluation.study import Study
    from diffusiontalker.evaluation.variants import Variant
    from diffusiontalker.training.loop import Report


def evaluate(arguments: argparse.Namespace) -> None:
    """Measure a run's denoisers on test scenes; with --tables, train and print the paper's tables."""
    from diffusiontalker.evaluation.scenes import StudyScenes

    runs: Path = arguments.runs
    test = arguments.test_scenes
    if test is None and (runs / "test-scenes").exists():
        test = runs / "test-scenes"
    scenes = StudyScenes.open(arguments.scenes or runs / "scenes", test, limit=arguments.test_limit)
    console.print(scenes.describe(), markup=False, highlight=False)
    if arguments.tables:
        _tables(arguments, scenes)
    else:
        _runs(runs, scenes, arguments.seed)


def _runs(runs: Path, scenes: StudyScenes, seed: int) -> None:
    from diffusiontalker.evaluation.measure import inference, score
    from diffusiontalker.evaluation.study import Trained
    from diffusiontalker.training.pipeline import load_denoiser

    weights = sorted(runs.glob("*/denoiser.safetensors"))
    if not weights:
        raise FileNotFoundError(f"{runs} holds no denoiser: run 'diffusiontalker train' first, or give --tables")
    models = {path.parent.name: Trained(*load_denoiser(path)) for path in weights}
    print(f"{'':24} steps {'MBE':>8} {'LBE':>8} {'full LBE':>8} {'FDD':>8} {'velocity':>8} {'brows':>8} {'ITF':>8}")
    for name, trained in sorted(models.items(), key=lambda item: -len(item[1].schedule)):
        errors = score(trained, scenes, seed)
        keys = ("mbe", "lbe_published", "lbe_full", "fdd_absolute", "velocity", "brow_diversity")
        row = " ".join(f"{errors[key]:8.4f}" for key in keys)
        print(f"{name:24} {len(trained.schedule):5} {row} {inference(trained, scenes).itf:8.1f}", flush=True)
    print(
        "LBE: published lip mask, without jawOpen and mouthClose; full LBE: all of jaw and mouth; ITF: 1e-4 s a frame"
    )


def _tables(arguments: argparse.Namespace, scenes: StudyScenes) -> None:
    from accelerate import PartialState

    from diffusiontalker.evaluation.pictures import draw_pictures, require_matplotlib
    from diffusiontalker.evaluation.report import sections, write_results
    from diffusiontalker.evaluation.results import gather, measured
    from diffusiontalker.evaluation.study import Study, StudyConfig
    from diffusiontalker.training.precision import fast_bfloat16

    if not arguments.no_pictures:
        require_matplotlib()
    config = StudyConfig(
        teacher_updates=arguments.updates,
        stage_updates=arguments.stage_updates or max(1, arguments.updates // 4),
        batch=arguments.batch,
        frames=arguments.frames,
        hidden=arguments.hidden,
        bfloat16=fast_bfloat16(PartialState().device) and not arguments.full_precision,
    )
    seeds = range(arguments.seed, arguments.seed + arguments.seeds)
    studies = [Study(arguments.runs, scenes, config, seed) for seed in seeds]
    with bars() as progress:
        training = _Training(progress, studies)
        for study in studies:
            training.study = study
            study.train_all(training.report, training.done)
        count = len(measured()) * len(studies) + 1
        task = progress.add_task("Measuring", total=count, figures="")
        results = gather(
            studies,
            arguments.vertex_basis,
            lambda what: progress.update(task, advance=1, figures=what),
        )
    out: Path = arguments.out
    pictures = {} if arguments.no_pictures else draw_pictures(studies[0], out / "images")
    for heading, body in sections(results).items():
        print(f"## {heading}\n\n{body}\n")
    console.print(f"wrote {write_results(results, out, pictures)}", soft_wrap=True, highlight=False)


class _Training:
    """One bar over everything that is to be trained; a line for each variant when it is done."""

    def __init__(self, progress: Progress, studies: list[Study]) -> None:
        self.study = studies[0]
        self._progress = progress
        waiting = [v for study in studies for v in study.variants.values() if not study.finished(v)]
        self._task = progress.add_task("Training", total=round(sum(v.cost for v in waiting)), figures="")
        self._before = 0.0
        self._began = time.monotonic()
        self._under_way = 0.0

    def report(self, variant: Variant) -> Report:
        """What the loop calls after every update of a variant."""
        self._began = time.monotonic()
        self._under_way = variant.cost

        def step(number: int, figures: object) -> None:
            completed = self._before + variant.cost * (number + 1) / variant.updates
            self._progress.update(self._task, completed=completed, figures=f"seed {self.study.seed}: {variant.name}")

        return step

    def done(self, variant: Variant) -> None:
        """A variant is trained, or was before."""
        if not self._under_way:
            return
        self._before += self._under_way
        self._under_way = 0.0
        seconds = time.monotonic() - self._began
        console.print(
            f"seed {self.study.seed}: {variant.name} trained, {variant.updates} updates, {seconds:.0f} s",
            highlight=False,
        )


def add(verbs: options.Verbs) -> None:
    """Add the verb to the command."""
    verb = verbs.add_parser("evaluate", parents=[options.runs()], help=evaluate.__doc__)
    verb.add_argument("--scenes", type=Path, metavar="DIR", help="scenes to train on (default: those in --runs)")
    verb.add_argument(
        "--test-scenes",
        type=Path,
        metavar="DIR",
        help="scenes to measure on (default: test-scenes in --runs, else those of --scenes whose split is 'test')",
    )
    verb.add_argument("--test-limit", type=int, default=32, metavar="N", help="test scenes at most (default: 32)")
    verb.add_argument("--seed", type=int, default=0, help="the first seed (default: 0)")
    study = verb.add_argument_group("the paper's tables")
    study.add_argument("--tables", action="store_true", help="train every variant and print the tables")
    study.add_argument(
        "--out", type=Path, default=Path("docs"), metavar="DIR", help="where results.md goes (default: docs)"
    )
    study.add_argument("--seeds", type=int, default=3, metavar="N", help="runs of every variant (default: 3)")
    study.add_argument("--updates", type=int, default=300, metavar="N", help="updates of the teacher (default: 300)")
    study.add_argument(
        "--stage-updates", type=int, metavar="N", help="updates of each halving (default: a quarter of --updates)"
    )
    study.add_argument("--batch", type=int, default=16, metavar="N", help="crops per update (default: 16)")
    study.add_argument("--frames", type=int, default=90, metavar="N", help="frames of a crop (default: 90)")
    study.add_argument("--hidden", type=int, default=256, metavar="N", help="width of the GRU (default: 256)")
    study.add_argument("--full-precision", action="store_true", help="never train in bfloat16")
    study.add_argument("--vertex-basis", type=Path, metavar="NPZ", help="measure LVE on this mesh")
    study.add_argument("--no-pictures", action="store_true", help="do without matplotlib")
    verb.set_defaults(run=evaluate)
