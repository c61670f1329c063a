"""Offline animation: a whole clip through the very path a stream takes, as fast as it goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from diffusiontalker.arkit import COUNT
from livetalker.core.config import Delivery, StreamConfig
from livetalker.core.outputs import Failed, Frames, IdentityMatched, Output
from livetalker.engine.engine import Engine

CHUNK_SECONDS = 10
"""Audio given to the engine at a time: much of it leaves few short hops, a little of it shows progress."""


def animate_offline(
    engine: Engine,
    samples: NDArray[np.float32],
    config: StreamConfig,
    progress: Callable[[float], None] | None = None,
    on_identity: Callable[[IdentityMatched], None] | None = None,
) -> NDArray[np.float32]:
    """Animate a clip on the calling thread; the engine must not be started.

    Args:
        engine: a loaded engine.
        samples: ``[n]`` mono audio at ``config.sample_rate`` in -1..1.
        config: as for a stream; delivery is lossless whatever it says.
        progress: called with the share done, 0..1.
        on_identity: called when the voice was matched.

    Returns:
        ``[ceil(n * fps / rate), 52]`` frames in 0..1.

    Raises:
        ConfigError, EngineFull: as ``Engine.open``.
        Exception: whatever ended the stream, be it raised by ``on_identity``.
    """
    frames: list[NDArray[np.float32]] = []
    failures: list[Exception] = []

    def sink(output: Output) -> None:
        match output:
            case Frames(values=values):
                frames.append(values)
            case IdentityMatched():
                if on_identity is not None:
                    on_identity(output)
            case Failed(error=error):
                failures.append(error)
            case _:
                pass

    def catch_up() -> None:
        while engine.tick():
            pass
        if failures:
            raise failures[0]

    stream = engine.open(replace(config, delivery=Delivery.LOSSLESS), sink)
    try:
        step = config.sample_rate * CHUNK_SECONDS
        for start in range(0, len(samples), step):
            stream.push(np.asarray(samples[start : start + step], np.float32))
            catch_up()
            if progress is not None:
                progress(min(1.0, (start + step) / len(samples)))
        stream.finish()
        catch_up()
    finally:
        stream.close()
        engine.tick()
    return np.concatenate(frames) if frames else np.zeros((0, COUNT), np.float32)
