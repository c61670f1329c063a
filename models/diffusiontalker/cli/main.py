"""``diffusiontalker``: the model's command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from diffusiontalker import __version__
from diffusiontalker.cli import corpus, distill, enroll, evaluate, train
from diffusiontalker.cli.show import console
from diffusiontalker.errors import MendableError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="diffusiontalker", description="Train and export LiveTalker's face model.")
    parser.add_argument("--version", action="version", version=f"diffusiontalker {__version__}")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    for module in (corpus, train, enroll, distill, evaluate):
        module.add(verbs)
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Run a command; errors a person can mend are one line."""
    arguments = _parser().parse_args(words)
    try:
        arguments.run(arguments)
    except ModuleNotFoundError as error:
        console.print(f"diffusiontalker: {error.name} is not installed; pip install 'livetalker\\[train]'")
        return 2
    except (MendableError, FileNotFoundError) as error:
        console.print(f"diffusiontalker: {error}", markup=False, highlight=False, soft_wrap=True)
        return 2
    except KeyboardInterrupt:
        console.print("stopped; the same command goes on from the last checkpoint")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
