"""How surely real people are recognised by voice: enrol from five seconds, test on five seconds of other clips.

Everybody is enrolled as ``diffusiontalker enroll --audio`` does it and matched as a stream is: the pooled voice against
every row of the library, the model's own speakers included. Measured as recorded, and with noise, another level and
another codec on the tested clips only. Neither the voice head nor the library's contrast was ever fitted on an4
(``training.voice_crops.HELD_BACK``); those of its speakers whom the library lists all the same are taken out of it.

    python benchmarks/voice_match.py --speech DIR/an4

``--corpus DIR`` asks for the library's own speakers instead: stretches of utterances that were kept for testing,
matched with every row, and the paper's precision, recall and F1 of that.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.bundle import Bundle, open_bundle
from diffusiontalker.corpus.store import Corpus
from diffusiontalker.enrollment.voice import VoiceListener
from diffusiontalker.geometry import SAMPLE_RATE
from diffusiontalker.metrics.identity import IdentityScores, identity_scores
from diffusiontalker.sound import read_sound
from diffusiontalker.training.augment import coloured_noise, through_codec
from diffusiontalker.training.speech_batches import utterance_part

Audio = NDArray[np.float32]
SHARED = Path(os.environ.get("LIVETALKER_SHARED", "no-recordings"))
OWN_SECONDS: Final = 3.0
"""Of a stretch of the library's own speakers."""
MOST_OF_ONE: Final = 8
"""Stretches of one of them."""


def noise(samples: Audio, rng: np.random.Generator) -> Audio:
    """Pink noise 15 dB under the speech."""
    loud = np.sqrt(np.square(samples).mean())
    hiss = coloured_noise(len(samples), 3.0, rng)
    return (samples + hiss * np.float32(loud * 10 ** (-15 / 20))).astype(np.float32)


CHANGES: dict[str, Callable[[Audio, np.random.Generator], Audio]] = {
    "as recorded": lambda samples, rng: samples,
    "pink noise, 15 dB": noise,
    "20 dB quieter": lambda samples, rng: samples * np.float32(0.1),
    "Opus": lambda samples, rng: through_codec(samples, "OGG", "OPUS"),
    "GSM": lambda samples, rng: through_codec(samples, "WAV", "GSM610"),
    "all three (noise, quieter, MP3)": lambda samples, rng: through_codec(
        noise(samples, rng) * np.float32(0.1), "MP3", "MPEG_LAYER_III"
    ),
}


def halves(folder: Path, seconds: float) -> tuple[Audio, Audio] | None:
    """Two stretches of ``seconds`` of a speaker without a clip in common; None where there is too little."""
    length = int(seconds * SAMPLE_RATE)
    clips = sorted((read_sound(path) for path in sorted(folder.glob("*.flac"))), key=len, reverse=True)
    sides: list[list[Audio]] = [[], []]
    for clip in clips:  # longest first, to the shorter side
        min(sides, key=lambda side: sum(map(len, side))).append(clip)
    joined = [np.concatenate(side)[:length] if side else np.zeros(0, np.float32) for side in sides]
    return (joined[0], joined[1]) if min(map(len, joined)) >= length else None


def strangers(bundle: Bundle, corpus: str) -> Audio:
    """``[N, D]`` rows of the model's own speakers, without those of the corpus that is tested."""
    names = bundle.identities.names
    return bundle.identities.features[[not name.startswith(f"{corpus}/") for name in names]]


def top_one(
    bundle: Bundle, people: list[tuple[Audio, Audio]], others: Audio, threads: int
) -> dict[str, tuple[float, float]]:
    """Share of people found, by change: among those enrolled, and among ``others`` too."""
    listener = VoiceListener(bundle, threads)
    rng = np.random.default_rng(0)

    def feature(samples: Audio) -> Audio:
        return bundle.identities.voice_space.voiceprint(listener.voiced(samples).mean(0, dtype=np.float64))

    enrolled = np.stack([feature(enrol) for enrol, _ in people])
    everybody = np.concatenate([enrolled, others])
    found = {}
    for name, change in CHANGES.items():
        heard = np.stack([feature(change(test, rng)) for _, test in people])
        true = np.arange(len(people))
        found[name] = (
            float(((heard @ enrolled.T).argmax(1) == true).mean()),
            float(((heard @ everybody.T).argmax(1) == true).mean()),
        )
    return found


def own_stretches(bundle: Bundle, corpus: Corpus) -> list[tuple[str, Audio]]:
    """Who speaks and what: stretches of the library's speakers, of utterances no stage was trained on."""
    clips = defaultdict(list)
    for clip in sorted(corpus.clips, key=lambda clip: clip.clip):
        if clip.speaker in bundle.identities.names and utterance_part(clip.clip) != "train":
            clips[clip.speaker].append(clip)
    length = int(OWN_SECONDS * SAMPLE_RATE)
    found = []
    for speaker, spoken in sorted(clips.items()):
        audio = np.concatenate([corpus.audio(clip).astype(np.float32) / np.float32(32768) for clip in spoken])
        whole = audio[: len(audio) // length * length].reshape(-1, length)
        found += [(speaker, stretch) for stretch in whole[:MOST_OF_ONE]]
    return found


def own_scores(bundle: Bundle, stretches: list[tuple[str, Audio]], threads: int) -> dict[str, IdentityScores]:
    """Identity matching among all rows of the library, by change."""
    listener, known = VoiceListener(bundle, threads), bundle.identities
    rng = np.random.default_rng(0)
    scores = {}
    for name, change in CHANGES.items():
        matched = []
        for _, samples in stretches:
            voiced = listener.voiced(change(samples, rng))
            voice = known.voice_space.voiceprint(voiced.mean(0, dtype=np.float64)) if len(voiced) else None
            matched.append(None if voice is None else known.names[int((known.features @ voice).argmax())])
        scores[name] = identity_scores([speaker for speaker, _ in stretches], matched)
    return scores


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speech", type=Path, default=SHARED / "speech" / "an4", help="folder of speakers' folders")
    parser.add_argument("--corpus", type=Path, help="corpus folder: match the library's own speakers instead")
    parser.add_argument("--bundle", type=Path, help="another model bundle than the shipped one")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    bundle = open_bundle(options.bundle)
    if options.corpus:
        stretches = own_stretches(bundle, Corpus.open(options.corpus))
        heard = len({speaker for speaker, _ in stretches})
        print(f"{len(stretches)} stretches of {OWN_SECONDS:g} s of {heard} of {len(bundle.identities.names)} speakers")
        print(f"{'':34} {'precision':>9} {'recall':>9} {'F1':>9} {'micro F1':>9}")
        for name, s in own_scores(bundle, stretches, options.threads).items():
            print(f"{name:34} {s.precision:9.3f} {s.recall:9.3f} {s.f1:9.3f} {s.micro_f1:9.3f}")
        return 0
    found = [halves(folder, options.seconds) for folder in sorted(options.speech.glob("*/"))]
    people = [pair for pair in found if pair is not None]
    if len(people) < 2:
        print(f"{options.speech} has no two speakers with twice {options.seconds:g} s of speech", file=sys.stderr)
        return 2
    others = strangers(bundle, options.speech.name)
    print(f"{len(people)} speakers of {options.speech.name}: {options.seconds:g} s to enrol, as much to test")
    print(f"{'':34} {'among enrolled':>15} {'and ' + str(len(others)) + ' of the model':>20}")
    for name, (alone, all_rows) in top_one(bundle, people, others, options.threads).items():
        print(f"{name:34} {alone:15.3f} {all_rows:20.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
