"""A corpus on disk: one flat file of samples and one JSON line a clip.

``audio.i16`` holds little-endian 16-bit samples at 16 kHz, mono, clip after clip. ``clips.jsonl`` says where each clip
lies, who speaks, and which phone is heard when. Readers map the samples, so that a corpus of any size opens at once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.draft import Draft
from diffusiontalker.errors import MendableError
from diffusiontalker.geometry import SAMPLE_RATE
from diffusiontalker.phones import PHONE_INDEX, TimedPhone

AUDIO_FILE: Final = "audio.i16"
CLIPS_FILE: Final = "clips.jsonl"
SAMPLE: Final = np.dtype("<i2")

Split = Literal["train", "held_out"]


class CorpusError(MendableError, ValueError):
    """A corpus folder is missing or does not hold what it says."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip of a corpus.

    Attributes:
        clip: its name, unique in the corpus.
        corpus: ``flite``, ``espeak``, ``festival`` or ``recording/<folder>``.
        speaker: unique over all corpora, such as ``flite/slt+2`` or ``an4/fash``.
        offset: first sample in ``audio.i16``.
        samples: length at 16 kHz.
        split: ``train`` or ``held_out``; a speaker is on one side only.
        text: what is said, where known.
        phones: cover the clip from 0 to its end without holes.
        weight: how often to draw the clip, relative to the others.
    """

    clip: str
    corpus: str
    speaker: str
    offset: int
    samples: int
    split: Split
    text: str | None
    phones: tuple[TimedPhone, ...]
    weight: float = 1.0

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.samples / SAMPLE_RATE


class CorpusWriter:
    """Writes a corpus into a folder beside ``out`` and moves it there when all went well.

    Use it as a context manager: an exception leaves whatever was at ``out`` untouched.
    """

    def __init__(self, out: Path) -> None:
        """Start writing what will become ``out``."""
        self._draft = Draft(out, CLIPS_FILE)
        self._audio = (self._draft.folder / AUDIO_FILE).open("wb")
        self._clips = (self._draft.folder / CLIPS_FILE).open("w", encoding="utf-8")
        self._names: set[str] = set()
        self._offset = 0

    def add(
        self,
        *,
        clip: str,
        corpus: str,
        speaker: str,
        samples: NDArray[np.int16],
        phones: Sequence[TimedPhone],
        text: str | None = None,
        split: Split = "train",
        weight: float = 1.0,
    ) -> Clip:
        """Append one clip.

        Args:
            clip: its name.
            corpus: where it comes from.
            speaker: who speaks.
            samples: ``[N]`` at 16 kHz.
            phones: must cover the samples without holes, to a sample's precision.
            text: what is said.
            split: the side its speaker is on.
            weight: relative frequency in training.

        Raises:
            CorpusError: the name is taken or the phones do not cover the clip.
        """
        if clip in self._names:
            raise CorpusError(f"clip {clip} was already added")
        _check_cover(clip, phones, len(samples) / SAMPLE_RATE)
        record = Clip(clip, corpus, speaker, self._offset, len(samples), split, text, tuple(phones), weight)
        self._audio.write(samples.astype(SAMPLE).tobytes())
        self._clips.write(json.dumps(_to_json(record), ensure_ascii=False) + "\n")
        self._names.add(clip)
        self._offset += len(samples)
        return record

    def __enter__(self) -> Self:
        """Return the writer itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Publish the corpus, or drop the draft when an exception is under way."""
        self._audio.close()
        self._clips.close()
        self._draft.__exit__(kind, error, trace)


class Corpus:
    """A corpus opened for reading."""

    def __init__(self, clips: list[Clip], audio: NDArray[np.int16]) -> None:
        """Hold clips and the flat samples ``[N]`` they point into; see ``open``."""
        self.clips = clips
        self._audio = audio

    @classmethod
    def open(cls, folder: Path) -> Corpus:
        """Open a corpus folder.

        Raises:
            CorpusError: the folder is no corpus, or its audio is shorter than its clips say.
        """
        clips_file, audio_file = folder / CLIPS_FILE, folder / AUDIO_FILE
        if not clips_file.is_file() or not audio_file.is_file():
            raise CorpusError(f"{folder} is no corpus: {CLIPS_FILE} and {AUDIO_FILE} are needed")
        with clips_file.open(encoding="utf-8") as lines:
            clips = [_from_json(json.loads(line)) for line in lines if line.strip()]
        if not clips:
            raise CorpusError(f"{folder} holds no clips")
        audio = np.memmap(audio_file, dtype=SAMPLE, mode="r")
        needed = max(clip.offset + clip.samples for clip in clips)
        if needed > len(audio):
            raise CorpusError(f"{audio_file} holds {len(audio)} samples where the clips need {needed}: build it again")
        return cls(clips, audio)

    def audio(self, clip: Clip) -> NDArray[np.int16]:
        """Samples ``[N]`` of a clip at 16 kHz, a read-only view of the mapped file."""
        return self._audio[clip.offset : clip.offset + clip.samples]


def _check_cover(clip: str, phones: Sequence[TimedPhone], seconds: float) -> None:
    """Phones must be known, ordered, touching, and span the whole clip."""
    slack = 1.0 / SAMPLE_RATE
    at = 0.0
    for phone in phones:
        if phone.phone not in PHONE_INDEX:
            raise CorpusError(f"clip {clip}: unknown phone {phone.phone}")
        if abs(phone.start - at) > slack or phone.end <= phone.start:
            raise CorpusError(f"clip {clip}: {phone} does not follow on {at:.4f} s")
        at = phone.end
    if abs(at - seconds) > slack:
        raise CorpusError(f"clip {clip}: phones end at {at:.4f} s of {seconds:.4f} s")


def _to_json(clip: Clip) -> dict[str, object]:
    return {
        "clip": clip.clip,
        "corpus": clip.corpus,
        "speaker": clip.speaker,
        "offset": clip.offset,
        "samples": clip.samples,
        "split": clip.split,
        "text": clip.text,
        "phones": [[p.phone, round(p.start, 6), round(p.end, 6)] for p in clip.phones],
        "weight": clip.weight,
    }


def _from_json(entry: dict[str, object]) -> Clip:
    phones = entry.pop("phones")
    assert isinstance(phones, list)
    return Clip(**entry, phones=tuple(TimedPhone(*phone) for phone in phones))  # type: ignore[arg-type]
