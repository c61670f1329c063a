"""``diffusiontalker enroll``: add a speaker to a bundle's identity library."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

from diffusiontalker.bundle import Bundle, shipped_bundle
from diffusiontalker.cli import arguments as options
from diffusiontalker.cli.show import TrainingSteps, bars, console

if TYPE_CHECKING:
    from diffusiontalker.enrollment.library import Speaker


_SHOWN: Final = 0.005
"""Shares below this would be shown as 0 %."""


def enroll(arguments: argparse.Namespace) -> None:
    """Add a speaker to a bundle: by voice (--audio), or by voice and captured face (--captures)."""
    from diffusiontalker.bundle import open_bundle
    from diffusiontalker.enrollment.library import enrolled, require_place

    bundle = open_bundle(arguments.bundle)
    require_place(bundle, arguments.name, arguments.out, replace=arguments.replace)
    speaker = _by_voice(bundle, arguments) if arguments.audio else _by_face(bundle, arguments)
    enrolled(bundle, speaker, arguments.out, replace=arguments.replace)
    if speaker.like:
        heard = ", ".join(f"{name} {share:.0%}" for name, share in speaker.like if share >= _SHOWN)
        console.print(f"sounds like {heard}", markup=False, highlight=False, soft_wrap=True)
    done = f"wrote {arguments.out}: {speaker.name} is one of its identities"
    console.print(done, markup=False, highlight=False, soft_wrap=True)


def _by_voice(bundle: Bundle, arguments: argparse.Namespace) -> Speaker:
    from diffusiontalker.enrollment.library import speaker_by_voice
    from diffusiontalker.enrollment.voice import VoiceListener
    from diffusiontalker.sound import read_sound

    pooled = VoiceListener(bundle).pooled([read_sound(path) for path in arguments.audio])
    return speaker_by_voice(bundle, arguments.name, pooled)


def _by_face(bundle: Bundle, arguments: argparse.Namespace) -> Speaker:
    from diffusiontalker.enrollment.captured import speaker_by_face

    with bars() as progress:
        learning: list[TrainingSteps] = []

        def report(step: int, loss: float) -> None:
            if not learning:  # the bar begins when the style does: what is refused before is refused without one
                learning.append(TrainingSteps(progress, "Style", arguments.steps))
            learning[0](step, {"loss": loss})

        return speaker_by_face(bundle, arguments.name, arguments.captures, steps=arguments.steps, report=report)


def add(verbs: options.Verbs) -> None:
    """Add the verb to the command."""
    verb = verbs.add_parser("enroll", help=enroll.__doc__)
    verb.add_argument("name", help="of the new speaker")
    source = verb.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--audio", type=Path, nargs="+", metavar="FILE", help="ten seconds or more of the speaker alone"
    )
    source.add_argument("--captures", type=Path, metavar="DIR", help="a captured corpus of 'diffusiontalker corpus'")
    verb.add_argument(
        "--bundle",
        type=Path,
        default=shipped_bundle(),
        metavar="DIR",
        help="model to add to (default: the package's own)",
    )
    verb.add_argument("--out", type=Path, required=True, metavar="DIR", help="model to write; may be that of --bundle")
    verb.add_argument("--replace", action="store_true", help="replace the speaker of that name, and nobody else")
    verb.add_argument("--steps", type=options.count, default=300, help="of learning a face (default: 300)")
    verb.set_defaults(run=enroll)
