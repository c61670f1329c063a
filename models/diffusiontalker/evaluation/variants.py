"""What a study trains for one seed: the teacher, its students, and what they are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from diffusiontalker.training.losses import LossWeights

TEACHER_STEPS: Final = 32
CHAIN: Final = (16, 8, 4, 2, 1)
"""The students: the paper stops at 8."""
ABLATED_AT: Final = 8
DISTILLATION_COST: Final = 1.5
"""What an update of a student takes over one of a teacher: two more passes without gradients."""


@dataclass(frozen=True)
class Variant:
    """A model of the study.

    Attributes:
        name: of its folder.
        steps: denoise steps.
        updates: of the optimiser.
        teacher: name of the variant it is distilled from, if it is.
        weights: of the losses.
        identity: whether it is told who speaks.
        baseline: whether it is FaceDiffuser's decoder.
    """

    name: str
    steps: int
    updates: int
    teacher: str | None = None
    weights: LossWeights = field(default_factory=LossWeights)
    identity: bool = True
    baseline: bool = False

    @property
    def cost(self) -> float:
        """Time it takes to train, in updates of a teacher."""
        return self.updates * (DISTILLATION_COST if self.teacher else 1.0)


def variants(teacher_updates: int, stage_updates: int) -> list[Variant]:
    """All variants, each after its teacher.

    What is not distilled trains for as many updates in all as what it is compared with. The ablations are whole chains,
    teacher and students without the part in question, as the paper's full model is a distilled one.
    """
    plain = LossWeights()
    to_8 = teacher_updates + stage_updates * (CHAIN.index(ABLATED_AT) + 1)
    found = [
        *_chain("", CHAIN, teacher_updates, stage_updates, plain, True),
        Variant("scratch-16", 16, teacher_updates + stage_updates),
        Variant("scratch-8", 8, to_8),
        # FaceDiffuser is trained on the plain squared error.
        Variant(
            "facediffuser-8",
            8,
            to_8,
            weights=LossWeights(lip=0.0, contact=0.0, velocity=0.0, contrastive=0.0),
            identity=False,
            baseline=True,
        ),
    ]
    short = CHAIN[: CHAIN.index(ABLATED_AT) + 1]
    for name, weights, identity in (
        ("-no-lip", replace(plain, lip=0.0), True),
        ("-no-velocity", replace(plain, velocity=0.0), True),
        ("-no-identity", plain, False),
    ):
        found += _chain(name, short, teacher_updates, stage_updates, weights, identity)
    return found


def _chain(
    suffix: str,
    students: Sequence[int],
    teacher_updates: int,
    stage_updates: int,
    weights: LossWeights,
    identity: bool,
) -> list[Variant]:
    chain = [Variant(f"teacher-{TEACHER_STEPS}{suffix}", TEACHER_STEPS, teacher_updates, None, weights, identity)]
    for steps in students:
        chain.append(Variant(f"distilled-{steps}{suffix}", steps, stage_updates, chain[-1].name, weights, identity))
    return chain
