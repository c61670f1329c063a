"""What a worker is told when it is spawned, and what it says back; free of everything that is slow to import."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from livetalker.engine.backends.names import ON_PROCESSOR
from livetalker.rpc.options import ServerOptions


@dataclass(frozen=True, slots=True)
class WorkerSetup:
    """How all workers of a server are set up.

    Attributes:
        options: of each one's gRPC server, the port a definite one.
        workers: how many there are.
        max_streams: streams of all together; each has slots for all, so that it does not matter how the kernel spreads
            the connections.
        model: bundle folder, None for the shipped one.
        backend: as ``open_backend`` takes it.
        device: GPU of all workers, None to give each the next one of those that are visible.
        threads: of each worker on the CPU, None to divide the cores.
        log_level: as ``logging`` numbers them.
    """

    options: ServerOptions
    workers: int
    max_streams: int
    model: Path | None
    backend: str
    device: int | None
    threads: int | None
    log_level: int

    def threads_each(self) -> int:
        """Threads of each worker on the CPU."""
        return self.threads or max(1, (os.cpu_count() or 1) // self.workers)

    def device_of(self, worker: int) -> int:
        """The GPU of a worker, counted among those ``CUDA_VISIBLE_DEVICES`` leaves visible; 0 where there is none."""
        if self.device is not None:
            return self.device
        if self.backend in ON_PROCESSOR:
            return 0
        from livetalker.engine.backends.devices import visible_devices

        return worker % max(1, len(visible_devices()))


@dataclass(frozen=True, slots=True)
class Ready:
    """A worker listens.

    Attributes:
        model: its name and version.
        backend: what runs it, and where, for a person.
    """

    model: str
    backend: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A worker cannot serve.

    Attributes:
        message: one line that says why.
    """

    message: str
