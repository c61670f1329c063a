"""The paper's losses (eqs. 10 to 15), as means over frames and coefficients.

``L = 1.0 L_exp + 1.0 L_lip + 0.007 L_con + 0.5 L_vel``. Errors are taken in ARKit's units and multiplied by
``ERROR_SCALE``, which brings the typical coefficient's spread to about one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from diffusiontalker.arkit import JAW_AND_MOUTH

ERROR_SCALE: Final = 10.0


@dataclass(frozen=True, slots=True)
class LossWeights:
    """The paper's weights; a student adds ``distillation`` (eq. 11)."""

    expression: float = 1.0
    lip: float = 1.0
    contrastive: float = 0.007
    velocity: float = 0.5
    distillation: float = 0.1


def curve_losses(predicted: Tensor, truth: Tensor, weights: LossWeights) -> tuple[Tensor, dict[str, float]]:
    """Weighted ``L_exp + L_lip + L_vel`` of clean curves.

    Args:
        predicted: ``[B, T, 52]`` in ARKit's units.
        truth: the same.
        weights: of the parts.

    Returns:
        the loss and its parts, for the log.
    """
    error = (predicted - truth) * ERROR_SCALE
    mouth = torch.tensor(JAW_AND_MOUTH, device=error.device)
    expression = error.square().mean()
    lip = error[..., mouth].square().mean()
    velocity = (error[:, 1:] - error[:, :-1]).square().mean()
    total = weights.expression * expression + weights.lip * lip + weights.velocity * velocity
    parts = {"expression": expression, "lip": lip, "velocity": velocity}
    return total, {name: float(part.detach()) for name, part in parts.items()}
