"""Lips in every language among real recordings: a lip score where there is text, and a mouth that speaks everywhere.

``python -m benchmarks.languages --speech DIR`` reads folders of the layout of ``corpus.recordings``; a clip's language
is its speaker's in ``speakers.tsv``, or what the name of its corpus or speaker ends in, or English.

The first table is the phonetic lip score on phones found by warping espeak-ng's speech (``corpus.warp_align``): on the
alignments it trusts and, where that leaves clips out, on all. ``truth`` is told the very phones it is scored on: it
says what the text and the classes of phones allow. What the alignment costs is seen where it is told other times:
those another voice of espeak-ng leads to, which shares the first one's mistakes in part, and in English pocketsphinx's.
English is scored on both.

The second table needs no text: in voiced frames, is the mouth open; how long does it stand still while there is speech;
does it follow the loudness. Only ``truth`` is confined to clips with phones. Speech is where a voice is heard, and the
short holes between: loudness alone would take a noisy room or a rumbling microphone for speech. ``--worst`` lists the
clips whose mouth is open least.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from benchmarks.lip_score import (
    ANIMATORS,
    SCORE_HEAD,
    SHARED,
    Animate,
    Frames,
    Samples,
    loudness_jaw,
    score_line,
    shipped_model,
    truth,
)
from diffusiontalker.corpus.align import AlignmentFailed
from diffusiontalker.corpus.engine import EngineMissing
from diffusiontalker.corpus.recordings import Recording, read_recordings
from diffusiontalker.corpus.store import CorpusError
from diffusiontalker.corpus.warp_align import VOICES, WarpAligner, wrong_sentences
from diffusiontalker.geometry import MODEL_FPS, PRESETS, SAMPLE_RATE
from diffusiontalker.metrics.lips import gap, round_
from diffusiontalker.metrics.phonetic import ScoredClip, phonetic_lip_score
from diffusiontalker.metrics.recordings import Recording as KnownClip
from diffusiontalker.metrics.speech import as_float, loudness_db
from diffusiontalker.phones import TimedPhone

OPEN: Final = 0.05
"""Lip gap from which a mouth is open: a twentieth of the jaw's way."""
STILL: Final = 0.02
"""A mouth stands still while neither its gap nor its rounding changes by more."""
FEWEST_WORDS: Final = 3
"""English clips with fewer are left to the table without text: there are plenty of longer ones."""
_OTHER_VOICE: Final = "f2"
_PITCH_HZ: Final = (70, 400)
_VOICED_CORRELATION: Final = 0.55
_VOICED_DB: Final = 25.0
_VOICE_HZ: Final = (150, 5000)
_SHORTEST_VOICE: Final = 2
"""Frames; a single voiced one is chance."""
_BRIDGED: Final = 8
"""Frames without voice within a word or between two; pauses are longer."""


@dataclass(frozen=True)
class Clip:
    """A recording and what is known of it.

    Attributes:
        recording: where it comes from.
        language: ISO 639 code.
        samples: ``[N]`` at 16 kHz.
        phones: found by warping, empty where there is no text or it does not fit at all.
        others: the same phones where another voice led to.
        ratio: cost ratio of the warping, ``nan`` without one.
        trusted: whether the warping is to be trusted.
    """

    recording: Recording
    language: str
    samples: NDArray[np.int16]
    phones: tuple[TimedPhone, ...] = ()
    others: tuple[TimedPhone, ...] = ()
    ratio: float = float("nan")
    trusted: bool = False

    def known(self, phones: tuple[TimedPhone, ...]) -> KnownClip:
        """As animators take it."""
        recording = self.recording
        speaker = f"{recording.corpus}/{recording.speaker}"
        return KnownClip(recording.clip, recording.corpus, speaker, self.samples, phones)

    @property
    def pocketsphinx(self) -> tuple[TimedPhone, ...]:
        """English phones of the recording's own alignment; none where it is not trustworthy."""
        trustworthy = self.language == "en" and self.recording.well_aligned
        return self.recording.phones(len(self.samples) / SAMPLE_RATE) if trustworthy else ()


