"""Where on a stream's clock it was muted and unmuted, so that audio which is heard again is silent where it was."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

KEPT: Final = 32
"""Changes remembered: more than anybody presses a key in the seconds that are ever heard again."""


class MuteTrack:
    """The mutes and unmutes of one stream.

    Attributes:
        changes: sample on the stream's clock and whether it is muted from there on; ascending, alternating. Before the
            first of them the stream was the opposite.

    Args:
        changes: known already.
    """

    def __init__(self, changes: Iterable[tuple[int, bool]] = ()) -> None:
        self.changes: list[tuple[int, bool]] = list(changes)

    @property
    def muted(self) -> bool:
        """Whether what comes after the last change is silence."""
        return bool(self.changes) and self.changes[-1][1]

    def change(self, sample: int, muted: bool) -> None:
        """Mutes or unmutes from a sample on; changes that were known from there on are forgotten."""
        while self.changes and self.changes[-1][0] >= sample:
            self.changes.pop()
        if muted != self.muted:
            self.changes.append((sample, muted))
            del self.changes[:-KEPT]

    def applied(self, samples: NDArray[np.float32], start: int) -> NDArray[np.float32]:
        """Samples with the muted ones silent.

        Args:
            samples: ``[n]``; not written to.
            start: of the first, on the stream's clock.
        """
        if not self.changes:
            return samples
        if self.changes[-1][0] <= start:  # nearly always
            return np.zeros_like(samples) if self.muted else samples
        heard = samples.copy()
        edges = [(start, not self.changes[0][1]), *self.changes, (start + len(samples), False)]
        for (first, muted), (end, _) in zip(edges, edges[1:], strict=False):
            if muted:
                heard[max(first - start, 0) : max(end - start, 0)] = 0
        return heard
