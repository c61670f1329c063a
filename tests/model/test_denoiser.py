"""The denoiser and its sampler: schedules line up, streaming equals the whole clip, the graph equals torch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from diffusiontalker.bundle import Bundle, open_bundle
from diffusiontalker.denoiser.config import DenoiserConfig
from diffusiontalker.denoiser.model import sample
from diffusiontalker.denoiser.schedule import Schedule
from livetalker.engine.backend import Backend
from livetalker.engine.backends.onnx_backend import cpu_backend, int8_backend
from livetalker.engine.backends.processor import multiplies_int8
from tests.tiny_model import DENOISER, tiny_modules


@pytest.mark.parametrize("steps", [1, 2, 4, 8, 16])
def test_a_students_step_is_every_second_of_its_teachers(steps: int) -> None:
    student, teacher = Schedule.spaced(steps), Schedule.spaced(2 * steps)
    np.testing.assert_array_equal(student.timesteps, teacher.timesteps[1::2])
    np.testing.assert_allclose(student.alpha**2 + student.sigma**2, 1)
    assert student.alpha[-1] < 0.01, "the last step must be nearly pure noise"


def test_ddim_with_the_truth_ends_at_the_truth() -> None:
    """Eq. 8: a perfect prediction keeps every x_t on alpha x_0 + sigma eps, for one and the same eps."""
    schedule = Schedule.spaced(8)
    rng = np.random.default_rng(0)
    truth, noise = rng.standard_normal((2, 52))
    x = schedule.alpha[-1] * truth + schedule.sigma[-1] * noise
    for step, (from_clean, from_noised) in enumerate(schedule.ddim()):
        x = from_clean * truth + from_noised * x
        if step < 7:
            at = 7 - step - 1
            np.testing.assert_allclose(x, schedule.alpha[at] * truth + schedule.sigma[at] * noise, atol=1e-12)
    np.testing.assert_allclose(x, truth)


def test_nonsense_steps_are_refused() -> None:
    with pytest.raises(ValueError, match="1 to 1000 steps"):
        Schedule.spaced(0)


def test_models_from_before_the_noise_had_a_period_keep_theirs() -> None:
    before = {name: value for name, value in DENOISER.to_dict().items() if name != "noise_period"}
    assert DenoiserConfig.from_dict(before).noise_period == 1
    assert DenoiserConfig.from_dict(DENOISER.to_dict()) == DENOISER


@torch.no_grad()
def test_sampling_in_pieces_equals_sampling_at_once() -> None:
    _, _, denoiser, _ = tiny_modules()
    schedule = Schedule.spaced(4)
    torch.manual_seed(0)
    audio, identity = torch.randn(2, 20, 2 * DENOISER.feature_width), torch.randn(2, 20, DENOISER.identity_width)
    noise, preset = torch.randn(2, 20, DENOISER.coefficients), torch.tensor([0, 2])
    whole, _ = sample(denoiser, schedule, audio, identity, preset, noise)
    hidden, parts = None, []
    for low, high in ((0, 1), (1, 2), (2, 13), (13, 20)):
        part, hidden = sample(
            denoiser, schedule, audio[:, low:high], identity[:, low:high], preset, noise[:, low:high], hidden
        )
        parts.append(part)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, atol=1e-6, rtol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize(("batch", "frames"), [(1, 1), (3, 2), (1, 30), (3, 7)])
@pytest.mark.parametrize(("make", "tolerance"), [(cpu_backend, 1e-5), (int8_backend, 3e-2)])
def test_the_graphs_equal_torch(
    tiny_bundle: Path,
    batch: int,
    frames: int,
    make: Callable[[Bundle, int], Backend],
    tolerance: float,
) -> None:
    """One frame of many streams, and many frames of few as a wavefront."""
    if make is int8_backend and not multiplies_int8():
        pytest.skip("ONNX Runtime's 8-bit products can overflow on this processor")
    _, _, denoiser, _ = tiny_modules()
    torch.manual_seed(5)
    inputs = {
        "audio": torch.randn(batch, frames, 2 * DENOISER.feature_width),
        "identity": torch.randn(batch, frames, DENOISER.identity_width),
        "preset": torch.randint(0, 3, (batch,)),
        "noise": torch.randn(batch, frames, DENOISER.coefficients),
        "hidden": torch.randn(3, DENOISER.layers, batch, DENOISER.hidden).tanh(),
    }
    backend = make(open_bundle(tiny_bundle), 1)
    curves, hidden = backend.denoise(**{name: value.numpy() for name, value in inputs.items()})
    wanted, states = sample(
        denoiser,
        Schedule.spaced(3),
        inputs["audio"],
        inputs["identity"],
        inputs["preset"],
        inputs["noise"],
        inputs["hidden"],
    )
    np.testing.assert_allclose(curves, wanted.numpy(), atol=tolerance)
    np.testing.assert_allclose(hidden, states.numpy(), atol=tolerance)