def languages_of(speech: Path, recordings: Sequence[Recording]) -> list[str]:
    """The language of each recording, as the module says it is found."""
    told: dict[tuple[str, str], str] = {}
    for table in sorted(speech.glob("*/speakers.tsv")):
        with table.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                code = (row.get("language") or "").partition("-")[0]
                if code:
                    told[table.parent.name, row["speaker"]] = code
    found = []
    for recording in recordings:
        endings = [name.rpartition("_")[2] for name in (recording.speaker, recording.corpus) if "_" in name]
        named = next((ending for ending in endings if ending in VOICES), "en")
        found.append(told.get((recording.corpus, recording.speaker), named))
    return found


def spread(items: Sequence[Clip], limit: int) -> list[Clip]:
    """At most ``limit`` of them, evenly over all."""
    chosen = np.linspace(0, len(items) - 1, min(limit, len(items))).round().astype(int)
    return [items[i] for i in chosen]


def clips_of(speech: Path, only: Sequence[str] | None, limit: int) -> dict[str, list[Clip]]:
    """Clips to animate, by language.

    English clips are of people the corpus keeps for measuring; no other language is ever trained on.
    """
    recordings = read_recordings(speech)
    found: dict[str, list[Clip]] = {}
    for recording, language in zip(recordings, languages_of(speech, recordings), strict=True):
        if (language != "en" or recording.split == "held_out") and (not only or language in only):
            samples = recording.samples()
            if recording.flaw(samples) is None:
                found.setdefault(language, []).append(Clip(recording, language, samples))
    return {language: spread(clips, limit) for language, clips in sorted(found.items())}


def aligned(aligner: WarpAligner, other: WarpAligner, clips: Sequence[Clip], texts: Sequence[str]) -> Iterator[Clip]:
    """The clips with the phones that warping finds; as they were where they have no text or cannot be aligned."""
    for clip in clips:
        text = clip.recording.text
        known = clip.language in VOICES
        if clip.language == "en":
            known = bool(clip.pocketsphinx) and len((text or "").split()) >= FEWEST_WORDS
        if not text or not known:
            yield clip
            continue
        try:
            found = aligner.align(clip.samples, text, clip.language, wrong_sentences(text, texts))
            second = other.align(clip.samples, text, clip.language)
        except AlignmentFailed as error:
            print(f"{clip.recording.path.name}: not aligned: {error}", file=sys.stderr)
            yield clip
            continue
        phones, others = (alignment.phones(len(clip.samples) / SAMPLE_RATE) for alignment in (found, second))
        yield replace(clip, phones=phones, others=others, ratio=found.ratio, trusted=found.trustworthy)


def voice_band(samples: NDArray[np.int16]) -> NDArray[np.float64]:
    """``[N]`` floats in -1..1 without what lies beside the voice."""
    band = butter(4, _VOICE_HZ, "bandpass", fs=SAMPLE_RATE, output="sos")
    return np.asarray(sosfiltfilt(band, as_float(samples)))


