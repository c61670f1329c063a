"""What a stream costs among others: processor time per second of its audio, and memory, against how many there are.

The engine alone, without gRPC and without a clock: all streams get their next 20 ms, the engine ticks until nothing is
left, and so on, so that batches are as large as there are streams. Live, they are smaller, since microphones are not in
step; ``capacity`` measures that. Every row is a process of its own, whose memory nobody else has touched.

``python -m benchmarks.sessions --out DIR``
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, Final

from benchmarks.records import add_out, cell, record, table
from benchmarks.streams import CPU_BACKENDS, catch_up, demo_clip, looped, require_open, resident_mib
from diffusiontalker.geometry import SAMPLE_RATE
from livetalker.core.config import StreamConfig
from livetalker.core.outputs import Output
from livetalker.engine.engine import Engine

STREAMS: Final = (1, 8, 16, 32, 64, 100)
CHUNK: Final = SAMPLE_RATE // 50
_WARM_UP_S: Final = 2.0
"""Seconds of audio before the clock starts: first calls are slow, and a voice is matched in the first seconds."""
_SHIFT: Final = 7_919
"""Samples between what one stream says and what the next one does: nobody speaks in chorus."""


def _forget(_: Output) -> None:
    """Frames that nobody reads take no memory."""


def measure(backend: str, streams: int, seconds: float, threads: int) -> dict[str, Any]:
    """Run streams in this process.

    Args:
        backend: name of the backend.
        streams: how many at once.
        seconds: of audio each of them gets, after the warm-up.
        threads: for one operator.

    Returns:
        ``cpu_s`` and ``wall_s`` per second of one stream's audio; ``loaded_mib`` before the first stream opens,
        ``resident_mib`` at the end, ``mib_per_stream`` the share of one in the difference.
    """
    engine = Engine.load(max_streams=streams, threads=threads, backend=backend)
    clip = demo_clip()
    total = _WARM_UP_S + seconds
    loaded = resident_mib()
    # Views into one recording: what the streams hear is not what they cost.
    sound = looped(clip, total + streams * _SHIFT / SAMPLE_RATE)
    voices = [sound[i * _SHIFT : i * _SHIFT + round(total * SAMPLE_RATE)] for i in range(streams)]
    recording = sound.nbytes / 2**20
    opened = [engine.open(StreamConfig(seed=i), _forget) for i in range(streams)]
    warm = round(_WARM_UP_S * SAMPLE_RATE) // CHUNK * CHUNK
    cpu = wall = 0.0
    for start in range(0, len(voices[0]) // CHUNK * CHUNK, CHUNK):
        if start == warm:
            cpu, wall = time.process_time(), time.perf_counter()
        for stream, voice in zip(opened, voices, strict=True):
            stream.push(voice[start : start + CHUNK])
        catch_up(engine)
    heard = (len(voices[0]) // CHUNK * CHUNK - warm) / SAMPLE_RATE * streams
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    resident = resident_mib() - recording
    require_open(opened)
    return {
        "backend": backend,
        "streams": streams,
        "cpu_s": cpu / heard,
        "wall_s": wall / heard,
        "loaded_mib": loaded,
        "resident_mib": resident,
        "mib_per_stream": (resident - loaded) / streams,
    }


def added_mib(rows: Sequence[Mapping[str, Any]]) -> float | None:
    """MiB that one more stream takes: the slope between the fewest and the most streams of one backend's rows.

    Returns:
        None where there are not two numbers of streams.
    """
    few, many = (choose(rows, key=lambda row: int(row["streams"])) for choose in (min, max))
    streams = many["streams"] - few["streams"]
    return (many["resident_mib"] - few["resident_mib"]) / streams if streams else None


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_out(parser)
    parser.add_argument("--streams", type=int, nargs="+", default=list(STREAMS))
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--threads", type=int, default=1, help="1 is what serve takes on two cores")
    options = parser.parse_args()
    rows = []
    context = multiprocessing.get_context("spawn")
    for backend in CPU_BACKENDS:
        for streams in options.streams:
            with ProcessPoolExecutor(1, mp_context=context) as process:
                rows.append(process.submit(measure, backend, streams, options.seconds, options.threads).result())
    more = {backend: added_mib([row for row in rows if row["backend"] == backend]) for backend in CPU_BACKENDS}
    results = {"threads": options.threads, "seconds": options.seconds, "rows": rows, "mib_per_further_stream": more}
    head = ["backend", "streams", "ms of processor per second", "MiB in all", "MiB a stream"]
    lines = [
        [
            row["backend"],
            str(row["streams"]),
            f"{1e3 * row['cpu_s']:.2f}",
            f"{row['resident_mib']:.0f}",
            f"{row['mib_per_stream']:.2f}",
        ]
        for row in rows
    ]
    print(table(head, lines))
    print("MiB one more stream takes: " + ", ".join(f"{name} {cell(value, '.2f')}" for name, value in more.items()))
    print(record("sessions", ["sessions", *sys.argv[1:]], results).write(options.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
