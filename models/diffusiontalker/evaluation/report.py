"""Writes ``results.md``: the tables, what they stand on, how to read them, and the pictures."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from diffusiontalker.evaluation import tables
from diffusiontalker.evaluation.results import Results
from diffusiontalker.evaluation.scenes import PRESET
from diffusiontalker.evaluation.variants import DISTILLATION_COST

RESULTS_FILE = "results.md"


def sections(results: Results) -> dict[str, str]:
    """The tables by heading, in order."""
    return {
        "Against other methods": tables.methods(results),
        "Lip vertices": tables.vertices(results),
        "Fewer steps": tables.steps(results),
        "What each part is worth": tables.ablation(results),
        "Identity and diversity": tables.identity(results),
    }


def write_results(results: Results, out: Path, pictures: Mapping[str, Path]) -> Path:
    """Write the page.

    Args:
        results: of the study.
        out: folder of the page.
        pictures: captions and files; the files lie below ``out``.

    Returns:
        The path of the page.
    """
    parts = ["# Results", _preface(results)]
    for heading, body in sections(results).items():
        parts += [f"## {heading}", body]
    if pictures:
        parts.append("## Pictures")
        for caption, file in pictures.items():
            parts.append(f"![{caption}]({file.relative_to(out).as_posix()})\n\n{caption}")
    out.mkdir(parents=True, exist_ok=True)
    path = out / RESULTS_FILE
    partial = path.with_suffix(".partial")
    partial.write_text("\n\n".join(parts) + "\n", "utf-8")
    os.replace(partial, path)
    return path


def _preface(results: Results) -> str:
    config, seeds = results.config, len(results.seeds)
    timed = next(iter(results.itf.values()))
    average = f"Figures are means over {seeds} seeds, ± their standard deviation" if seeds > 1 else "One seed"
    return f"""The paper's tables on the corpus at hand, beside the paper's own columns. The page is written by
`diffusiontalker evaluate --tables`.

**The two sides of a table cannot be compared number by number**: the paper stands on BEAT and pretrained HuBERT, this
page on another corpus, another encoder and far less training. What can be compared is the order of the rows.

- **Corpus.** {results.corpus}
- **Training.** The teacher takes {config.teacher_updates} updates, each halving {config.stage_updates}; every update is
  {config.batch} crops of {config.frames} frames; the GRU is {config.hidden} wide. An update of a student takes about
  {DISTILLATION_COST} times as long as one of a teacher. All at the {PRESET.name} preset. {average}.
- **Machine.** {results.machine}{", mixed precision in training" if config.bfloat16 else ""}.
- **ITF** is in 1e-4 s per frame, of {timed.clip_frames} frames at batch {timed.batch}, the fastest of three runs; the
  audio encoder, which runs once whatever the steps, is not inside. The paper says neither.
- **MBE** counts all 52 coefficients. **LBE** under the published mask leaves out jawOpen and mouthClose and does not
  see whether the mouth is open; the full-lip mask is all of jaw and mouth. **FDD** is of eyes and nose, truth minus
  prediction. **Velocity error** is ours: the distance between frame-to-frame motions, per second. Distances from one
  truth reward the average face: of two models as good, the livelier one has the higher error.
- **Noise** is the paper's, new in every frame, at 0.3 of its height on jaw and mouth. The shipped model has slow noise
  for eyes and brows, so the FDD and the diversity of its card are others.
- **Identity.** A test scene has its speaker's own embedding where the library knows the speaker, else that of the most
  similar voice."""
