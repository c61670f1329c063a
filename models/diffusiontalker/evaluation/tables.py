"""The paper's tables in Markdown: its own columns beside ours, and one plain paragraph on each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from diffusiontalker.evaluation.published import ABLATION, IDENTITY, METHODS, STEPS, VERTICES
from diffusiontalker.evaluation.results import DIVERSE, Results

_NOTHING = "–"


def methods(results: Results) -> str:
    """Methods on BEAT, and on the corpus at hand."""
    head = [
        "method",
        "paper: MBE",
        "paper: LBE, published mask",
        "paper: FDD",
        "paper: ITF",
        "here: MBE",
        "here: LBE, published mask",
        "here: LBE, full lips",
        "here: FDD, absolute",
        "here: FDD, signed",
        "here: ITF",
    ]
    rows = [
        [row.name, *_paper(row.mbe, row.lbe, row.fdd), _tenth(row.itf), *_all_figures(results, row.ours)]
        for row in METHODS
    ]
    pose = results.pose
    still = [f"{pose[key]:.4f}" for key in ("mbe", "lbe_published", "lbe_full", "fdd_absolute", "fdd_signed")]
    rows.append(["a face that never moves (mean pose)", *[_NOTHING] * 4, *still, _NOTHING])
    ours = ("DiffusionTalker in 8 steps", "distilled-8", "FaceDiffuser", "facediffuser-8")
    text = (
        f"{compare(results, *ours, 'mbe')} {compare(results, *ours, 'lbe_full')} "
        "FaceDiffuser's decoder was trained for as many updates, on its own plain squared error and cosine schedule, "
        "and is sampled as ours is; it hears the same features, once and not at every step as its authors' code does. "
        f"A face that never moves has an MBE of {pose['mbe']:.4f} and a full-lip LBE of {pose['lbe_full']:.4f} here: "
        "what is not well below that has learned little."
    )
    return f"{_table(head, rows)}\n\n{text}"


def vertices(results: Results) -> str:
    """Lip vertices on VOCASET."""
    head = ["method", "paper: LVE", "paper: ITF", "here: LVE", "here: ITF"]
    rows = []
    for row in VERTICES:
        here = _spread(results.values(row.ours, "lve")) if row.ours and results.has_vertices else _NOTHING
        rows.append([row.name, _fixed(row.lve, 3), _tenth(row.itf), here, _itf(results, row.ours)])
    if results.has_vertices:
        text = (
            f"{compare(results, 'DiffusionTalker in 8 steps', 'distilled-8', 'FaceDiffuser', 'facediffuser-8', 'lve')} "
            "LVE is in the squared unit of the vertex basis that was given; the test scenes are those of the other "
            "tables, not VOCASET, so only the order of the rows can be compared with the paper."
        )
    else:
        text = (
            "LVE needs a mesh: no vertex basis was given (`--vertex-basis`), so it was not measured. VOCASET's meshes "
            "and the bases that fit them have licences of their own and do not come with this project."
        )
    return f"{_table(head, rows)}\n\n{text}"


def steps(results: Results) -> str:
    """Denoise steps, distilled and not."""
    head = [
        "steps",
        "distilled",
        "paper: LBE, published mask",
        "paper: FDD",
        "paper: ITF",
        "here: LBE, published mask",
        "here: LBE, full lips",
        "here: FDD, absolute",
        "here: seeds apart, brows",
        "here: ITF",
    ]
    rows = []
    for row in STEPS:
        here = [_NOTHING] * 4
        if row.ours:
            keys = ("lbe_published", "lbe_full", "fdd_absolute", "brow_diversity")
            here = [_spread(results.values(row.ours, key)) for key in keys]
        names = row.name.split(" | ")
        rows.append([*names, _fixed(row.lbe), _fixed(row.fdd), _tenth(row.itf), *here, _itf(results, row.ours)])
    figure = "lbe_full"
    eight = results.mean("distilled-8", figure)
    further = ", ".join(
        f"{n} step{'s' if n > 1 else ''} {_change(results.mean(f'distilled-{n}', figure), eight)}" for n in (4, 2, 1)
    )
    text = (
        f"{compare(results, '8 distilled steps', 'distilled-8', '8 from scratch', 'scratch-8', figure)} "
        f"{compare(results, '8 distilled steps', 'distilled-8', 'the 32-step teacher', 'teacher-32', figure)} "
        "(The paper, under its mask: 0.0969 distilled, 0.1177 from scratch, 0.1053 the teacher.) "
        f"Halving further changes the full-lip LBE of eight steps thus: {further}. "
        "From scratch means as many updates in all as the distilled model and its teachers had together. How far apart "
        "the brows of two seeds are says whether fewer steps still draw from many faces or only show their average: "
        f"{results.mean('teacher-32', 'brow_diversity'):.4f} for the teacher, "
        f"{results.mean('distilled-8', 'brow_diversity'):.4f}, {results.mean('distilled-2', 'brow_diversity'):.4f} and "
        f"{results.mean('distilled-1', 'brow_diversity'):.4f} for 8, 2 and 1 distilled steps."
    )
    return f"{_table(head, rows)}\n\n{text}"


def ablation(results: Results) -> str:
    """What each part is worth."""
    head = [
        "8 steps",
        "paper: MBE",
        "paper: LBE, published mask",
        "here: MBE",
        "here: LBE, published mask",
        "here: LBE, full lips",
        "here: velocity error",
    ]
    rows = []
    for row in ABLATION:
        assert row.ours is not None
        here = [_spread(results.values(row.ours, key)) for key in ("mbe", "lbe_published", "lbe_full")]
        velocity = _spread(results.values(row.ours, "velocity"), 3)
        rows.append([row.name, *_paper(row.mbe, row.lbe), *here, velocity])
    sentences = [
        compare(results, f"the model {row.name}", str(row.ours), "the full one", "distilled-8", "lbe_full")
        for row in ABLATION[1:]
    ]
    flow = compare(
        results, "the model without L_vel", "distilled-8-no-velocity", "the full one", "distilled-8", "velocity"
    )
    text = (
        f"{' '.join(sentences)} What L_vel is for shows in how faces move rather than in where they are. {flow} "
        "Without L_lip and without L_vel the teacher and every student were trained without; without identity "
        "everybody had the same embedding and nothing was matched."
    )
    return f"{_table(head, rows)}\n\n{text}"


def identity(results: Results) -> str:
    """Identity matching, and what seeds change."""
    head = ["identity matching", "precision", "recall", "F1", "micro F1"]
    rows = [["paper, all of BEAT", *(f"{100 * x:.3f} %" for x in IDENTITY), _NOTHING]]
    if results.matching:
        keys = ("precision", "recall", "f1", "micro_f1")
        here = [_spread([100 * getattr(m, key) for m in results.matching], 2) + " %" for key in keys]
        rows.append(["here, macro", *here])
        first = results.matching[0]
        text = (
            f"Here each of {first.utterances} utterances of 3.3 s, of {first.speakers} speakers, was matched with the "
            "library by its pooled voice alone; they are of the scenes kept apart, and degraded as all scenes are."
        )
    else:
        text = "No test scene has a speaker of the library in their own voice, so matching was not measured here."
    text += (
        f" Takes of a scene with different seeds are {_spread(results.values(DIVERSE, 'brow_diversity'))} apart at the "
        f"brows and {_spread(results.values(DIVERSE, 'lip_diversity'))} at jaw and mouth (mean Euclidean distance per "
        "frame, 8 distilled steps)."
    )
    return f"{_table(head, rows)}\n\n{text}"


def compare(results: Results, subject: str, a: str, other: str, b: str, figure: str) -> str:
    """One sentence: which of two variants is better, by how much, and in how many seeds."""
    names = {
        "velocity": "velocity error",
        "mbe": "MBE",
        "lbe_full": "full-lip LBE",
        "lbe_published": "published-mask LBE",
        "lve": "LVE",
    }
    mine, theirs = results.values(a, figure), results.values(b, figure)
    lower = sum(x < y for x, y in zip(mine, theirs, strict=True))
    change = 100 * (float(np.mean(mine)) / float(np.mean(theirs)) - 1)
    agreed = max(lower, len(mine) - lower) if change else 0
    seeds = f"in {lower if change < 0 else len(mine) - lower} of {len(mine)} seeds" if len(mine) > 1 else "one seed"
    doubt = "" if len(mine) > 1 and agreed == len(mine) else ", which may be chance"
    return (
        f"The {names[figure]} of {subject} is {np.mean(mine):.4f}, that of {other} {np.mean(theirs):.4f}: "
        f"{abs(change):.1f} % {'lower' if change < 0 else 'higher'} ({seeds}{doubt})."
    )


def _all_figures(results: Results, variant: str | None) -> list[str]:
    if variant is None:
        return [_NOTHING] * 6
    keys = ("mbe", "lbe_published", "lbe_full", "fdd_absolute", "fdd_signed")
    return [*(_spread(results.values(variant, key)) for key in keys), _itf(results, variant)]


def _itf(results: Results, variant: str | None) -> str:
    return _tenth(results.itf[variant].itf) if variant and variant in results.itf else _NOTHING


def _paper(*figures: float | None) -> list[str]:
    return [_fixed(figure) for figure in figures]


def _fixed(figure: float | None, digits: int = 4) -> str:
    return _NOTHING if figure is None else f"{figure:.{digits}f}"


def _tenth(figure: float | None) -> str:
    return _fixed(figure, 1)


def _spread(values: Sequence[float], digits: int = 4) -> str:
    mean = f"{np.mean(values):.{digits}f}"
    return mean if len(values) < 2 else f"{mean} ± {np.std(values, ddof=1):.{digits}f}"


def _change(value: float, reference: float) -> str:
    return f"{100 * (value / reference - 1):+.1f} %"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
