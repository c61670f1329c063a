"""What the vectors put a clock and a buffer through: the steps without the answers."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

Step = dict[str, Any]

CLOCK: Final = "audio_clock"
BUFFER: Final = "jitter_buffer"


@dataclass(frozen=True)
class Scenario:
    """Steps for one clock or one buffer.

    Attributes:
        about: what it shows, for a person.
        kind: ``CLOCK`` or ``BUFFER``.
        steps: in order; see README.md.
        config: arguments of the buffer.
    """

    about: str
    kind: str
    steps: list[Step]
    config: dict[str, Any] = field(default_factory=dict)


def weight(index: int, coefficient: int) -> float:
    """Value of a coefficient in frame ``index``: a triangle wave, 0.05 to 0.2 a frame."""
    return abs((index * (1 + coefficient % 4) + 5 * coefficient) % 40 - 20) / 20


def _push(index: int, fps: int, arrived: float | None) -> tuple[float, Step]:
    at = None if arrived is None else round(arrived, 6)
    return at or 0.0, {"push": index, "time_us": index * 1_000_000 // fps, "arrived": at}


def _sample(local: float, audio: float | None) -> Step:
    return {"sample": [round(local, 6), None if audio is None else round(audio, 6)]}


def _network(count: int, fps: int, latency: Callable[[int], float], first: int = 0) -> list[tuple[float, Step]]:
    """Frames, each ``latency`` seconds after its instant, but in order, as a connection delivers them."""
    arrivals, last = [], 0.0
    for index in range(first, first + count):
        last = max(last, index / fps + latency(index))
        arrivals.append(_push(index, fps, last))
    return arrivals


def _rendered(arrivals: Iterable[tuple[float, Step]], hz: int, start: float, end: float) -> Iterator[Step]:
    """Samples every ``1 / hz`` s from start to end, each after what has arrived by then."""
    waiting = sorted(arrivals, key=lambda arrival: arrival[0])
    for number in range(int((end - start) * hz)):
        now = start + number / hz
        while waiting and waiting[0][0] <= now:
            yield waiting.pop(0)[1]
        yield _sample(now, now)


def _outage(start: float, end: float, latency: float, pace: float = 0.001) -> Callable[[float], float]:
    """Latency of frames, of which those between start and end come when it ends, ``pace`` seconds apart."""

    def of(instant: float) -> float:
        return end - instant + latency + (instant - start) * pace if start <= instant < end else latency

    return of


def _config(fps: int, floor_s: float, max_s: float, capacity: int = 128) -> dict[str, Any]:
    return {"fps": fps, "floor_s": floor_s, "max_s": max_s, "capacity": capacity}


def _steady() -> Scenario:
    steps = list(_rendered(_network(30, 30, lambda n: 0.061), 60, 0.0013, 1.2))
    return Scenario("30 fps, 61 ms late, shown at 60 Hz; the stream ends and the face rests", BUFFER, steps,
                    _config(30, 0.12, 0.62))  # fmt: skip


def _jitter() -> Scenario:
    draw = random.Random(80)
    steps = list(_rendered(_network(62, 30, lambda n: 0.02 + 0.08 * draw.random()), 60, 0.0013, 2.1))
    return Scenario("20 to 100 ms late with a floor of 60 ms: the delay grows to fit", BUFFER, steps,
                    _config(30, 0.06, 0.56))  # fmt: skip


def _underrun() -> Scenario:
    first, second = _outage(0.4, 0.9, 0.05), _outage(1.3, 1.6, 0.05)
    arrivals = _network(66, 30, lambda n: first(n / 30) if n < 36 else second(n / 30))
    steps = list(_rendered(arrivals, 60, 0.0013, 2.2))
    return Scenario("nothing for 500 ms, and later for 300 ms, which ends in the middle of the easing", BUFFER, steps,
                    _config(30, 0.12, 0.62))  # fmt: skip


def _reconnect() -> Scenario:
    before = _network(24, 30, lambda n: 0.05)
    latency = _outage(24 / 30, 1.8, 0.05, pace=0.1)
    after = _network(42, 30, lambda n: latency(n / 30), first=18)  # six of them were there before
    again = [(max(at, 1.8), step) for at, step in after[:6]]
    again = [(at, {**step, "arrived": round(at, 6)}) for at, step in again]
    steps = list(_rendered([*before, *again, *after[6:]], 60, 0.0013, 2.2))
    return Scenario("the stream breaks for one second and returns with six frames again and a burst", BUFFER, steps,
                    _config(30, 0.1, 0.6))  # fmt: skip


def _sixty() -> Scenario:
    arrivals = _network(60, 60, lambda n: 0.04 + (1 / 60 if n % 2 == 0 else 0.0))
    return Scenario("60 fps that come in pairs, shown at 60 Hz", BUFFER, list(_rendered(arrivals, 60, 0.0013, 1.2)),
                    _config(60, 0.08, 0.58))  # fmt: skip


def _fast_render() -> Scenario:
    arrivals = _network(30, 30, lambda n: 0.03 if n < 12 else 0.33)
    return Scenario("30 fps shown at 144 Hz; after 400 ms all frames come 300 ms later", BUFFER,
                    list(_rendered(arrivals, 144, 0.0013, 1.05)), _config(30, 0.08, 0.58))  # fmt: skip


def _slow_render() -> Scenario:
    arrivals = _network(60, 60, lambda n: 0.03)
    waiting, steps = sorted(arrivals, key=lambda arrival: arrival[0]), list[Step]()
    for number in range(40):
        now = 0.0013 + number / 30 + (0.4 if number >= 15 else 0.0)
        while waiting and waiting[0][0] <= now:
            steps.append(waiting.pop(0)[1])
        steps.append(_sample(now, now))
    return Scenario("60 fps shown at 30 Hz, with a hitch of 400 ms after half a second", BUFFER, steps,
                    _config(60, 0.08, 0.58))  # fmt: skip


def _flush() -> Scenario:
    """A spoken line whose frames are there before it is played; interrupted; and the next line, elsewhere."""
    steps = [_push(n, 30, None)[1] for n in range(40)]
    steps += [_sample(5 + n / 60, None) for n in range(3)]
    steps += [_sample(5.05 + n / 60, 0.0007 + n / 60) for n in range(36)]
    steps.append({"flush": 2_000_000})
    steps += [_push(n, 30, 0.6)[1] for n in range(40, 46)]  # still under way
    steps += [_sample(5.65 + n / 60, 0.6007 + n / 60) for n in range(15)]
    steps += [_sample(5.9 + n / 60, None) for n in range(6)]
    steps += [_push(n, 30, None)[1] for n in range(60, 75)]
    steps += [_sample(6 + n / 60, 2.0007 + n / 60) for n in range(24)]
    steps.append({"reset": True})
    steps += [_sample(6.4 + n / 60, None) for n in range(4)]
    steps += [_push(n, 30, None)[1] for n in range(10)]
    steps += [_sample(6.5 + n / 60, 0.0007 + n / 60) for n in range(12)]
    return Scenario("a line ahead of its sound, interrupted; the next line; another stream", BUFFER, steps,
                    _config(30, 0.0, 0.0))  # fmt: skip


def _disorder() -> Scenario:
    """Frames out of order, twice, late, and holes of two, four and ten frames."""
    arrivals = _network(60, 30, lambda n: 0.05)
    lost = {8, 9, 15, 16, 17, 18, *range(25, 35)}
    kept = [(at, step) for at, step in arrivals if step["push"] not in lost]
    extra = [_push(n, 30, at) for n, at in ((3, 0.21), (12, 0.485), (11, 0.49), (21, 0.86), (36, 1.35))]
    late = [_push(n, 30, n / 30 + 0.15) for n in (39, 46)]
    swapped = [(at, step) for at, step in kept if step["push"] not in (39, 46)]
    return Scenario("frames twice, out of order, too late, and holes of two, four and ten", BUFFER,
                    list(_rendered([*swapped, *extra, *late], 60, 0.0013, 2.2)), _config(30, 0.1, 0.6))  # fmt: skip


def _full() -> Scenario:
    steps, pending = list[Step](), list(range(30))
    for number in range(70):
        for _ in range(2):
            if pending and len(steps) % 3:
                steps.append(_push(pending.pop(0), 30, number / 60)[1])
        steps.append(_sample(number / 60, number / 60 + 0.0007))
    return Scenario("eight slots and frames that come faster than they are shown", BUFFER, steps,
                    _config(30, 0.05, 0.55, 8))  # fmt: skip


def _clock_jumps() -> Scenario:
    """The audio's position jumps back by less and by more than an output can follow unnoticed."""
    steps = [_push(n, 30, None)[1] for n in range(60)]
    steps += [_sample(n / 60, 0.3007 + n / 60) for n in range(20)]
    steps += [_sample(1 / 3 + n / 60, 0.9507 + n / 60) for n in range(20)]
    steps += [_sample(2 / 3 + n / 60, 1.0207 + n / 60) for n in range(20)]
    steps += [_sample(1 + n / 60, 0.5007 + n / 60) for n in range(20)]
    return Scenario("the audio jumps ahead by 300 ms, back by 270 ms and back by 850 ms", BUFFER, steps,
                    _config(30, 0.05, 0.55))  # fmt: skip


