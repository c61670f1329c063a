"""Score animated lips on real speech: phonetic lip score, mouth sanity, motion, and agreement with captured mouths.

``python benchmarks/lip_score.py --corpus corpus`` scores a corpus folder's held-out real recordings; ``--speech DIR``
scores every trustworthily aligned clip of a folder of recordings (good for the baselines, which learn nothing; a model
has heard most of them). Animators: ``loudness`` (a jaw that follows the loudness), ``truth`` (the coarticulation
animator, which is told the phones) and ``model`` (the shipped model as ``livetalker bake`` runs it).

``python -m benchmarks.lip_score --speech DIR --animator model --preset low --out FIGURES`` also writes the scores for
``docs/performance.md``, to one file per preset.
"""

from __future__ import annotations

import argparse
import os
import sys
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.arkit import COUNT, INDEX
from diffusiontalker.geometry import MODEL_FPS, PRESETS, SAMPLE_RATE, frame_count
from diffusiontalker.metrics.capture import CapturedTake, agreement, read_take
from diffusiontalker.metrics.lips import gap
from diffusiontalker.metrics.motion import Motion, lip_motion, mean_motion, motion_ratio
from diffusiontalker.metrics.mouth import mouth_sanity
from diffusiontalker.metrics.phonetic import PhoneticLipScore, ScoredClip, phonetic_lip_score
from diffusiontalker.metrics.recordings import Recording, aligned_recordings, held_out_recordings, read_16k
from diffusiontalker.metrics.speech import as_float, loudness_db, speech_mask, voiced_mask

Samples = NDArray[np.float32]
Frames = NDArray[np.float32]
Animate = Callable[[Samples, Recording], Frames]
"""16 kHz samples ``[N]`` as heard, and the clip they come from -> frames ``[T, 52]`` at 30 fps."""

SHARED = Path(os.environ.get("LIVETALKER_SHARED", "no-recordings"))
JAW_WINDOW = 0.09
"""Seconds a loudness jaw listens over: as sluggish as such jaws are made so that they do not chatter."""
ANIMATORS = ("loudness", "truth", "model")


def loudness_jaw(samples: Samples, recording: Recording) -> Frames:
    """The baseline: jawOpen follows the logarithm of loudness, 40 dB up to the clip's loud frames, and nothing else."""
    frames = frame_count(samples.size, MODEL_FPS, SAMPLE_RATE)
    loudness = loudness_db(samples, SAMPLE_RATE, frames, MODEL_FPS, JAW_WINDOW)
    face = np.zeros((frames, COUNT), np.float32)
    face[:, INDEX["jawOpen"]] = np.clip((loudness - np.percentile(loudness, 95)) / 40 + 1, 0, 1)
    return face


def truth(samples: Samples, recording: Recording) -> Frames:
    """The coarticulation animator in the speaker's style: the ceiling of a model trained on it."""
    from diffusiontalker.animator import animate, style_for

    frames = frame_count(samples.size, MODEL_FPS, SAMPLE_RATE)
    loudness = loudness_db(samples, SAMPLE_RATE, frames, MODEL_FPS)
    relative = loudness - np.percentile(loudness, 95)
    return animate(recording.phones, frames, style=style_for(recording.speaker), loudness=relative.astype(np.float32))


def shipped_model(preset: str, bundle: Path | None, seed: int, backend: str) -> Animate:
    """The shipped model, or another bundle, through the offline path ``livetalker bake`` takes."""
    from livetalker.core.config import StreamConfig
    from livetalker.engine.engine import Engine
    from livetalker.engine.offline import animate_offline

    engine = Engine.load(bundle, max_streams=1, backend=backend)
    config = StreamConfig(sample_rate=SAMPLE_RATE, fps=MODEL_FPS, preset=preset, seed=seed)
    return lambda samples, recording: animate_offline(engine, samples, config)


