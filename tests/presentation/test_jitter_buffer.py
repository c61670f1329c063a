"""What must hold of presentation: frames at their instant, no pop, no drift, no growth, whatever arrives when."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from diffusiontalker.arkit import COUNT
from livetalker.client.presentation import AudioClock, JitterBuffer, PresentationState, PushResult

LARGEST_MOVE = 0.25


@dataclass(frozen=True)
class Shown:
    """One sample: when, where the playhead was and by how much what was shown was off."""

    now: float
    state: PresentationState
    delay: float
    error: float
    face: NDArray[np.float32]


def instant_pose(instant: float) -> NDArray[np.float32]:
    """A face that tells its instant: coefficient 0 goes up and down in 16 s, the others move by up to 0.13 a frame."""
    weights = np.abs((instant * np.linspace(0.5, 4.0, COUNT)) % 2.0 - 1.0)
    weights[0] = abs(instant % 16.0 - 8.0) / 8.0
    return weights.astype(np.float32)


def show(fps: int, hz: int, seconds: float, buffer: JitterBuffer, latency: Callable[[float], float]) -> list[Shown]:
    """Streams ``seconds`` of frames over a connection, in order, and samples them ``hz`` times a second."""
    arrivals, last = list[tuple[float, int]](), 0.0
    for index in range(int(seconds * fps)):
        last = max(last, index / fps + latency(index / fps))
        arrivals.append((last, index))
    shown, pending = list[Shown](), 0
    for number in range(int(seconds * hz)):
        now = number / hz + 0.0003
        while pending < len(arrivals) and arrivals[pending][0] <= now:
            arrived, index = arrivals[pending]
            buffer.push(index, index * 1_000_000 // fps, instant_pose(index / fps), arrived)
            pending += 1
        face = buffer.sample(now, now)
        error = abs(float(face[0]) - abs(buffer.playhead_s % 16.0 - 8.0) / 8.0) * 8.0
        shown.append(Shown(now, buffer.state, buffer.delay_s, error, face))
    return shown


def largest_move(shown: list[Shown]) -> float:
    faces = np.stack([sample.face for sample in shown])
    return float(np.abs(np.diff(faces, axis=0)).max())


@pytest.mark.parametrize("hz", [30, 60, 72, 144])
@pytest.mark.parametrize("fps", [30, 60])
@pytest.mark.parametrize("margin", [0.1, 0.0])
def test_frames_are_shown_within_half_a_frame_with_80_ms_of_jitter(fps: int, hz: int, margin: float) -> None:
    """With the jitter in the floor from the first frame on; without it as soon as the delay has adapted."""
    draw = random.Random(fps + hz)
    buffer = JitterBuffer(fps, 0.02 + 1 / fps + margin)
    shown = show(fps, hz, 30.0, buffer, lambda instant: 0.02 + 0.08 * draw.random())
    after = 0.4 if margin else 3.0
    settled = [sample for sample in shown if sample.now > after]
    assert max(sample.error for sample in settled) < 0.5 / fps, "what is shown belongs to the playhead"
    ages = [sample.delay + sample.error for sample in settled]
    assert max(ages) - min(ages) < 1 / fps, "and is within half a frame of always the same age"
    assert max(ages) < 0.02 + 0.08 + 1 / fps + max(margin - 0.08, 0.0) + 0.5 / fps


@pytest.mark.parametrize("hz", [30, 60, 144])
@pytest.mark.parametrize("fps", [30, 60])
@pytest.mark.parametrize("underrun", [0.2, 0.3, 0.5, 1.5])
def test_an_underrun_and_its_end_never_pop(fps: int, hz: int, underrun: float) -> None:
    """The latency of the frames of the underrun is what is left of it when they should have come."""
    buffer = JitterBuffer(fps, 0.12)
    shown = show(fps, hz, 5.0, buffer, lambda at: 0.05 + (2.0 + underrun - at if 2.0 <= at < 2.0 + underrun else 0.0))
    assert largest_move(shown) <= LARGEST_MOVE
    states = [sample.state for sample in shown if sample.now > 1.0]
    assert PresentationState.EASING in states or underrun == 0.2
    assert max(sample.error for sample in shown if sample.now > 2.0 + underrun + 0.5) < 0.5 / fps


def test_half_a_second_without_frames_is_rest() -> None:
    buffer = JitterBuffer(30, 0.1)
    shown = show(30, 60, 2.0, buffer, lambda at: 0.05 if at < 1.0 else 100.0)
    newest = 29 / 30
    held = [sample for sample in shown if newest < sample.now - sample.delay < newest + 0.149]
    assert all(np.array_equal(sample.face, held[-1].face) for sample in held[1:]), "held first"
    resting = [sample for sample in shown if sample.now - sample.delay > newest + 0.5]
    assert len(resting) > 10
    assert all(not sample.face.any() for sample in resting)
    assert buffer.presence == 0.0


@settings(max_examples=60, deadline=None)
@given(
    fps=st.sampled_from([30, 60]),
    hz=st.sampled_from([30, 60, 90, 144]),
    floor=st.floats(0.0, 0.2),
    seed=st.integers(0, 1 << 30),
    outages=st.lists(st.tuples(st.floats(0.3, 4.0), st.floats(0.0, 1.0)), max_size=4),
)
def test_no_network_makes_the_face_pop(
    fps: int, hz: int, floor: float, seed: int, outages: list[tuple[float, float]]
) -> None:
    draw = random.Random(seed)

    def latency(instant: float) -> float:
        ends = [start + length - instant for start, length in outages if start <= instant < start + length]
        return 0.03 + 0.05 * draw.random() + max(ends, default=0.0)

    buffer = JitterBuffer(fps, floor)
    shown = show(fps, hz, 5.0, buffer, latency)
    assert largest_move(shown) <= LARGEST_MOVE
    playheads = [sample.now - sample.delay for sample in shown]
    assert min(np.diff(playheads)) > 0.0, "the playhead never goes back"


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_nothing_a_caller_does_makes_the_face_pop_or_leave_its_range(data: st.DataObject) -> None:
    """Frames in any order and of any time, flushes, resets, clocks that stop and jump."""
    draw = random.Random(data.draw(st.integers(0, 1 << 30)))
    buffer = JitterBuffer(30, draw.choice([0.0, 0.1]), capacity=draw.choice([2, 8, 64]))
    now, audio, last = 100.0, 0.0, np.zeros(COUNT, np.float32)
    for step in data.draw(st.lists(st.sampled_from("ppppssssssfrjnx"), min_size=20, max_size=150)):
        match step:
            case "p":
                index = max(0, int(audio * 30) + draw.randint(-4, 12))
                buffer.push(index, index * 1_000_000 // 30, instant_pose(index / 30), audio)
            case "s" | "x":
                passed = draw.choice([1 / 144, 1 / 60, 1 / 30]) if step == "s" else 0.7
                now, audio = now + passed, audio + passed
                face = buffer.sample(audio, now)
                assert np.abs(face - last).max() <= LARGEST_MOVE
                assert face.min() >= 0.0 and face.max() <= 1.0
                last = face
            case "f":
                buffer.flush(int(audio * 1e6))
            case "r":
                buffer.reset()
            case "j":
                audio = max(0.0, audio + draw.uniform(-1.0, 1.0))
            case "n":
                now += 1 / 60
                face = buffer.sample(math.nan, now)
                assert np.abs(face - last).max() <= LARGEST_MOVE
                last = face


@pytest.mark.parametrize(("start", "jump"), [(0.61, 0.15), (0.61, 0.75), (0.91, 0.15), (0.91, -0.5)])
def test_neither_a_hitch_nor_a_jump_of_the_audio_pops(start: float, jump: float) -> None:
    """Every coefficient is 0 and 1 for 0.3 s in turn, and the jump is from one to the other."""
    buffer = JitterBuffer(30)
    for index in range(60):
        buffer.push(index, index * 1_000_000 // 30, np.full(COUNT, index // 9 % 2))
    faces = [buffer.sample(start + number / 60, number / 60) for number in range(15)]
    assert faces[-1].max() == faces[-1].min() == float(start > 0.9), "it follows its frames"
    faces += [buffer.sample(start + jump + number / 60, max(jump, 0.0) + number / 60) for number in range(15, 20)]
    assert np.abs(np.diff(faces, axis=0)).max() <= LARGEST_MOVE
    assert 0.3 <= abs(faces[-1][0] - faces[14][0])


def test_an_outage_teaches_little_delay() -> None:
    """A second without frames and then all of them at once is no jitter: a face late by a second would be of no use."""
    buffer = JitterBuffer(30, 0.1, 1.5)
    shown = show(30, 60, 6.0, buffer, lambda at: 0.05 + (3.0 - at if 2.0 <= at < 3.0 else 0.0))
    assert max(sample.delay for sample in shown) <= 0.1 + 0.021


@pytest.mark.parametrize("ppm", [-200, 200])
def test_a_microphone_that_drifts_for_an_hour_is_shown_in_time(ppm: int) -> None:
    """Its own clock makes the frames; ours renders them. The clocks are 0.72 s apart at the end."""
    fps, hz, rate = 30, 30, 1 + ppm * 1e-6
    clock, buffer, draw = AudioClock(), JitterBuffer(30, 0.16), random.Random(ppm)
    observed, received, late = 0, 0, 0
    for number in range(3600 * hz):
        now = number / hz
        while observed * 0.02 / rate + 0.005 <= now:
            clock.observe(observed * 0.02 / rate + 0.005 * draw.random(), observed * 0.02)
            observed += 1
        while (received / fps + 0.08) / rate + 0.02 <= now:
            arrived = clock.position((received / fps + 0.08) / rate + 0.02)
            result = buffer.push(received, received * 1_000_000 // fps, instant_pose(received / fps), arrived)
            late += result is not PushResult.ACCEPTED
            received += 1
        face = buffer.sample(clock.position(now), now)
        if number > 60:
            shown = abs(float(face[0]) - abs((now * rate - 0.16) % 16.0 - 8.0) / 8.0) * 8.0
            assert shown < 0.5 / fps, f"after {now:.0f} s"
    assert late == 0
    assert buffer.delay_s == pytest.approx(0.16)


def test_lasting_lateness_beyond_the_floor_is_adapted_to() -> None:
    buffer = JitterBuffer(30, 0.1)
    shown = show(30, 60, 8.0, buffer, lambda at: 0.05 if at < 2.0 else 0.45)
    assert largest_move(shown) <= LARGEST_MOVE
    late = [sample for sample in shown if sample.now > 5.0]
    assert max(sample.error for sample in late) < 0.5 / 30
    assert late[-1].delay == pytest.approx(0.45 + 1 / 30, abs=0.01)


def test_the_delay_shrinks_slowly_and_not_below_its_floor() -> None:
    buffer = JitterBuffer(30, 0.1)
    shown = show(30, 30, 40.0, buffer, lambda at: 0.2 if at < 2.0 else 0.03)
    at = {round(sample.now): sample.delay for sample in shown}
    assert at[3] == pytest.approx(0.2 + 1 / 30, abs=0.01)
    assert at[13] == pytest.approx(at[3] - 0.05, abs=0.002)
    assert at[40] == 0.1


def test_frames_that_come_ahead_of_a_clock_that_does_not_run_need_no_delay() -> None:
    buffer = JitterBuffer(30)
    for index in range(30):
        assert buffer.push(index, index * 1_000_000 // 30, instant_pose(index / 30)) is PushResult.ACCEPTED
    assert not buffer.sample(math.nan, 5.0).any()
    for number in range(40):
        face = buffer.sample(number / 60, 5.0 + number / 60)
    assert buffer.delay_s == 0.0
    np.testing.assert_allclose(face, instant_pose(39 / 60), atol=0.07)


def test_a_flush_eases_and_refuses_what_was_under_way() -> None:
    buffer = JitterBuffer(30)
    for index in range(30):
        buffer.push(index, index * 1_000_000 // 30, instant_pose(index / 30))
    faces = [buffer.sample(number / 60, number / 60) for number in range(30)]
    buffer.flush(2_000_000)
    assert buffer.push(31, 1_033_333, instant_pose(1.0)) is PushResult.DROPPED
    faces += [buffer.sample(number / 60, number / 60) for number in range(30, 55)]
    assert buffer.push(60, 2_000_000, instant_pose(2.0)) is PushResult.ACCEPTED
    assert np.abs(np.diff(faces, axis=0)).max() <= LARGEST_MOVE
    assert faces[-1].max() == 0.0


def test_a_full_buffer_refuses_and_takes_the_frame_again_later() -> None:
    buffer = JitterBuffer(30, capacity=4)
    pushed = [buffer.push(index, index * 33_333, instant_pose(0.0)) for index in range(5)]
    assert pushed == [PushResult.ACCEPTED] * 4 + [PushResult.FULL]
    buffer.sample(0.05, 0.05)
    assert buffer.buffered == 3
    assert buffer.push(4, 4 * 33_333, instant_pose(0.0)) is PushResult.ACCEPTED


def test_sampling_fills_the_array_it_is_given() -> None:
    buffer, out = JitterBuffer(30), np.empty(COUNT, np.float32)
    assert buffer.sample(0.0, 0.0, out) is out
    assert not out.any()


def test_what_makes_no_sense_is_refused() -> None:
    for arguments in ({"fps": 0}, {"fps": 30, "capacity": 1}, {"fps": 30, "floor_s": 0.2, "max_s": 0.1}):
        with pytest.raises(ValueError, match="jitter buffer needs"):
            JitterBuffer(**arguments)
    with pytest.raises(ValueError, match="52 weights"):
        JitterBuffer(30).push(0, 0, [0.0] * 51)
