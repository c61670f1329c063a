"""From the model's coefficients to the face that is shown, at the model's 30 frames per second.

In this order: the speech gate brings the mouth to rest in silence; blinks and idle motion keep the face alive; the
client's shaping is applied; the lips are kept from crossing; and after a skip the face is cross-faded from the last one
shown. Everything depends on the absolute frame and on what came before, never on how frames were grouped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.animator.blinks import blink_curve
from diffusiontalker.arkit import BLINKS, COUNT, INDEX, JAW_AND_MOUTH
from diffusiontalker.geometry import MODEL_FPS
from livetalker.core.config import Shaping, StreamConfig
from livetalker.core.idle import IdleMotion
from livetalker.core.shaping import Shaper
from livetalker.core.speech_gate import SpeechGate, opening

LIP_SLACK: Final = 0.03
"""How far mouthClose may exceed jawOpen: pressed lips, not crossed ones."""
RESTART_FRAMES: Final = 4
"""Frames at 30 fps of the cross-fade after a skip."""
IDLE_WHILE_SPEAKING: Final = 0.5
"""Share of the idle motion that is left while speaking, when the model moves brows and eyes itself."""

_MOUTH: Final = np.isin(np.arange(COUNT), JAW_AND_MOUTH).astype(np.float32)
_STILL: Final = np.zeros((MODEL_FPS, COUNT), np.float32)
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
        self._lids_from, self._lids = 0, np.zeros(0, np.float32)
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
        faces: NDArray[np.float32] = self.process_together([self], [first_frame], coefficients[None], speech[None])[0]
        return faces

    @staticmethod
    def process_together(
        processors: Sequence[FacePostprocessor],
        first_frames: Sequence[int],
        coefficients: NDArray[np.float32],
        speech: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """``process`` of ``B`` streams at once, which costs little more than that of one.

        Args:
            processors: of the streams.
            first_frames: absolute index of the first frame of each.
            coefficients: ``[B, f, 52]`` from the model.
            speech: ``[B, f]`` speech probability at each frame.

        Returns:
            ``[B, f, 52]``.

        Raises:
            ValueError: frames are missing or repeated.
        """
        for processor, first in zip(processors, first_frames, strict=True):
            if first != processor._next:
                raise ValueError(f"frame {processor._next} is due, not {first}; call restart() to skip frames")
        frames = coefficients.shape[1]
        if frames == 0:
            return np.empty(coefficients.shape, np.float32)
        each = list(zip(processors, first_frames, strict=True))
        levels = [processor._gate.follow(row) for processor, row in zip(processors, speech.tolist(), strict=True)]
        gate = opening(np.array(levels, np.float32))[..., None]
        faces = np.clip(coefficients, 0.0, 1.0)
        faces *= 1.0 - (1.0 - gate) * _MOUTH
        lids = np.concatenate([processor._blinking(first, frames) for processor, first in each]).reshape(len(each), -1)
        if lids.any():
            faces[..., _BLINKS] = np.maximum(faces[..., _BLINKS], lids[..., None])
        still = _STILL[:frames] if frames <= len(_STILL) else np.zeros((frames, COUNT), np.float32)
        idle = [
            still if processor._idle is None else processor._idle.motion(first, frames) for processor, first in each
        ]
        faces += (1.0 - (1.0 - IDLE_WHILE_SPEAKING) * gate) * np.concatenate(idle).reshape(faces.shape)
        shaped = np.clip(faces, 0.0, 1.0)
        for i, (processor, first) in enumerate(each):
            if not processor._shaper.neutral(first, frames):
                shaped[i] = processor._shaper.process(first, faces[i])
        shaped[..., _MOUTH_CLOSE] = np.minimum(shaped[..., _MOUTH_CLOSE], shaped[..., _JAW_OPEN] + LIP_SLACK)
        for i, (processor, first) in enumerate(each):
            if first < processor._restarted + RESTART_FRAMES:
                shaped[i] = processor._faded(first, shaped[i])
            processor._next = first + frames
            processor._last = shaped[i, -1].copy()
        return shaped

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

    def _blinking(self, first_frame: int, frames: int) -> NDArray[np.float32]:
        """``[f]`` closure of the lids; kept for a second, because most calls want a single frame of it."""
        if not self._blinks:
            return np.zeros(frames, np.float32)
        begin = first_frame - self._lids_from
        if begin < 0 or begin + frames > len(self._lids):
            self._lids_from, begin = first_frame, 0
            self._lids = blink_curve(self._seed, first_frame, max(frames, MODEL_FPS), MODEL_FPS)
        return self._lids[begin : begin + frames]

    def _faded(self, first_frame: int, faces: NDArray[np.float32]) -> NDArray[np.float32]:
        # The difference first: absolute frames outgrow float32.
        since = (np.arange(first_frame, first_frame + len(faces)) - self._restarted).astype(np.float32)
        share = np.minimum((since + 1) / (RESTART_FRAMES + 1), 1.0)[:, None].astype(np.float32)
        # A convex mixture keeps 0..1 and the lips uncrossed, but for rounding.
        return np.clip((1 - share) * self._left + share * faces, 0.0, 1.0)
