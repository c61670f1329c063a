"""The Live Link Face app's CSV: one row a frame, as Unreal, Blender and Maya importers of that app expect it.

The app writes some columns in another order than its network protocol (JawRight before JawLeft, MouthRight before
MouthLeft), so columns are always matched by name.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.arkit import BLENDSHAPES, COUNT, INDEX


def _app_order() -> tuple[str, ...]:
    names = list(BLENDSHAPES)
    for left, right in (("jawLeft", "jawRight"), ("mouthLeft", "mouthRight")):
        i, j = names.index(left), names.index(right)
        names[i], names[j] = names[j], names[i]
    return tuple(names)


_SHAPES: Final = _app_order()
_ORDER: Final = np.array([INDEX[name] for name in _SHAPES])

ROTATIONS: Final = tuple(part + axis for part in ("Head", "LeftEye", "RightEye") for axis in ("Yaw", "Pitch", "Roll"))
"""The nine columns after the blendshapes; LiveTalker turns neither head nor eyes and writes zeros."""

COLUMNS: Final = ("Timecode", "BlendshapeCount", *(name[0].upper() + name[1:] for name in _SHAPES), *ROTATIONS)

_VALUES: Final = COUNT + len(ROTATIONS)
_STILL: Final = ",0" * len(ROTATIONS)
_TIMECODE: Final = re.compile(r"(\d+):(\d{2}):(\d{2})[:;](\d{1,3})(?:\.(\d{1,3}))?")
_RATES: Final = (24, 25, 30, 50, 60)


class LiveLinkCsvError(ValueError):
    """A file that is not a Live Link Face recording; the message names the line."""


@dataclass(frozen=True, slots=True)
class LiveLinkTake:
    """A recording read back.

    Attributes:
        frames: float32 ``[n, 52]`` in ARKit order.
        fps: frames per second of its timecode.
    """

    frames: NDArray[np.float32]
    fps: int


def timecode(frame: int, fps: int) -> str:
    """``HH:MM:SS:FF.mmm`` of a frame: FF counts frames in the second, mmm is thousandths of a frame (always 000)."""
    seconds, rest = divmod(frame, fps)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02d}:{minute:02d}:{second:02d}:{rest:02d}.000"


def lines(frames: NDArray[np.float32], fps: int, first: int = 0) -> Iterator[str]:
    """Rows of ``frames`` ``[n, 52]``, the first of them frame ``first`` of the take; without the header.

    Raises:
        ValueError: ``frames`` does not hold 52 coefficients a row.
    """
    if frames.ndim != 2 or frames.shape[1] != COUNT:
        raise ValueError(f"expected frames of shape [n, {COUNT}], got {list(frames.shape)}")
    for n, row in enumerate(frames[:, _ORDER].tolist(), first):
        yield f"{timecode(n, fps)},{_VALUES}," + ",".join([f"{value:.8f}" for value in row]) + _STILL


def write(path: Path, frames: NDArray[np.float32], fps: int) -> None:
    """Write a whole take, ``frames`` ``[n, 52]``.

    Raises:
        OSError: the file cannot be written.
    """
    with path.open("w", encoding="ascii", newline="\n") as file:
        file.write(",".join(COLUMNS) + "\n")
        file.writelines(line + "\n" for line in lines(frames, fps))


def read(path: Path, fps: int | None = None) -> LiveLinkTake:
    """Read a recording of the app, or one that ``write`` made.

    Args:
        path: the CSV file.
        fps: its frame rate; when not given, found from the timecodes, which takes more than one second.

    Raises:
        LiveLinkCsvError: columns are missing, a row is broken, or the rate cannot be told.
        OSError: the file cannot be read.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        header = next(rows, [])
        by_name = {name.strip().lower(): i for i, name in enumerate(header)}
        wanted = ["timecode", *(name.lower() for name in BLENDSHAPES)]
        missing = [name for name in wanted if name not in by_name]
        if missing:
            raise LiveLinkCsvError(f"{path} is not a Live Link Face recording: no column {missing[0]!r}")
        columns = [by_name[name] for name in wanted]
        codes: list[tuple[int, int]] = []
        values: list[list[float]] = []
        for number, row in enumerate(rows, 2):
            if not row:
                continue
            try:
                code, *cells = (row[i] for i in columns)
                codes.append(_seconds_and_frame(code))
                values.append([float(cell) for cell in cells])
            except (IndexError, ValueError) as error:
                raise LiveLinkCsvError(f"{path}, line {number}: {error}") from error
    frames = np.array(values, np.float32).reshape(-1, COUNT)
    return LiveLinkTake(frames, fps if fps is not None else _rate(path, codes))


def _seconds_and_frame(code: str) -> tuple[int, int]:
    match = _TIMECODE.fullmatch(code.strip())
    if match is None:
        raise ValueError(f"{code!r} is not a timecode HH:MM:SS:FF.mmm")
    hour, minute, second, frame = (int(part) for part in match.groups()[:4])
    return (hour * 60 + minute) * 60 + second, frame


def _rate(path: Path, codes: Iterable[tuple[int, int]]) -> int:
    """The smallest usual rate that has room for the highest frame number, if a second was seen to end."""
    codes = list(codes)
    if codes and codes[0][0] != codes[-1][0]:
        highest = max(frame for _, frame in codes)
        for rate in _RATES:
            if highest < rate:
                return rate
    raise LiveLinkCsvError(f"{path}: its timecodes do not tell the frame rate; give fps")
