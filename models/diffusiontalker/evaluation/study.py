"""Trains the variants of a study through the training loop, each in a folder of its own, and loads what is trained.

A folder names its updates and seed, so that a study with another budget does not touch this one; a finished variant is
not trained again, an interrupted one goes on from its last checkpoint.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from safetensors.torch import load_file

from diffusiontalker.arkit import JAW_AND_MOUTH
from diffusiontalker.denoiser.config import DenoiserConfig
from diffusiontalker.denoiser.facediffuser import FaceDiffuserDecoder, cosine_schedule
from diffusiontalker.denoiser.identity import IdentityLibrary
from diffusiontalker.denoiser.model import Denoiser
from diffusiontalker.denoiser.schedule import Schedule
from diffusiontalker.evaluation.scenes import EvaluationError, StudyCrops, StudyScenes
from diffusiontalker.evaluation.variants import Variant, variants
from diffusiontalker.training.distill import distill
from diffusiontalker.training.loop import LoopConfig, Report, train
from diffusiontalker.training.train_denoiser import WEIGHTS_FILE, DenoiserTask, library_of, save_denoiser

_STUDY_FILE: Final = "study.json"
_MOUTH_TEMPERATURE: Final = 0.3
"""Of the sampler's first noise on jaw and mouth; elsewhere it is the paper's, white and of full height."""


@dataclass(frozen=True, slots=True)
class StudyConfig:
    """What all variants of a study share.

    Attributes:
        teacher_updates: of the 32-step teacher.
        stage_updates: of each halving.
        batch: crops per update.
        frames: of a crop.
        hidden: width of the GRU; the paper's is 256.
        learning_rate: peak; a student's is half of it.
        bfloat16: mixed precision.
    """

    teacher_updates: int = 300
    stage_updates: int = 75
    batch: int = 16
    frames: int = 90
    hidden: int = 256
    learning_rate: float = 2e-3
    bfloat16: bool = False


@dataclass(frozen=True)
class Trained:
    """A model ready to animate.

    Attributes:
        denoiser: in evaluation mode.
        library: the speakers it knows.
        schedule: its sampler's steps.
        identity: whether it is told who speaks.
    """

    denoiser: Denoiser
    library: IdentityLibrary
    schedule: Schedule
    identity: bool = True


class Study:
    """The variants of one seed.

    Args:
        runs: folder of the caches.
        scenes: to train on.
        config: of all variants.
        seed: of weights, crops and noise.

    Raises:
        EvaluationError: the folder belongs to a study of other scenes or settings, or too few speakers are known.
    """

    def __init__(self, runs: Path, scenes: StudyScenes, config: StudyConfig, seed: int) -> None:
        self.folder = runs / f"study-{config.teacher_updates}x{config.stage_updates}-seed{seed}"
        self.scenes = scenes
        self.config = config
        self.seed = seed
        self.variants = {v.name: v for v in variants(config.teacher_updates, config.stage_updates)}
        self._denoiser_config = DenoiserConfig(
            feature_width=scenes.train.features.shape[-1],
            hidden=config.hidden,
            coefficients=scenes.train.curves.shape[-1],
            noise_period=1,
        )
        claim = {**asdict(config), "scenes": scenes.digest}
        note = self.folder / _STUDY_FILE
        if note.exists() and json.loads(note.read_text("utf-8")) != claim:
            raise EvaluationError(
                f"{self.folder} holds a study of other scenes or settings, or in another precision (mixed where the "
                "machine is faster with it, single with --full-precision): remove it, or name another --runs"
            )
        try:
            torch.manual_seed(seed)
            self._library = library_of(scenes.speakers())
        except (ValueError, np.linalg.LinAlgError) as error:
            raise EvaluationError(
                "the training scenes name too few speakers: identity takes at least two, with three scenes each in "
                "their natural voice"
            ) from error
        self.folder.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps(claim), "utf-8")

    def weights(self, variant: Variant) -> Path:
        """Where a variant lies when it is trained."""
        return self.folder / variant.name / WEIGHTS_FILE

    def finished(self, variant: Variant) -> bool:
        """Whether it is trained."""
        return self.weights(variant).exists()

    def train(self, variant: Variant, report: Report | None = None) -> None:
        """Train a variant to its end, its teacher being trained; does nothing where that is done."""
        if self.finished(variant):
            return
        out = self.folder / variant.name
        taught = variant.teacher is not None
        loop = LoopConfig(
            steps=variant.updates,
            batch=self.config.batch,
            learning_rate=self.config.learning_rate * (0.5 if taught else 1.0),
            warmup=min(100, max(1, variant.updates // 10)),
            ema=0.998,
            seed=self.seed,
            save_every=50,
            workers=0,
            bfloat16=self.config.bfloat16,
        )
        if variant.teacher is not None:
            teacher = self.load(self.variants[variant.teacher])
            crops = self._crops(variant, teacher.library, variant.steps)
            distill(
                teacher.denoiser,
                teacher.library,
                crops,
                out,
                to=variant.steps,
                loop=loop,
                weights=variant.weights,
                report=report,
            )
            return
        task = self._untrained(variant)
        averaged = train(task, task, self._crops(variant, task.library), loop, out, report=report)
        save_denoiser(
            averaged, self._denoiser_config, self.weights(variant), names=task.library.names, steps=variant.steps
        )

    def train_all(self, report: Callable[[Variant], Report | None], done: Callable[[Variant], None]) -> None:
        """Train every variant.

        Args:
            report: what to call after every update of a variant.
            done: called when it is trained, or was.
        """
        for variant in self.variants.values():
            self.train(variant, None if self.finished(variant) else report(variant))
            done(variant)

    def load(self, variant: Variant) -> Trained:
        """A trained variant."""
        task = self._untrained(variant)
        task.load_state_dict(load_file(self.weights(variant)))
        schedule = cosine_schedule(variant.steps) if variant.baseline else Schedule.spaced(variant.steps)
        return Trained(task.denoiser.eval(), task.library.eval(), schedule, variant.identity)

    def _crops(self, variant: Variant, library: IdentityLibrary, stage: int = 0) -> StudyCrops:
        # Without identity, everybody is nobody: one embedding for all, and nothing to match.
        names = library.names if variant.identity else ()
        rows = self.scenes.train_rows
        return StudyCrops(self.scenes.train, rows, names, frames=self.config.frames, seed=1000 * self.seed + stage)

    def _untrained(self, variant: Variant) -> DenoiserTask:
        """All variants of a seed begin with the same weights, as far as they have the same."""
        torch.manual_seed(self.seed)
        library = copy.deepcopy(self._library)
        if variant.baseline:
            denoiser: Denoiser = FaceDiffuserDecoder(self._denoiser_config)
        else:
            denoiser = Denoiser(self._denoiser_config)
        rows = self.scenes.train_rows
        some = self.scenes.train.curves[rows[:: max(1, len(rows) // 200)]]
        curves = np.asarray(some, np.float32).reshape(-1, some.shape[-1])
        denoiser.mean.copy_(torch.from_numpy(curves.mean(0)))
        denoiser.scale.copy_(torch.from_numpy(curves.std(0)).clamp_min(0.03))
        denoiser.temperature[list(JAW_AND_MOUTH)] = _MOUTH_TEMPERATURE
        task = DenoiserTask(denoiser, library, variant.steps, variant.weights)
        if variant.baseline:
            schedule = cosine_schedule(variant.steps)
            task.alpha, task.sigma = (torch.from_numpy(x).float() for x in (schedule.alpha, schedule.sigma))
        return task
