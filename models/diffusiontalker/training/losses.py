"""The paper's losses (eqs. 10 to 16), as means over frames and coefficients.

``L_teacher = 1.0 L_exp + 1.0 L_lip + 0.007 L_con + 0.5 L_vel``; ``L_student = L_teacher + 0.1 L_dis``. Errors are
taken in ARKit's units and multiplied by ``ERROR_SCALE``, which brings the typical coefficient's spread to about one.
Three things are ours. Lip frames in contact weigh more: a squared error averages short closures away where the audio
leaves them in doubt, and an open mouth on a p is seen at once, a mouth a little too closed on a vowel is not. Phones
that should differ on the lips are compared in pairs (``contrasts``). And where they are, jaw and mouth are steadier.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from diffusiontalker.arkit import JAW_AND_MOUTH
from diffusiontalker.training.contrasts import GAP, contrast_losses

ERROR_SCALE: Final = 10.0
CONTACT_WIDTH: Final = 0.05
"""Lip gap at which contact has faded to 1/e."""


@dataclass(frozen=True, slots=True)
class LossWeights:
    """The paper's weights, and of what is ours ``contact`` alone. A weight of 0 is an ablation.

    Attributes:
        expression: of ``L_exp``, all coefficients.
        lip: of ``L_lip``, jaw and mouth; 0 leaves ``contact`` without effect too.
        contact: added to the lip frames' weight of 1 where the true lips touch.
        contrastive: of ``L_con`` (eq. 14).
        velocity: of ``L_vel`` (eq. 15).
        distillation: of ``L_dis`` (eq. 16), when a student learns (eq. 11).
        rounding: of the contrast of rounded with spread vowels, ours.
        open: of the contrast of open vowels with bilabials, ours.
        steadiness: of what ``L_vel`` is, over jaw and mouth alone, where there are contrasts; ours.
    """

    expression: float = 1.0
    lip: float = 1.0
    contact: float = 1.5
    contrastive: float = 0.007
    velocity: float = 0.5
    distillation: float = 0.1
    rounding: float = 0.0
    open: float = 0.0
    steadiness: float = 0.0


STEADY: Final = LossWeights(contact=3.0, velocity=1.5, rounding=4.0, open=8.0, steadiness=3.0)
"""What a model that is to be looked at is trained with. At the paper's weight of ``L_vel`` lips tremble, with a jerk
1.4 times that of captured people; at three times the weight it is 1.3 times, and the lip score nearly the same. The
contrasts tell more phones apart and, alone, move lips faster; a steadier mouth takes that back and costs nothing. Twice
the usual weight of contacts, while distilling, kept three to four in a hundred closures more in noise than the same
distillation without, and cost vowels nothing."""


def curve_losses(
    predicted: Tensor, truth: Tensor, weights: LossWeights, spans: Tensor | None = None
) -> tuple[Tensor, dict[str, float]]:
    """Weighted ``L_exp + L_lip + L_vel`` of clean curves and, where phones are known, what their contrasts ask for.

    Args:
        predicted: ``[B, T, 52]`` in ARKit's units.
        truth: the same.
        weights: of the parts.
        spans: ``[B, kinds, MOST, 2]`` of ``contrasts.phone_spans``; None where phones are not known.

    Returns:
        the loss and its parts, for the log.
    """
    error = (predicted - truth) * ERROR_SCALE
    mouth = torch.tensor(JAW_AND_MOUTH, device=error.device)
    expression = error.square().mean()
    contact = torch.exp(-(truth @ GAP.to(truth) / CONTACT_WIDTH).clamp_min(0).square())[..., None]
    lip = (error[..., mouth].square() * (1 + weights.contact * contact)).mean()
    speeds = (error[:, 1:] - error[:, :-1]).square()
    velocity = speeds.mean()
    total = weights.expression * expression + weights.lip * lip + weights.velocity * velocity
    parts = {"expression": expression, "lip": lip, "velocity": velocity}
    if spans is not None:
        ours = contrast_losses(predicted, truth, spans) | {"steadiness": speeds[..., mouth].mean()}
        total = total + sum(getattr(weights, name) * part for name, part in ours.items())
        parts |= ours
    return total, {name: float(part.detach()) for name, part in parts.items()}


def distillation_loss(predicted: Tensor, target: Tensor, scale: Tensor, signal_to_noise: Tensor) -> Tensor:
    """``L_dis`` (eq. 16): squared distance to the teacher's target, weighted by the truncated signal-to-noise ratio.

    Args:
        predicted: ``[B, T, 52]`` the student's clean curves, normalised.
        target: ``[B, T, 52]`` ``x_tilde`` of eq. 9, normalised.
        scale: ``[52]`` what brings normalised differences to ARKit's units, so that all losses count alike.
        signal_to_noise: ``[B]`` ``alpha_t^2 / sigma_t^2``; below 1 it counts as 1.

    Returns:
        the weighted mean, a scalar.
    """
    error = (predicted - target) * scale * ERROR_SCALE
    return (signal_to_noise.clamp_min(1.0)[:, None, None] * error.square()).mean()
