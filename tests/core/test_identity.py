from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from diffusiontalker.geometry import PRESETS, frame_feature
from diffusiontalker.voice_space import VoiceSpace
from livetalker.core.config import AUTO, IdentityChoice, UnknownIdentityError
from livetalker.core.identity_library import IdentityLibrary
from livetalker.core.identity_tracker import FADE_FRAMES, GIVE_UP, IdentityTracker, first_frame_of
from livetalker.core.outputs import IdentityMatched
from tests.core.splits import ranges, splits

WIDTH = 4
LOOK_AHEAD = PRESETS["balanced"].look_ahead
LIBRARY = IdentityLibrary(
    names=("ann", "bob", "cyd"),
    features=np.eye(3, WIDTH, dtype=np.float32),
    embeddings=np.arange(6, dtype=np.float32).reshape(3, 2),
    voice_space=VoiceSpace(np.full(WIDTH, 2.0, np.float32)),
    neutral=np.array([2.0, 3.0], np.float32),
)
EMBEDDINGS = dict(zip(LIBRARY.names, LIBRARY.embeddings, strict=True))


def voice(name: str, strength: float = 1.0) -> NDArray[np.float32]:
    """A raw voice feature that points at an identity."""
    raw: NDArray[np.float32] = LIBRARY.voice_space.mean + strength * LIBRARY.features[LIBRARY.names.index(name)]
    return raw


def hear(
    tracker: IdentityTracker, voices: Sequence[NDArray[np.float32]], first: int = 0, speech: float = 1.0
) -> list[IdentityMatched]:
    heard = (tracker.update(first + i, v, speech) for i, v in enumerate(voices))
    return [match for match in heard if match is not None]


def automatic() -> IdentityTracker:
    return IdentityTracker(LIBRARY, AUTO, LOOK_AHEAD)


@pytest.mark.parametrize("look_ahead", [preset.look_ahead for preset in PRESETS.values()])
def test_a_feature_takes_effect_at_the_first_frame_that_may_use_it(look_ahead: int) -> None:
    for feature in range(200):
        first = first_frame_of(feature, look_ahead)
        assert frame_feature(first, look_ahead)[0] >= feature
        assert first == 0 or frame_feature(first - 1, look_ahead)[0] < feature


def test_neutral_until_a_second_of_voice_then_cross_faded_to_the_match() -> None:
    tracker = automatic()
    assert hear(tracker, [voice("bob")] * 49) == []
    (match,) = hear(tracker, [voice("bob")], first=49)
    assert (match.identity, match.frame) == ("bob", first_frame_of(49, LOOK_AHEAD))
    assert match.confidence > 0.9
    assert tracker.identity == "bob"
    track = np.stack([tracker.embedding(frame) for frame in range(match.frame + FADE_FRAMES + 3)])
    assert np.all(track[: match.frame] == LIBRARY.neutral)
    assert np.all(track[match.frame + FADE_FRAMES - 1 :] == EMBEDDINGS["bob"])
    step = np.abs(EMBEDDINGS["bob"] - LIBRARY.neutral).max() / FADE_FRAMES
    assert np.abs(np.diff(track, axis=0)).max() <= step + 1e-6


def test_of_several_choices_at_one_moment_the_last_counts_and_none_pile_up() -> None:
    tracker = automatic()
    for name in ("ann", "bob") * 1000 + ("cyd",):
        tracker.rematch(10, IdentityChoice.pinned(name))
    assert len(tracker._pending) == 1
    hear(tracker, [voice("ann")] * 11)
    first = first_frame_of(10, LOOK_AHEAD)
    track = [tracker.embedding(frame) for frame in range(first + FADE_FRAMES)]
    np.testing.assert_array_equal(track[-1], EMBEDDINGS["cyd"])


def test_only_voice_counts() -> None:
    tracker = automatic()
    assert hear(tracker, [voice("bob")] * 500, speech=0.5) == []
    assert len(hear(tracker, [voice("bob")] * 50, first=500, speech=0.51)) == 1


def test_another_identity_must_win_twice_in_a_row() -> None:
    tracker = automatic()
    hear(tracker, [voice("ann")] * 50)
    assert hear(tracker, [voice("bob", 4.0)] * 25, first=50) == []
    (match,) = hear(tracker, [voice("bob", 4.0)] * 25, first=75)
    assert (match.identity, match.frame) == ("bob", first_frame_of(99, LOOK_AHEAD))


def test_a_narrow_win_changes_nothing() -> None:
    tracker = automatic()
    hear(tracker, [voice("ann")] * 50)
    # Half and half but for a hair: bob leads every check, never by the margin.
    mixed = ((voice("ann") + 1.02 * voice("bob")) / 2).astype(np.float32)
    assert hear(tracker, [voice("bob")] * 51, first=50) == []
    assert hear(tracker, [mixed] * 199, first=101) == []
    assert tracker.identity == "ann"


def test_one_good_check_is_forgotten_after_a_bad_one() -> None:
    tracker = automatic()
    hear(tracker, [voice("ann")] * 50)
    hear(tracker, [voice("bob", 3.0)] * 25, first=50)
    hear(tracker, [voice("ann", 3.0)] * 25, first=75)
    assert hear(tracker, [voice("bob", 3.0)] * 25, first=60) == []
    assert tracker.identity == "ann"


def test_an_identity_that_held_is_locked() -> None:
    tracker = automatic()
    hear(tracker, [voice("ann")] * 150)
    assert hear(tracker, [voice("bob", 50.0)] * 500, first=150) == []


