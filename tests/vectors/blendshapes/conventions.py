"""What the 52 ARKit coefficients are called on other characters, and how meshes spell them.

Sources: Apple's ``ARFaceAnchor.BlendShapeLocation``; Perfect Sync as VMagicMirror and its kind read it; the VRM 1.0
specification; Reallusion's CC4 Standard and CC4 Extended facial profiles as exported; the control curves of MetaHuman's
``Face_Archetype_Skeleton``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from diffusiontalker.arkit import BLENDSHAPES

Names = dict[str, list[str]]
"""ARKit name -> the shapes that together are it, each with the same weight; empty if there is none."""

_SIDES: Final = (("Left", "L"), ("Right", "R"))


def _both(pattern: str) -> list[str]:
    return [pattern.replace("#", side) for _, side in _SIDES]


def _sided(pairs: dict[str, str]) -> Names:
    return {f"{arkit}{long}": [name.replace("#", short)] for arkit, name in pairs.items() for long, short in _SIDES}


def _ordered(names: Names) -> Names:
    return {name: names[name] for name in BLENDSHAPES}


def perfect_sync() -> Names:
    """The ARKit name with a capital."""
    return {name: [name[0].upper() + name[1:]] for name in BLENDSHAPES}


def _cc4(split: Callable[[str], list[str]]) -> Names:
    names = _sided(
        {
            "eyeBlink": "Eye_Blink_#",
            "eyeLookDown": "Eye_#_Look_Down",
            "eyeLookUp": "Eye_#_Look_Up",
            "eyeSquint": "Eye_Squint_#",
            "eyeWide": "Eye_Wide_#",
            "jaw": "Jaw_#",
            "mouth": "Mouth_#",
            "mouthSmile": "Mouth_Smile_#",
            "mouthFrown": "Mouth_Frown_#",
            "mouthDimple": "Mouth_Dimple_#",
            "mouthStretch": "Mouth_Stretch_#",
            "mouthPress": "Mouth_Press_#",
            "mouthLowerDown": "Mouth_Down_Lower_#",
            "mouthUpperUp": "Mouth_Up_Upper_#",
            "browDown": "Brow_Drop_#",
            "browOuterUp": "Brow_Raise_Outer_#",
            "cheekSquint": "Cheek_Raise_#",
            "noseSneer": "Nose_Sneer_#",
        }
    )
    return _ordered(
        names
        | {
            # Looks go to the character's left or right here, and in or out in ARKit.
            "eyeLookInLeft": ["Eye_L_Look_R"],
            "eyeLookOutLeft": ["Eye_L_Look_L"],
            "eyeLookInRight": ["Eye_R_Look_L"],
            "eyeLookOutRight": ["Eye_R_Look_R"],
            "jawForward": ["Jaw_Forward"],
            "jawOpen": ["Jaw_Open"],
            "mouthClose": ["Mouth_Close"],
            "mouthFunnel": split("Mouth_Funnel"),
            "mouthPucker": split("Mouth_Pucker"),
            "mouthRollLower": split("Mouth_Roll_In_Lower"),
            "mouthRollUpper": split("Mouth_Roll_In_Upper"),
            "mouthShrugLower": ["Mouth_Shrug_Lower"],
            "mouthShrugUpper": ["Mouth_Shrug_Upper"],
            "browInnerUp": _both("Brow_Raise_Inner_#"),
            "cheekPuff": _both("Cheek_Puff_#"),
            "tongueOut": ["Tongue_Out"],
        }
    )


def cc4_standard() -> Names:
    """Character Creator's ARKit profile: a shape for each of the 52."""
    return _cc4(lambda name: [name])


def cc4_extended() -> Names:
    """The profile that splits lips into left and right, up and down."""

    def split(name: str) -> list[str]:
        if name.startswith("Mouth_Roll"):
            return _both(f"{name}_#")
        return [*_both(f"{name}_Up_#"), *_both(f"{name}_Down_#")]

    return _cc4(split)


