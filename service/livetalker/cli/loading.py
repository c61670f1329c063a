"""Loading the engine for a command, with what can go wrong said in one line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from livetalker.cli.errors import CliError

if TYPE_CHECKING:
    from livetalker.engine.engine import Engine


def load_engine(bundle: Path | None, *, max_streams: int, threads: int | None = None) -> Engine:
    """An engine over a bundle folder; None is the shipped model.

    Raises:
        CliError: ONNX Runtime is missing, or the bundle cannot be used.
    """
    from diffusiontalker.bundle import BundleError

    try:
        from livetalker.engine.engine import Engine
    except ModuleNotFoundError as error:
        if error.name != "onnxruntime":
            raise
        raise CliError("ONNX Runtime is not installed; pip install 'livetalker[cpu]'") from error
    try:
        return Engine.load(bundle, max_streams=max_streams, threads=threads)
    except BundleError as error:
        raise CliError(str(error)) from error
