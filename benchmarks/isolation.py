"""A stream alone, the same stream among others, and in a slot that somebody used before: how far its frames differ.

The stream is fed in chunks of random length, each time cut anew; its neighbours, with presets, frame rates, sample
rates and seeds of their own, are fed in theirs, and any of them may pause. The figure is the largest difference of any
coefficient in any frame from the stream that had an engine to itself.

``python -m benchmarks.isolation --out DIR``
"""

from __future__ import annotations

import argparse
import sys
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.records import add_out, record, table
from benchmarks.streams import CPU_BACKENDS, FrameSink, catch_up, demo_clip, looped, random_pieces, require_open
from diffusiontalker.geometry import PRESETS, SAMPLE_RATE
from livetalker.bench.speech import synthetic_speech
from livetalker.core.config import StreamConfig
from livetalker.engine.engine import Engine

Frames = NDArray[np.float32]

SIZES: Final = (1, 160, 320, 1_000, 1_601, 7_000)
"""Samples a chunk may have."""
_TALKING: Final = 0.7
"""Probability that a stream gets a chunk before a tick."""
_RATES: Final = (SAMPLE_RATE, 48_000)


def neighbour(index: int) -> StreamConfig:
    """What the ``index``-th neighbour asks for: every combination occurs."""
    presets = list(PRESETS)
    return StreamConfig(
        sample_rate=_RATES[index // 6 % 2],
        fps=(30, 60)[index // 3 % 2],
        preset=presets[index % 3],
        seed=1_000 + index,
    )


def streamed(engine: Engine, audio: Frames, config: StreamConfig, others: int, seed: int) -> Frames:
    """Feed one stream among others, in chunks of random length; the others are closed at its end.

    Args:
        engine: not started, with ``others + 1`` free slots.
        audio: ``[N]`` of the stream.
        config: of the stream.
        others: how many neighbours.
        seed: of the chunks.

    Returns:
        ``[F, 52]`` of the stream.
    """
    rng = np.random.default_rng(seed)
    neighbours = [neighbour(i) for i in range(others)]
    # Neighbours come first, so that the stream has another slot than alone.
    crowd = [engine.open(one, lambda _: None) for one in neighbours]
    sounds = [np.asarray(synthetic_speech(i % 8, one.sample_rate)) for i, one in enumerate(neighbours)]
    heard = [0] * others
    sink = FrameSink()
    stream = engine.open(config, sink)
    pieces = random_pieces(rng, len(audio), SIZES)
    while pieces:
        if rng.random() < _TALKING:
            stream.push(audio[pieces.pop(0)])
        for i, other in enumerate(crowd):
            if rng.random() < _TALKING:
                size = int(rng.choice(np.asarray(SIZES)))
                start = heard[i] % max(1, len(sounds[i]) - size)
                other.push(sounds[i][start : start + size])
                heard[i] += size
        engine.tick()
    stream.finish()
    catch_up(engine)
    require_open(crowd)
    for other in crowd:
        other.close()
    engine.tick()
    return sink.frames


def measure(backend: str, seconds: float, others: int, threads: int) -> dict[str, Any]:
    """Measure one backend.

    Args:
        backend: its name.
        seconds: of audio.
        others: neighbours.
        threads: for one operator.

    Returns:
        ``among`` and ``reused``: the largest differences from the stream alone; ``motion``: its largest motion, beside
        which they are small or not; ``frames``.
    """
    audio, config = looped(demo_clip(), seconds), StreamConfig(seed=5)
    alone = streamed(Engine.load(max_streams=1, threads=threads, backend=backend), audio, config, 0, seed=1)
    engine = Engine.load(max_streams=others + 1, threads=threads, backend=backend)
    among = streamed(engine, audio, config, others, seed=2)
    # All slots were used just now, so this one was.
    reused = streamed(engine, audio, config, 0, seed=3)
    return {
        "backend": backend,
        "others": others,
        "frames": len(alone),
        "among": float(np.abs(among - alone).max()),
        "reused": float(np.abs(reused - alone).max()),
        "motion": float(np.ptp(alone, axis=0).max()),
    }


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_out(parser)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--others", type=int, default=63)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    rows = [measure(backend, options.seconds, options.others, options.threads) for backend in CPU_BACKENDS]
    head = ["backend", "frames", f"among {options.others} others", "in a used slot", "largest motion"]
    lines = [
        [row["backend"], str(row["frames"]), f"{row['among']:.1e}", f"{row['reused']:.1e}", f"{row['motion']:.2f}"]
        for row in rows
    ]
    print(table(head, lines))
    print(record("isolation", ["isolation", *sys.argv[1:]], {"rows": rows}).write(options.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
