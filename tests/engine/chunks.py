"""Streams audio through an engine that is not started, chunk by chunk, and collects what comes out."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from livetalker.core.config import StreamConfig
from livetalker.core.outputs import Frames, Output
from livetalker.engine.engine import Engine

Audio = NDArray[np.float32]


class Listener:
    """Collects what a stream hands out."""

    def __init__(self) -> None:
        self.outputs: list[Output] = []

    def __call__(self, output: Output) -> None:
        self.outputs.append(output)

    @property
    def faces(self) -> NDArray[np.float32]:
        return np.concatenate([o.values for o in self.outputs if isinstance(o, Frames)])


def chunked(engine: Engine, audio: Audio, config: StreamConfig, sizes: Sequence[int]) -> Listener:
    """Stream the audio in chunks of the given sizes, over and over, ticking after each."""
    listener = Listener()
    stream = engine.open(config, listener)
    start = 0
    for size in itertools.cycle(sizes):
        if start >= len(audio):
            break
        stream.push(audio[start : start + size])
        start += size
        engine.tick()
    stream.finish()
    while engine.tick():
        pass
    return listener