def _observed(observations: Iterable[tuple[float, float]], every: int) -> list[Step]:
    steps = list[Step]()
    for number, (local, audio) in enumerate(observations):
        steps.append({"observe": [round(local, 6), round(audio, 6)]})
        if number % every == 0:
            steps += [{"position": round(local + ahead, 6)} for ahead in (0.007, 3.1)]
    return steps


def _drift(ppm: float, seed: int) -> Scenario:
    draw = random.Random(seed)
    rows = [(7 + n * 0.04 + 0.015 * draw.random(), n * 0.04 * (1 + ppm * 1e-6)) for n in range(160)]
    return Scenario(f"blocks of 40 ms, called back up to 15 ms late; the device is {ppm:g} ppm off", CLOCK,
                    _observed(rows, 20))  # fmt: skip


def _clock_trouble() -> Scenario:
    steps: list[Step] = [{"position": 1.0}, {"observe": [3.0, 0.5]}, {"position": 3.0}, {"position": 2.99}]
    steps += _observed([(3 + n * 0.02, 0.5 + n * 0.02) for n in range(1, 20)], 6)
    # The machine stops for 0.4 s, and the callbacks of that time come at once.
    steps += _observed([(3.8 + n * 0.0005, 0.9 + n * 0.02) for n in range(21)], 5)
    # A starved loudspeaker loses 80 ms.
    steps += _observed([(3.82 + n * 0.02, 1.24 + n * 0.02) for n in range(30)], 6)
    # Playback is moved by two seconds.
    steps += _observed([(4.42 + n * 0.02, 3.84 + n * 0.02) for n in range(20)], 4)
    steps += [{"observe": [4.0, 1.0]}, {"position": 4.9}, {"reset": True}, {"position": 4.95}]
    # Few observations, far between.
    steps += _observed([(10 + n * 5.0, n * 5.0 * 1.0002) for n in range(12)], 1)
    return Scenario("late callbacks, a starved loudspeaker, a jump, a reset, observations 5 s apart", CLOCK, steps)


def scenarios() -> dict[str, Scenario]:
    """All of them, by the name of the file."""
    return {
        "steady": _steady(),
        "jitter_80ms": _jitter(),
        "underrun": _underrun(),
        "reconnect": _reconnect(),
        "fps_60": _sixty(),
        "render_144hz": _fast_render(),
        "render_30hz_hitch": _slow_render(),
        "flush": _flush(),
        "disorder": _disorder(),
        "full": _full(),
        "audio_jumps": _clock_jumps(),
        "clock_drift_fast": _drift(200.0, 1),
        "clock_drift_slow": _drift(-200.0, 2),
        "clock_trouble": _clock_trouble(),
    }
