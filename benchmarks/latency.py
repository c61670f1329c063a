"""Algorithmic latency by experiment: change what comes from one sample on, and see which frame is the first to notice.

A frame that notices sample ``s`` waited for it, so its latency is at least ``s / rate`` less the frame's instant. The
largest one over many samples, a whole period of the grids of features and frames, is the latency that was measured; it
must not exceed what the server tells its clients (``started.algorithmic_latency_us``). Each sample is tried twice: all
from it on replaced by another voice, and a click of one sample at full scale. A frame has noticed when any of its
coefficients differs in any bit: the engine is deterministic, and where it were not, the figure would only grow.

Which frame is the first to depend on the audio at all is found likewise, with another voice from the first sample on.

``python -m benchmarks.latency --out DIR``
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.records import add_out, record, table
from diffusiontalker.geometry import FEATURE_OVERLAP, PRESETS, SAMPLE_RATE
from livetalker.bench.speech import synthetic_speech
from livetalker.core.config import FRAME_RATES, StreamConfig
from livetalker.core.resample import hold_back
from livetalker.engine.engine import Engine
from livetalker.engine.offline import animate_offline
from livetalker.rpc.responses import algorithmic_latency_us

Samples = NDArray[np.float32]
Animate = Callable[[Samples], NDArray[np.float32]]

RATES: Final = (SAMPLE_RATE, 48_000)
BEGIN_S: Final = 0.4
PERIOD_S: Final = 0.1
"""Features (20 ms) and frames (33.3 ms) lie alike again after so long."""
SECONDS: Final = 0.8
_CLICK: Final = 0.99


def first_difference(a: NDArray[np.float32], b: NDArray[np.float32]) -> int | None:
    """Index of the first frame of ``[F, 52]`` that differs in any bit; None where all are equal."""
    differs = np.flatnonzero((a != b).any(axis=1))
    return int(differs[0]) if differs.size else None


def replaced(audio: Samples, sample: int, other: Samples) -> Samples:
    """``audio`` with what follows from ``sample`` on taken from ``other``."""
    return np.concatenate([audio[:sample], other[sample:]])


def clicked(audio: Samples, sample: int) -> Samples:
    """``audio`` with one sample at full scale, away from what it was."""
    changed = audio.copy()
    changed[sample] = -_CLICK if audio[sample] > 0 else _CLICK
    return changed


def positions(rate: int, step: int) -> list[int]:
    """Samples of one period to change: every ``step``-th, and those that the last sample of a feature may come from.

    Features end on blocks of 5 ms; where there is resampling, a sample at 16 kHz also hears some of what follows it.

    Args:
        rate: hertz.
        step: samples.
    """
    first, count = round(BEGIN_S * rate), round(PERIOD_S * rate)
    block = FEATURE_OVERLAP * rate // SAMPLE_RATE
    ahead = hold_back(rate)
    ends = {end + ahead * part // 4 for end in range(first + block - 1, first + count, block) for part in range(5)}
    return sorted({*range(first, first + count, step), *ends})


def largest_wait(
    animate: Animate, audio: Samples, other: Samples, samples: Iterable[int], rate: int, fps: int
) -> float:
    """The longest that any frame was seen to wait for a sample after its own instant.

    Args:
        animate: samples to frames ``[F, 52]``.
        audio: ``[N]`` at ``rate``.
        other: of the same length.
        samples: which to change.
        rate: hertz.
        fps: frames per second.

    Returns:
        Seconds.

    Raises:
        ValueError: no frame noticed any change.
    """
    plain = animate(audio)
    waits = []
    for sample in samples:
        for changed in (replaced(audio, sample, other), clicked(audio, sample)):
            frame = first_difference(plain, animate(changed))
            if frame is not None:
                # The sample lasts until the next one begins, but the server counts from instant to instant.
                waits.append(sample / rate - frame / fps)
    if not waits:
        raise ValueError("no frame depends on the samples that were changed")
    return max(waits)


def measure(engine: Engine, preset: str, fps: int, rate: int, step: int) -> dict[str, Any]:
    """Measure one configuration.

    Args:
        engine: not started.
        preset: latency preset.
        fps: frames per second.
        rate: hertz.
        step: samples at 16 kHz between those that are changed.

    Returns:
        ``stated_ms`` and ``measured_ms``, how many ``samples`` were changed, and ``first_frame``, the first one that
        depends on the audio.
    """
    config = StreamConfig(sample_rate=rate, fps=fps, preset=preset)
    audio, other = (synthetic_speech(seed, rate)[rate : rate + round(SECONDS * rate)] for seed in (0, 1))
    tried = positions(rate, step * rate // SAMPLE_RATE)

    def animate(samples: Samples) -> NDArray[np.float32]:
        return animate_offline(engine, samples, config)

    return {
        "preset": preset,
        "fps": fps,
        "sample_rate": rate,
        "stated_ms": algorithmic_latency_us(config, engine.info.encoder_delay) / 1e3,
        "measured_ms": 1e3 * largest_wait(animate, audio, other, tried, rate, fps),
        "samples": len(tried),
        "first_frame": first_difference(animate(audio), animate(other)),
    }


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_out(parser)
    parser.add_argument("--step", type=int, default=40, help="samples at 16 kHz between those that are changed")
    options = parser.parse_args()
    engine = Engine.load(max_streams=1)
    rows = [
        measure(engine, preset, fps, rate, options.step) for rate in RATES for fps in FRAME_RATES for preset in PRESETS
    ]
    head = ["preset", "fps", "Hz", "stated, ms", "measured, ms", "first frame"]
    lines = [
        [
            row["preset"],
            str(row["fps"]),
            str(row["sample_rate"]),
            f"{row['stated_ms']:.1f}",
            f"{row['measured_ms']:.1f}",
            str(row["first_frame"]),
        ]
        for row in rows
    ]
    print(table(head, lines))
    print(record("latency", ["latency", *sys.argv[1:]], {"rows": rows}).write(options.out))
    if any(row["measured_ms"] > row["stated_ms"] for row in rows):
        print("a frame waits for longer than clients are told", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
