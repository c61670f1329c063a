"""Real clips with known phones to score on, from aligned recordings or from a corpus folder's held-out split."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.corpus.recordings import PHONES_FILE, read_16k, read_recordings
from diffusiontalker.corpus.store import Corpus, CorpusError
from diffusiontalker.phones import SILENCE, TimedPhone

__all__ = ["Recording", "aligned_recordings", "held_out_recordings", "read_16k"]


@dataclass(frozen=True, slots=True)
class Recording:
    """A clip to animate and score.

    Attributes:
        clip: its name within its corpus.
        corpus: where it comes from.
        speaker: unique over all corpora, ``<corpus>/<speaker>`` for recordings.
        samples: ``[N]`` int16, 16 kHz mono.
        phones: its phones in order.
    """

    clip: str
    corpus: str
    speaker: str
    samples: NDArray[np.int16] = field(repr=False)
    phones: tuple[TimedPhone, ...] = field(repr=False)


def aligned_recordings(speech: Path) -> Iterator[Recording]:
    """All clips with a trustworthy alignment in a folder of the layout of ``corpus.recordings``.

    Args:
        speech: a folder of corpora; those without alignments are passed over.

    Yields:
        Recordings, by corpus and clip name.

    Raises:
        CorpusError: no corpus in the folder has alignments, a recording is not 16 kHz mono, or an alignment is
            malformed (a ValueError).
    """
    found = [recording for recording in read_recordings(speech) if recording.spans]
    if not found:
        raise CorpusError(f"{speech}: no <corpus>/{PHONES_FILE} in it; give the folder that holds the corpora")
    for r in sorted(found, key=lambda recording: recording.path):
        if r.well_aligned:
            phones = tuple(TimedPhone(*span) for span in r.spans)
            yield Recording(r.clip, r.corpus, f"{r.corpus}/{r.speaker}", r.samples(), phones)


def held_out_recordings(corpus: Path) -> Iterator[Recording]:
    """Real recordings of a corpus folder's held-out split.

    Args:
        corpus: a folder written by ``diffusiontalker.corpus``.

    Yields:
        Recordings that have phones.

    Raises:
        CorpusError: the folder is not a corpus (a ValueError).
    """
    store = Corpus.open(corpus)
    for clip in store.clips:
        kind, _, name = clip.corpus.partition("/")
        if clip.split == "held_out" and kind == "recording" and any(p.phone != SILENCE for p in clip.phones):
            yield Recording(clip.clip, name, clip.speaker, store.audio(clip), tuple(clip.phones))
