"""Reads a sound file as what the model hears: mono float samples at 16 kHz. Torch-free."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import samplerate
import soundfile
from numpy.typing import NDArray

from diffusiontalker.errors import MendableError
from diffusiontalker.geometry import SAMPLE_RATE


class SoundError(MendableError, ValueError):
    """A file that is no usable sound; names it and says what to do."""


def read_sound(path: Path) -> NDArray[np.float32]:
    """Read any file libsndfile knows; channels are averaged, other rates are brought to 16 kHz.

    Returns:
        ``[N]`` in -1..1, ``N >= 1``.

    Raises:
        SoundError: there is no such file, it is not sound, holds no samples, or holds some that are not finite.
    """
    if not path.is_file():
        raise SoundError(f"there is no file {path}")
    try:
        channels, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, TypeError, OSError) as error:
        raise SoundError(f"{path} is not sound that can be read (WAV, FLAC, OGG, MP3, AIFF): convert it") from error
    if not len(channels):
        raise SoundError(f"{path} holds no samples; is the recording empty?")
    samples: NDArray[np.float32] = channels.mean(axis=1, dtype=np.float32)
    if not np.isfinite(samples).all():
        raise SoundError(f"{path} holds samples that are not finite; export it again as 16-bit WAV")
    if rate != SAMPLE_RATE:
        samples = np.asarray(samplerate.resample(samples, SAMPLE_RATE / rate, "sinc_medium"), np.float32)
    return samples
