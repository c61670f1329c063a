"""``diffusiontalker corpus``: synthesise and align a corpus, or convert captured faces into one."""

from __future__ import annotations

import argparse
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.progress import Progress

from diffusiontalker.cli import arguments as options
from diffusiontalker.cli.show import console

if TYPE_CHECKING:
    from diffusiontalker.captures.build import CaptureReport
    from diffusiontalker.captures.take import TakeSource

_SHOWN: Final = 5
"""Left-out takes that are shown for each reason."""


def corpus(arguments: argparse.Namespace) -> None:
    """Synthesise and align a corpus, or convert captured faces into one."""
    from diffusiontalker.corpus.build import build_corpus

    with Progress(console=console) as progress:
        report = build_corpus(
            arguments.out, speech=arguments.speech, hours=arguments.hours, seed=arguments.seed, progress=progress
        )
    for name, seconds in sorted(report.seconds.items()):
        console.print(f"{name:36} {seconds / 60:7.1f} min  {len(report.speakers[name]):4} speakers")
    for reason, count in report.left_out.most_common():
        console.print(f"left out: {count} x {reason}")


def captures(arguments: argparse.Namespace) -> None:
    """Convert captured faces into a corpus."""
    from diffusiontalker.captures.build import build_captures

    sources = _sources(arguments)
    with Progress(console=console) as progress:
        report = build_captures(arguments.out, sources, by=arguments.split.removeprefix("by-"), progress=progress)
    _show(report, arguments.out)


def _sources(arguments: argparse.Namespace) -> list[TakeSource]:
    from diffusiontalker.captures.beat import beat_takes
    from diffusiontalker.captures.live_link import live_link_takes
    from diffusiontalker.captures.vocaset import vocaset_takes
    from diffusiontalker.corpus.store import CorpusError

    if arguments.speech:
        raise CorpusError("--speech goes into a synthesised corpus; make it and the captured one separately")
    if bool(arguments.vocaset) != bool(arguments.basis):
        raise CorpusError("--vocaset and --basis go together: meshes become coefficients over a blendshape basis")
    if arguments.vocaset:
        return vocaset_takes(arguments.vocaset, arguments.basis)
    return beat_takes(arguments.beat, arguments.beat_types) if arguments.beat else live_link_takes(arguments.live_link)


def _show(report: CaptureReport, out: Path) -> None:
    def line(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    for side in sorted(report.takes, reverse=True):
        minutes, takes, speakers = report.seconds[side] / 60, report.takes[side], len(report.speakers[side])
        line(f"{side:10} {minutes:8.1f} min  {takes:6} takes  {report.chunks[side]:6} chunks  {speakers:4} speakers")
    by_reason = sorted(report.left_out, key=lambda entry: entry.reason)
    for reason, entries in groupby(by_reason, key=lambda entry: entry.reason):
        listed = list(entries)
        line(f"left out, {reason}: {len(listed)}")
        for entry in listed[:_SHOWN]:
            line(f"  {entry.problem}")
        if len(listed) > _SHOWN:
            line(f"  and {len(listed) - _SHOWN} more: all in {out / 'left_out.tsv'}")


def _run(arguments: argparse.Namespace) -> None:
    captured = arguments.beat or arguments.vocaset or arguments.live_link
    (captures if captured or arguments.basis else corpus)(arguments)


def add(verbs: options.Verbs) -> None:
    """Add the verb to the command."""
    verb = verbs.add_parser("corpus", parents=[options.speech(), options.amount()], help=corpus.__doc__)
    verb.add_argument("out", type=Path, help="folder to write")
    captured = verb.add_argument_group("captured faces, instead of synthesised speech (see docs/data.md)")
    source = captured.add_mutually_exclusive_group()
    source.add_argument("--beat", type=Path, metavar="DIR", help="BEAT: <speaker>/*.json beside *.wav")
    source.add_argument("--vocaset", type=Path, metavar="DIR", help="VOCASET: data_verts.npy and its pickles")
    source.add_argument("--live-link", type=Path, metavar="DIR", help="own captures: <speaker>/<take>.csv beside .wav")
    captured.add_argument("--basis", type=Path, metavar="FILE", help="blendshapes of VOCASET's mesh (.npz)")
    captured.add_argument(
        "--beat-types", type=int, nargs="+", default=[0], choices=range(8), help="recordings of BEAT (default: 0)"
    )
    captured.add_argument(
        "--split",
        choices=("by-take", "by-speaker"),
        default="by-take",
        help="what is held out: a tenth of the takes, or of the speakers (default: by-take)",
    )
    verb.set_defaults(run=_run)
