"""The animator's face against captured ones: mean and spread of every coefficient, people's and ours.

BEAT publishes the mean and standard deviation of each coefficient over four English speakers; people differ, so a
ratio of spreads between a half and two is near. What speech does not move (looks, frowns, sneers) is the performer's.

    python benchmarks/face_statistics.py CORPUS --captured mean_std.csv
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.animator import animate, style_for
from diffusiontalker.arkit import BLENDSHAPES, BROWS, INDEX, JAW_AND_MOUTH
from diffusiontalker.corpus.store import Corpus
from diffusiontalker.geometry import MODEL_FPS
from diffusiontalker.training.scenes import loudness

SHARED = Path(os.environ.get("LIVETALKER_SHARED", "no-recordings"))


def captured_statistics(path: Path) -> dict[str, tuple[float, float]]:
    """Coefficient -> mean and standard deviation, of a table ``blendshape,mean,std``."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["blendshape"]: (float(row["mean"]), float(row["std"])) for row in csv.DictReader(file)}


def animated(corpus: Path, clips: int) -> NDArray[np.float32]:
    """``[T, 52]`` the animator's curves of clips spread over a corpus, each in its speaker's style."""
    opened = Corpus.open(corpus)
    chosen = np.linspace(0, len(opened.clips) - 1, clips).round().astype(int)
    faces = []
    for i in chosen:
        clip = opened.clips[i]
        frames = int(clip.seconds * MODEL_FPS)
        level = loudness(opened.audio(clip).astype(np.float32) / np.float32(32768), frames)
        faces.append(animate(clip.phones, frames, style=style_for(clip.speaker), seed=int(i), loudness=level))
    return np.concatenate(faces)


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    default = SHARED / "capture" / "beat-statistics" / "mean_std.csv"
    parser.add_argument("--captured", type=Path, default=default, help="table of blendshape, mean, std")
    parser.add_argument("--clips", type=int, default=300)
    options = parser.parse_args()
    people = captured_statistics(options.captured)
    face = animated(options.corpus, options.clips)
    print(f"{len(face) / MODEL_FPS / 60:.1f} minutes of {options.clips} clips\n")
    print(f"{'':20} {'people':>15} {'ours':>15} {'spread x':>9}")
    ratios: dict[str, float] = {}
    for name in BLENDSHAPES:
        if name in people:
            curve = face[:, INDEX[name]]
            mean, std = people[name]
            ratios[name] = float(curve.std()) / std
            print(f"{name:20} {mean:7.3f} {std:7.3f} {curve.mean():7.3f} {curve.std():7.3f} {ratios[name]:9.2f}")
    for label, group in (("jaw and mouth", JAW_AND_MOUTH), ("brows", BROWS)):
        logs = [np.log(ratios[BLENDSHAPES[i]]) for i in group if ratios.get(BLENDSHAPES[i], 0) > 0]
        near = np.mean([abs(x) < np.log(2) for x in logs])
        print(f"{label}: median ratio of spreads {np.exp(np.median(logs)):.2f}, {near:.0%} between a half and two")
    return 0


if __name__ == "__main__":
    sys.exit(main())
