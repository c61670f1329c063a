"""Reading a sound file as what a stream wants: mono float32 at a rate the service accepts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import samplerate
import soundfile
from numpy.typing import NDArray

from livetalker.core.config import SAMPLE_RATES


class AudioFileError(ValueError):
    """A file that cannot be used as speech; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Audio:
    """A recording.

    Attributes:
        samples: mono float32 ``[n]``, ``n >= 1``, finite, full scale at 1.0.
        rate: hertz, one of ``SAMPLE_RATES``; files outside are brought to the nearer end.
    """

    samples: NDArray[np.float32]
    rate: int

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.rate


def read_audio(path: Path | str) -> Audio:
    """Read any file libsndfile knows (WAV of any depth, FLAC, OGG, MP3, AIFF, ...); channels are averaged.

    Raises:
        AudioFileError: no such file, a directory, not sound, no samples, or samples that are not finite.
    """
    path = Path(path)
    if path.is_dir():
        raise AudioFileError(f"{path} is a folder; give one sound file")
    if not path.exists():
        raise AudioFileError(f"there is no file {path}")
    try:
        channels, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except PermissionError as error:
        raise AudioFileError(f"{path} may not be read: {error.strerror}") from error
    except (soundfile.LibsndfileError, TypeError, OSError) as error:
        raise AudioFileError(
            f"{path} is not a sound file that can be read (WAV, FLAC, OGG, MP3, AIFF); "
            "convert it first, for example: ffmpeg -i INPUT output.wav"
        ) from error
    if not len(channels):
        raise AudioFileError(f"{path} holds no samples; is the recording empty?")
    samples = channels.mean(axis=1, dtype=np.float32)
    broken = np.flatnonzero(~np.isfinite(samples))
    if len(broken):
        raise AudioFileError(
            f"{path} holds {len(broken)} samples that are not finite numbers, the first at "
            f"{broken[0] / rate:.3f} s; export it again"
        )
    usable = min(max(rate, SAMPLE_RATES[0]), SAMPLE_RATES[-1])
    if usable != rate:
        samples = np.asarray(samplerate.resample(samples, usable / rate, "sinc_medium"), np.float32)
        if not len(samples):
            raise AudioFileError(f"{path} is shorter than one sample at {usable} Hz")
    return Audio(np.ascontiguousarray(samples), usable)
