"""From the model's coefficients to the face that is shown, at the model's 30 frames per second.

In this order: the speech gate brings the mouth to rest in silence; blinks and idle motion keep the face alive; the
client's shaping is applied; the lips are kept from crossing; and after a skip the face is cross-faded from the last one
shown. Everything depends on the absolute frame and on what came before, never on how frames were grouped.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.animator.blinks import blink_curve
from diffusiontalker.arkit import BLINKS, COUNT, INDEX, JAW_AND_MOUTH
from diffusiontalker.geometry import MODEL_FPS
from livetalker.core.config import Shaping, StreamConfig
from livetalker.core.idle import IdleMotion
from livetalker.core.shaping import Shaper
from livetalker.core.speech_gate import SpeechGate

LIP_SLACK: Final = 0.03
"""How far mouthClose may exceed jawOpen: pressed lips, not crossed ones."""
RESTART_FRAMES: Final = 4
"""Frames at 30 fps of the cross-fade after a skip."""
IDLE_WHILE_SPEAKING: Final = 0.5
"""Share of the idle motion that is left while speaking, when the model moves brows and eyes itself."""

_MOUTH: Final = np.isin(np.arange(COUNT), JAW_AND_MOUTH).astype(np.float32)
_BLINKS: Final = list(BLINKS)
_JAW_OPEN: Final = INDEX["jawOpen"]
_MOUTH_CLOSE: Final = INDEX["mouthClose"]


class FacePostprocessor:
    """The post-processing of one stream.

    Args:
        config: of the stream; its seed, shaping, blinks and idle matter here.
        first_frame: absolute index of the first frame at 30 fps.
    """

    def __init__(self, config: StreamConfig, first_frame: int = 0) -> None:
        self._seed = config.seed
        self._blinks = config.blinks
        self._gate = SpeechGate()
        self._idle = IdleMotion(config.seed) if config.idle else None
        self._shaper = Shaper(config.shaping)
        self._next = first_frame
        self._last = np.zeros(COUNT, np.float32)
        self._left = np.zeros(COUNT, np.float32)
        self._restarted = -RESTART_FRAMES

    def process(
        self, first_frame: int, coefficients: NDArray[np.float32], speech: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Finishes the next frames.

        Args:
            first_frame: absolute index of the first at 30 fps: one more than the last, or the one restarted at.
            coefficients: ``[f, 52]`` from the model.
            speech: ``[f]`` speech probability at each frame.

        Returns:
            ``[f, 52]`` in 0..1, mouthClose at most ``LIP_SLACK`` above jawOpen.

        Raises:
            ValueError: frames are missing or repeated.
        """
        if first_frame != self._next:
            raise ValueError(f"frame {self._next} is due, not {first_frame}; call restart() to skip frames")
        frames = len(coefficients)
        if frames == 0:
            return np.empty((0, COUNT), np.float32)
        gate = self._gate.process(speech)[:, None]
        faces = np.clip(coefficients, 0.0, 1.0)
        faces *= 1.0 - (1.0 - gate) * _MOUTH
        if self._blinks:
            blink = blink_curve(self._seed, first_frame, frames, MODEL_FPS)
            if blink.any():
                faces[:, _BLINKS] = np.maximum(faces[:, _BLINKS], blink[:, None])
        if self._idle is not None:
            faces += (1.0 - (1.0 - IDLE_WHILE_SPEAKING) * gate) * self._idle.motion(first_frame, frames)
        faces = self._shaper.process(first_frame, faces)
        faces[:, _MOUTH_CLOSE] = np.minimum(faces[:, _MOUTH_CLOSE], faces[:, _JAW_OPEN] + LIP_SLACK)
        faces = self._faded(first_frame, faces)
        self._next = first_frame + frames
        self._last = faces[-1].copy()
        return faces

    def shape(self, frame: int, shaping: Shaping) -> None:
        """Replaces the shaping; the change is cross-faded.

        Args:
            frame: first frame at 30 fps that shows it, or the next one if that is later.
            shaping: the new one, as a whole.
        """
        self._shaper.change(frame, shaping)

    def restart(self, frame: int) -> None:
        """Skips to a later frame, which will be cross-faded from the last face shown.

        Args:
            frame: absolute index of the next frame at 30 fps.

        Raises:
            ValueError: the frame was already made.
        """
        if frame < self._next:
            raise ValueError(f"frame {frame} was already made; the next is {self._next}")
        self._gate.reset()
        self._next = self._restarted = frame
        self._left = self._last

    def _faded(self, first_frame: int, faces: NDArray[np.float32]) -> NDArray[np.float32]:
        if first_frame >= self._restarted + RESTART_FRAMES:  # most frames: nothing to fade from
            return faces
        # The difference first: absolute frames outgrow float32.
        since = (np.arange(first_frame, first_frame + len(faces)) - self._restarted).astype(np.float32)
        share = np.minimum((since + 1) / (RESTART_FRAMES + 1), 1.0)[:, None].astype(np.float32)
        # A convex mixture keeps 0..1 and the lips uncrossed, but for rounding.
        return np.clip((1 - share) * self._left + share * faces, 0.0, 1.0)