def metahuman() -> Names:
    """Control curves of the face, for a rig that is driven without Live Link's own pose asset: an approximation."""

    def quarters(name: str) -> list[str]:
        return [f"{name}{row}{side}" for row in "UD" for _, side in _SIDES]

    names = _sided(
        {
            "eyeBlink": "eyeBlink#",
            "eyeLookDown": "eyeLookDown#",
            "eyeLookUp": "eyeLookUp#",
            "eyeSquint": "eyeSquintInner#",
            "eyeWide": "eyeWiden#",
            "mouthSmile": "mouthCornerPull#",
            "mouthFrown": "mouthCornerDepress#",
            "mouthDimple": "mouthDimple#",
            "mouthStretch": "mouthStretch#",
            "mouthLowerDown": "mouthLowerLipDepress#",
            "mouthUpperUp": "mouthUpperLipRaise#",
            "browDown": "browDown#",
            "browOuterUp": "browRaiseOuter#",
            "cheekSquint": "eyeCheekRaise#",
            "noseSneer": "noseWrinkle#",
        }
    )
    names |= {
        "eyeLookInLeft": ["eyeLookRightL"],
        "eyeLookOutLeft": ["eyeLookLeftL"],
        "eyeLookInRight": ["eyeLookLeftR"],
        "eyeLookOutRight": ["eyeLookRightR"],
        "jawForward": ["jawFwd"],
        "jawLeft": ["jawLeft"],
        "jawRight": ["jawRight"],
        "jawOpen": ["jawOpen"],
        "mouthClose": quarters("mouthLipsTogether"),
        "mouthFunnel": quarters("mouthFunnel"),
        "mouthPucker": quarters("mouthLipsPurse"),
        "mouthLeft": ["mouthLeft"],
        "mouthRight": ["mouthRight"],
        "mouthRollLower": _both("mouthLowerLipRollIn#"),
        "mouthRollUpper": _both("mouthUpperLipRollIn#"),
        "mouthShrugLower": _both("jawChinRaiseD#"),
        "mouthShrugUpper": _both("jawChinRaiseU#"),
        "mouthPressLeft": ["mouthPressUL", "mouthPressDL"],
        "mouthPressRight": ["mouthPressUR", "mouthPressDR"],
        "browInnerUp": _both("browRaiseIn#"),
        "cheekPuff": _both("mouthCheekBlow#"),
        "tongueOut": ["tongueOut"],
    }
    return _ordered({arkit: [f"CTRL_expressions_{name}" for name in curves] for arkit, curves in names.items()})


VRM1_PRESETS: Final = (
    *("happy", "angry", "sad", "relaxed", "surprised", "aa", "ih", "ou", "ee", "oh", "blink", "blinkLeft"),
    *("blinkRight", "lookUp", "lookDown", "lookLeft", "lookRight", "neutral"),
)
"""The 18 of the VRM 1.0 specification."""

VRM1: Final[dict[str, dict[str, dict[str, float]]]] = {
    "blinkLeft": {"arkit": {"eyeBlinkLeft": 1.0}},
    "blinkRight": {"arkit": {"eyeBlinkRight": 1.0}},
    "lookUp": {"arkit": {"eyeLookUpLeft": 0.5, "eyeLookUpRight": 0.5}},
    "lookDown": {"arkit": {"eyeLookDownLeft": 0.5, "eyeLookDownRight": 0.5}},
    "lookLeft": {"arkit": {"eyeLookOutLeft": 0.5, "eyeLookInRight": 0.5}},
    "lookRight": {"arkit": {"eyeLookInLeft": 0.5, "eyeLookOutRight": 0.5}},
    "aa": {"visemes": {"aa": 1.0}},
    "ih": {"visemes": {"ih": 1.0}},
    "ou": {"visemes": {"ou": 1.0}},
    "ee": {"visemes": {"E": 1.0}},
    "oh": {"visemes": {"oh": 1.0}},
}
"""Expression -> what it is the weighted sum of: coefficients, or the 15 visemes. The others are moods: not driven."""

SPELLINGS: Final[tuple[tuple[str, str | None], ...]] = (
    ("jawOpen", "jawOpen"),
    ("JawOpen", "jawOpen"),
    ("jaw_open", "jawOpen"),
    ("JAW OPEN", "jawOpen"),
    ("jaw.open", "jawOpen"),
    ("blendShape1.jawOpen", "jawOpen"),
    ("blendShape2.eyeBlink_L", "eyeBlinkLeft"),
    ("eyeBlink_R", "eyeBlinkRight"),
    ("EyeBlinkLeft", "eyeBlinkLeft"),
    ("eye_blink_left", "eyeBlinkLeft"),
    ("eyeBlinkL", "eyeBlinkLeft"),
    ("head_mouthSmileRight", "mouthSmileRight"),
    ("Head.mouthSmile_R", "mouthSmileRight"),
    ("ARKit_browInnerUp", "browInnerUp"),
    ("Face.BrowInnerUp", "browInnerUp"),
    ("mouth_left", "mouthLeft"),
    ("Mouth_L", "mouthLeft"),
    ("jaw_R", "jawRight"),
    ("mouthUpperUp_L", "mouthUpperUpLeft"),
    ("mouthLowerDownRight", "mouthLowerDownRight"),
    ("Eye_L_Look_L", "eyeLookOutLeft"),
    ("Eye_R_Look_L", "eyeLookInRight"),
    ("CTRL_expressions_eyeLookRightL", "eyeLookInLeft"),
    ("CTRL_expressions_mouthCornerPullR", "mouthSmileRight"),
    ("CC_Base_Body.Mouth_Down_Lower_R", "mouthLowerDownRight"),
    ("Mouth_Roll_In_Lower_L", "mouthRollLower"),
    ("cheekPuff", "cheekPuff"),
    ("tongue_out", "tongueOut"),
    ("mouthSmlieLeft", "mouthSmileLeft"),
    ("BodyFat", None),
    ("Hair_Length", None),
    ("Shirt_Off", None),
    ("vrc.v_aa", None),
    ("Basis", None),
)
"""Names of shapes as meshes have them, and the coefficient each is; None: it is none of them."""
