"""Reading a sound file as what a stream wants: mono float32 at a rate the service accepts."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import samplerate
import soundfile
from numpy.typing import NDArray

from livetalker.core.config import SAMPLE_RATES

log = logging.getLogger(__name__)

_CUT_OFF: Final = re.compile(r"^\s*(?:data|SSND|Data Size)\s*: (\d+) \(should be (\d+)\)", re.MULTILINE)
"""How libsndfile's notes on a WAV, AIFF or AU file say that less sound is there than its header announces, in bytes."""
_UNKNOWN_BYTES: Final = 0x7FFF0000
"""From here on a length in a header means that its writer did not know it, as one that writes to a pipe does not."""
_NOTICED_SECONDS: Final = 0.1
"""Less may be the padding of a codec."""


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

    Of a file that was cut off, what is there is read, and the log says how much is missing.

    Raises:
        AudioFileError: no such file, a directory, not sound, no samples, or samples that are not finite.
    """
    path = Path(path)
    if path.is_dir():
        raise AudioFileError(f"{path} is a folder; give one sound file")
    if not path.exists():
        raise AudioFileError(f"there is no file {path}")
    try:
        with soundfile.SoundFile(path) as file:
            channels, rate = file.read(dtype="float32", always_2d=True), int(file.samplerate)
            announced = _announced(file, len(channels))
    except PermissionError as error:
        raise AudioFileError(f"{path} may not be read: {error.strerror}") from error
    except (soundfile.LibsndfileError, TypeError, OSError) as error:
        raise AudioFileError(
            f"{path} is not a sound file that can be read (WAV, FLAC, OGG, MP3, AIFF); "
            "convert it first, for example: ffmpeg -i INPUT output.wav"
        ) from error
    if not len(channels):
        raise AudioFileError(f"{path} holds no samples; is the recording empty?")
    if announced - len(channels) > _NOTICED_SECONDS * rate:
        log.warning(
            "%s is cut off: %.1f s of sound are there, its header announces %.1f s",
            path,
            len(channels) / rate,
            announced / rate,
        )
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


def _announced(file: soundfile.SoundFile, found: int) -> int:
    """Samples per channel that a file's header announces; ``found`` where nothing else is known."""
    cut = _CUT_OFF.search(file.extra_info)
    if cut is None:
        return int(max(file.frames, found))
    announced, there = int(cut[1]), int(cut[2])
    return found if announced >= _UNKNOWN_BYTES else round(found * announced / max(there, 1))
