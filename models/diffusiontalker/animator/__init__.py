"""The coarticulation animator: timed phones -> 52 ARKit curves. Needs numpy only.

``targets`` says what each phone asks for, ``dominance`` blends neighbours, ``contact`` makes closures certain,
``style`` tells speakers apart, ``upper_face`` and ``blinks`` add what speech does not determine, ``face`` joins them.
"""

from diffusiontalker.animator.blinks import blink_curve
from diffusiontalker.animator.face import animate
from diffusiontalker.animator.style import NEUTRAL, SpeakerStyle, style_for

__all__ = ["NEUTRAL", "SpeakerStyle", "animate", "blink_curve", "style_for"]