def test_after_six_seconds_nothing_changes() -> None:
    tracker = automatic()
    unsure = ((voice("ann") + 0.9 * voice("bob") + 0.9 * voice("cyd")) / 3).astype(np.float32)
    hear(tracker, [unsure] * GIVE_UP)
    assert hear(tracker, [voice("bob", 50.0)] * 500, first=GIVE_UP) == []


def test_a_rematch_keeps_the_style_until_a_new_match() -> None:
    tracker = automatic()
    hear(tracker, [voice("ann")] * 150)
    tracker.rematch(200)
    assert hear(tracker, [voice("bob")] * 99, first=150) == []
    (match,) = hear(tracker, [voice("bob")], first=249)
    assert match.identity == "bob"
    track = np.stack([tracker.embedding(frame) for frame in range(match.frame + FADE_FRAMES)])
    assert np.all(track[match.frame - 1] == EMBEDDINGS["ann"])
    assert np.all(track[-1] == EMBEDDINGS["bob"])


def test_a_rematch_may_choose() -> None:
    tracker = automatic()
    hear(tracker, [voice("ann")] * 150)
    tracker.rematch(150, IdentityChoice.pinned("cyd"))
    assert hear(tracker, [voice("bob", 50.0)] * 100, first=150) == []
    frame = first_frame_of(150, LOOK_AHEAD)
    assert np.all(tracker.embedding(frame - 1) == EMBEDDINGS["ann"])
    assert not np.all(tracker.embedding(frame) == EMBEDDINGS["ann"])
    assert np.all(tracker.embedding(frame + FADE_FRAMES - 1) == EMBEDDINGS["cyd"])


def test_pinned_and_blended_hold_from_the_first_frame() -> None:
    pinned = IdentityTracker(LIBRARY, IdentityChoice.pinned("cyd"), LOOK_AHEAD)
    assert hear(pinned, [voice("ann")] * 400) == []
    assert np.all(pinned.embedding(0) == EMBEDDINGS["cyd"])
    blended = IdentityTracker(LIBRARY, IdentityChoice.blended({"ann": 1.0, "cyd": 3.0}), LOOK_AHEAD)
    np.testing.assert_allclose(blended.embedding(0), 0.25 * EMBEDDINGS["ann"] + 0.75 * EMBEDDINGS["cyd"])


def test_unknown_identities_are_refused_at_once() -> None:
    with pytest.raises(UnknownIdentityError, match="there is no identity 'bobb'; did you mean 'bob'"):
        IdentityTracker(LIBRARY, IdentityChoice.pinned("bobb"), LOOK_AHEAD)
    with pytest.raises(UnknownIdentityError):
        automatic().rematch(0, IdentityChoice.blended({"ann": 1.0, "dee": 1.0}))


def test_a_library_that_does_not_fit_together_is_refused() -> None:
    with pytest.raises(ValueError, match="2 names, 3 features and 3 embeddings"):
        replace(LIBRARY, names=("a", "b"))
    with pytest.raises(ValueError, match="voiceprints of 5 numbers do not fit features of 4"):
        replace(LIBRARY, voice_space=VoiceSpace(np.zeros(5, np.float32)))


@settings(deadline=None)
@given(
    speakers=st.lists(st.sampled_from(LIBRARY.names), min_size=8, max_size=8),
    rematch=st.integers(0, 300),
    ticks=splits(230),
)
def test_ticks_change_nothing(speakers: list[str], rematch: int, ticks: list[int]) -> None:
    """Frames are asked for in any groups, each after the features it may use and perhaps many more."""
    random = np.random.default_rng(5)
    speech = random.uniform(size=400)
    voices = [voice(speakers[k // 50]) + random.normal(0, 0.2, WIDTH).astype(np.float32) for k in range(400)]

    def run(groups: list[int]) -> tuple[list[IdentityMatched], NDArray[np.float32]]:
        tracker = automatic()
        tracker.rematch(rematch)
        fed, matches, track = 0, [], []
        for group in ranges(groups):
            while fed <= frame_feature(group.stop, LOOK_AHEAD)[0]:
                matches += hear(tracker, [voices[fed]], first=fed, speech=speech[fed])
                fed += 1
            track += [tracker.embedding(frame) for frame in range(group.start, group.stop)]
        return matches, np.stack(track)

    matches, track = run([1] * 230)
    same_matches, same_track = run(ticks)
    assert same_matches[: len(matches)] == matches
    np.testing.assert_array_equal(same_track, track)


def test_another_object_goes_on_from_the_latest_check() -> None:
    """What was heard after it comes again; what was heard before it is not counted twice, and not forgotten."""
    one, other = automatic(), automatic()
    assert [m.identity for m in hear(one, [voice("ann")] * 60)] == ["ann"]
    other.restore(one.state)
    assert other.identity == "ann" and one.state.evidence.heard == one.state.evidence.voiced == 50
    voices = [voice("ann")] * 60 + [voice("bob")] * 30
    assert hear(one, voices[60:], first=60) == hear(other, voices[30:], first=30) == []
    assert (
        other.state.evidence.listened == one.state.evidence.listened
        and other.state.evidence.heard == one.state.evidence.heard == 75
    )
    ours, theirs = (
        tracker.state.evidence.cosines / np.linalg.norm(tracker.state.evidence.cosines) for tracker in (one, other)
    )
    np.testing.assert_allclose(ours, theirs, atol=0.1)
    found = [[m.identity for m in hear(tracker, [voice("bob")] * 200, first=90)] for tracker in (one, other)]
    assert found == [["bob"], ["bob"]]
