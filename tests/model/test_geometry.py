"""The integer clocks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from diffusiontalker.geometry import (
    FEATURE_STRIDE,
    FEATURE_WINDOW,
    PRESETS,
    frame_count,
    frame_feature,
    frame_sample,
    frame_time_us,
)


@given(frame=st.integers(0, 10**9), preset=st.sampled_from(sorted(PRESETS)))
def test_a_frame_never_hears_beyond_its_look_ahead(frame: int, preset: str) -> None:
    look_ahead = PRESETS[preset].look_ahead
    newest, phase = frame_feature(frame, look_ahead)
    last_sample = newest * FEATURE_STRIDE + FEATURE_WINDOW
    assert last_sample <= frame_sample(frame) + look_ahead < last_sample + FEATURE_STRIDE
    assert 0 <= phase < 1
    assert newest >= 0
    assert 0 <= frame_feature(frame + 1, look_ahead)[0] - newest <= 2


@given(samples=st.integers(0, 10**7), fps=st.sampled_from([30, 60]), rate=st.integers(8000, 48000))
def test_frames_cover_the_audio_and_no_more(samples: int, fps: int, rate: int) -> None:
    frames = frame_count(samples, fps, rate)
    assert (frames - 1) * rate < samples * fps or frames == 0
    assert frames * rate >= samples * fps


def test_known_values() -> None:
    assert [frame_sample(n) for n in range(4)] == [0, 533, 1066, 1600]
    assert [frame_time_us(n, 30) for n in range(3)] == [0, 33_333, 66_666]
