"""ITF with the paper's protocol, at several numbers of denoise steps, and against FaceDiffuser's design.

The inference time per frame: a clip of ten seconds, batch 1, the whole time over its frames. The whole time here is
that of ``animate_offline``: samples in, faces out, with the audio encoder, the voice, the blinks and all. Only the step
count differs between rows, so the shipped weights are exported anew for each; how their faces look does not matter.

FaceDiffuser runs HuBERT at every denoise step. Its shape is rebuilt with random weights: HuBERT base on the whole clip,
then its decoder, eight times, and compared with ours in eight steps: those are what the paper gives figures of. All
candidates take turns within a round, so that what else happens on the machine hits them alike; figures are medians over
the rounds.

``python -m benchmarks.itf --out DIR``
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from transformers import HubertConfig, HubertModel

from benchmarks.bundles import with_steps
from benchmarks.records import add_out, cell, record, table
from benchmarks.streams import CPU_BACKENDS, TimedBackend, demo_clip, looped
from diffusiontalker.bundle import open_bundle
from diffusiontalker.denoiser.config import DenoiserConfig
from diffusiontalker.denoiser.facediffuser import FaceDiffuserDecoder, cosine_schedule
from diffusiontalker.geometry import MODEL_FPS, frame_count
from livetalker.core.config import StreamConfig
from livetalker.engine.backends.choose import open_backend
from livetalker.engine.engine import Engine
from livetalker.engine.offline import animate_offline

STEPS: Final = (32, 16, 8, 4, 2, 1)
PAPER_STEPS: Final = 8
"""That the paper's figure is of, and FaceDiffuser's design is compared at."""
SECONDS: Final = 10.0
_COOL_S: Final = 0.5
"""Torch's threads wait busily for a moment after their last work, and would take a core from whoever comes next."""

Sample = Mapping[str, float]
"""Seconds of one run: ``total``, and of ours the shares ``encoder`` and ``denoiser`` within."""


class Ours:
    """The engine over one clip.

    Args:
        bundle: folder of the model.
        backend: name of the backend.
        threads: for one operator.
        samples: ``[N]`` at 16 kHz.
    """

    def __init__(self, bundle: Path, backend: str, threads: int, samples: NDArray[np.float32]) -> None:
        opened = open_bundle(bundle)
        self._timed = TimedBackend(open_backend(opened, backend, threads=threads))
        self._engine = Engine(opened, self._timed, max_streams=1)
        self._samples = samples

    def __call__(self) -> Sample:
        """Animate the clip once."""
        self._timed.encoder = self._timed.denoiser = 0.0
        began = time.perf_counter()
        animate_offline(self._engine, self._samples, StreamConfig())
        total = time.perf_counter() - began
        return {"total": total, "encoder": self._timed.encoder, "denoiser": self._timed.denoiser}


class FaceDiffuserShape:
    """FaceDiffuser's design with random weights: the whole of HuBERT within every denoise step.

    Args:
        steps: of the sampler.
        samples: ``[N]`` at 16 kHz.
        layers: of HuBERT; 12 is the base size.
    """

    def __init__(self, steps: int, samples: NDArray[np.float32], layers: int = 12) -> None:
        torch.manual_seed(0)
        self._hubert = HubertModel(HubertConfig(num_hidden_layers=layers)).train(False)
        config = DenoiserConfig(feature_width=self._hubert.config.hidden_size)
        self._decoder = FaceDiffuserDecoder(config).eval()
        self._schedule = cosine_schedule(steps)
        self._samples = torch.from_numpy(np.array(samples))[None]
        self._frames = frame_count(len(samples), MODEL_FPS, 16_000)
        self._coefficients = config.coefficients

    @torch.inference_mode()
    def __call__(self) -> Sample:
        """Animate the clip once."""
        began = time.perf_counter()
        x = torch.zeros(1, self._frames, self._coefficients).normal_()
        for timestep, (a, b) in zip(reversed(self._schedule.timesteps.tolist()), self._schedule.ddim(), strict=True):
            features = self._hubert(self._samples).last_hidden_state
            # Two features a frame, as its authors have it: HuBERT's 50 a second are brought to 60.
            at_60 = F.interpolate(features.transpose(1, 2), 2 * self._frames, mode="linear").transpose(1, 2)
            audio = at_60.reshape(1, self._frames, -1)
            clean, _ = self._decoder(audio, x, torch.tensor([timestep]))
            x = a * clean + b * x
        return {"total": time.perf_counter() - began}