@dataclass(frozen=True)
class Listening:
    """What is done to a clip before it is heard.

    Attributes:
        noise_snr: dB of speech over added noise, or None.
        noise_colour: "white" or "pink".
        level_db: peak of the speech in dB of full scale, or None to leave it.
    """

    noise_snr: float | None
    noise_colour: str
    level_db: float | None

    def apply(self, recording: Recording) -> Samples:
        """Samples ``[N]`` as heard; the noise depends on the clip's name only."""
        samples = as_float(recording.samples)
        if self.level_db is not None:
            samples = samples * (10 ** (self.level_db / 20) / max(np.abs(samples).max(), 1e-9))
        if self.noise_snr is not None:
            # Against the speech, not the clip: pauses would make the noise of a pausing speaker softer.
            frames = frame_count(samples.size, MODEL_FPS, SAMPLE_RATE)
            speech = np.repeat(speech_mask(samples, SAMPLE_RATE, frames, MODEL_FPS), SAMPLE_RATE // MODEL_FPS + 1)
            power = np.mean(samples[speech[: samples.size]] ** 2) if speech.any() else 0.0
            noise = _noise(samples.size, self.noise_colour, zlib.crc32(recording.clip.encode()))
            samples = samples + noise * np.sqrt(power) * 10 ** (-self.noise_snr / 20)
        return np.clip(samples, -1, 1).astype(np.float32)


def _noise(size: int, colour: str, seed: int) -> NDArray[np.float64]:
    noise = np.random.default_rng(seed).standard_normal(size)
    if colour == "pink":
        spectrum = np.fft.rfft(noise)
        spectrum /= np.sqrt(np.maximum(np.arange(spectrum.size), 1))
        noise = np.fft.irfft(spectrum, size)
    scaled: NDArray[np.float64] = noise / np.sqrt(np.mean(noise**2))
    return scaled


@dataclass(frozen=True)
class Result:
    """One clip, animated."""

    scored: ScoredClip
    motion: Motion
    spoken_gap: NDArray[np.float64]
    lip_crossing: float


def animate_all(animate: Animate, recordings: Sequence[Recording], listening: Listening, name: str) -> list[Result]:
    """Animate and measure every clip, with a line of progress on a terminal."""
    results = []
    for number, recording in enumerate(recordings, start=1):
        frames = animate(listening.apply(recording), recording)
        speech = speech_mask(recording.samples, SAMPLE_RATE, len(frames), MODEL_FPS)
        results.append(
            Result(
                ScoredClip(frames, MODEL_FPS, recording.phones, recording.clip, recording.corpus, recording.speaker),
                lip_motion(frames, MODEL_FPS, speech),
                gap(frames[voiced_mask(recording.phones, len(frames), MODEL_FPS)]),
                mouth_sanity(frames).lip_crossing,
            )
        )
        if sys.stderr.isatty():
            end = "\n" if number == len(recordings) else ""
            print(f"\r{name}: {number}/{len(recordings)}", end=end, file=sys.stderr)
    return results


def score_line(label: str, score: PhoneticLipScore, rest: str = "") -> str:
    """A row under ``SCORE_HEAD``."""
    figures = f"{score.open:7.3f} {score.rounding:8.3f} {score.closure:7.3f} {score.lag_ms:6.0f}"
    return f"{label:34.34} {figures} {score.clips:6d} {score.open_pairs:9d} {score.rounding_pairs:9d}{rest}"


SCORE_HEAD = (
    f"{'':34} {'open':>7} {'rounding':>8} {'closure':>7} {'lag ms':>6} {'clips':>6} {'o pairs':>9} {'r pairs':>9}"
)


def report(results: dict[str, list[Result]], captured: Motion | None, worst: int) -> None:
    """Print the table over all animators, then each one's corpora and worst clips."""
    ratio_head = "  speed x  jerk x" if captured else ""
    print(SCORE_HEAD + f" {'gap p90':>8} {'crossing':>8}{ratio_head}")
    for name, clips in results.items():
        opening = np.percentile(np.concatenate([clip.spoken_gap for clip in clips]), 90)
        rest = f" {opening:8.3f} {max(clip.lip_crossing for clip in clips):8.3f}"
        if captured:
            ratio = motion_ratio(mean_motion([clip.motion for clip in clips]), captured)
            rest += f" {ratio.speed:8.2f} {ratio.jerk:7.2f}"
        print(score_line(name, phonetic_lip_score([clip.scored for clip in clips]), rest))
    for name, clips in results.items():
        print(f"\n{name}, by corpus")
        corpora: dict[str, list[ScoredClip]] = defaultdict(list)
        for clip in clips:
            corpora[clip.scored.corpus].append(clip.scored)
        for corpus, members in sorted(corpora.items()):
            print(score_line(f"  {corpus}", phonetic_lip_score(members)))
        if worst:
            print(f"{name}, worst clips by open and closure")
        for scored, score in _worst([clip.scored for clip in clips])[:worst]:
            print(score_line(f"  {scored.corpus[:12]}/{scored.name}", score))


def write_scores(results: dict[str, list[Result]], preset: str, out: Path) -> Path:
    """Write every animator's pooled score for the page of figures; the file that was written."""
    # Whoever runs this file as a script, and not as a module, does without.
    from benchmarks.records import record

    scores = {}
    for name, clips in results.items():
        score = phonetic_lip_score([clip.scored for clip in clips])
        figures = {"open": score.open, "rounding": score.rounding, "closure": score.closure, "lag_ms": score.lag_ms}
        known = {key: value if np.isfinite(value) else None for key, value in figures.items()}
        scores[name.partition(" ")[0]] = {**known, "clips": score.clips}
    typed = ["lip_score", *sys.argv[1:]]
    return record(f"lip_score_{preset}", typed, {"preset": preset, "scores": scores}).write(out)


def _worst(clips: Iterable[ScoredClip]) -> list[tuple[ScoredClip, PhoneticLipScore]]:
    scores = [(clip, phonetic_lip_score([clip])) for clip in clips]
    return sorted(
        ((clip, score) for clip, score in scores if score.open_pairs and score.counts[1] >= 3),
        key=lambda pair: pair[1].open + pair[1].closure,
    )


def report_captures(animators: dict[str, Animate], takes: Sequence[CapturedTake]) -> None:
    """Print each animator's lip gap against the captured ones: correlation within 50 ms."""
    print(f"\n{'captured takes':34} " + " ".join(f"{name:>16}" for name in animators))
    sums: dict[str, list[float]] = defaultdict(list)
    for take in takes:
        if take.sound is None:
            continue
        samples = read_16k(take.sound)
        recording = Recording(take.name, "capture", "capture", samples, ())
        cells = []
        for name, animate in animators.items():
            found = agreement(gap(animate(as_float(samples).astype(np.float32), recording)), gap(take.frames), take.fps)
            sums[name].append(found.correlation)
            cells.append(f"{found.correlation:6.3f} {found.lag_ms:+5.0f} ms".rjust(16))
        print(f"  {take.name:32} " + " ".join(cells))
    print(f"  {'mean':32} " + " ".join(f"{np.mean(values):16.3f}" for values in sums.values()))


def captured_motion(takes: Sequence[CapturedTake]) -> Motion | None:
    """Motion of the captured mouths in speech, or None without takes that have sound."""
    motions = []
    for take in takes:
        if take.sound is not None:
            speech = speech_mask(read_16k(take.sound), SAMPLE_RATE, len(take.frames), take.fps)
            motions.append(lip_motion(take.frames, take.fps, speech))
    return mean_motion(motions) if motions else None


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--corpus", type=Path, help="corpus folder; its held-out real recordings are scored")
    source.add_argument("--speech", type=Path, default=SHARED / "speech", help="folder of aligned recordings")
    parser.add_argument("--capture", type=Path, default=SHARED / "capture" / "facegood", help="captured takes (csv)")
    parser.add_argument("--animator", nargs="+", choices=ANIMATORS, default=list(ANIMATORS))
    parser.add_argument("--only", nargs="+", metavar="CORPUS", help="score these corpora only")
    parser.add_argument("--limit", type=int, help="at most this many clips, spread evenly over all")
    parser.add_argument("--preset", choices=tuple(PRESETS), default="balanced", help="the model's latency preset")
    parser.add_argument("--bundle", type=Path, help="another model bundle than the shipped one")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--backend", default="auto", help="what runs the model (default: auto, as bake has it)")
    parser.add_argument("--noise-snr", type=float, metavar="DB", help="add noise this far under the speech")
    parser.add_argument("--noise-colour", choices=("white", "pink"), default="white")
    parser.add_argument("--level-db", type=float, metavar="DB", help="bring each clip's peak to this level first")
    parser.add_argument("--worst", type=int, default=8, metavar="N", help="list the N worst clips")
    parser.add_argument("--out", type=Path, metavar="DIR", help="also write the scores to a file of this folder")
    return parser.parse_args()


def main() -> int:
    """Run the benchmark."""
    options = _arguments()
    try:
        found = held_out_recordings(options.corpus) if options.corpus else aligned_recordings(options.speech)
        recordings = [r for r in found if not options.only or r.corpus in options.only]
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    if not recordings:
        print("no clip to score: the folder has no held-out recordings with phones", file=sys.stderr)
        return 2
    if options.limit and options.limit < len(recordings):
        chosen = np.linspace(0, len(recordings) - 1, options.limit).round().astype(int)
        recordings = [recordings[i] for i in chosen]

    animators: dict[str, Animate] = {}
    for name in options.animator:
        try:
            if name == "model":
                animators[f"model {options.preset}"] = shipped_model(
                    options.preset, options.bundle, options.seed, options.backend
                )
            else:
                animators[name] = {"loudness": loudness_jaw, "truth": truth}[name]
        except (ImportError, OSError) as error:
            print(f"{name}: left out: {error}", file=sys.stderr)

    listening = Listening(options.noise_snr, options.noise_colour, options.level_db)
    takes = [read_take(path) for path in sorted(options.capture.glob("*.csv"))]
    print(f"{len(recordings)} clips of {len({r.speaker for r in recordings})} speakers; {listening}\n")
    results = {name: animate_all(animate, recordings, listening, name) for name, animate in animators.items()}
    report(results, captured_motion(takes), options.worst)
    if options.out:
        print(write_scores(results, options.preset, options.out))
    told = {name: animate for name, animate in animators.items() if name != "truth"}
    if takes and told:
        report_captures(told, takes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