def voiced(samples: NDArray[np.float64], frames: int) -> NDArray[np.bool_]:
    """``[frames]`` at 30 fps with a voice: loud enough for the clip, and periodic in the range of human pitch."""
    width = SAMPLE_RATE // 20
    sound = np.pad(samples, width)
    loudness = loudness_db(samples, SAMPLE_RATE, frames, MODEL_FPS)
    loud = loudness >= np.percentile(loudness, 95) - _VOICED_DB
    mask = np.zeros(frames, bool)
    shortest, longest = SAMPLE_RATE // _PITCH_HZ[1], SAMPLE_RATE // _PITCH_HZ[0]
    for i in np.flatnonzero(loud):
        centre = i * SAMPLE_RATE // MODEL_FPS + width
        window = sound[centre - width // 2 : centre + width // 2]
        spectrum = np.fft.rfft(window - window.mean(), 2 * width)
        likeness = np.fft.irfft(np.abs(spectrum) ** 2)[: longest + 1]
        # Fewer samples overlap at longer lags.
        likeness /= len(window) - np.arange(longest + 1)
        mask[i] = likeness[0] > 0 and likeness[shortest:].max() > _VOICED_CORRELATION * likeness[0]
    for start, end in runs(mask):
        mask[start:end] = end - start >= _SHORTEST_VOICE
    return mask


def runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Stretches of true values, ``(first, one past the last)``."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def bridged(voice: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Speech: voiced frames and the short holes between them."""
    speech = voice.copy()
    stretches = runs(voice)
    for (_, end), (start, _) in zip(stretches[:-1], stretches[1:], strict=True):
        speech[end:start] = start - end <= _BRIDGED
    return speech


def longest_still(frames: Frames, speech: NDArray[np.bool_]) -> float:
    """Seconds of the longest stretch of speech in which the mouth stands still."""
    curves = np.stack([gap(frames), round_(frames)])
    longest = start = 0
    for end in range(len(speech)):
        if not speech[end]:
            start = end + 1
            continue
        while np.ptp(curves[:, start : end + 1], axis=1).max() > STILL:
            start += 1
        longest = max(longest, end + 1 - start)
    return longest / MODEL_FPS


@dataclass(frozen=True)
class Mouth:
    """What one clip's mouth did.

    Attributes:
        opened: share of voiced frames with the mouth open; ``nan`` without any.
        still: seconds of the longest stretch of speech without motion.
        follows: correlation of gap and loudness in dB within speech; 0 for a mouth that never moves.
    """

    opened: float
    still: float
    follows: float


def watch(frames: Frames, samples: NDArray[np.int16]) -> Mouth:
    """Measure one clip's mouth."""
    lips = gap(frames)
    sound = voice_band(samples)
    voice = voiced(sound, len(frames))
    speech = bridged(voice)
    loudness = loudness_db(sound, SAMPLE_RATE, len(frames), MODEL_FPS)[speech]
    moves = len(loudness) > 1 and min(np.ptp(lips[speech]), np.ptp(loudness)) > 0
    follows = float(np.corrcoef(lips[speech], loudness)[0, 1]) if moves else 0.0
    opened = float((lips[voice] > OPEN).mean()) if voice.any() else float("nan")
    return Mouth(opened, longest_still(frames, speech), follows)


def heard(clip: Clip) -> Samples:
    """``[N]`` floats in -1..1."""
    return as_float(clip.samples).astype(np.float32)


def report_lips(language: str, clips: Sequence[Clip], faces: dict[str, list[Frames]]) -> None:
    """Print a language's rows of the first table."""

    def row(label: str, frames: Sequence[Frames], phones: Sequence[tuple[TimedPhone, ...]]) -> None:
        scored = [ScoredClip(face, MODEL_FPS, said) for face, said in zip(frames, phones, strict=True)]
        print(score_line(f"    {label}", phonetic_lip_score(scored)))

    with_phones = [i for i, clip in enumerate(clips) if clip.phones]
    trusted = [i for i in with_phones if clips[i].trusted]
    ratios = [clips[i].ratio for i in with_phones]
    print(f"{language}: {len(with_phones)} clips aligned, {len(trusted)} trusted", end="")
    print(f", median cost ratio {np.median(ratios):.3f}" if ratios else "")
    for label, chosen in (("trusted", trusted), ("all", with_phones)):
        if not chosen or (label == "all" and len(chosen) == len(trusted)):
            continue
        print(f"  {label}")
        warped = [clips[i].phones for i in chosen]
        for name, frames in faces.items():
            row(name, [frames[i] for i in chosen], warped)
        if "truth" in faces:
            told = [truth(heard(clips[i]), clips[i].known(clips[i].others)) for i in chosen]
            row("truth, told another voice", told, warped)
        if language == "en":
            pocketsphinx = [clips[i].pocketsphinx for i in chosen]
            if "truth" in faces:
                told = [truth(heard(clips[i]), clips[i].known(clips[i].pocketsphinx)) for i in chosen]
                row("truth, told pocketsphinx", told, warped)
            for name, frames in faces.items():
                if name != "truth":
                    row(f"{name}, on pocketsphinx", [frames[i] for i in chosen], pocketsphinx)


def report_mouths(language: str, clips: Sequence[Clip], faces: dict[str, list[Frames]], worst: int) -> None:
    """Print a language's rows of the second table, and under each its worst clips."""
    minutes = sum(len(clip.samples) for clip in clips) / SAMPLE_RATE / 60
    people = len({clip.recording.person for clip in clips})
    texts = sum(clip.recording.text is not None for clip in clips)
    print(f"{language}: {len(clips)} clips, {minutes:.1f} minutes, {people} people, {texts} clips with text")
    for name, frames in faces.items():
        chosen = [i for i, clip in enumerate(clips) if name != "truth" or clip.phones]
        if not chosen:
            continue
        mouths = [watch(frames[i], clips[i].samples) for i in chosen]
        opened = np.array([mouth.opened for mouth in mouths])
        still = np.array([mouth.still for mouth in mouths])
        follows = np.mean([mouth.follows for mouth in mouths])
        print(f"  {name:32} {len(chosen):6d} {np.nanmean(opened):8.3f} {np.nanmin(opened):8.3f}", end="")
        print(f" {np.median(still):9.2f} {still.max():9.2f} {follows:9.2f}")
        for i in np.argsort(opened)[:worst]:
            clip = clips[chosen[i]].recording
            print(f"    {clip.speaker}/{clip.clip[-24:]:36} {opened[i]:8.3f} {'':8} {still[i]:9.2f}", end="")
            print(f" {'':9} {mouths[i].follows:9.2f}")


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speech", type=Path, default=SHARED / "speech", help="folder of recordings")
    parser.add_argument("--only", nargs="+", metavar="CODE", help="these languages only")
    parser.add_argument("--limit", type=int, default=60, help="at most this many clips of a language, spread evenly")
    parser.add_argument("--animator", nargs="+", choices=ANIMATORS, default=list(ANIMATORS))
    parser.add_argument("--preset", choices=tuple(PRESETS), default="balanced", help="the model's latency preset")
    parser.add_argument("--bundle", type=Path, help="another model bundle than the shipped one")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--worst", type=int, default=0, metavar="N", help="list the N clips least open")
    options = parser.parse_args()
    try:
        found = clips_of(options.speech, options.only, options.limit)
        aligner, other = WarpAligner(), WarpAligner(_OTHER_VOICE)
    except (CorpusError, EngineMissing) as error:
        print(error, file=sys.stderr)
        return 2
    if not found:
        print(f"{options.speech} holds no clip of these languages", file=sys.stderr)
        return 2
    animators: dict[str, Animate] = {}
    for name in options.animator:
        try:
            model = shipped_model(options.preset, options.bundle, options.seed, "auto") if name == "model" else None
        except (ImportError, OSError, ValueError) as error:
            print(f"{name}: left out: {error}", file=sys.stderr)
            continue
        animators[name] = model or {"loudness": loudness_jaw, "truth": truth}[name]

    faces: dict[str, dict[str, list[Frames]]] = {}
    for language, clips in found.items():
        texts = sorted({clip.recording.text for clip in clips if clip.recording.text})
        found[language] = clips = list(aligned(aligner, other, clips, texts))
        faces[language] = {
            name: [animate(heard(clip), clip.known(clip.phones)) for clip in clips]
            for name, animate in animators.items()
        }
    aligner.close()
    other.close()
    print(SCORE_HEAD)
    for language, clips in found.items():
        report_lips(language, clips, faces[language])
    print(f"\n{'':34} {'clips':>6} {'open':>8} {'worst':>8} {'still, s':>9} {'longest':>9} {'loudness':>9}")
    for language, clips in found.items():
        report_mouths(language, clips, faces[language], options.worst)
    return 0


if __name__ == "__main__":
    sys.exit(main())
