"""Puts the Python clock and buffer through the steps of a vector and says what they answered."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, Final

from diffusiontalker.arkit import COUNT
from livetalker.client.presentation import AudioClock, JitterBuffer
from tests.vectors.presentation.scenarios import Step, weight

COEFFICIENTS: Final = (0, 17, 26, 51)
"""Those whose values a vector gives, one of each speed."""


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _rounded(value: float, digits: int) -> float | None:
    return None if math.isnan(value) else round(value, digits) + 0.0  # no -0.0


def clock_answers(steps: Iterable[Step]) -> Iterator[Step]:
    """The answers of a fresh ``AudioClock``, one for each step."""
    clock = AudioClock()
    for step in steps:
        match step:
            case {"observe": [local, audio]}:
                yield {"jumped": clock.observe(local, audio)}
            case {"position": local}:
                yield {"audio": _rounded(clock.position(local), 6)}
            case {"reset": True}:
                clock.reset()
                yield {}
            case _:
                raise ValueError(f"no step of a clock: {step}")


def buffer_answers(config: dict[str, Any], steps: Iterable[Step]) -> Iterator[Step]:
    """The answers of a fresh ``JitterBuffer``, one for each step."""
    buffer = JitterBuffer(**config)
    for step in steps:
        match step:
            case {"push": index, "time_us": time_us, "arrived": arrived}:
                weights = [weight(index, coefficient) for coefficient in range(COUNT)]
                yield {"result": buffer.push(index, time_us, weights, _number(arrived)).value}
            case {"sample": [local, audio]}:
                face = buffer.sample(_number(audio), local)
                yield {
                    "state": buffer.state.value,
                    "playhead": _rounded(buffer.playhead_s, 6),
                    "presence": _rounded(buffer.presence, 5),
                    "weights": [_rounded(float(face[coefficient]), 5) for coefficient in COEFFICIENTS],
                }
            case {"flush": until_us}:
                buffer.flush(until_us)
                yield {}
            case {"reset": True}:
                buffer.reset()
                yield {}
            case _:
                raise ValueError(f"no step of a buffer: {step}")
