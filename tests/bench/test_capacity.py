from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livetalker.bench.capacity import Bound, Capacity, find_capacity


@dataclass(frozen=True)
class Outcome:
    held: bool
    refused: int = 0


@dataclass
class Server:
    """Holds ``holds`` streams and admits ``admits``."""

    holds: int
    admits: int

    def measure(self, streams: int) -> Outcome:
        refused = max(0, streams - self.admits)
        return Outcome(streams <= min(self.holds, self.admits), refused)


@given(
    holds=st.integers(0, 200),
    admits=st.integers(1, 200),
    first=st.integers(1, 200),
    more=st.integers(0, 200),
    tries=st.integers(1, 3),
)
def test_the_search_finds_the_largest_number_and_says_how_much_it_knows(
    holds: int, admits: int, first: int, more: int, tries: int
) -> None:
    most = first + more
    found = find_capacity(Server(holds, admits).measure, first=first, most=most, tries=tries)
    assert found.streams == min(holds, admits, most)
    if holds < min(admits, most):
        assert found.bound is Bound.EXACTLY
    else:
        assert found.bound is (Bound.AT_LEAST_FULL if admits < most else Bound.AT_LEAST_LIMIT)
    assert all(1 <= number <= most for number, _ in found.tried)
    assert len({number for number, _ in found.tried}) <= 20


@given(holds=st.integers(0, 60), first=st.integers(1, 60))
def test_a_number_is_given_up_only_after_all_its_tries(holds: int, first: int) -> None:
    failed = set[int]()

    def measure(streams: int) -> Outcome:
        """Fails the first time whatever it is asked."""
        again = streams in failed
        failed.add(streams)
        return Outcome(again and streams <= holds)

    assert find_capacity(measure, first=first, most=60, tries=2).streams == holds


def test_a_server_that_admits_fewer_than_it_did_before_is_not_taken_at_its_word() -> None:
    answers = {4: Outcome(True), 8: Outcome(False, refused=6), 6: Outcome(True), 7: Outcome(False)}
    found = find_capacity(answers.__getitem__, first=4, most=100)
    assert (found.streams, found.bound) == (6, Bound.EXACTLY)


@pytest.mark.parametrize(("first", "most", "tries"), [(0, 5, 1), (6, 5, 1), (1, 5, 0)])
def test_a_search_without_room_is_refused(first: int, most: int, tries: int) -> None:
    with pytest.raises(ValueError, match="cannot search"):
        find_capacity(Server(1, 1).measure, first=first, most=most, tries=tries)


def test_the_bound_is_in_the_sentence() -> None:
    said = [str(Capacity(3, bound, ())) for bound in Bound]
    assert said[0] == "3 streams"
    assert all(sentence.startswith("at least 3 streams") for sentence in said[1:])
