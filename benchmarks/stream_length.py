"""Whether a stream that lasts ages: cost of its ticks, memory and lip score after hours, against the first minute.

One stream of hours of audio, as fast as it goes: 100 ms are pushed, the engine ticks until nothing is left, and so on.
It hears the demo's clip over and over, with a pause that makes the period a prime number of samples: hours pass until a
repetition lies on the grids of features and frames as one before did. A minute is looked at in the beginning
(after the first ten seconds, in which the voice is matched) and at the end of every hour; its cost is the median of its
windows of ten seconds. The lips are scored on the clip's own phones, over the repetitions that lie wholly within the
minute.

``python -m benchmarks.stream_length --out DIR``
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.records import add_out, cell, finite, record, table
from benchmarks.streams import catch_up, demo_clip, demo_phones, require_open, resident_mib
from diffusiontalker.geometry import MODEL_FPS, SAMPLE_RATE
from diffusiontalker.metrics.phonetic import PhoneticLipScore, ScoredClip, phonetic_lip_score
from diffusiontalker.phones import TimedPhone
from livetalker.core.config import StreamConfig
from livetalker.core.outputs import Frames, Output
from livetalker.engine.engine import Engine

PERIOD: Final = 199_999
"""Samples from one repetition of the clip to the next, a prime: 12.5 s."""
CHUNK: Final = SAMPLE_RATE // 10
MINUTE: Final = 60
WARM_UP: Final = 10
"""Seconds before the first minute."""
PART: Final = 10
"""Seconds whose cost is taken at a time."""


@dataclass(frozen=True)
class Mark:
    """One minute of the stream.

    Attributes:
        second: of the stream at which it begins.
        cpu_s: processor time per second of audio, the median of its parts.
        wall_s: time per second of audio, likewise.
        ratio: ``cpu_s`` over that of the first minute.
        resident_mib: memory of the process at its end.
        open, rounding, closure: phonetic lip score; None where it has no whole repetition.
        repetitions: of the clip that were scored.
    """

    second: int
    cpu_s: float
    wall_s: float
    ratio: float
    resident_mib: float
    open: float | None
    rounding: float | None
    closure: float | None
    repetitions: int


def mark_seconds(hours: float) -> list[int]:
    """Where the minutes begin that are looked at: the first one, and the last of every hour and of the stream.

    Raises:
        ValueError: the stream is too short for two of them.
    """
    end = round(3600 * hours)
    ends = [*range(3600, end + 1, 3600), end]
    marks = sorted({WARM_UP, *(at - MINUTE for at in ends)})
    if len(marks) < 2 or marks[1] < WARM_UP + MINUTE:
        raise ValueError(f"{end} s hold no first and no last minute; give at least {2 * MINUTE + WARM_UP} s")
    return marks


def chunks(clip: NDArray[np.float32], seconds: int) -> Iterator[NDArray[np.float32]]:
    """``[1600]`` samples each, of a clip that is said again every ``PERIOD`` samples, and silence between."""
    period = np.zeros(PERIOD + CHUNK, np.float32)
    period[: len(clip)] = clip
    period[PERIOD:] = period[:CHUNK]
    for start in range(0, seconds * SAMPLE_RATE, CHUNK):
        at = start % PERIOD
        yield period[at : at + CHUNK]


def repetitions(
    frames: NDArray[np.float32], second: int, length: int, phones: Sequence[TimedPhone]
) -> list[ScoredClip]:
    """The repetitions of a clip that lie wholly within some frames.

    Args:
        frames: ``[F, 52]`` at 30 fps from ``second`` on.
        second: of the stream at which they begin.
        length: samples of the clip.
        phones: of the clip.

    Returns:
        Each with its own frames. A repetition begins between two frames, so its phones are shifted by what is missing.
    """
    found = []
    first = second * SAMPLE_RATE
    start = -(-first // PERIOD) * PERIOD
    while (start + length - first) * MODEL_FPS <= len(frames) * SAMPLE_RATE:
        begin = -(-(start - first) * MODEL_FPS // SAMPLE_RATE)
        count = length * MODEL_FPS // SAMPLE_RATE
        late = begin / MODEL_FPS - (start - first) / SAMPLE_RATE
        shifted = [TimedPhone(phone.phone, phone.start - late, phone.end - late) for phone in phones]
        found.append(ScoredClip(frames[begin : begin + count], MODEL_FPS, shifted))
        start += PERIOD
    return found


class MinuteSink:
    """Keeps the frames of one minute at a time; those of the hours between are forgotten.

    Attributes:
        total: frames that came in all.
    """

    def __init__(self) -> None:
        self.total = 0
        self._first = 0
        self._kept: list[NDArray[np.float32]] = []
        self._keeping = False

    def __call__(self, output: Output) -> None:
        """Take an output."""
        if isinstance(output, Frames):
            self.total += len(output)
            if self._keeping:
                self._kept.append(output.values)

    def keep(self) -> None:
        """Begin to keep frames."""
        self._first, self._keeping, self._kept = self.total, True, []

    def kept(self) -> tuple[int, NDArray[np.float32]]:
        """End it; the index of the first frame kept, and ``[F, 52]``."""
        self._keeping = False
        return self._first, np.concatenate(self._kept)


def run(hours: float, backend: str, threads: int) -> list[Mark]:
    """Run the stream.

    Args:
        hours: of audio.
        backend: name of the backend.
        threads: for one operator.

    Raises:
        ValueError: see ``mark_seconds``.
        RuntimeError: the stream ended early.
    """
    seconds = mark_seconds(hours)
    clip, phones = demo_clip(), demo_phones()
    engine = Engine.load(max_streams=1, threads=threads, backend=backend)
    sink = MinuteSink()
    stream = engine.open(StreamConfig(), sink)
    marks: list[Mark] = []
    parts: list[tuple[float, float]] = []
    beginning: int | None = None
    clock = (time.process_time(), time.perf_counter())
    per_second = SAMPLE_RATE // CHUNK
    for number, chunk in enumerate(chunks(clip, seconds[-1] + MINUTE)):
        now, odd = divmod(number, per_second)
        if not odd and now in seconds:
            beginning, parts, clock = now, [], (time.process_time(), time.perf_counter())
            sink.keep()
        stream.push(chunk)
        catch_up(engine)
        if beginning is None or (number + 1) % (PART * per_second) != beginning * per_second % (PART * per_second):
            continue
        later = (time.process_time(), time.perf_counter())
        require_open([stream])
        parts.append(((later[0] - clock[0]) / PART, (later[1] - clock[1]) / PART))
        clock = later
        if len(parts) * PART == MINUTE:
            cpu, wall = (median(part[i] for part in parts) for i in range(2))
            first, frames = sink.kept()
            # Frames lag behind by the look-ahead: begin with the first that stands on a whole second.
            whole = -(-first // MODEL_FPS)
            scored = repetitions(frames[whole * MODEL_FPS - first :], whole, len(clip), phones)
            score: PhoneticLipScore | None = phonetic_lip_score(scored) if scored else None
            marks.append(
                Mark(
                    beginning,
                    cpu,
                    wall,
                    cpu / (marks[0].cpu_s if marks else cpu),
                    resident_mib(),
                    finite(score.open) if score else None,
                    finite(score.rounding) if score else None,
                    finite(score.closure) if score else None,
                    len(scored),
                )
            )
            beginning = None
            if sys.stderr.isatty():
                print(f"{now + 1} s", file=sys.stderr)
    return marks


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_out(parser)
    parser.add_argument("--hours", type=float, default=6.0)
    parser.add_argument("--backend", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    marks = run(options.hours, options.backend, options.threads)
    results = {
        "hours": options.hours,
        "backend": options.backend,
        "threads": options.threads,
        "marks": [asdict(mark) for mark in marks],
    }
    head = ["minute at", "ms of processor per second", "ratio", "MiB", "open", "rounding", "closure"]
    lines = [
        [
            f"{mark.second / 3600:.2f} h",
            f"{1e3 * mark.cpu_s:.2f}",
            f"{mark.ratio:.3f}",
            f"{mark.resident_mib:.0f}",
            *(cell(value, ".3f") for value in (mark.open, mark.rounding, mark.closure)),
        ]
        for mark in marks
    ]
    print(table(head, lines))
    print(record("stream_length", ["stream_length", *sys.argv[1:]], results).write(options.out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
