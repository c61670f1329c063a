"""A captured take: a face at 30 frames a second with the sound it was captured with, and how curves get there.

Frame ``n`` stands ``n / 30`` s after the first captured frame, which is where the sound begins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import samplerate
from numpy.typing import NDArray

from diffusiontalker.arkit import BLENDSHAPES, COUNT, INDEX
from diffusiontalker.corpus.store import CorpusError
from diffusiontalker.geometry import MODEL_FPS, SAMPLE_RATE
from diffusiontalker.sound import SoundError, read_sound

MAX_HOLE: Final = 0.25
"""Seconds between two captured frames above which the face in between is not known; shorter holes are interpolated."""
SAME_INSTANT: Final = 0.001
"""Seconds; time stamps are rounded in files: a captured frame this close to a frame's instant is taken as it is."""
_FARTHEST: Final = (-1.0, 2.0)
"""Calibrated captures leave 0..1 a little and are clipped; beyond these the numbers are no coefficients."""

Reason = Literal["broken", "no sound", "silent", "too short", "misaligned", "still"]
"""Why a take is left out."""


class CaptureError(CorpusError):
    """Captured data that cannot be used; the message names the file and the place in it.

    Attributes:
        reason: what it is listed under.
    """

    def __init__(self, reason: Reason, path: Path, problem: str, *, place: str = "") -> None:
        """Say ``problem`` of ``path``, at ``place`` (``line 3``, ``frame 17``) where there is one."""
        super().__init__(f"{path}{', ' if place else ''}{place}: {problem}")
        self.reason: Reason = reason


@dataclass(frozen=True, slots=True)
class Take:
    """A face and its sound.

    Attributes:
        name: unique in its corpus, such as ``beat/1_wayne_0_1_1``.
        speaker: unique over all corpora, such as ``beat/wayne``.
        sound: a sound file, or ``[N]`` mono float32 in -1..1 at 16 kHz.
        frames: ``[F, 52]`` float32 at 30 fps in 0..1, in the order of ``arkit.BLENDSHAPES``; 0 where not captured.
        captured: the coefficients the source has.
        tracked: ``[F]`` whether the face was captured around the frame.
    """

    name: str
    speaker: str
    sound: Path | NDArray[np.float32] = field(repr=False)
    frames: NDArray[np.float32] = field(repr=False)
    captured: tuple[str, ...] = field(default=BLENDSHAPES, repr=False)
    tracked: NDArray[np.bool_] | None = field(default=None, repr=False)

    @property
    def seconds(self) -> float:
        """Length of the face."""
        return len(self.frames) / MODEL_FPS

    def samples(self) -> NDArray[np.float32]:
        """The sound, ``[N]`` mono float32 at 16 kHz.

        Raises:
            CaptureError: the file is missing, or is no usable sound.
        """
        if not isinstance(self.sound, Path):
            return self.sound
        if not self.sound.is_file():
            raise CaptureError("no sound", self.sound, "there is no such file: a take needs its sound beside it")
        try:
            return read_sound(self.sound)
        except SoundError as error:
            raise CaptureError("no sound", self.sound, str(error).removeprefix(f"{self.sound} ")) from error


@dataclass(frozen=True, slots=True)
class TakeSource:
    """A take that can be read.

    Attributes:
        name: of the take.
        speaker: of the take.
        files: what it is made of; together with ``settings`` they tell whether it must be converted anew.
        settings: whatever else its curves depend on.
        read: reads it; raises ``CaptureError``.
    """

    name: str
    speaker: str
    files: tuple[Path, ...]
    read: Callable[[], Take] = field(repr=False, compare=False)
    settings: str = ""


def resampled(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """Bring ``[N]`` mono samples at ``rate`` hertz to 16 kHz; output sample ``k`` stands at ``k / 16000`` s."""
    if rate == SAMPLE_RATE:
        return samples
    return np.asarray(samplerate.resample(samples, SAMPLE_RATE / rate, "sinc_medium"), np.float32)


def at_model_rate(values: NDArray[Any], times: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Bring captured curves to 30 frames a second.

    Captured frames that stand at a frame's instant are taken as they are: of 60 frames a second that is every second
    one. Between others the curves are interpolated linearly.

    Args:
        values: ``[N, K]`` captured frames.
        times: ``[N]`` seconds, rising; the first is where the take begins.

    Returns:
        ``[F, K]`` float32, and ``[F]`` whether the frame is no farther from the next captured ones than ``MAX_HOLE``
        allows.

    Raises:
        ValueError: there are no frames, or times do not rise.
    """
    if len(values) == 0 or len(values) != len(times) or (np.diff(times) <= 0).any():
        raise ValueError(f"{len(values)} captured frames need as many rising times, got {len(times)}")
    captured = np.asarray(times, np.float64) - times[0]
    instants = np.arange(int(np.floor((captured[-1] + SAME_INSTANT) * MODEL_FPS)) + 1) / MODEL_FPS
    after = np.clip(np.searchsorted(captured, instants), 1, max(len(captured) - 1, 1)).clip(max=len(captured) - 1)
    before = np.maximum(after - 1, 0)
    gap = np.maximum(captured[after] - captured[before], SAME_INSTANT)
    share = ((instants - captured[before]) / gap).clip(0.0, 1.0)
    share[np.abs(instants - captured[before]) < SAME_INSTANT] = 0.0
    share[np.abs(instants - captured[after]) < SAME_INSTANT] = 1.0
    exact = (share == 0.0) | (share == 1.0)
    frames = (1.0 - share)[:, None] * values[before] + share[:, None] * values[after]
    return frames.astype(np.float32), exact | (gap <= MAX_HOLE)


def in_order(
    names: Sequence[str], values: NDArray[Any], path: Path, lines: Sequence[int] | None = None
) -> NDArray[np.float32]:
    """Put named curves into the order of the contract.

    Args:
        names: ``K`` ARKit names.
        values: ``[N, K]``.
        path: where they are from, for errors.
        lines: ``N`` line numbers of the rows, where the file has lines.

    Returns:
        ``[N, 52]`` in 0..1; 0 where there is no such name.

    Raises:
        CaptureError: a name is unknown or doubled, or a value is not a coefficient.
    """
    unknown = [name for name in names if name not in INDEX]
    if unknown:
        raise CaptureError("broken", path, f"{unknown[0]!r} is not an ARKit coefficient")
    if len(set(names)) != len(names):
        raise CaptureError("broken", path, "a coefficient is named twice")
    low, high = _FARTHEST
    with np.errstate(invalid="ignore"):
        wrong = ~((values >= low) & (values <= high))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        problem = f"{names[column]} is {values[row, column]:g}; coefficients lie in 0..1"
        raise CaptureError("broken", path, problem, place=f"line {lines[row]}" if lines else f"frame {row}")
    frames = np.zeros((len(values), COUNT), np.float32)
    frames[:, [INDEX[name] for name in names]] = np.clip(values, 0.0, 1.0)
    return frames
