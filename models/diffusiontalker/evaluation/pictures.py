"""The pictures of ``results.md``: curves against truth, five speakers, three seeds. Needs matplotlib (``demo``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from diffusiontalker.arkit import INDEX
from diffusiontalker.evaluation.measure import animate, animate_scenes, scene_audio, takes
from diffusiontalker.evaluation.results import DIVERSE
from diffusiontalker.evaluation.scenes import EvaluationError
from diffusiontalker.evaluation.study import Study, Trained
from diffusiontalker.geometry import MODEL_FPS
from diffusiontalker.metrics.lips import gap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS: Final = ("#00798c", "#d1495b", "#edae49", "#7b5ea7", "#5c6b8a")
_TRUTH: Final = "#2b2d42"
_FAINT: Final = "#8d99ae"
_SENTENCE: Final = 5 * MODEL_FPS
_WORD: Final = int(1.2 * MODEL_FPS)
_SPEAKERS: Final = 5

Curve = NDArray[Any]


def require_matplotlib() -> None:
    """Say so before anything is trained, if pictures cannot be drawn.

    Raises:
        EvaluationError: matplotlib is not installed.
    """
    if find_spec("matplotlib") is None:
        raise EvaluationError(
            "matplotlib is not installed and draws the pictures: pip install '.[demo]' in LiveTalker's folder, "
            "or give --no-pictures"
        )


def draw_pictures(study: Study, folder: Path) -> dict[str, Path]:
    """Draw all pictures of a trained study into ``folder``; captions and files."""
    folder.mkdir(parents=True, exist_ok=True)
    row = _talkative(study)
    student = study.load(study.variants[DIVERSE])
    return {
        "Curves against truth for one sentence kept apart.": _curves(study, row, folder / "results-curves.png"),
        "The same sound in the manners of five speakers of the library, 8 distilled steps.": _speakers(
            student, study, row, folder / "results-speakers.png"
        ),
        "Three seeds of the same scene, 8 distilled steps: brows may differ, lips should agree.": _seeds(
            student, study, row, folder / "results-seeds.png"
        ),
    }


def _talkative(study: Study) -> int:
    """The test scene of a known speaker whose mouth moves most."""
    scenes, names = study.scenes.test, study.load(study.variants[DIVERSE]).library.names
    rows = [int(i) for i in study.scenes.test_rows]
    known = [i for i in rows if scenes.speakers[i] in names] or rows
    return max(known, key=lambda i: float(gap(np.asarray(scenes.curves[i], np.float32)).std()))


def _busiest(opening: Curve, frames: int) -> slice:
    """The stretch in which the mouth moves most."""
    frames = min(frames, len(opening))
    energy = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(opening, prepend=opening[0])))])
    start = int(np.argmax(energy[frames:] - energy[: len(energy) - frames]))
    return slice(start, start + frames)


def _shapes(faces: Curve) -> Mapping[str, Curve]:
    """What is drawn of faces ``[..., 52]``, by name."""
    smile = faces[..., [INDEX["mouthSmileLeft"], INDEX["mouthSmileRight"]]].mean(-1)
    return {
        "lip gap": gap(faces),
        "mouthPucker": faces[..., INDEX["mouthPucker"]],
        "smile": smile,
        "browInnerUp": faces[..., INDEX["browInnerUp"]],
    }


def _curves(study: Study, row: int, path: Path) -> Path:
    truth = np.asarray(study.scenes.test.curves[row], np.float32)
    window = _busiest(gap(truth), _SENTENCE)
    drawn = {"truth": _shapes(truth[window])}
    for label, name in (
        ("8 distilled", "distilled-8"),
        ("8 from scratch", "scratch-8"),
        ("1 distilled", "distilled-1"),
    ):
        made = animate_scenes(study.load(study.variants[name]), study.scenes.test, np.array([row]), study.seed)
        drawn[label] = _shapes(made[0][window])
    colours = dict(zip(drawn, (_TRUTH, *_COLOURS), strict=False))
    return _panels(path, window, drawn, colours, "One sentence, against truth")


def _speakers(trained: Trained, study: Study, row: int, path: Path) -> Path:
    table = trained.library.embeddings.weight.detach()
    chosen = _far_apart(table.numpy(), _SPEAKERS)
    audio = scene_audio(study.scenes.test, np.array([row])).expand(len(chosen), -1, -1)
    faces = animate(trained, audio, table[torch.tensor(chosen)], np.ones(len(chosen), np.uint64))
    window = _busiest(gap(np.asarray(study.scenes.test.curves[row], np.float32)), _WORD)
    drawn = {trained.library.names[n]: _shapes(face[window]) for n, face in zip(chosen, faces, strict=True)}
    return _panels(path, window, drawn, dict(zip(drawn, _COLOURS, strict=False)), "The same word, five speakers")


def _seeds(trained: Trained, study: Study, row: int, path: Path) -> Path:
    made = takes(trained, study.scenes, row)
    window = slice(0, made.shape[1])
    drawn = {}
    for seed, face in enumerate(made, start=1):
        shapes = _shapes(face)
        drawn[f"seed {seed}"] = {"browInnerUp": shapes["browInnerUp"], "lip gap": shapes["lip gap"]}
    return _panels(path, window, drawn, dict(zip(drawn, _COLOURS, strict=False)), "Three seeds")


def _far_apart(table: NDArray[np.float32], count: int) -> list[int]:
    """Rows that are far from each other, starting with the one farthest from the mean."""
    chosen = [int(np.argmax(np.linalg.norm(table - table.mean(0), axis=1)))]
    while len(chosen) < min(count, len(table)):
        distance = np.min([np.linalg.norm(table - table[i], axis=1) for i in chosen], axis=0)
        chosen.append(int(np.argmax(distance)))
    return chosen


def _panels(
    path: Path,
    window: slice,
    drawn: Mapping[str, Mapping[str, Curve]],
    colours: Mapping[str, str],
    title: str,
) -> Path:
    from matplotlib.figure import Figure

    names = list(next(iter(drawn.values())))
    figure = Figure(figsize=(10.5, 1.2 + 1.55 * len(names)), layout="constrained")
    axes: Sequence[Axes] = np.atleast_1d(figure.subplots(len(names), 1, sharex=True)).tolist()
    times = np.arange(window.start, window.stop) / MODEL_FPS
    for place, name in zip(axes, names, strict=True):
        for label, shapes in drawn.items():
            bold = label == "truth"
            width = 2.2 if bold else 1.3
            place.plot(times, shapes[name], color=colours[label], lw=width, alpha=0.9, label=label)
        place.set_ylabel(name)
        place.spines[["top", "right"]].set_visible(False)
        place.grid(axis="y", color=_FAINT, alpha=0.25, lw=0.6)
        place.set_xlim(times[0], times[-1])
    axes[-1].set_xlabel("seconds")
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower left", ncols=len(drawn), frameon=False)
    figure.savefig(path, dpi=110)
    return path
