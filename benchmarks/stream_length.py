"""Whether a stream ages: memory and lip score after hours against the first minute, cost against young streams.

One stream of hours of audio, as fast as it goes: 100 ms are pushed, the engine ticks until nothing is left, and so on.
It hears the demo's clip over and over, with a pause that makes the period a prime number of samples: hours pass until a
repetition lies on the grids of features and frames as one before did. A minute is looked at in the beginning
(after the first ten seconds, in which the voice is matched) and at the end of every hour. The lips are scored on the
clip's own phones, over the repetitions that lie wholly within the minute.

What a minute costs is held against streams just born, of ten seconds, in turns of two seconds of audio. Whatever else a
machine has to do in those hours slows all of them; only age does not. Each stream has a process of its own, and because
processes of one age differ by some percent for all their lives, there are several young ones.

``python -m benchmarks.stream_length --out DIR``
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from itertools import count
from multiprocessing import get_context
from statistics import mean, median
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.records import add_out, cell, finite, record, table
from benchmarks.streams import FrameSink, catch_up, demo_clip, demo_phones, require_open, resident_mib
from diffusiontalker.geometry import MODEL_FPS, SAMPLE_RATE
from diffusiontalker.metrics.phonetic import PhoneticLipScore, ScoredClip, phonetic_lip_score
from diffusiontalker.phones import TimedPhone
from livetalker.core.config import StreamConfig
from livetalker.engine.engine import Engine

PERIOD: Final = 199_999
"""Samples from one repetition of the clip to the next, a prime: 12.5 s."""
CHUNK: Final = SAMPLE_RATE // 10
MINUTE: Final = 60
WARM_UP: Final = 10
"""Seconds before the first minute, and the age of the streams each minute is held against."""
TURN: Final = 2
"""Seconds whose cost is taken at a time."""
YOUNG: Final = 3
"""Streams that each minute is held against."""


@dataclass(frozen=True)
class Mark:
    """One minute of the stream.

    Attributes:
        second: of the stream at which it begins.
        cpu_s: processor time per second of audio, the median of its turns.
        young_cpu_s: the same of the young streams.
        ratio: of the one to the others' mean, the median of the rounds.
        resident_mib: memory of the process at its end.
        open, rounding, closure: phonetic lip score; None where it has no whole repetition.
        repetitions: of the clip that were scored.
    """

    second: int
    cpu_s: float
    young_cpu_s: float
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


def chunks(clip: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """``[1600]`` samples each, endless: a clip said again every ``PERIOD`` samples, and silence between."""
    period = np.zeros(PERIOD + CHUNK, np.float32)
    period[: len(clip)] = clip
    period[PERIOD:] = period[:CHUNK]
    for start in count(step=CHUNK):
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
        end = begin + length * MODEL_FPS // SAMPLE_RATE
        late = begin / MODEL_FPS - (start - first) / SAMPLE_RATE
        shifted = [TimedPhone(phone.phone, phone.start - late, phone.end - late) for phone in phones]
        found.append(ScoredClip(frames[begin:end], MODEL_FPS, shifted))
        start += PERIOD
    return found


@dataclass(frozen=True)
class Turn:
    """What a stream did while it heard some seconds.

    Attributes:
        cpu_s: processor time per second of audio.
        frames: ``[F, 52]`` that came meanwhile.
        resident_mib: memory of its process afterwards.
    """

    cpu_s: float
    frames: NDArray[np.float32]
    resident_mib: float


class LongStream:
    """A stream alone on an engine, and what it hears.

    Args:
        backend: name of the backend.
        threads: for one operator.
    """

    def __init__(self, backend: str, threads: int) -> None:
        self._engine = Engine.load(max_streams=1, threads=threads, backend=backend)
        self._sink = FrameSink()
        self._stream = self._engine.open(StreamConfig(), self._sink)
        self._chunks = chunks(demo_clip())

    def hear(self, seconds: int) -> Turn:
        """Let it hear more.

        Raises:
            RuntimeError: it ended early.
        """
        began = time.process_time()
        for _ in range(seconds * SAMPLE_RATE // CHUNK):
            self._stream.push(next(self._chunks))
            catch_up(self._engine)
        spent = time.process_time() - began
        require_open([self._stream])
        return Turn(spent / seconds, self._sink.take(), resident_mib())


class StreamProcess:
    """A ``LongStream`` in a new process: old and young ones live alike, and memory is the stream's alone.

    Args:
        backend: name of the backend.
        threads: for one operator.
    """

    _stream: ClassVar[LongStream]

    def __init__(self, backend: str, threads: int) -> None:
        self._process = ProcessPoolExecutor(1, get_context("spawn"), self._begin, (backend, threads))

    @classmethod
    def _begin(cls, backend: str, threads: int) -> None:
        cls._stream = LongStream(backend, threads)

    @classmethod
    def _hear(cls, seconds: int) -> Turn:
        return cls._stream.hear(seconds)

    def hear(self, seconds: int) -> Turn:
        """See ``LongStream.hear``."""
        return self._process.submit(self._hear, seconds).result()

    def close(self) -> None:
        """End the process."""
        self._process.shutdown()


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
    marks: list[Mark] = []
    now = frames = 0
    with closing(StreamProcess(backend, threads)) as stream:
        for second in mark_seconds(hours):
            for _ in range((second - now) // TURN):
                frames += len(stream.hear(TURN).frames)
            rounds = []
            with ExitStack() as stack:
                young = [stack.enter_context(closing(StreamProcess(backend, threads))) for _ in range(YOUNG)]
                for one in young:
                    one.hear(WARM_UP)
                for number in range(MINUTE // TURN):
                    # Another one begins each time, so that what a round's first turn costs is nobody's alone.
                    order = np.roll(np.arange(1 + YOUNG), number)
                    turns = {index: (stream, *young)[index].hear(TURN) for index in order.tolist()}
                    rounds.append([turns[index] for index in range(1 + YOUNG)])
            marks.append(_mark(second, frames, rounds))
            frames += sum(len(old.frames) for old, *_ in rounds)
            now = second + MINUTE
            if sys.stderr.isatty():
                print(f"{now} s", file=sys.stderr)
    return marks


def _mark(second: int, first: int, rounds: Sequence[Sequence[Turn]]) -> Mark:
    """A minute that began at ``second`` of the old stream and with its frame ``first``; each round begins with it."""
    # Frames lag behind by the look-ahead: begin with the first that stands on a whole second.
    whole = -(-first // MODEL_FPS)
    frames = np.concatenate([old.frames for old, *_ in rounds])[whole * MODEL_FPS - first :]
    scored = repetitions(frames, whole, len(demo_clip()), demo_phones())
    score: PhoneticLipScore | None = phonetic_lip_score(scored) if scored else None
    return Mark(
        second,
        median(old.cpu_s for old, *_ in rounds),
        median(mean(one.cpu_s for one in young) for _, *young in rounds),
        median(old.cpu_s / mean(one.cpu_s for one in young) for old, *young in rounds),
        rounds[-1][0].resident_mib,
        finite(score.open) if score else None,
        finite(score.rounding) if score else None,
        finite(score.closure) if score else None,
        len(scored),
    )


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
    head = ["minute at", "ms of processor per second", "young", "ratio", "MiB", "open", "rounding", "closure"]
    lines = [
        [
            f"{mark.second / 3600:.2f} h",
            f"{1e3 * mark.cpu_s:.2f}",
            f"{1e3 * mark.young_cpu_s:.2f}",
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
