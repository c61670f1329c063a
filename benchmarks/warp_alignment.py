"""How far alignment by warping lies from pocketsphinx's on English, and which cost ratio tells a right text.

``python benchmarks/warp_alignment.py --speech DIR`` aligns recordings that have a trustworthy alignment, with their own
text and with a wrong one. Printed: the absolute error of the middles, starts and ends of vowels and of p b m (phones
are paired where both say the same kind in the same order); right and wrong texts and the error by cost ratio, from
which the threshold of ``warp_align`` was chosen: the highest that lets hardly a wrong text pass.
"""

from __future__ import annotations

import argparse
import difflib
import os
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from diffusiontalker.corpus.align import AlignmentFailed
from diffusiontalker.corpus.engine import EngineMissing
from diffusiontalker.corpus.recordings import Recording, read_recordings
from diffusiontalker.corpus.store import CorpusError
from diffusiontalker.corpus.warp_align import MOST_COST_RATIO, WarpAligner, wrong_sentences
from diffusiontalker.geometry import SAMPLE_RATE
from diffusiontalker.phones import BILABIALS, SILENCE, VOWELS, TimedPhone

SHARED = Path(os.environ.get("LIVETALKER_SHARED", "no-recordings"))
FEWEST_WORDS = 3
"""Single words and spelled letters are paired too easily to say much."""

Errors = dict[tuple[str, str], list[float]]
"""(kind of phone, where on it) -> milliseconds, positive where warping is late."""


@dataclass(frozen=True)
class Checked:
    """One recording, aligned both ways."""

    recording: Recording
    errors: Errors
    ratio: float
    wrong_ratio: float


def paired(true: Sequence[TimedPhone], found: Sequence[TimedPhone]) -> list[tuple[TimedPhone, TimedPhone]]:
    """Phones of two alignments that say the same kind in the same order; accents differ in their vowels."""
    sides = [[phone for phone in phones if phone.phone != SILENCE] for phones in (true, found)]
    kinds = [["vowel" if phone.phone in VOWELS else phone.phone for phone in side] for side in sides]
    matcher = difflib.SequenceMatcher(None, kinds[0], kinds[1], autojunk=False)
    return [
        (sides[0][block.a + i], sides[1][block.b + i])
        for block in matcher.get_matching_blocks()
        for i in range(block.size)
    ]


def errors_of(true: Sequence[TimedPhone], found: Sequence[TimedPhone]) -> Errors:
    """Milliseconds at vowels and at p b m."""
    errors: Errors = {}
    for a, b in paired(true, found):
        kind = "vowels" if a.phone in VOWELS else "p b m" if a.phone in BILABIALS else None
        if kind:
            places = {"start": b.start - a.start, "end": b.end - a.end}
            places["middle"] = (places["start"] + places["end"]) / 2
            for place, error in places.items():
                errors.setdefault((kind, place), []).append(1000 * error)
    return errors


def check(aligner: WarpAligner, recordings: Sequence[Recording], texts: Sequence[str]) -> list[Checked]:
    """Align every recording with its text and with a wrong one."""
    checked = []
    for recording in recordings:
        assert recording.text is not None
        samples = recording.samples()
        seconds = len(samples) / SAMPLE_RATE
        decoys = random.Random(recording.clip).sample([text for text in texts if text != recording.text], 60)
        wrong, *others = wrong_sentences(recording.text, decoys)
        try:
            found = aligner.align(samples, recording.text, "en", [wrong, *others])
            misled = aligner.align(samples, wrong, "en", others)
        except AlignmentFailed as error:
            print(f"left out: {recording.path.name}: {error}", file=sys.stderr)
            continue
        errors = errors_of(recording.phones(seconds), found.phones(seconds))
        checked.append(Checked(recording, errors, found.ratio, misled.ratio))
    return checked


def report(checked: Sequence[Checked]) -> None:
    """Print the tables."""
    print(f"{'error, ms':24} {'median':>7} {'p75':>5} {'p90':>5} {'p95':>5} {'bias':>5} {'phones':>7}")

    def line(label: str, errors: Sequence[float]) -> None:
        cuts = np.percentile(np.abs(errors), (50, 75, 90, 95))
        print(f"{label:24} {cuts[0]:7.0f} {cuts[1]:5.0f} {cuts[2]:5.0f} {cuts[3]:5.0f} ", end="")
        print(f"{np.median(errors):+5.0f} {len(errors):7d}")

    def joined(clips: Sequence[Checked], kind: str, place: str) -> list[float]:
        return [error for clip in clips for error in clip.errors.get((kind, place), [])]

    for kind in ("vowels", "p b m"):
        for place in ("middle", "start", "end"):
            line(f"{kind}, {place}", joined(checked, kind, place))
    print()
    for corpus in sorted({clip.recording.corpus for clip in checked}):
        line(f"  {corpus[:20]}", joined([c for c in checked if c.recording.corpus == corpus], "vowels", "middle"))

    print("\ncost ratio           right texts  wrong texts   vowels' middles where a right text lies here")
    steps = (0.0, 0.86, 0.88, 0.90, 0.92, 0.93, 0.94, 0.95, 0.96, 0.98, 2.0)
    for low, high in zip(steps[:-1], steps[1:], strict=True):
        inside = [clip for clip in checked if low < clip.ratio <= high]
        wrong = sum(low < clip.wrong_ratio <= high for clip in checked)
        middles = np.abs(joined(inside, "vowels", "middle"))
        rest = f"median {np.median(middles):4.0f}   p90 {np.percentile(middles, 90):4.0f}" if middles.size else ""
        print(f"  {low:4.2f} to {high:4.2f} {len(inside):14d} {wrong:12d}   {rest}")
    wrongs = np.array([clip.wrong_ratio for clip in checked])
    rights = np.array([clip.ratio for clip in checked])
    print(f"one in a hundred wrong texts is below {np.percentile(wrongs, 1):.3f}; ", end="")
    print(f"at {MOST_COST_RATIO} {np.mean(wrongs <= MOST_COST_RATIO):.1%} pass, ", end="")
    print(f"and {np.mean(rights <= MOST_COST_RATIO):.1%} of the right ones")
    trusted = [clip for clip in checked if clip.ratio <= MOST_COST_RATIO]
    for kind in ("vowels", "p b m"):
        line(f"trusted: {kind}, middle", joined(trusted, kind, "middle"))


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speech", type=Path, default=SHARED / "speech", help="folder of aligned recordings")
    parser.add_argument("--limit", type=int, default=200, help="at most this many clips, spread evenly over all")
    options = parser.parse_args()
    try:
        found = [r for r in read_recordings(options.speech) if r.english and r.well_aligned and r.text]
        aligner = WarpAligner()
    except (CorpusError, EngineMissing) as error:
        print(error, file=sys.stderr)
        return 2
    long = [r for r in found if r.text and len([word for word in r.text.split() if len(word) > 1]) >= FEWEST_WORDS]
    if not long:
        print(f"{options.speech} holds no well-aligned English sentences", file=sys.stderr)
        return 2
    chosen = [long[i] for i in np.unique(np.linspace(0, len(long) - 1, options.limit).round().astype(int))]
    began = time.perf_counter()
    checked = check(aligner, chosen, sorted({r.text for r in long if r.text}))
    aligner.close()
    print(f"{len(checked)} of {len(long)} clips, {time.perf_counter() - began:.0f} s\n")
    report(checked)
    return 0


if __name__ == "__main__":
    sys.exit(main())
