"""What the verbs share in talking to a person: the console, bars, a training run's loss."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

console = Console(stderr=True)


def bars() -> Progress:
    """Progress bars with a column of figures."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[figures]}"),
        console=console,
    )


class TrainingSteps:
    """Shows a training run: a bar and its loss; the log has the rest."""

    def __init__(self, progress: Progress, what: str, total: int) -> None:
        self._progress = progress
        self._task = progress.add_task(what, total=total, figures="")

    def __call__(self, step: int, figures: Mapping[str, float]) -> None:
        """Report of a step, as ``training.loop.train`` gives it."""
        self._progress.update(self._task, completed=step + 1, figures=f"loss {figures['loss']:.3f}")
