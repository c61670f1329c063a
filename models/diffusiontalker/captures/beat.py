"""BEAT's faces (Liu and others, ECCV 2022): 51 ARKit coefficients at 60 frames a second beside the sound.

``<folder>/<speaker>/<speaker>_<name>_<type>_<start>_<end>.json`` with ``.wav`` of the same stem; speakers are ``1`` to
``30``, and the folder may lie deeper, as it does in the published archives. The JSON holds ``names`` (alphabetical,
without tongueOut) and ``frames``, each with ``weights`` in that order and ``time`` in seconds. Types 0, 2, 4, 6 are
speech in English, Chinese, Spanish and Japanese, the odd ones conversation in the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.captures.take import CaptureError, Take, TakeSource, at_model_rate, in_order

ENGLISH_SPEECH: Final = 0
"""The type the paper and FaceDiffuser train on."""
FPS: Final = 60
_STEM: Final = re.compile(r"(\d+)_([A-Za-z]+)_([0-7])_(\d+)_(\d+)")


def beat_takes(folder: Path, types: Collection[int] = (ENGLISH_SPEECH,)) -> list[TakeSource]:
    """The takes below ``folder``, by speaker and number.

    Args:
        folder: BEAT's, or one above it.
        types: of recordings to take.

    Raises:
        CaptureError: there are none.
    """
    found: list[tuple[tuple[int, ...], TakeSource]] = []
    for path in folder.rglob("*.json"):
        match = _STEM.fullmatch(path.stem)
        if match and int(match[3]) in types:
            order = tuple(int(match[i]) for i in (1, 3, 4, 5))
            name, speaker = f"beat/{path.stem}", f"beat/{match[2]}"
            files = (path, path.with_suffix(".wav"))
            found.append((order, TakeSource(name, speaker, files, partial(read_beat, path))))
    if not found:
        layout = "<speaker>/<speaker>_<name>_<type>_<start>_<end>.json beside .wav"
        raise CaptureError("broken", folder, f"holds no BEAT take of type {', '.join(map(str, types))}: {layout}")
    return [source for _, source in sorted(found, key=lambda pair: (pair[0], pair[1].name))]


def read_beat(path: Path) -> Take:
    """Read one take.

    Args:
        path: the JSON; the sound beside it is read later.

    Raises:
        CaptureError: its name or its content is not BEAT's; names the line of bad JSON, or the frame (from 0).
    """
    match = _STEM.fullmatch(path.stem)
    if match is None:
        raise CaptureError("broken", path, "is not named <speaker>_<name>_<type>_<start>_<end>.json")
    names, weights, times = _content(path)
    frames = in_order(names, weights, path)
    curves, tracked = at_model_rate(frames, times)
    return Take(f"beat/{path.stem}", f"beat/{match[2]}", path.with_suffix(".wav"), curves, tuple(names), tracked)


def _content(path: Path) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except json.JSONDecodeError as error:
        raise CaptureError(
            "broken", path, f"not JSON: {error.msg}", place=f"line {error.lineno}, column {error.colno}"
        ) from error
    except UnicodeDecodeError as error:
        raise CaptureError("broken", path, "not JSON: not text in UTF-8") from error
    except RecursionError as error:
        raise CaptureError("broken", path, "not JSON of a face: nested too deep") from error
    names: list[str] = _list(path, content, "names", str)
    frames: list[dict[str, Any]] = _list(path, content, "frames", dict)
    if not frames:
        raise CaptureError("too short", path, "holds no frames")
    weights = np.empty((len(frames), len(names)))
    for number, frame in enumerate(frames):
        row = frame.get("weights")
        if not isinstance(row, list) or len(row) != len(names):
            has = f"{len(row)} weights" if isinstance(row, list) else "no list of weights"
            raise CaptureError("broken", path, f"{has} for {len(names)} names", place=f"frame {number}")
        try:
            weights[number] = row
        except (TypeError, ValueError) as error:
            raise CaptureError("broken", path, "a weight is not a number", place=f"frame {number}") from error
    return names, weights, _times(path, frames)


def _times(path: Path, frames: list[dict[str, Any]]) -> NDArray[np.float64]:
    """Time stamps; frames without any stand 1/60 s apart."""
    if not any("time" in frame for frame in frames):
        return np.arange(len(frames)) / FPS
    times = np.empty(len(frames))
    for number, frame in enumerate(frames):
        time = frame.get("time")
        if isinstance(time, bool) or not isinstance(time, int | float) or not np.isfinite(time):
            raise CaptureError("broken", path, "no 'time' in seconds", place=f"frame {number}")
        times[number] = time
        if number and times[number] <= times[number - 1]:
            raise CaptureError("broken", path, "is not later than the frame before", place=f"frame {number}")
    return times


def _list(path: Path, content: object, key: str, kind: type) -> list[Any]:
    value = content.get(key) if isinstance(content, dict) else None
    if not isinstance(value, list) or not all(isinstance(item, kind) for item in value):
        raise CaptureError("broken", path, "is not a face of BEAT: {'names': [...], 'frames': [{'weights': ...}]}")
    return value
