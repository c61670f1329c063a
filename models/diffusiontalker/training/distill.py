"""Progressive distillation (section 3.4, eqs. 8, 9, 11, 16): one step of a student does what two of its teacher's do.

The student starts as a copy of the teacher and takes ``N`` steps where the teacher takes ``2 N``, on the same 1000-step
grid; then it becomes the teacher of the next. The identity library is frozen: the teacher's targets stand on its
embeddings, and a library that stays as it is can be shared by all students, speakers enrolled since included. Its
contrastive loss is then a constant and left out of ``L_student``.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from diffusiontalker.denoiser.identity import IdentityLibrary
from diffusiontalker.denoiser.model import Denoiser
from diffusiontalker.denoiser.schedule import Schedule
from diffusiontalker.errors import MendableError
from diffusiontalker.training.loop import Batch, LoopConfig, Report, train
from diffusiontalker.training.losses import STEADY, LossWeights, curve_losses, distillation_loss
from diffusiontalker.training.pipeline import load_denoiser
from diffusiontalker.training.scenes import SceneCrops, Scenes
from diffusiontalker.training.train_denoiser import WEIGHTS_FILE, DenoiserTask, save_denoiser

_TEACHER_FILE: Final = "teacher.sha256"


class DistillationError(MendableError, ValueError):
    """Steps that cannot be halved to what was asked for, or a folder of another teacher's student."""


@dataclass(frozen=True)
class Halving:
    """Two DDIM steps of a teacher and the one of its student, student step by student step.

    Teacher and student are in step ``t``; the teacher goes through ``t'`` to ``t''`` (its steps ``2 tau``,
    ``2 tau - 1`` and ``2 tau - 2``, counted from 1; step 0 is the clean curve, ``alpha = 1`` and ``sigma = 0``). With
    eq. 8 put into eq. 9 the noise cancels, and the target is a weighted mean of the teacher's two predictions: written
    out so, nothing is lost to rounding where both sides of eq. 9's fraction are tiny.

    Attributes:
        teacher: ``2 N`` steps.
        student: ``N`` steps, every second of the teacher's.
        from_clean: ``[N]`` eq. 8's factor of the first prediction on the way from ``t`` to ``t'``.
        from_noised: ``[N]`` its factor of ``x_t``.
        second: ``[N]`` share of the second prediction in the target; 1 where ``t''`` is the clean curve.
    """

    teacher: Schedule
    student: Schedule
    from_clean: NDArray[np.float64]
    from_noised: NDArray[np.float64]
    second: NDArray[np.float64]

    @classmethod
    def of(cls, student_steps: int) -> Halving:
        """From ``2 * student_steps`` to ``student_steps``."""
        teacher, student = Schedule.spaced(2 * student_steps), Schedule.spaced(student_steps)
        alpha, sigma = teacher.alpha, teacher.sigma
        here, halfway = np.arange(1, 2 * student_steps, 2), np.arange(0, 2 * student_steps, 2)
        alpha_end = np.concatenate([[1.0], alpha[here[:-1]]])
        sigma_end = np.concatenate([[0.0], sigma[here[:-1]]])
        ratio, ratio_end = sigma[halfway] / sigma[here], sigma_end / sigma[halfway]
        first = alpha[halfway] - ratio * alpha[here]
        second = alpha_end - ratio_end * alpha[halfway]
        return cls(teacher, student, first, ratio, second / (second + ratio_end * first))


