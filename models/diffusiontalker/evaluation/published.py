"""The paper's own figures (DiffusionTalker, arXiv 2311.16565v2; BEAT and VOCASET, one V100), to stand beside ours.

ITF is in 1e-4 s per frame. None of these was measured here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Published:
    """A row of one of the paper's tables; None where it prints nothing.

    Attributes:
        name: of the row.
        ours: the variant it is compared with, if there is one.
        mbe: mean blendshape error.
        lbe: lip blendshape error, under the published mask.
        fdd: upper-face dynamics.
        itf: inference time per frame, 1e-4 s.
        lve: lip vertex error.
    """

    name: str
    ours: str | None = None
    mbe: float | None = None
    lbe: float | None = None
    fdd: float | None = None
    itf: float | None = None
    lve: float | None = None


METHODS: Final = (
    Published("EmoTalk", mbe=1.0537, lbe=0.2628, fdd=0.0751, itf=9.3),
    Published("FaceDiffuser, 1000 steps", mbe=0.4332, lbe=0.1071, fdd=0.1786, itf=1000.9),
    Published("FaceDiffuser, 8 steps", "facediffuser-8", mbe=0.8372, lbe=0.2115, fdd=0.0589, itf=8.2),
    Published("DiffusionTalker, 8 steps", "distilled-8", mbe=0.4094, lbe=0.0969, fdd=0.1558, itf=7.1),
)
"""Methods on BEAT."""

VERTICES: Final = (
    Published("FaceFormer", lve=4.418, itf=54.2),
    Published("EmoTalk", lve=4.134, itf=9.3),
    Published("FaceDiffuser, 8 steps", "facediffuser-8", lve=4.713, itf=8.2),
    Published("DiffusionTalker, 8 steps (zero shot)", "distilled-8", lve=4.054, itf=7.1),
)
"""Lip vertices on VOCASET."""

STEPS: Final = (
    Published("256 | no", lbe=0.1050, fdd=0.1693, itf=255.5),
    Published("128 | no", lbe=0.1059, fdd=0.1445, itf=132.4),
    Published("64 | no", lbe=0.1063, fdd=0.1517, itf=65.3),
    Published("32 | no", "teacher-32", lbe=0.1053, fdd=0.1647, itf=32.2),
    Published("16 | no", "scratch-16", lbe=0.1097, fdd=0.1656, itf=16.8),
    Published("8 | no", "scratch-8", lbe=0.1177, fdd=0.1709, itf=7.0),
    Published("16 | yes", "distilled-16", lbe=0.0957, fdd=0.1433, itf=16.8),
    Published("8 | yes", "distilled-8", lbe=0.0969, fdd=0.1558, itf=7.1),
    Published("8, TensorRT | yes", lbe=0.0975, fdd=0.1563, itf=3.9),
    Published("4 | yes", "distilled-4"),
    Published("2 | yes", "distilled-2"),
    Published("1 | yes", "distilled-1"),
)
"""Denoise steps on BEAT, and whether they were distilled; the paper stops at 8."""

ABLATION: Final = (
    Published("full", "distilled-8", mbe=0.4094, lbe=0.0969),
    Published("without distillation", "scratch-8", mbe=0.4545, lbe=0.1177),
    Published("without L_lip", "distilled-8-no-lip", mbe=0.4222, lbe=0.1037),
    Published("without L_vel", "distilled-8-no-velocity", mbe=0.4414, lbe=0.1129),
    Published("without identity", "distilled-8-no-identity", mbe=0.4306, lbe=0.1034),
)
"""What each part is worth, on BEAT at 8 steps."""

IDENTITY: Final = (0.99996, 0.99986, 0.99991)
"""Precision, recall and F1 of identity matching on all of BEAT."""
