"""Motion of the lips, mouth sanity and the frames both are measured on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from diffusiontalker.arkit import COUNT, INDEX
from diffusiontalker.metrics.motion import Motion, lip_motion, mean_motion, motion_ratio
from diffusiontalker.metrics.mouth import mouth_sanity
from diffusiontalker.metrics.speech import loudness_db, settled_silence, speech_mask, voiced_mask
from diffusiontalker.phones import TimedPhone

RATE = 16_000


def _jaw(values: NDArray[Any]) -> NDArray[np.float32]:
    frames = np.zeros((values.size, COUNT), np.float32)
    frames[:, INDEX["jawOpen"]] = values
    return frames


def _tone(*spans: tuple[float, float], seconds: float = 2.0, level: float = 0.1) -> NDArray[np.int16]:
    times = np.arange(int(seconds * RATE)) / RATE
    on = np.zeros(times.size, bool)
    for start, end in spans:
        on |= (times >= start) & (times < end)
    return (32767 * level * np.sin(2 * np.pi * 200 * times) * on).astype(np.int16)


def test_a_ramp_has_its_slope_as_speed_and_no_jerk() -> None:
    motion = lip_motion(_jaw(np.arange(31) / 60), 30)
    assert motion.speed == pytest.approx(0.5)
    assert motion.jerk == pytest.approx(0.0, abs=1e-2)
    assert motion.frames == 31


def test_alternating_frames_have_the_largest_jerk() -> None:
    motion = lip_motion(_jaw(np.arange(30) % 2 * 0.1), 30)
    assert motion.speed == pytest.approx(0.1 * 30)
    assert motion.jerk == pytest.approx(0.4 * 30**3)
    assert motion.normalised_speed == pytest.approx(30.0)


def test_speed_does_not_depend_on_the_frame_rate() -> None:
    slow, fast = (lip_motion(_jaw(0.3 + 0.3 * np.sin(np.arange(fps * 4) * 6 / fps)), fps) for fps in (30, 60))
    assert fast.speed == pytest.approx(slow.speed, rel=0.01)
    assert fast.jerk == pytest.approx(slow.jerk, rel=0.02)


def test_pauses_do_not_dilute_motion() -> None:
    moving = np.sin(np.arange(60) * 0.7) * 0.2 + 0.3
    frames = _jaw(np.concatenate((np.zeros(200), moving, np.zeros(200))))
    speech = np.zeros(460, bool)
    speech[200:260] = True
    alone = lip_motion(_jaw(moving), 30)
    assert lip_motion(frames, 30, speech).speed == pytest.approx(alone.speed)
    assert lip_motion(frames, 30, speech).jerk == pytest.approx(alone.jerk)
    assert lip_motion(frames, 30).speed < alone.speed / 3


def test_motion_without_speech_is_not_a_number() -> None:
    silent = lip_motion(_jaw(np.zeros(20)), 30, np.zeros(20, bool))
    assert np.isnan(silent.speed) and silent.frames == 0
    with pytest.raises(ValueError, match="no clip"):
        mean_motion([silent])
    with pytest.raises(ValueError, match="20 frames"):
        lip_motion(_jaw(np.zeros(20)), 30, np.zeros(19, bool))


def test_motions_are_averaged_by_frames_and_compared() -> None:
    mean = mean_motion([Motion(1.0, 100.0, 0.2, 30), Motion(2.0, 300.0, 0.4, 10)])
    assert [mean.speed, mean.jerk, mean.spread, mean.frames] == pytest.approx([1.25, 150.0, 0.25, 40])
    ratio = motion_ratio(Motion(2.5, 150.0, 0.5, 40), mean)
    values = [ratio.speed, ratio.jerk, ratio.normalised_speed, ratio.normalised_jerk]
    assert values == pytest.approx([2.0, 1.0, 1.0, 0.5])


def test_loudness_is_rms_in_decibels() -> None:
    loudness = loudness_db(_tone((0.0, 1.0)), RATE, 60, 30)
    assert loudness[15] == pytest.approx(20 * np.log10(0.1 / np.sqrt(2)), abs=0.1)
    assert loudness[45] == -100.0


def test_speech_bridges_closures_but_not_pauses() -> None:
    mask = speech_mask(_tone((0.2, 0.5), (0.6, 0.9), (1.5, 1.8)), RATE, 60, 30)
    assert mask[7:26].all()
    assert not mask[29:43].any()
    assert mask[46:53].all()
    assert not speech_mask(np.zeros(RATE, np.int16), RATE, 30, 30).any()


def test_voiced_frames_come_from_voiced_phones() -> None:
    phones = [TimedPhone("S", 0.0, 0.2), TimedPhone("AA", 0.2, 0.4), TimedPhone("SIL", 0.4, 1.0)]
    assert np.flatnonzero(voiced_mask(phones, 30, 30)).tolist() == [6, 7, 8, 9, 10, 11]


def test_silence_settles_after_300_ms_and_ends_before_the_next_sound() -> None:
    silence = settled_silence(_tone((0.0, 0.5), (1.5, 1.8), seconds=2.5), RATE, 75, 30)
    frames = np.flatnonzero(silence) / 30
    first = frames[frames < 1.5]
    assert first[0] == pytest.approx(0.8, abs=0.04)
    assert first[-1] == pytest.approx(1.3, abs=0.04)
    assert frames[-1] == pytest.approx(74 / 30)


def test_mouth_sanity_reports_what_the_mouth_did() -> None:
    frames = _jaw(np.concatenate((np.linspace(0, 1, 101), np.full(20, 0.02))))
    frames[3, INDEX["mouthClose"]] = 0.1
    voiced = np.arange(121) <= 100
    sane = mouth_sanity(frames, voiced, ~voiced)
    assert sane.voiced_gap_p90 == pytest.approx(0.9, abs=1e-3)
    assert sane.lip_crossing == pytest.approx(0.07, abs=1e-6)
    assert sane.silent_gap == pytest.approx(0.02, abs=1e-6)
    assert sane.in_range
    frames[0, 5] = 1.01
    assert not mouth_sanity(frames).in_range
    frames[0, 5] = np.nan
    assert not mouth_sanity(frames).in_range
    with pytest.raises(ValueError, match="without frames"):
        mouth_sanity(frames[:0])
