"""Progressive distillation: eq. 9's target lands where two teacher steps land, and the chain is a chain."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from torch import Tensor, nn

from diffusiontalker.cli.main import main
from diffusiontalker.denoiser.config import DenoiserConfig
from diffusiontalker.denoiser.model import Denoiser
from diffusiontalker.denoiser.schedule import Schedule
from diffusiontalker.training.distill import Distillation, DistillationError, Halving, distill, distill_runs, halvings
from diffusiontalker.training.loop import LoopConfig
from diffusiontalker.training.losses import ERROR_SCALE, distillation_loss
from diffusiontalker.training.pipeline import load_denoiser
from diffusiontalker.training.scenes import SceneCrops, Scenes
from diffusiontalker.training.train_denoiser import DenoiserTask, library_of, train_denoiser
from tests.evaluation.tiny_scenes import SPEAKERS, WIDTH, write_scenes
from tests.tiny_model import tiny_modules

SMALL = DenoiserConfig(feature_width=WIDTH, audio_width=12, step_width=8, preset_width=4, hidden=16, dropout=0.0)


@pytest.mark.parametrize("steps", [1, 2, 4, 8, 16])
def test_the_targets_are_the_papers_eq_9(steps: int) -> None:
    """Literally: two DDIM steps (eq. 8) of the teacher from x_t, then the fraction of eq. 9."""
    halving = Halving.of(steps)
    teacher = Schedule.spaced(2 * steps)
    moves = list(reversed(teacher.ddim()))  # by step, 0 the least noisy
    rng = np.random.default_rng(steps)
    for tau in range(steps):
        noised, first, second = rng.standard_normal((3, 52))
        here, halfway = 2 * tau + 1, 2 * tau
        at_halfway = moves[here][0] * first + moves[here][1] * noised
        at_end = moves[halfway][0] * second + moves[halfway][1] * at_halfway
        alpha_end, sigma_end = (teacher.alpha[halfway - 1], teacher.sigma[halfway - 1]) if tau else (1.0, 0.0)
        ratio = sigma_end / teacher.sigma[here]
        eq_9 = (at_end - ratio * noised) / (alpha_end - ratio * teacher.alpha[here])
        target = first + halving.second[tau] * (second - first)
        np.testing.assert_allclose(target, eq_9, rtol=1e-7)
        np.testing.assert_allclose(halving.from_clean[tau] * first + halving.from_noised[tau] * noised, at_halfway)


def test_at_the_last_step_the_target_is_the_teachers_last_word() -> None:
    """sigma'' = 0: the teacher ends on its second prediction, and so must the student."""
    for steps in (1, 8):
        assert Halving.of(steps).second[0] == 1.0
    assert (Halving.of(8).second[1:] < 1).all()


@torch.no_grad()
@pytest.mark.parametrize("steps", [1, 4])
def test_a_student_that_meets_its_target_lands_where_two_teacher_steps_land(steps: int) -> None:
    _, _, teacher, library = tiny_modules()
    halving = Halving.of(steps)
    student = DenoiserTask(teacher, library, steps)
    distillation = Distillation(teacher, student, halving)
    torch.manual_seed(1)
    size, frames = steps, 9
    condition = teacher.condition(
        torch.randn(size, frames, 2 * teacher.config.feature_width),
        torch.randn(size, frames, teacher.config.identity_width),
        torch.zeros(size, dtype=torch.long),
    )
    noised = torch.randn(size, frames, teacher.config.coefficients)
    step = torch.arange(steps)
    target = distillation.target(condition, noised, step)
    students, teachers = list(reversed(halving.student.ddim())), list(reversed(halving.teacher.ddim()))
    for tau in range(steps):
        row = slice(tau, tau + 1)
        landed = students[tau][0] * target[row] + students[tau][1] * noised[row]
        x = noised[row]
        for index in (2 * tau + 1, 2 * tau):
            timestep = torch.tensor([int(halving.teacher.timesteps[index])])
            clean, _ = teacher(condition[row], x, timestep)
            x = teachers[index][0] * clean + teachers[index][1] * x
        torch.testing.assert_close(landed, x, atol=1e-5, rtol=1e-5)


def test_the_weight_is_the_truncated_signal_to_noise_ratio() -> None:
    predicted, target = torch.zeros(2, 3, 52), torch.ones(2, 3, 52)
    scale = torch.full((52,), 0.5)
    loss = distillation_loss(predicted, target, scale, torch.tensor([0.25, 4.0]))
    assert float(loss) == pytest.approx((0.5 * ERROR_SCALE) ** 2 * (1 + 4) / 2)


class _Wise(nn.Module):
    """Stands for a teacher whose every prediction is the same curve."""

    def __init__(self, curve: Tensor) -> None:
        super().__init__()
        self.curve = curve

    def condition(self, audio: Tensor, identity: Tensor, preset: Tensor) -> Tensor:
        return audio

    def forward(self, condition: Tensor, noised: Tensor, timesteps: Tensor) -> tuple[Tensor, None]:
        return self.curve.expand_as(noised), None


def test_student_loss_is_teacher_loss_plus_a_tenth_of_the_distance(tmp_path: Path) -> None:
    scenes = Scenes.open(write_scenes(tmp_path / "scenes", 9))
    library = library_of(scenes, least=1)
    crops = SceneCrops(scenes, library.names, frames=30)
    batch = {key: torch.stack([crops[i][key] for i in range(4)]) for key in crops[0]}
    student = DenoiserTask(Denoiser(SMALL), library, 4)
    wise = _Wise(torch.full((52,), 0.3))
    distillation = Distillation(wise, student, Halving.of(4))  # type: ignore[arg-type]
    torch.manual_seed(2)
    whole, parts = distillation(batch)
    student.weights = dataclasses.replace(student.weights, distillation=0.0)
    torch.manual_seed(2)
    without, _ = distillation(batch)
    assert float((whole - without).detach()) == pytest.approx(0.1 * parts["distillation"], rel=1e-4)
    whole.backward()  # type: ignore[no-untyped-call]
    assert all(p.grad is not None for p in student.denoiser.parameters())


def test_a_stage_brings_the_student_to_its_teacher_and_leaves_the_library(tmp_path: Path) -> None:
    torch.manual_seed(0)
    scenes = Scenes.open(write_scenes(tmp_path / "scenes", 9))
    library = library_of(scenes, least=1)
    before = {key: value.clone() for key, value in library.state_dict().items()}
    teacher = Denoiser(SMALL)
    distances: list[float] = []
    path = distill(
        teacher,
        library,
        SceneCrops(scenes, library.names, frames=30),
        tmp_path / "student",
        to=2,
        loop=LoopConfig(steps=30, batch=8, learning_rate=1e-2, warmup=3, workers=0, bfloat16=False),
        report=lambda _, figures: distances.append(figures["loss"]),
    )
    assert np.mean(distances[-5:]) < 0.8 * np.mean(distances[:3])
    with safe_open(path, framework="pt") as file:
        assert file.metadata()["steps"] == "2"
        assert tuple(file.metadata()["names"].split("\n")) == SPEAKERS
        for key, value in before.items():
            torch.testing.assert_close(file.get_tensor(f"library.{key}"), value, atol=1e-6, rtol=0)


def test_steps_that_cannot_be_halved_are_refused_by_name() -> None:
    assert halvings(32, 8) == [16, 8]
    assert halvings(8, 1) == [4, 2, 1]
    with pytest.raises(DistillationError, match=r"takes 32 steps \(halving gives 16, 8, 4, 2, 1\).*no student of 6"):
        halvings(32, 6)
    with pytest.raises(DistillationError, match="cannot be halved"):
        halvings(5, 2)
    with pytest.raises(DistillationError, match="at least one step"):
        halvings(32, 0)


def test_the_command_distils_down_and_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scenes, runs = write_scenes(tmp_path / "scenes", 9), tmp_path / "runs"
    command = ["distill", "--runs", str(runs), "--distill-scenes", str(scenes), "--to", "1"]
    assert main(command) == 2
    assert "run 'diffusiontalker train'" in capsys.readouterr().err
    train_denoiser(scenes, runs / "denoiser", denoise_steps=4, steps=1, batch=2)
    assert main([*command, "--to", "8"]) == 2
    assert "takes 4 steps" in capsys.readouterr().err
    distill_runs(runs, scenes, to=2, steps=1, batch=2)
    assert main([*command, "--distill-steps", "1"]) == 0
    for steps in (2, 1):
        denoiser, library, schedule = load_denoiser(runs / f"distilled-{steps}" / "denoiser.safetensors")
        assert len(schedule) == steps
        assert library.names == SPEAKERS
        assert denoiser.config.hidden == 256 and denoiser.config.noise_period == 8
    student = runs / "distilled-2" / "denoiser.safetensors"
    first = student.stat().st_mtime_ns
    assert main(command) == 0
    assert student.stat().st_mtime_ns == first, "a finished stage is not done again"
    other = train_denoiser(scenes, tmp_path / "other", denoise_steps=4, steps=1, batch=2, seed=1)
    other.replace(runs / "denoiser" / "denoiser.safetensors")
    assert main(command) == 2
    assert "another teacher" in capsys.readouterr().err
