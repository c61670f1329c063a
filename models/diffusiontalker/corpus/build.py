"""Builds the training corpus: hours of synthesised speech and all well-aligned recordings, fixed by a seed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rich.progress import Progress

from diffusiontalker.corpus.align import AlignerMissing
from diffusiontalker.corpus.alignments import aligned_recordings
from diffusiontalker.corpus.engine import EngineMissing, SpeechEngine
from diffusiontalker.corpus.espeak import Espeak
from diffusiontalker.corpus.festival import Festival
from diffusiontalker.corpus.flite import Flite
from diffusiontalker.corpus.recordings import Recording, read_recordings
from diffusiontalker.corpus.store import Clip, CorpusError, CorpusWriter
from diffusiontalker.corpus.synthesis import MEAN_SECONDS, synthesise
from diffusiontalker.corpus.timing import check_timing
from diffusiontalker.corpus.utterance import Utterance
from diffusiontalker.geometry import SAMPLE_RATE

ENGINES: Final[dict[str, tuple[Callable[[], SpeechEngine], float]]] = {
    "flite": (Flite, 0.43),
    "espeak": (Espeak, 0.47),
    "festival": (Festival, 0.10),
}
"""Synthesisers and their share of the hours; the share of a missing one goes to the others."""
HELD_OUT_VOICES: Final = frozenset({"flite/awb+4", "espeak/steph", "espeak/m4"})
"""Synthetic speakers kept for measuring."""

_RECOGNISED_WEIGHT: Final = 0.5
"""Weight of clips whose text was recognised, not given."""
_CHECKED_CLIPS: Final = 60
_MAX_LAG_MS: Final = 25


@dataclass
class BuildReport:
    """What a build made and what it left out.

    Attributes:
        seconds: per corpus.
        held_out_seconds: per corpus, part of ``seconds``.
        speakers: per corpus.
        left_out: reason -> how often.
        lag_ms: per synthesiser, how far its phone times are off by the measure of ``timing``.
    """

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    held_out_seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    speakers: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    left_out: Counter[str] = field(default_factory=Counter)
    lag_ms: dict[str, int] = field(default_factory=dict)

    def count(self, clip: Clip) -> None:
        """Note a clip that was written."""
        self.seconds[clip.corpus] += clip.seconds
        self.held_out_seconds[clip.corpus] += clip.seconds if clip.split == "held_out" else 0.0
        self.speakers[clip.corpus].add(clip.speaker)


def build_corpus(
    out: Path,
    *,
    speech: Path | None,
    hours: float,
    seed: int = 0,
    transcribe: bool = True,
    progress: Progress | None = None,
) -> BuildReport:
    """Write a corpus to ``out``.

    Alignments made on the way are kept in ``<out>.alignments.jsonl`` for the next build.

    Args:
        out: folder to make; an existing one is replaced once the new one is complete.
        speech: folder of recordings in the layout of ``recordings``; None for synthesised speech only.
        hours: how much to synthesise.
        seed: the same seed, programs and recordings give the same corpus.
        transcribe: also recognise English recordings that have no text.
        progress: where to show how far it is.

    Returns:
        What was made and left out, and why.

    Raises:
        EngineMissing: no synthesiser is installed.
        CorpusError: ``speech`` is no folder of recordings, or a synthesiser's phone times do not fit its audio.
    """
    recordings = read_recordings(speech) if speech else []
    report = BuildReport()
    counts = clip_counts(_installed(report), hours)
    bar = progress or Progress(disable=True)
    with CorpusWriter(out) as writer:
        if recordings:
            task = bar.add_task("Recordings", total=len(recordings))
            cache = out.with_name(out.name + ".alignments.jsonl")
            for recording in _with_alignments(recordings, cache, transcribe, report):
                _add_recording(writer, recording, report)
                bar.advance(task)
        for name, count in counts.items():
            task = bar.add_task(f"Speech from {name}", total=count)
            _add_synthesised(writer, name, count, seed, report, lambda task=task: bar.advance(task))  # type: ignore[misc]
    return report


def clip_counts(engines: Sequence[str], hours: float) -> dict[str, int]:
    """How many clips each of the installed synthesisers makes."""
    whole = sum(ENGINES[name][1] for name in engines)
    return {name: round(hours * 3600 * ENGINES[name][1] / whole / MEAN_SECONDS) for name in engines}


def _installed(report: BuildReport) -> list[str]:
    """Names of the synthesisers that work here; the missing ones are noted in the report."""
    present: list[str] = []
    missing: list[str] = []
    for name, (start, _) in ENGINES.items():
        try:
            start().close()
            present.append(name)
        except EngineMissing as error:
            missing.append(str(error))
    if not present:
        raise EngineMissing("no speech synthesiser is installed and at least one is needed: " + "; ".join(missing))
    report.left_out.update(missing)
    return present


def _with_alignments(
    recordings: Sequence[Recording], cache: Path, transcribe: bool, report: BuildReport
) -> Iterator[Recording]:
    """Recordings that have an alignment, then the others, with one where it could be made."""
    todo = [r for r in recordings if not r.spans and r.english and (r.text or transcribe)]
    yield from (r for r in recordings if r not in todo)
    try:
        yield from aligned_recordings(todo, cache=cache)
    except AlignerMissing as error:
        report.left_out[str(error)] += len(todo)


def _add_recording(writer: CorpusWriter, recording: Recording, report: BuildReport) -> None:
    corpus = f"recording/{recording.corpus}"
    if not recording.well_aligned:
        why = "doubtful alignment" if recording.spans else "no alignment" if recording.english else "not English"
        report.left_out[f"{corpus}: {why}"] += 1
        return
    try:
        samples = recording.samples()
        flaw = recording.flaw(samples)
    except CorpusError as error:
        report.left_out[str(error)] += 1
        return
    if flaw:
        report.left_out[f"{recording.path}: {flaw}"] += 1
        return
    clip = writer.add(
        clip=f"{recording.corpus}/{recording.clip}",
        corpus=corpus,
        speaker=recording.person,
        samples=samples,
        phones=recording.phones(len(samples) / SAMPLE_RATE),
        text=recording.text or recording.recognised,
        split=recording.split,
        weight=_RECOGNISED_WEIGHT if recording.recognised else 1.0,
    )
    report.count(clip)


def _add_synthesised(
    writer: CorpusWriter, engine: str, count: int, seed: int, report: BuildReport, advance: Callable[[], None]
) -> None:
    checked: list[Utterance] = []
    for made in synthesise(ENGINES[engine][0], count, seed):
        advance()
        report.left_out.update(made.failures)
        if not made.text:
            continue
        clip = writer.add(
            clip=made.name,
            corpus=engine,
            speaker=made.speaker,
            samples=made.speech.samples,
            phones=made.speech.phones,
            text=made.text,
            split="held_out" if made.speaker in HELD_OUT_VOICES else "train",
        )
        report.count(clip)
        if len(checked) < _CHECKED_CLIPS:
            checked.append(made.speech)
    # A version of the program that reports other times must not go unseen. Few clips say too little.
    if len(checked) == _CHECKED_CLIPS:
        lag = check_timing((speech.samples, speech.phones) for speech in checked).lag_ms
        report.lag_ms[engine] = lag
        if abs(lag) > _MAX_LAG_MS:
            raise CorpusError(f"the phone times of this {engine} are {lag} ms off its audio; is its version supported?")
