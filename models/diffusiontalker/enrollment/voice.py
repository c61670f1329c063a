"""A speaker's pooled voice, heard with a bundle's own encoder graph. Torch-free."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from diffusiontalker.bundle import ENCODER, VOICE, Bundle
from diffusiontalker.errors import MendableError
from diffusiontalker.geometry import FEATURE_OVERLAP, FEATURE_STRIDE, SAMPLE_RATE
from diffusiontalker.level import LevelState, normalize_level

LEAST_VOICED: Final = 100
"""Voiced features (2 s) below which a voice is not known well enough."""
_VOICED: Final = 0.5


class EnrollmentError(MendableError, ValueError):
    """What was given does not make a speaker, and what would."""


class VoiceListener:
    """Hears whole clips as a stream would.

    Args:
        bundle: whose encoder to use.
        threads: of the runtime.

    Raises:
        EnrollmentError: the bundle's encoder is a public HuBERT.
    """

    def __init__(self, bundle: Bundle, threads: int = 1) -> None:
        if bundle.encoder_kind != "streaming":
            raise EnrollmentError(
                f"{bundle.folder} hears with a public HuBERT, into whose models nobody can be enrolled: "
                "train it again with captures that hold the person"
            )
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = threads
        self._encoder, self._voice = (
            onnxruntime.InferenceSession(str(bundle.graph(name)), options, providers=["CPUExecutionProvider"])
            for name in (ENCODER, VOICE)
        )
        c = bundle.encoder
        size = c["width"] // c["heads"]
        self._nothing_heard: dict[str, NDArray[np.float32 | np.int64]] = {
            "positional": np.zeros((1, c["positional_kernel"] - 1, c["width"]), np.float32),
            "position": np.zeros(1, np.int64),
        }
        for layer in range(c["layers"]):
            self._nothing_heard[f"keys_{layer}"] = np.zeros((1, c["heads"], size, c["context"]), np.float32)
            self._nothing_heard[f"values_{layer}"] = np.zeros((1, c["heads"], c["context"], size), np.float32)

    def voiced(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Voice features ``[n, V]`` of the voiced part of a clip.

        Args:
            samples: ``[N]`` mono at 16 kHz in -1..1.
        """
        features = (len(samples) - FEATURE_OVERLAP) // FEATURE_STRIDE
        if features < 1:
            return np.zeros((0, 1), np.float32)
        length = FEATURE_STRIDE * features + FEATURE_OVERLAP
        heard, _ = normalize_level(samples[None, :length].astype(np.float32), LevelState.initial(1))
        (speech,) = self._encoder.run(["speech"], {"samples": heard, **self._nothing_heard})
        (voice,) = self._voice.run(["voice"], {"samples": heard})
        spoken: NDArray[np.float32] = voice[0][speech[0, :, 0] > _VOICED]
        return spoken

    def pooled(self, clips: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
        """Mean voice ``[V]`` over the voiced features of clips.

        Raises:
            EnrollmentError: there is less than two seconds of voice in all of them.
        """
        voiced = [self.voiced(clip) for clip in clips]
        count = sum(len(part) for part in voiced)
        if count < LEAST_VOICED:
            raise EnrollmentError(
                f"only {count * FEATURE_STRIDE / SAMPLE_RATE:.1f} s of voice was heard; give at least "
                f"{LEAST_VOICED * FEATURE_STRIDE // SAMPLE_RATE} s, better ten, of the speaker alone"
            )
        total: NDArray[np.float64] = sum(part.sum(0, dtype=np.float64) for part in voiced if len(part)) / count
        return total
