"""The ARKit face contract: the 52 coefficient names, their order, mirror pairs and regions, in one place.

Order: the order of the Live Link Face protocol and of Audio2Face-3D. Names are camelCase as in Apple's
``ARFaceAnchor.BlendShapeLocation``; Left is the character's own left.
"""

from __future__ import annotations

from typing import Final

BLENDSHAPES: Final[tuple[str, ...]] = (
    "eyeBlinkLeft",
    "eyeLookDownLeft",
    "eyeLookInLeft",
    "eyeLookOutLeft",
    "eyeLookUpLeft",
    "eyeSquintLeft",
    "eyeWideLeft",
    "eyeBlinkRight",
    "eyeLookDownRight",
    "eyeLookInRight",
    "eyeLookOutRight",
    "eyeLookUpRight",
    "eyeSquintRight",
    "eyeWideRight",
    "jawForward",
    "jawLeft",
    "jawRight",
    "jawOpen",
    "mouthClose",
    "mouthFunnel",
    "mouthPucker",
    "mouthLeft",
    "mouthRight",
    "mouthSmileLeft",
    "mouthSmileRight",
    "mouthFrownLeft",
    "mouthFrownRight",
    "mouthDimpleLeft",
    "mouthDimpleRight",
    "mouthStretchLeft",
    "mouthStretchRight",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    "mouthPressLeft",
    "mouthPressRight",
    "mouthLowerDownLeft",
    "mouthLowerDownRight",
    "mouthUpperUpLeft",
    "mouthUpperUpRight",
    "browDownLeft",
    "browDownRight",
    "browInnerUp",
    "browOuterUpLeft",
    "browOuterUpRight",
    "cheekPuff",
    "cheekSquintLeft",
    "cheekSquintRight",
    "noseSneerLeft",
    "noseSneerRight",
    "tongueOut",
)
"""The 52 coefficient names; a face frame is ``[52]`` floats in 0..1 in this order."""

COUNT: Final = len(BLENDSHAPES)

INDEX: Final[dict[str, int]] = {name: i for i, name in enumerate(BLENDSHAPES)}
"""Name -> position in a frame."""


def _mirror(name: str) -> str:
    if name.endswith("Left"):
        return name.removesuffix("Left") + "Right"
    if name.endswith("Right"):
        return name.removesuffix("Right") + "Left"
    return name


MIRROR: Final[tuple[int, ...]] = tuple(INDEX[_mirror(name)] for name in BLENDSHAPES)
"""``frame[list(MIRROR)]`` is the same face seen in a mirror."""


def _region(prefixes: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(i for i, name in enumerate(BLENDSHAPES) if name.startswith(prefixes))


JAW_AND_MOUTH: Final = _region(("jaw", "mouth", "tongue", "cheekPuff"))
"""What speech moves and silence must bring to rest."""

EYES: Final = _region(("eye",))
BROWS: Final = _region(("brow",))
UPPER_FACE: Final = _region(("eye", "brow", "cheekSquint", "noseSneer"))

BLINKS: Final = (INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"])


def indices(*names: str) -> tuple[int, ...]:
    """Positions of the named coefficients.

    Raises:
        KeyError: a name is not one of ``BLENDSHAPES``.
    """
    return tuple(INDEX[name] for name in names)
