from __future__ import annotations

import numpy as np
import pytest

from livetalker.core.mute import KEPT, MuteTrack
from livetalker.core.timeline import AudioTimeline, GapTooLongError

ONES = np.ones(100, np.float32)


def test_audio_heard_again_is_silent_where_it_was() -> None:
    live = AudioTimeline(16_000)
    heard = []
    for first in range(0, 100, 10):
        if first in (20, 70):
            live.muted = True
        if first == 50:
            live.muted = False
        heard.append(live.place(ONES[first : first + 10]).samples)
    again = MuteTrack(live.mutes.changes)
    for start in (0, 15, 20, 33, 60, 99):
        np.testing.assert_array_equal(again.applied(ONES[start:], start), np.concatenate(heard)[start:])
    np.testing.assert_array_equal(again.applied(ONES, 1_000), np.zeros(100))


def test_a_change_in_the_past_replaces_what_was_known_from_there_on() -> None:
    track = MuteTrack([(20, True), (50, False), (70, True)])
    track.change(40, False)
    assert track.changes == [(20, True), (40, False)]
    track.change(30, True)
    assert track.changes == [(20, True)]
    track.change(0, False)
    assert track.changes == []


def test_only_the_latest_changes_are_kept() -> None:
    track = MuteTrack()
    for n in range(1_000):
        track.change(n, n % 2 == 0)
        track.change(n, n % 2 == 0)
    assert len(track.changes) == KEPT
    assert not track.muted
    assert track.applied(ONES[:40], 1_000 - KEPT - 8).tolist()[:8] == [0] * 8 or track.changes[0][1]


def test_a_timeline_that_begins_later_says_nothing_of_what_was_known() -> None:
    timeline = AudioTimeline(100)
    timeline.begin(position=200, known=300)
    early = timeline.place(ONES[:30], 190)
    assert (len(early.samples), early.overlap, early.gap) == (20, None, None)
    padded = timeline.place(ONES[:10], 240)
    assert (len(padded.samples), padded.gap) == (30, None)
    hole = timeline.place(ONES[:10], 320)
    assert hole.gap is not None
    assert (hole.gap.start, hole.gap.count, len(hole.samples)) == (300, 20, 80)
    again = timeline.place(ONES[:10], 325)
    assert again.overlap is not None
    assert (again.overlap.start, again.overlap.count) == (325, 5)


def test_a_hole_counts_from_what_was_known() -> None:
    timeline = AudioTimeline(100)
    timeline.begin(position=0, known=500)
    with pytest.raises(GapTooLongError, match="500 was due"):
        timeline.place(ONES, 1_501)
    assert len(timeline.place(ONES, 1_500).samples) == 1_600
