"""From the model's 30 frames per second to the stream's frame rate: as they are, or with midpoints in between."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.arkit import COUNT
from diffusiontalker.geometry import MODEL_FPS
from livetalker.core.outputs import Frames

Faces = NDArray[np.float32]


class FrameRateConverter:
    """Brings one stream's frames to its frame rate, 30 or 60.

    At 60, frame ``2 n`` is the model's frame ``n`` and frame ``2 n + 1`` the mean of ``n`` and ``n + 1``. Where ``n``
    was skipped, ``n + 1`` stands in for the mean; where ``n + 1`` does not exist, the last face is held.

    Attributes:
        next_frame: index, at the stream's rate, of the next frame that comes out.

    Args:
        fps: frames per second of the stream.

    Raises:
        ValueError: ``fps`` is neither 30 nor 60.
    """

    def __init__(self, fps: int) -> None:
        if fps not in (MODEL_FPS, 2 * MODEL_FPS):
            raise ValueError(f"{fps} frames per second; use {MODEL_FPS} or {2 * MODEL_FPS}")
        self._doubles = fps == 2 * MODEL_FPS
        self._face: Faces = np.zeros(COUNT, np.float32)
        self._midway = False  # the next frame is the mean of the last face and the one to come
        self.next_frame = 0

    def process(self, faces: Faces) -> Frames:
        """Takes the model's next frames.

        Args:
            faces: ``[f, 52]`` at 30 fps.

        Returns:
            The frames they complete, perhaps none.
        """
        return self._emit(self._doubled(faces) if self._doubles and len(faces) else faces)

    def skip_to(self, frame: int) -> int:
        """Leaves frames out.

        Args:
            frame: index, at the stream's rate, of the next frame to come out; not below ``next_frame``.

        Returns:
            Index, at 30 fps, of the model's frame to go on with.

        Raises:
            ValueError: the frame has already come out.
        """
        if frame < self.next_frame:
            raise ValueError(f"frame {frame} has already come out; the next is {self.next_frame}")
        self._midway = False
        self.next_frame = frame
        return -(-frame // 2) if self._doubles else frame

    def finish(self, total: int) -> Frames:
        """Ends the stream.

        Args:
            total: frames the stream makes in all, skipped ones included: ``ceil(samples * fps / rate)``.

        Returns:
            The last frame, if it is one between two of the model's and the right one does not exist; else none.

        Raises:
            ValueError: the model's frames do not add up to ``total``.
        """
        missing = total - self.next_frame
        if not 0 <= missing <= self.next_frame % 2 * self._doubles:
            raise ValueError(f"{total} frames are due, but the next is {self.next_frame}")
        return self._emit(np.tile(self._face, (missing, 1)))

    def _doubled(self, faces: Faces) -> Faces:
        """``[g, 52]``: every new frame, each after the midpoint that leads up to it where there is one."""
        doubled = np.empty((2 * len(faces), COUNT), np.float32)
        doubled[1::2] = faces
        doubled[2::2] = (faces[:-1] + faces[1:]) / 2
        doubled[0] = (self._face + faces[0]) / 2 if self._midway else faces[0]
        self._face, self._midway = faces[-1].copy(), True
        # An even frame is due only at the start of a stream or after a skip; then nothing leads up to it.
        return doubled[1:] if self.next_frame % 2 == 0 else doubled

    def _emit(self, faces: Faces) -> Frames:
        frames = Frames(self.next_frame, faces)
        self.next_frame += len(faces)
        return frames
