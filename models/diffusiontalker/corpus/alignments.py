"""Alignments for recordings that came without one, made by a few processes and kept in a cache file.

Recognition takes about as long as the speech itself, so each result is written down the moment it exists, under a
digest of the audio and the text: a run that was stopped, or the next build, goes on from there.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from diffusiontalker.corpus.align import Aligner, AlignmentFailed
from diffusiontalker.corpus.recordings import Recording
from diffusiontalker.corpus.store import CorpusError

_VERSION: Final = "2"
"""Part of every digest: change it when ``align`` measures differently."""

_aligner: Aligner | None = None
"""The worker process's own aligner."""


def aligned_recordings(
    recordings: Sequence[Recording], *, cache: Path, workers: int = 2, progress: Callable[[], None] = lambda: None
) -> Iterator[Recording]:
    """Give each recording an alignment, in order.

    Recordings with text are aligned with it; those without are recognised first, and come back cut to the part the
    recogniser was sure of. A recording that cannot be aligned comes back as it was.

    Args:
        recordings: clips, usually those without ``spans``.
        cache: JSON-lines file to read and extend.
        workers: processes.
        progress: called after each recording.

    Raises:
        AlignerMissing: pocketsphinx is not installed and something is not in the cache.
    """
    known = _read_cache(cache)
    keys = [_key(recording) for recording in recordings]
    missing = {key: recording for key, recording in zip(keys, recordings, strict=True) if key not in known}
    if not missing:
        for key, recording in zip(keys, recordings, strict=True):
            yield _with_alignment(recording, known[key])
            progress()
        return
    Aligner()  # fails here, with one clear error, rather than in a worker
    cache.parent.mkdir(parents=True, exist_ok=True)
    # Fresh interpreters: a forked one would inherit the locks of whatever threads run here.
    pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))
    try:
        made = pool.map(_align, missing.values())
        with cache.open("a", encoding="utf-8") as file:
            for key, recording in zip(keys, recordings, strict=True):
                if key not in known:
                    known[key] = next(made)
                    file.write(json.dumps({"key": key, **known[key]}) + "\n")
                    file.flush()
                yield _with_alignment(recording, known[key])
                progress()
    finally:
        pool.shutdown(cancel_futures=True)


def _align(recording: Recording) -> dict[str, Any]:
    """In a worker: one cache entry."""
    global _aligner
    _aligner = _aligner or Aligner()
    try:
        samples = recording.samples()
        found = _aligner.align(samples, recording.text) if recording.text else _aligner.transcribe(samples)
    except (AlignmentFailed, CorpusError) as error:
        return {"error": str(error)}
    return asdict(found)


def _with_alignment(recording: Recording, entry: dict[str, Any]) -> Recording:
    if "error" in entry:
        return recording
    return replace(
        recording,
        spans=tuple((phone, start, end) for phone, start, end in entry["spans"]),
        word_score=entry["word_score"],
        loud_outside=entry["loud_outside"],
        part=(entry["start"], entry["end"]),
        recognised=None if recording.text else entry["text"],
    )


def _key(recording: Recording) -> str:
    digest = hashlib.sha256(recording.path.read_bytes())
    digest.update(f"{_VERSION}\n{recording.text or ''}".encode())
    return digest.hexdigest()


def _read_cache(cache: Path) -> dict[str, dict[str, Any]]:
    """Entries by key; a last line cut short by a kill is dropped."""
    entries: dict[str, dict[str, Any]] = {}
    if cache.is_file():
        for line in cache.read_text(encoding="utf-8").splitlines():
            try:
                entry = json.loads(line)
            except json.JSONDecodeError:
                continue
            entries[entry.pop("key")] = entry
    return entries
