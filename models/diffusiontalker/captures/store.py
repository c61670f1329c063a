"""A captured corpus on disk: the sound and the curves of every take, each in one flat file, and one JSON line a take.

``audio.i16`` holds little-endian 16-bit samples at 16 kHz, mono, ``curves.f16`` little-endian half floats, 52 a frame
at 30 frames a second, both take after take. ``takes.jsonl`` says where each take lies, whose it is and which side of
the split it is on; ``left_out.tsv`` says which takes are not in it and why.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.arkit import BLENDSHAPES, COUNT
from diffusiontalker.captures.take import CaptureError
from diffusiontalker.corpus.store import AUDIO_FILE, SAMPLE, CorpusError, Split
from diffusiontalker.draft import Draft
from diffusiontalker.geometry import MODEL_FPS

CURVES_FILE: Final = "curves.f16"
TAKES_FILE: Final = "takes.jsonl"
LEFT_OUT_FILE: Final = "left_out.tsv"
CURVE: Final = np.dtype("<f2")
CHUNK_FRAMES: Final = 10 * MODEL_FPS
"""The paper's sequences are ten seconds long."""
HELD_OUT_OF: Final = 10
"""One speaker, or one take, in this many is held out."""

SplitBy = Literal["take", "speaker"]


@dataclass(frozen=True, slots=True)
class CapturedTake:
    """One take of a captured corpus.

    Attributes:
        take: its name, unique in the corpus.
        speaker: unique over all corpora, such as ``beat/wayne``.
        split: ``train`` or ``held_out``.
        offset: first sample in ``audio.i16``.
        samples: length at 16 kHz; the sound ends with the face.
        first_frame: first frame in ``curves.f16``.
        frames: length at 30 frames a second.
        missing: coefficients the capture lacks; they are 0.
        holes: ``(start, end)`` frames where the face was lost; the curves there are drawn straight.
    """

    take: str
    speaker: str
    split: Split
    offset: int
    samples: int
    first_frame: int
    frames: int
    missing: tuple[str, ...] = ()
    holes: tuple[tuple[int, int], ...] = ()

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.frames / MODEL_FPS

    def chunks(self, frames: int = CHUNK_FRAMES) -> list[int]:
        """First frames of the take's whole chunks of ``frames``, without those in which the face was lost.

        What is left over at the end is dropped, as the paper's preprocessing does. A chunk is never on another side of
        the split than its take.
        """
        starts = range(0, self.frames - frames + 1, frames)
        return [at for at in starts if not any(start < at + frames and end > at for start, end in self.holes)]


def sides(takes: Sequence[tuple[str, str]], by: SplitBy) -> list[Split]:
    """The side of the split each ``(take, speaker)`` is on.

    A speaker, or a take, is held out or not by the hash of its name: the same in every run, whatever else is in the
    corpus. Where chance would leave a side empty, the one nearest to it goes there.
    """
    names = [speaker if by == "speaker" else take for take, speaker in takes]
    places = {name: int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64 for name in names}
    held_out = {name for name, place in places.items() if place < 1 / HELD_OUT_OF}
    if len(places) > 1 and not held_out:
        held_out = {min(places, key=places.__getitem__)}
    elif len(places) > 1 and len(held_out) == len(places):
        held_out.remove(max(places, key=places.__getitem__))
    return ["held_out" if name in held_out else "train" for name in names]