class Distillation:
    """The student's objective over a batch of ``SceneCrops``: ``L_student`` of eq. 11 at random student steps.

    Whole crops are denoised with fresh hidden states, as in ``DenoiserTask``: a stream keeps one state per denoise
    level, so the state a student's step carries is its own, never one of the teacher's two.
    """

    def __init__(self, teacher: Denoiser, student: DenoiserTask, halving: Halving) -> None:
        # Its weights keep asking for gradients, though it is run without: autocast casts others anew at every frame.
        self.teacher = teacher.eval().requires_grad_(True)
        self.student = student
        self._timesteps = torch.from_numpy(
            np.stack([halving.student.timesteps, halving.teacher.timesteps[0::2]], axis=1)
        )
        columns = [
            halving.student.alpha,
            halving.student.sigma,
            halving.from_clean,
            halving.from_noised,
            halving.second,
            halving.student.alpha**2 / halving.student.sigma**2,
        ]
        self._table = torch.from_numpy(np.stack(columns, axis=1)).float()

    @torch.no_grad()
    def target(self, condition: Tensor, noised: Tensor, step: Tensor) -> Tensor:
        """``x_tilde`` of eq. 9: what the student must predict to land where the teacher's two steps land.

        Args:
            condition: the teacher's, ``[B, T, ...]``.
            noised: ``x_t``, ``[B, T, 52]`` normalised.
            step: ``[B]`` student steps, 0 the least noisy.

        Returns:
            ``[B, T, 52]`` normalised.
        """
        timesteps = self._timesteps.to(step.device)[step]
        from_clean, from_noised, second = self._table.to(step.device)[step, 2:5, None, None].unbind(1)
        first_clean, _ = self.teacher(condition, noised, timesteps[:, 0])
        halfway = from_clean * first_clean + from_noised * noised
        second_clean, _ = self.teacher(condition, halfway, timesteps[:, 1])
        return torch.lerp(first_clean.float(), second_clean.float(), second)

    def __call__(self, batch: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, float]]:
        """Loss of a batch and its parts."""
        truth = batch["curves"]
        size, frames, _ = truth.shape
        identity = self.student.identity(batch["speaker"])
        neutral = self.student.library.embeddings.weight.mean(0, keepdim=True)
        # Streams begin with the neutral identity: the student sees it as often as its teacher did.
        unknown = torch.rand(size, 1, device=truth.device) < 0.1
        identity = torch.where(unknown, neutral, identity)[:, None].expand(-1, frames, -1)
        denoiser, weights = self.student.denoiser, self.student.weights
        clean = denoiser.normalize(truth)
        step = torch.randint(len(self._table), (size,), device=truth.device)
        alpha, sigma = self._table.to(truth.device)[step, :2, None, None].unbind(1)
        noised = alpha * clean + sigma * torch.randn_like(clean)
        target = self.target(self.teacher.condition(batch["audio"], identity, batch["preset"]), noised, step)
        condition = denoiser.condition(batch["audio"], identity, batch["preset"])
        predicted, _ = denoiser(condition, noised, self._timesteps.to(step.device)[step, 0])
        loss, parts = curve_losses(denoiser.denormalize(predicted), truth, weights, batch.get("phone_spans"))
        distance = distillation_loss(predicted, target, denoiser.scale, self._table.to(step.device)[step, 5])
        parts["distillation"] = float(distance.detach())
        return loss + weights.distillation * distance, parts


def distill(
    teacher: Denoiser,
    library: IdentityLibrary,
    samples: Dataset[Batch],
    out: Path,
    *,
    to: int,
    loop: LoopConfig,
    weights: LossWeights | None = None,
    report: Report | None = None,
    notes: Mapping[str, str] | None = None,
) -> Path:
    """One stage: a student of ``to`` steps of a teacher of twice as many, going on from a checkpoint in ``out``.

    Args:
        teacher: trained or distilled for ``2 * to`` steps; moved to the training device.
        library: the speakers it knows; kept as it is.
        samples: crops with rows of ``library`` as speakers.
        out: folder of the run.
        to: the student's steps.
        loop: how long and how fast.
        weights: of the losses.
        report: called after every step.
        notes: added to the metadata.

    Returns:
        The path of the student, ``out/denoiser.safetensors``, as ``train_denoiser`` writes a teacher.
    """
    student = DenoiserTask(copy.deepcopy(teacher).requires_grad_(True), library.requires_grad_(False), to, weights)
    objective = Distillation(teacher, student, Halving.of(to))

    def loss(batch: Batch) -> tuple[Tensor, dict[str, float]]:
        teacher.to(batch["curves"].device)
        return objective(batch)

    averaged = train(student, loss, samples, loop, out, report=report)
    return save_denoiser(averaged, teacher.config, out / WEIGHTS_FILE, names=library.names, steps=to, notes=notes)


