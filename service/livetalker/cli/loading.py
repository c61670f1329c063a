"""Loading an engine for a command, here or in a process of its own, with what can go wrong said in one line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from livetalker.cli.errors import CliError

if TYPE_CHECKING:
    from livetalker.engine.engine import Engine
    from livetalker.engine.process.messages import EngineSetup
    from livetalker.engine.process.remote import RemoteEngine


def load_engine(
    bundle: Path | None,
    *,
    max_streams: int,
    threads: int | None = None,
    backend: str = "auto",
    device: int | None = None,
) -> Engine:
    """An engine over a bundle folder; None is the shipped model. The rest is as ``open_backend`` takes it.

    No device is the first one.

    Raises:
        CliError: the bundle cannot be used, or this machine or installation does not offer the backend.
    """
    from diffusiontalker.bundle import BundleError
    from livetalker.engine.backend import BackendError
    from livetalker.engine.engine import Engine

    try:
        return Engine.load(bundle, max_streams=max_streams, threads=threads, backend=backend, device=device or 0)
    except (BundleError, BackendError) as error:
        raise CliError(str(error)) from error


def start_engine(setup: EngineSetup) -> RemoteEngine:
    """An engine in a process of its own.

    Raises:
        CliError: likewise, or its process ended.
    """
    from diffusiontalker.bundle import BundleError
    from livetalker.core.admission import EngineLost
    from livetalker.engine.backend import BackendError
    from livetalker.engine.process.remote import RemoteEngine

    try:
        return RemoteEngine(setup)
    except (BundleError, BackendError, EngineLost) as error:
        raise CliError(str(error)) from error
