"""One's own captures: the Live Link Face app's CSV with the sound of the same stem beside it.

``<folder>/<speaker>/<take>.csv`` and ``<take>.wav`` (or ``.flac``); what lies deeper belongs to the same speaker, what
lies in ``folder`` itself to a speaker of the folder's name. The app's CSV has a header ``Timecode,BlendshapeCount,
EyeBlinkLeft,...,TongueOut,HeadYaw,...`` and one row a frame with a timecode ``HH:MM:SS:FF.mmm``: frame of the second
and thousandths of a frame. The app drops frames, so rows are placed by their timecodes. It keeps the sound in a movie.
"""

from __future__ import annotations

import csv
import re
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.arkit import BLENDSHAPES
from diffusiontalker.captures.take import CaptureError, Take, TakeSource, at_model_rate, in_order

_TIMECODE: Final = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})[:;](\d{1,3})(?:\.(\d{1,3}))?")
_RATES: Final = (24, 25, 30, 50, 60)
_DAY: Final = 24 * 3600
_SOUNDS: Final = (".wav", ".flac")
_EXTRACT: Final = "extract it from the app's movie, for example: ffmpeg -i take.mov take.wav"


def live_link_takes(folder: Path) -> list[TakeSource]:
    """The takes below ``folder``, by path.

    Raises:
        CaptureError: there is no CSV.
    """
    paths = sorted(path for path in folder.rglob("*.csv") if path.is_file())
    if not paths:
        raise CaptureError("broken", folder, "holds no takes: <speaker>/<take>.csv beside <take>.wav")
    return [_source(folder, path) for path in paths]


def _source(folder: Path, path: Path) -> TakeSource:
    inside = path.relative_to(folder)
    speaker = f"own/{inside.parts[0] if len(inside.parts) > 1 else folder.resolve().name}"
    name = f"own/{inside.with_suffix('').as_posix()}"
    return TakeSource(name, speaker, (path, _sound(path)), partial(read_live_link, path, name, speaker))


def _sound(path: Path) -> Path:
    return next((path.with_suffix(s) for s in _SOUNDS if path.with_suffix(s).is_file()), path.with_suffix(_SOUNDS[0]))


def read_live_link(path: Path, name: str, speaker: str) -> Take:
    """Read one take.

    Args:
        path: the CSV; the sound beside it is read later.
        name: of the take.
        speaker: of the take.

    Raises:
        CaptureError: it is not such a CSV (names the line), its frame rate cannot be told, or there is no sound.
    """
    codes, values, lines = _rows(path)
    frames = in_order(BLENDSHAPES, values, path, lines)
    sound = _sound(path)
    if not sound.is_file():
        raise CaptureError("no sound", path, f"there is no {sound.name} beside it: {_EXTRACT}")
    times = _times(path, codes, lines)
    later = np.concatenate([[True], np.diff(times) > 0])
    curves, tracked = at_model_rate(frames[later], times[later])
    return Take(name, speaker, sound, curves, BLENDSHAPES, tracked)


def _rows(path: Path) -> tuple[list[tuple[int, float]], NDArray[np.float64], list[int]]:
    """Timecodes as (second of the day, frame of the second), coefficients in the contract's order, line numbers."""
    codes: list[tuple[int, float]] = []
    values: list[list[float]] = []
    lines: list[int] = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        try:
            header = next(rows, [])
            places = {name.strip().lower(): i for i, name in enumerate(header)}
            missing = [name for name in ("Timecode", *BLENDSHAPES) if name.lower() not in places]
            if missing:
                raise CaptureError("broken", path, f"not of Live Link Face: no column {missing[0]!r}", place="line 1")
            time, columns = places["timecode"], [places[name.lower()] for name in BLENDSHAPES]
            for row in rows:
                if not row:
                    continue
                lines.append(rows.line_num)
                if len(row) != len(header):
                    raise ValueError(f"{len(row)} cells where the header has {len(header)}")
                codes.append(_code(row[time]))
                values.append([float(row[i]) for i in columns])
        except (csv.Error, UnicodeDecodeError) as error:
            raise CaptureError("broken", path, f"not CSV: {error}", place=f"line {rows.line_num + 1}") from error
        except CaptureError:
            raise
        except ValueError as error:
            raise CaptureError("broken", path, str(error), place=f"line {rows.line_num}") from error
    if not values:
        raise CaptureError("too short", path, "holds no frames")
    return codes, np.array(values), lines


def _code(text: str) -> tuple[int, float]:
    match = _TIMECODE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a timecode HH:MM:SS:FF.mmm")
    hour, minute, second, frame = (int(part) for part in match.groups()[:4])
    thousandths = int((match[5] or "0").ljust(3, "0"))
    return (hour * 60 + minute) * 60 + second, frame + thousandths / 1000


def _times(path: Path, codes: list[tuple[int, float]], lines: list[int]) -> NDArray[np.float64]:
    """Seconds since the first row. The rate is the smallest usual one with room for the highest frame number."""
    seconds = np.array([second for second, _ in codes], np.float64)
    parts = np.array([part for _, part in codes])
    rate = next((rate for rate in _RATES if parts.max() < rate), None)
    if rate is None:
        worst = int(parts.argmax())
        problem = f"frame {parts[worst]:g} of a second: no rate of {_RATES} has so many"
        raise CaptureError("broken", path, problem, place=f"line {lines[worst]}")
    if seconds[0] == seconds[-1]:
        raise CaptureError("too short", path, "less than a second of timecode does not tell the frame rate")
    times = seconds + parts / rate
    # The app's clock is the time of day: after midnight it starts again.
    times += _DAY * np.concatenate([[0], np.cumsum(np.diff(times) < -_DAY / 2)])
    back = np.flatnonzero(np.diff(times) < 0)
    if len(back):
        raise CaptureError("broken", path, "the timecode goes back", place=f"line {lines[back[0] + 1]}")
    relative: NDArray[np.float64] = times - times[0]
    return relative
