"""The paper's losses (eqs. 10 to 15), as means over frames and coefficients.

``L = 1.0 L_exp + 1.0 L_lip + 0.007 L_con + 0.5 L_vel``. Errors are taken in ARKit's units and multiplied by
``ERROR_SCALE``, which brings the typical coefficient's spread to about one. One thing is ours: lip frames in contact
weigh more. A squared error averages short closures away where the audio leaves them in doubt, and an open mouth on a p
is seen at once, a mouth a little too closed on a vowel is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from diffusiontalker.arkit import COUNT, JAW_AND_MOUTH
from diffusiontalker.metrics.lips import gap

ERROR_SCALE: Final = 10.0
CONTACT_WIDTH: Final = 0.05
"""Lip gap at which contact has faded to 1/e."""
_GAP: Final = torch.from_numpy(gap(np.eye(COUNT))).float()
"""``[52]``: the lip gap is linear in the coefficients."""


@dataclass(frozen=True, slots=True)
class LossWeights:
    """The paper's weights; ``contact`` is ours, added to lip frames in contact."""

    expression: float = 1.0
    lip: float = 1.0
    contact: float = 1.5
    contrastive: float = 0.007
    velocity: float = 0.5


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
    contact = torch.exp(-(truth @ _GAP / CONTACT_WIDTH).clamp_min(0).square())[..., None]
    lip = (error[..., mouth].square() * (1 + weights.contact * contact)).mean()
    velocity = (error[:, 1:] - error[:, :-1]).square().mean()
    total = weights.expression * expression + weights.lip * lip + weights.velocity * velocity
    parts = {"expression": expression, "lip": lip, "velocity": velocity}
    return total, {name: float(part.detach()) for name, part in parts.items()}
