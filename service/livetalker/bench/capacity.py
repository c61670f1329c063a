"""The search for the largest number of streams a server holds, over any function that measures one number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Generic, Protocol, TypeVar


class Measured(Protocol):
    """What the search must know of one measurement."""

    @property
    def held(self) -> bool:
        """Whether every stream got every frame in time."""

    @property
    def refused(self) -> int:
        """Streams the server turned away because it was full."""


M = TypeVar("M", bound=Measured)


class Bound(Enum):
    """How much a capacity says."""

    EXACTLY = "exactly"
    """This many were held, and one more was not."""
    AT_LEAST_LIMIT = "at least"
    """This many were held; more were not to be tried."""
    AT_LEAST_FULL = "at least, server full"
    """This many were held; the server admits no more."""


@dataclass(frozen=True, slots=True)
class Capacity(Generic[M]):
    """What the search found.

    Attributes:
        streams: the largest number held; 0 if not even one was.
        bound: what is known of larger ones.
        tried: every number measured and what came of it, in order.
    """

    streams: int
    bound: Bound
    tried: tuple[tuple[int, M], ...]

    def __str__(self) -> str:
        match self.bound:
            case Bound.EXACTLY:
                return f"{self.streams} streams"
            case Bound.AT_LEAST_LIMIT:
                return f"at least {self.streams} streams, the most that were to be tried"
            case Bound.AT_LEAST_FULL:
                return f"at least {self.streams} streams, all that the server admits"


def find_capacity(measure: Callable[[int], M], *, first: int = 1, most: int, tries: int = 1) -> Capacity[M]:
    """Finds the largest number held: doubles until one is not, then halves the interval.

    It takes for granted that who holds ``n`` holds fewer. What else runs on a machine can only make a measurement
    worse, so a number may be tried again before it is given up.

    Args:
        measure: measures one number of streams.
        first: number to begin with, 1 to ``most``.
        most: largest number to try.
        tries: how many failed measurements give a number up.

    Raises:
        ValueError: a number is out of range.
        Exception: whatever ``measure`` raises.
    """
    if not 1 <= first <= most or tries < 1:
        raise ValueError(f"cannot search from {first} to {most} in {tries} tries")
    tried: list[tuple[int, M]] = []
    low, high, above = 0, most + 1, Bound.AT_LEAST_LIMIT  # ``low`` is held; ``above`` says what ``high`` is
    failed = False
    number = first
    while high - low > 1:
        for _ in range(tries):
            result = measure(number)
            tried.append((number, result))
            if result.held or result.refused:
                break
        admitted = number - result.refused
        if result.held:
            low = number
        elif result.refused and admitted >= max(low, 1):
            high, above = admitted + 1, Bound.AT_LEAST_FULL
        else:
            high, above, failed = number, Bound.EXACTLY, True
        if failed:
            number = (low + high) // 2
        else:
            number = min(2 * low, high - 1) if low else high - 1
    return Capacity(low, above, tuple(tried))
