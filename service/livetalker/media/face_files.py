"""Writing and reading a face take by file suffix: ``.csv`` (Live Link Face), ``.npz`` or ``.json``.

A CSV holds what the app's importers understand and nothing else: read back, it does not say how the take was made.
``.npz`` and ``.json`` carry that and the coefficient names as well.
"""

from __future__ import annotations

import csv
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.arkit import BLENDSHAPES, COUNT, INDEX
from livetalker.media import livelink_csv

SUFFIXES: Final = (".csv", ".npz", ".json")
_TEXT_FIELDS: Final = ("identity", "preset", "model", "model_version")


class FaceFileError(ValueError):
    """A face file that cannot be written or read; the message says why."""


@dataclass(frozen=True, slots=True)
class FaceTake:
    """A face animation and how it was made.

    Attributes:
        frames: float32 ``[n, 52]`` in 0..1, ARKit order; frame ``n`` stands at ``n / fps`` seconds of the sound.
        fps: frames per second.
        identity: name of the speaking style, or the mode that chose it; empty if not known.
        preset: latency preset; empty if not known.
        model: name of the model; empty if not known.
        model_version: its version; empty if not known.
        seed: what noise and blinks were drawn from; None if not known.
    """

    frames: NDArray[np.float32]
    fps: int
    identity: str = ""
    preset: str = ""
    model: str = ""
    model_version: str = ""
    seed: int | None = None


def check_target(path: Path) -> None:
    """Find out before long work whether ``write_take`` could write ``path``.

    Raises:
        FaceFileError: unknown suffix, a folder, or a folder that is not there.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise FaceFileError(f"{path}: the name must end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")
    if path.is_dir():
        raise FaceFileError(f"{path} is a folder; give a file name")
    if not path.parent.is_dir():
        raise FaceFileError(f"the folder {path.parent} does not exist; make it first")


def write_take(path: Path | str, take: FaceTake) -> None:
    """Write ``take`` in the form the suffix names. A file that was there is replaced only by a whole new one.

    Raises:
        FaceFileError: see ``check_target``; or the disk refuses.
    """
    path = Path(path)
    check_target(path)
    part = path.with_name(f".{path.name}.part")
    try:
        match path.suffix.lower():
            case ".csv":
                livelink_csv.write(part, take.frames, take.fps)
            case ".npz":
                _write_npz(part, take)
            case _:
                _write_json(part, take)
        os.replace(part, path)
    except OSError as error:
        raise FaceFileError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)


def read_take(path: Path | str, fps: int | None = None) -> FaceTake:
    """Read what ``write_take`` wrote, or a recording of the Live Link Face app.

    A CSV brings the frames and their rate; identity, preset and model are empty then, and the seed None.

    Args:
        path: a file with one of ``SUFFIXES``.
        fps: for a CSV shorter than a second, whose rate cannot be told.

    Raises:
        FaceFileError: no such file, or not a face take.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise FaceFileError(f"{path}: the name must end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")
    try:
        match path.suffix.lower():
            case ".csv":
                read = livelink_csv.read(path, fps)
                return FaceTake(read.frames, read.fps)
            case ".npz":
                with np.load(path, allow_pickle=False) as arrays:
                    return _take({name: arrays[name] for name in arrays.files})
            case _:
                return _take(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise FaceFileError(f"there is no file {path}") from error
    except OSError as error:
        raise FaceFileError(f"{path} cannot be read: {error.strerror or error}") from error
    except (KeyError, TypeError, ValueError, csv.Error, zipfile.BadZipFile) as error:
        raise FaceFileError(f"{path} is not a face take: {error}") from error


def _facts(take: FaceTake) -> dict[str, Any]:
    seed = {} if take.seed is None else {"seed": take.seed}
    return {"fps": take.fps, **seed, **{field: getattr(take, field) for field in _TEXT_FIELDS}}


def _write_npz(path: Path, take: FaceTake) -> None:
    with path.open("wb") as file:
        np.savez_compressed(file, frames=take.frames, names=np.array(BLENDSHAPES), **_facts(take))


def _write_json(path: Path, take: FaceTake) -> None:
    facts = json.dumps({**_facts(take), "names": BLENDSHAPES}, indent=1)
    with path.open("w", encoding="utf-8") as file:
        file.write(facts.removesuffix("\n}") + ',\n "frames": [')
        for n, row in enumerate(take.frames.tolist()):
            file.write(("\n  [" if n == 0 else ",\n  [") + ", ".join([f"{value:.7g}" for value in row]) + "]")
        file.write("\n ]\n}\n")


def _take(stored: Mapping[str, Any]) -> FaceTake:
    names = [str(name) for name in stored["names"]]
    unknown = sorted(set(names) ^ set(BLENDSHAPES))
    if unknown or len(names) != COUNT:
        raise ValueError(f"its names are not the {COUNT} ARKit blendshapes ({', '.join(unknown) or 'one is double'})")
    values = np.asarray(stored["frames"], np.float32).reshape(-1, COUNT)
    frames = np.empty_like(values)
    frames[:, [INDEX[name] for name in names]] = values
    text = {field: str(stored[field]) for field in _TEXT_FIELDS}
    seed = int(stored["seed"]) if "seed" in stored else None
    return FaceTake(frames, fps=int(stored["fps"]), seed=seed, **text)
