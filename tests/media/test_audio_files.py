"""Sound files of every kind people bring: read right, or refused with a sentence that says what to do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from livetalker.media.audio_files import AudioFileError, read_audio


def tone(rate: int, seconds: float = 0.25, hertz: float = 220.0) -> NDArray[np.float64]:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_wav_of_any_depth(tmp_path: Path, subtype: str) -> None:
    path = tmp_path / "voice.wav"
    soundfile.write(path, tone(22_050), 22_050, subtype=subtype)
    audio = read_audio(path)
    assert audio.rate == 22_050
    assert audio.samples.dtype == np.float32
    np.testing.assert_allclose(audio.samples, tone(22_050), atol=0.01 if subtype == "PCM_U8" else 1e-4)


def test_channels_are_averaged(tmp_path: Path) -> None:
    path = tmp_path / "stereo.wav"
    left, right = tone(44_100), tone(44_100, hertz=330.0)
    soundfile.write(path, np.stack([left, right], axis=1), 44_100, subtype="PCM_24")
    audio = read_audio(path)
    assert audio.samples.shape == left.shape
    np.testing.assert_allclose(audio.samples, (left + right) / 2, atol=1e-6)
    assert audio.duration == pytest.approx(0.25)


@pytest.mark.parametrize(("suffix", "format_", "tolerance"), [("flac", "FLAC", 1e-4), ("ogg", "OGG", 0.05)])
def test_compressed_files(tmp_path: Path, suffix: str, format_: str, tolerance: float) -> None:
    path = tmp_path / f"voice.{suffix}"
    soundfile.write(path, tone(16_000), 16_000, format=format_)
    audio = read_audio(path)
    assert audio.rate == 16_000
    np.testing.assert_allclose(audio.samples, tone(16_000), atol=tolerance)


def test_mp3(tmp_path: Path) -> None:
    path = tmp_path / "voice.mp3"
    soundfile.write(path, tone(44_100, seconds=1.0), 44_100, format="MP3")
    audio = read_audio(path)
    assert audio.duration == pytest.approx(1.0, abs=0.1)
    spectrum = np.abs(np.fft.rfft(audio.samples))
    assert np.argmax(spectrum) * audio.rate / len(audio.samples) == pytest.approx(220.0, abs=3)


@pytest.mark.parametrize(("rate", "usable"), [(96_000, 48_000), (192_000, 48_000), (4_000, 8_000)])
def test_a_rate_no_stream_may_have_is_resampled(tmp_path: Path, rate: int, usable: int) -> None:
    path = tmp_path / "voice.wav"
    soundfile.write(path, tone(rate, seconds=1.0), rate)
    audio = read_audio(path)
    assert audio.rate == usable
    assert audio.duration == pytest.approx(1.0, abs=0.01)
    middle = slice(usable // 4, usable // 2)
    np.testing.assert_allclose(audio.samples[middle], tone(usable, seconds=1.0)[middle], atol=0.02)


def test_what_is_not_sound_is_explained(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("not a recording")
    headerless = tmp_path / "voice.raw"
    headerless.write_bytes(bytes(1000))
    for path in (notes, headerless):
        with pytest.raises(AudioFileError, match="is not a sound file.*ffmpeg"):
            read_audio(path)
    with pytest.raises(AudioFileError, match="there is no file"):
        read_audio(tmp_path / "missing.wav")
    with pytest.raises(AudioFileError, match="is a folder"):
        read_audio(tmp_path)


@pytest.mark.parametrize("suffix", ["wav", "aiff", "au", "mp3"])
def test_a_file_that_was_cut_off_is_read_and_told_of(
    tmp_path: Path, suffix: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / f"voice.{suffix}"
    soundfile.write(path, tone(16_000, seconds=2.5), 16_000)
    assert read_audio(path).duration == pytest.approx(2.5, abs=0.1) and not caplog.messages
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 4 // 10])
    there = read_audio(path).duration
    assert 0.5 < there < 1.1
    assert caplog.messages == [f"{path} is cut off: {there:.1f} s of sound are there, its header announces 2.5 s"]


@pytest.mark.parametrize("unknown", [b"\xff\xff\xff\xff", b"\x00\xf0\xff\x7f"])
def test_a_wav_whose_writer_did_not_know_its_length_is_whole(
    tmp_path: Path, unknown: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "piped.wav"
    soundfile.write(path, tone(16_000, seconds=1.0), 16_000)
    content = bytearray(path.read_bytes())
    size = content.index(b"data") + 4
    content[4:8] = content[size : size + 4] = unknown
    path.write_bytes(content)
    assert read_audio(path).duration == pytest.approx(1.0) and not caplog.messages


def test_an_empty_recording_is_explained(tmp_path: Path) -> None:
    empty = tmp_path / "empty.wav"
    soundfile.write(empty, np.zeros(0), 16_000)
    with pytest.raises(AudioFileError, match="holds no samples"):
        read_audio(empty)
    nothing = tmp_path / "nothing.wav"
    nothing.write_bytes(b"")
    with pytest.raises(AudioFileError, match="is not a sound file"):
        read_audio(nothing)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_explained(tmp_path: Path, bad: float) -> None:
    path = tmp_path / "broken.wav"
    samples = tone(16_000)
    samples[1600:1603] = bad
    soundfile.write(path, samples, 16_000, subtype="FLOAT")
    with pytest.raises(AudioFileError, match=r"3 samples that are not finite.*0\.100 s"):
        read_audio(path)


def test_one_sample_is_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "click.wav"
    soundfile.write(path, np.array([0.5]), 16_000)
    np.testing.assert_allclose(read_audio(path).samples, [0.5], atol=1e-4)