def halvings(steps: int, to: int) -> list[int]:
    """Steps of each student on the way from a teacher of ``steps`` to ``to``: ``32, 8`` gives ``16, 8``.

    Raises:
        DistillationError: halving never arrives there.
    """
    if to < 1:
        raise DistillationError(f"a student takes at least one step, not {to}")
    reachable, rest = [], steps
    while rest % 2 == 0:
        rest //= 2
        reachable.append(rest)
    if to not in reachable:
        way = f"halving gives {', '.join(map(str, reachable))}" if reachable else "which cannot be halved"
        raise DistillationError(
            f"the teacher takes {steps} steps ({way}), so there is no student of {to}: "
            f"ask for one that there is, or train a teacher with --denoise-steps {_teacher_for(to)}"
        )
    return reachable[: reachable.index(to) + 1]


def _teacher_for(to: int) -> int:
    steps = 2 * to
    while steps < 32:
        steps *= 2
    return steps


def distill_runs(
    runs: Path,
    scenes: Path,
    *,
    to: int = 4,
    steps: int = 1500,
    batch: int = 32,
    learning_rate: float = 5e-4,
    seed: int = 0,
    weights: LossWeights | None = None,
    report: Callable[[int], Report | None] = lambda _: None,
) -> list[Path]:
    """Halve the teacher of ``runs/denoiser`` down to ``to`` steps; each stage goes on where it was stopped.

    Args:
        runs: holds ``denoiser/``; receives ``distilled-16/``, ``distilled-8/`` and so on.
        scenes: encoded scenes to distil on.
        to: steps of the last student.
        steps: optimiser steps of a stage.
        batch: crops per step.
        learning_rate: peak of each stage, half of the teacher's own.
        seed: of crops and noise.
        weights: of the losses.
        report: what to call after every step of the stage of so many steps.

    Returns:
        The path of every student, in order.

    Raises:
        FileNotFoundError: there is no trained teacher.
        DistillationError: its steps cannot be halved to ``to``, or a folder holds another teacher's student.
    """
    teacher_file = runs / "denoiser" / WEIGHTS_FILE
    if not teacher_file.exists():
        raise FileNotFoundError(f"{teacher_file} is missing: run 'diffusiontalker train' to its end first")
    _, _, schedule = load_denoiser(teacher_file)
    stages = halvings(len(schedule), to)
    opened = Scenes.open(scenes)
    students = []
    for stage in stages:
        out = runs / f"distilled-{stage}"
        mark = hashlib.sha256(teacher_file.read_bytes()).hexdigest()
        _claim(out, mark)
        student_file = out / WEIGHTS_FILE
        if not student_file.exists():
            teacher, library, _ = load_denoiser(teacher_file)
            distill(
                teacher,
                library,
                SceneCrops(opened, library.names, seed=seed + stage),
                out,
                to=stage,
                loop=LoopConfig(
                    steps=steps,
                    batch=batch,
                    learning_rate=learning_rate,
                    warmup=min(100, max(1, steps // 10)),
                    ema=0.998,
                    seed=seed + stage,
                    bfloat16=False,
                ),
                weights=weights or STEADY,
                report=report(stage),
                notes={"teacher": mark},
            )
        students.append(student_file)
        teacher_file = student_file
    return students


def _claim(out: Path, mark: str) -> None:
    """Note in ``out`` whose student it holds; a checkpoint under way must not go on with another teacher."""
    out.mkdir(parents=True, exist_ok=True)
    note = out / _TEACHER_FILE
    if note.exists() and note.read_text("utf-8") != mark:
        raise DistillationError(f"{out} holds the student of another teacher: remove the folder to distil anew")
    note.write_text(mark, "utf-8")
