"""All figures of a study, gathered over its seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import torch

from diffusiontalker.evaluation.machine import machine_class
from diffusiontalker.evaluation.measure import (
    cached_score,
    constant_pose,
    identity_matching,
    inference,
)
from diffusiontalker.evaluation.published import ABLATION, METHODS, STEPS
from diffusiontalker.evaluation.study import Study, StudyConfig
from diffusiontalker.evaluation.vertices import VertexBasis
from diffusiontalker.metrics.faces import InferenceTime
from diffusiontalker.metrics.identity import IdentityScores


@dataclass(frozen=True)
class Results:
    """What a study measured.

    Attributes:
        scores: of each variant, a mapping of figures per seed.
        pose: figures of the constant mean pose.
        itf: of each timed variant, of the first seed.
        matching: identity matching per seed; empty where nobody could be matched.
        corpus: what it stands on, a sentence.
        machine: what it ran on.
        config: of the study.
        seeds: of the study.
    """

    scores: Mapping[str, Sequence[Mapping[str, float]]] = field(repr=False)
    pose: Mapping[str, float]
    itf: Mapping[str, InferenceTime] = field(repr=False)
    matching: Sequence[IdentityScores]
    corpus: str
    machine: str
    config: StudyConfig
    seeds: Sequence[int]

    def values(self, variant: str, figure: str) -> list[float]:
        """A figure of a variant, per seed."""
        return [scores[figure] for scores in self.scores[variant]]

    def mean(self, variant: str, figure: str) -> float:
        """Its mean over the seeds."""
        return float(np.mean(self.values(variant, figure)))

    @property
    def has_vertices(self) -> bool:
        """Whether LVE was measured."""
        return "lve" in self.pose


DIVERSE: Final = "distilled-8"
"""The variant whose takes are drawn and whose library is matched with."""


def measured() -> list[str]:
    """The variants the tables have rows for; the others are only teachers of these."""
    return list(dict.fromkeys(row.ours for row in (*METHODS, *STEPS, *ABLATION) if row.ours))


def gather(
    studies: Sequence[Study], basis: Path | None = None, done: Callable[[str], None] = lambda _: None
) -> Results:
    """Measure trained studies of the same scenes.

    Args:
        studies: one per seed.
        basis: vertices of LVE.
        done: called with what was measured.
    """
    first = studies[0]
    vertices = VertexBasis.open(basis) if basis else None
    scores: dict[str, list[dict[str, float]]] = {name: [] for name in measured()}
    matching = []
    for study in studies:
        for name in scores:
            load = partial(study.load, study.variants[name])
            scores[name].append(cached_score(study.folder / name, load, study.scenes, study.seed, vertices))
            done(f"seed {study.seed}: {name}")
        matched = identity_matching(study.load(study.variants[DIVERSE]), study.scenes)
        matching += [matched] if matched else []
    # All timings one after another in one run, so that they can be compared.
    timed = dict.fromkeys(row.ours for row in (*METHODS, *STEPS) if row.ours)
    itf = {name: inference(first.load(first.variants[name]), first.scenes) for name in timed}
    done("inference time")
    return Results(
        scores,
        constant_pose(first.scenes, vertices),
        itf,
        matching,
        first.scenes.describe(),
        machine_class(torch.get_num_threads()),
        first.config,
        [study.seed for study in studies],
    )
