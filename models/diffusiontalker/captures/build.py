"""Builds a captured corpus: reads takes, checks them, keeps what is usable and lists the rest by reason."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from diffusiontalker.captures.store import CaptureWriter, SplitBy, holes_of, missing_of
from diffusiontalker.captures.take import CaptureError, Take, TakeSource
from diffusiontalker.geometry import MODEL_FPS, SAMPLE_RATE, frame_sample

LEAST_SECONDS: Final = 1.0
MOST_APART: Final = 0.5
"""Seconds by which sound and face may differ in length."""
SILENCE_DB: Final = -60.0
"""Level (dBFS) that the loudest 50 ms of a take must reach."""
_STILL: Final = 1e-3
"""A face whose every coefficient keeps within this was not captured."""
_LOUDEST: Final = SAMPLE_RATE // 20
_VERSION: Final = 1
"""Of the conversion; takes converted by another one are converted anew."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A take that is not in the corpus.

    Attributes:
        take: its name.
        reason: what it is listed under.
        problem: the file, the place in it, and what is wrong there.
    """

    take: str
    reason: str
    problem: str


@dataclass
class CaptureReport:
    """What a build made and what it left out.

    Attributes:
        seconds: per side of the split.
        takes: per side of the split.
        chunks: of ten seconds, per side of the split.
        speakers: side -> speakers.
        converted: takes that were not in the cache.
        left_out: in the order of the sources.
    """

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    takes: Counter[str] = field(default_factory=Counter)
    chunks: Counter[str] = field(default_factory=Counter)
    speakers: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    converted: int = 0
    left_out: list[LeftOut] = field(default_factory=list)

    @property
    def reasons(self) -> Counter[str]:
        """How many takes were left out for each reason."""
        return Counter(entry.reason for entry in self.left_out)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A take as the corpus holds it.

    Attributes:
        samples: ``[N]`` int16 at 16 kHz, ending with the face.
        curves: ``[F, 52]`` at 30 frames a second in 0..1.
        tracked: ``[F]``.
        captured: the coefficients the source has.
    """

    samples: NDArray[np.int16]
    curves: NDArray[np.float16]
    tracked: NDArray[np.bool_]
    captured: tuple[str, ...]


def prepare(take: Take, path: Path) -> Prepared:
    """Check a take and cut sound and face to the same length.

    Args:
        take: as read.
        path: its file, for errors.

    Raises:
        CaptureError: it is too short, silent, still, or sound and face differ in length by more than ``MOST_APART``.
    """
    samples = take.samples()
    heard, seen = len(samples) / SAMPLE_RATE, take.seconds
    if min(heard, seen) < LEAST_SECONDS:
        raise CaptureError("too short", path, f"{min(heard, seen):.2f} s; a take needs {LEAST_SECONDS:g} s")
    if abs(heard - seen) > MOST_APART:
        raise CaptureError("misaligned", path, f"{heard:.2f} s of sound for {seen:.2f} s of face")
    power = np.square(samples[: len(samples) // _LOUDEST * _LOUDEST].reshape(-1, _LOUDEST).astype(np.float64)).mean(1)
    level = 10 * np.log10(power.max() + 1e-12)
    if level < SILENCE_DB:
        raise CaptureError("silent", path, f"its sound never rises above {level:.0f} dBFS")
    if np.ptp(take.frames, axis=0).max() < _STILL:
        raise CaptureError("still", path, "the face never moves")
    frames = min(len(take.frames), len(samples) * MODEL_FPS // SAMPLE_RATE)
    end = min(frame_sample(frames), len(samples))
    whole = np.clip(np.rint(samples[:end] * 32768.0), -32768, 32767).astype(np.int16)
    tracked = np.ones(frames, np.bool_) if take.tracked is None else take.tracked[:frames]
    return Prepared(whole, take.frames[:frames].astype(np.float16), tracked, take.captured)


def build_captures(
    out: Path, sources: Sequence[TakeSource], *, by: SplitBy = "take", progress: Progress | None = None
) -> CaptureReport:
    """Write a captured corpus to ``out``.

    Converted takes are kept in ``<out>.cache`` under a key of their files' paths, sizes and times, so that a build that
    was stopped goes on where it was and a later one converts only what is new. The same sources give the same corpus.

    Args:
        out: folder to make; an existing one is replaced once the new one is complete.
        sources: of one of the readers.
        by: what the split keeps together: every take, or every speaker.
        progress: where to show how far it is.

    Returns:
        What was made, and what was left out and why.

    Raises:
        CorpusError: no take can be used.
    """
    report = CaptureReport()
    cache = _Cache(out.with_name(out.name + ".cache"))
    bar = progress or Progress(disable=True)
    task = bar.add_task("Takes", total=len(sources))
    names: set[str] = set()
    with CaptureWriter(out, by) as writer:
        for source in sources:
            try:
                if source.name in names:
                    raise CaptureError("broken", source.files[0], f"another take is named {source.name}")
                key = cache.key(source)
                kept = cache.load(key)
                if kept is None:
                    kept = prepare(source.read(), source.files[0])
                    cache.save(key, kept)
                    report.converted += 1
            except (CaptureError, OSError) as error:
                reason = error.reason if isinstance(error, CaptureError) else "broken"
                report.left_out.append(LeftOut(source.name, reason, str(error)))
                writer.leave_out(source.name, reason, str(error))
            else:
                names.add(source.name)
                writer.add(
                    take=source.name,
                    speaker=source.speaker,
                    samples=kept.samples,
                    curves=kept.curves,
                    missing=missing_of(kept.captured),
                    holes=holes_of(kept.tracked),
                )
            bar.advance(task)
    cache.prune()
    for take in writer.takes:
        report.seconds[take.split] += take.seconds
        report.takes[take.split] += 1
        report.chunks[take.split] += len(take.chunks())
        report.speakers[take.split].add(take.speaker)
    return report


class _Cache:
    """Converted takes by key, one file each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._used: set[str] = set()

    def key(self, source: TakeSource) -> str:
        """Changes with every file of the take; a missing one counts as such."""
        stamps: list[list[str | int]] = []
        for path in source.files:
            stat = path.stat() if path.exists() else None
            stamps.append([str(path.resolve()), *((stat.st_size, stat.st_mtime_ns) if stat else (-1, -1))])
        text = json.dumps([_VERSION, source.name, source.settings, stamps])
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def load(self, key: str) -> Prepared | None:
        """The take, if it was converted before."""
        self._used.add(key)
        try:
            with np.load(self.folder / f"{key}.npz", allow_pickle=False) as arrays:
                captured = tuple(arrays["captured"].tolist())
                return Prepared(arrays["samples"], arrays["curves"], arrays["tracked"], captured)
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return None

    def save(self, key: str, take: Prepared) -> None:
        """Keep a converted take; a kill on the way leaves none."""
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f"{key}.unfinished.npz"
        np.savez(
            draft,
            samples=take.samples,
            curves=take.curves,
            tracked=take.tracked,
            captured=np.array(take.captured, dtype=np.str_),
        )
        os.replace(draft, self.folder / f"{key}.npz")

    def prune(self) -> None:
        """Drop what this build had no use for."""
        for file in self.folder.glob("*.npz") if self.folder.is_dir() else ():
            if file.stem not in self._used:
                file.unlink()