class CaptureWriter:
    """Writes a captured corpus; it appears when all of it is there.

    Use it as a context manager: an exception leaves whatever was at ``out`` untouched.

    Args:
        out: folder to make; an existing one is replaced.
        by: what the split keeps together.
    """

    def __init__(self, out: Path, by: SplitBy) -> None:
        self._draft = Draft(out, TAKES_FILE)
        self._by: SplitBy = by
        self._audio = (self._draft.folder / AUDIO_FILE).open("wb")
        self._curves = (self._draft.folder / CURVES_FILE).open("wb")
        self._left_out: list[tuple[str, str, str]] = []
        self.takes: list[CapturedTake] = []

    def add(
        self,
        *,
        take: str,
        speaker: str,
        samples: NDArray[np.int16],
        curves: NDArray[np.float16],
        missing: Iterable[str] = (),
        holes: Iterable[tuple[int, int]] = (),
    ) -> None:
        """Append a take of ``[N]`` samples and ``[F, 52]`` curves; its side is decided when all takes are known."""
        before = self.takes[-1] if self.takes else None
        self.takes.append(
            CapturedTake(
                take=take,
                speaker=speaker,
                split="train",
                offset=before.offset + before.samples if before else 0,
                samples=len(samples),
                first_frame=before.first_frame + before.frames if before else 0,
                frames=len(curves),
                missing=tuple(missing),
                holes=tuple(holes),
            )
        )
        self._audio.write(samples.astype(SAMPLE).tobytes())
        self._curves.write(curves.astype(CURVE).tobytes())

    def leave_out(self, take: str, reason: str, problem: str) -> None:
        """Note a take that is not in the corpus."""
        self._left_out.append((reason, take, " ".join(problem.split())))

    def _finish(self) -> None:
        """Decide the sides and write the list of takes."""
        if not self.takes:
            first = f"; the first was left out: {self._left_out[0][2]}" if self._left_out else ""
            raise CorpusError(f"none of {len(self._left_out)} takes can be used{first}")
        split = sides([(take.take, take.speaker) for take in self.takes], self._by)
        self.takes = [replace(take, split=side) for take, side in zip(self.takes, split, strict=True)]
        with (self._draft.folder / TAKES_FILE).open("w", encoding="utf-8") as lines:
            lines.writelines(json.dumps(asdict(take), ensure_ascii=False) + "\n" for take in self.takes)
        with (self._draft.folder / LEFT_OUT_FILE).open("w", encoding="utf-8") as lines:
            lines.writelines("\t".join(row) + "\n" for row in self._left_out)

    def __enter__(self) -> Self:
        """Return the writer itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Publish the corpus, or drop the draft when an exception is under way.

        Raises:
            CorpusError: there is no take.
        """
        self._audio.close()
        self._curves.close()
        if kind is not None:
            self._draft.drop()
            return
        with self._draft:
            self._finish()


class CaptureCorpus:
    """A captured corpus opened for reading.

    Attributes:
        takes: in the order of the files.
    """

    def __init__(self, takes: list[CapturedTake], audio: NDArray[np.int16], curves: NDArray[np.float16]) -> None:
        """Hold takes and the flat samples ``[N]`` and curves ``[F, 52]`` they point into; see ``open``."""
        self.takes = takes
        self._audio = audio
        self._curves = curves

    @classmethod
    def open(cls, folder: Path) -> CaptureCorpus:
        """Open a captured corpus.

        Raises:
            CorpusError: the folder is none, or its files are shorter than its takes say; names file and line.
        """
        files = [folder / name for name in (TAKES_FILE, AUDIO_FILE, CURVES_FILE)]
        if not all(file.is_file() for file in files):
            raise CorpusError(
                f"{folder} is no captured corpus: 'diffusiontalker corpus {folder}' makes one with "
                "--live-link DIR (own captures), --beat DIR or --vocaset DIR"
            )
        takes = list(_rows(files[0]))
        if not takes:
            raise CorpusError(f"{folder} holds no takes")
        audio = np.memmap(files[1], dtype=SAMPLE, mode="r")
        curves = np.memmap(files[2], dtype=CURVE, mode="r")
        needs = max(t.offset + t.samples for t in takes), COUNT * max(t.first_frame + t.frames for t in takes)
        for file, has, needed in zip(files[1:], (len(audio), len(curves)), needs, strict=True):
            if has < needed:
                raise CorpusError(f"{file} holds {has} values where the takes need {needed}: build it again")
        return cls(takes, audio, curves[: len(curves) // COUNT * COUNT].reshape(-1, COUNT))

    def audio(self, take: CapturedTake) -> NDArray[np.int16]:
        """Samples ``[N]`` of a take at 16 kHz, a read-only view of the mapped file."""
        return self._audio[take.offset : take.offset + take.samples]

    def curves(self, take: CapturedTake) -> NDArray[np.float16]:
        """Curves ``[F, 52]`` of a take at 30 frames a second in 0..1, a read-only view of the mapped file."""
        return self._curves[take.first_frame : take.first_frame + take.frames]


def _rows(file: Path) -> Iterator[CapturedTake]:
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row: dict[str, Any] = json.loads(line)
                row["missing"] = tuple(row["missing"])
                row["holes"] = tuple((int(start), int(end)) for start, end in row["holes"])
                take = CapturedTake(**row)
            except (ValueError, TypeError, KeyError) as error:
                problem = "is not a take: build the corpus again"
                raise CaptureError("broken", file, problem, place=f"line {number}") from error
            yield take


def holes_of(tracked: NDArray[np.bool_]) -> tuple[tuple[int, int], ...]:
    """``(start, end)`` of each run of false in ``[F]``."""
    edges = np.flatnonzero(np.diff(np.concatenate([[True], tracked, [True]]).astype(np.int8)))
    return tuple((int(start), int(end)) for start, end in edges.reshape(-1, 2))


def missing_of(captured: Iterable[str]) -> tuple[str, ...]:
    """The coefficients that are not among ``captured``, in the contract's order."""
    has = set(captured)
    return tuple(name for name in BLENDSHAPES if name not in has)
