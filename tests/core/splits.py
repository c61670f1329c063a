"""Cutting one input into many: what every test of split invariance starts from."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st


def splits(total: int, max_cuts: int = 12) -> st.SearchStrategy[list[int]]:
    """Sizes, zeros among them, that add up to ``total``."""

    def sizes(cuts: list[int]) -> list[int]:
        edges = [0, *sorted(cuts), total]
        return [end - start for start, end in zip(edges, edges[1:], strict=False)]

    return st.lists(st.integers(0, total), max_size=max_cuts).map(sizes)


def ranges(sizes: list[int]) -> Iterator[slice]:
    """The slices that sizes cut a sequence into."""
    start = 0
    for size in sizes:
        yield slice(start, start + size)
        start += size