def take_turns(candidates: Mapping[str, Callable[[], Sample]], rounds: int, cool: Callable[[str], None]) -> Any:
    """Run every candidate once to warm up, then once a round.

    Args:
        candidates: by their names.
        rounds: that count.
        cool: called with the name of whoever has just run.

    Returns:
        Each name's samples in the order of the rounds.
    """
    taken: dict[str, list[Sample]] = {name: [] for name in candidates}
    for number in range(-1, rounds):
        for name, run in candidates.items():
            sample = run()
            cool(name)
            if number >= 0:
                taken[name].append(sample)
    return taken


def medians(samples: Sequence[Sample], frames: int) -> dict[str, float]:
    """The median of every part over the rounds, seconds a frame."""
    return {part: median(sample[part] for sample in samples) / frames for part in samples[0]}


def speed_up(slow: Sequence[Sample], fast: Sequence[Sample]) -> float:
    """How many times as long the slow one takes: the median over the rounds of the ratio within each."""
    return median(a["total"] / b["total"] for a, b in zip(slow, fast, strict=True))


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_out(parser)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--cores", type=int, default=2, help="half of them for an operator of ours, as bake has it")
    parser.add_argument("--steps", type=int, nargs="+", default=list(STEPS))
    parser.add_argument("--hubert-layers", type=int, default=12, help="fewer only to try this out")
    options = parser.parse_args()
    torch.set_num_threads(options.cores)
    samples = looped(demo_clip(), SECONDS)
    frames = frame_count(len(samples), MODEL_FPS, 16_000)
    shipped = open_bundle()
    with tempfile.TemporaryDirectory() as scratch:
        folders = {steps: with_steps(shipped, steps, Path(scratch) / str(steps)).folder for steps in options.steps}
        ours = {
            f"{backend} {steps}": Ours(folder, backend, max(1, options.cores // 2), samples)
            for backend in CPU_BACKENDS
            for steps, folder in folders.items()
        }
        baseline = FaceDiffuserShape(PAPER_STEPS, samples, options.hubert_layers)
        candidates: dict[str, Callable[[], Sample]] = {**ours, "facediffuser": baseline}
        taken = take_turns(
            candidates, options.rounds, lambda name: time.sleep(_COOL_S) if name == "facediffuser" else None
        )
    rows = [
        {"backend": backend, "steps": steps, **medians(taken[f"{backend} {steps}"], frames)}
        for backend in CPU_BACKENDS
        for steps in options.steps
    ]
    ratios = {
        backend: speed_up(taken["facediffuser"], taken[f"{backend} {PAPER_STEPS}"])
        for backend in CPU_BACKENDS
        if PAPER_STEPS in options.steps
    }
    results = {
        "cores": options.cores,
        "rounds": options.rounds,
        "frames": frames,
        "shipped_steps": shipped.steps,
        "rows": rows,
        "facediffuser": {
            "steps": PAPER_STEPS,
            "hubert_layers": options.hubert_layers,
            **medians(taken["facediffuser"], frames),
        },
        "speed_up": ratios,
    }
    lines = [
        [str(row["backend"]), str(row["steps"]), *(cell(1e4 * float(row[k]), ".2f") for k in _PARTS)] for row in rows
    ]
    print(table(["backend", "steps", "ITF, 1e-4 s", "encoder", "denoiser"], lines))
    print(f"FaceDiffuser's design, {PAPER_STEPS} steps: {1e4 * results['facediffuser']['total']:.1f}e-4 s; ", end="")
    print(", ".join(f"{name} is {ratio:.0f} times as fast" for name, ratio in ratios.items()))
    print(record("itf", ["itf", *sys.argv[1:]], results).write(options.out))
    return 0


_PARTS: Final = ("total", "encoder", "denoiser")


if __name__ == "__main__":
    sys.exit(main())
