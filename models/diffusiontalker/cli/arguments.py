"""Options that several verbs take, as parent parsers."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TypeAlias

Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""What ``add(verbs)`` of each verb's module is given."""


def count(text: str) -> int:
    """A whole number of at least 1, as a ``type`` of argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of 1 or more")
    return int(text)


def speech() -> argparse.ArgumentParser:
    """``--speech`` and ``--seed``."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--speech", type=Path, metavar="DIR", help="folder of aligned recordings and noise")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of all that is drawn (default: 0)")
    return parser


def amount() -> argparse.ArgumentParser:
    """``--hours``."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--hours", type=float, default=10.0, help="hours of synthetic speech (default: 10)")
    return parser


def training() -> argparse.ArgumentParser:
    """The corpora and how long to train on them."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--corpus", type=Path, nargs="+", default=[Path("corpus")], metavar="DIR", help="of speech (default: corpus)"
    )
    parser.add_argument(
        "--pretrain-steps",
        type=int,
        default=1500,
        metavar="N",
        help="masked prediction, before phones are named (default: 1500)",
    )
    parser.add_argument(
        "--encoder-steps", type=int, default=8000, metavar="N", help="of the encoder after that (default: 8000)"
    )
    parser.add_argument(
        "--scenes", type=int, default=2200, metavar="N", help="ten-second scenes for the denoiser (default: 2200)"
    )
    parser.add_argument(
        "--denoiser-steps", type=int, default=3200, metavar="N", help="of training the denoiser (default: 3200)"
    )
    parser.add_argument(
        "--denoise-steps",
        type=int,
        default=8,
        metavar="N",
        help="of its sampler: 8, or 32 for a teacher to halve more often (default: 8)",
    )
    return parser


def runs() -> argparse.ArgumentParser:
    """``--runs``."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--runs", type=Path, default=Path("runs"), metavar="DIR", help="checkpoints and logs (default: runs)"
    )
    return parser


def bundle(steps: int) -> argparse.ArgumentParser:
    """``--bundle`` and what the model in it is called; ``steps`` it takes unless told otherwise."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--bundle", type=Path, required=True, metavar="DIR", help="model to write; one that is there is replaced"
    )
    parser.add_argument(
        "--to", type=int, default=steps, metavar="N", help=f"denoise steps of the model (default: {steps})"
    )
    parser.add_argument("--name", help="of the model (default: that of the folder)")
    parser.add_argument("--model-version", default="local", metavar="V", help="for people (default: local)")
    return parser
