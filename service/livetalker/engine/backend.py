"""What runs the two graphs: a protocol, and ONNX Runtime on the CPU behind it.

A backend is stateless; all that a stream carries goes in and comes out as arrays (shapes in ``EncoderCall`` and
``DenoiserCall``), so that any backend can serve any slot.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from diffusiontalker.bundle import Bundle

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class EncoderResult:
    """New features of ``B`` streams, ``h`` each.

    Attributes:
        features: ``[B, h, W]``.
        voice: ``[B, h, V]`` what identity is matched on.
        speech: ``[B, h, presets]`` probability of speech at the frame each preset serves.
        positional: ``[B, P, W]`` next positional state.
        keys_values: ``[B, L, 2, h, W]`` new ring entries.
    """

    features: Floats
    voice: Floats
    speech: Floats
    positional: Floats
    keys_values: Floats


class Backend(Protocol):
    """Runs a bundle's graphs."""

    def encode(self, samples: Floats, positional: Floats, ring: Floats, position: Integers) -> EncoderResult:
        """``[B, 320 h + 80]`` normalised samples and encoder state to new features."""
        ...

    def denoise(
        self, audio: Floats, identity: Floats, preset: Integers, noise: Floats, hidden: Floats
    ) -> tuple[Floats, Floats]:
        """``[B, F, 2 W]``, ``[B, F, E]``, ``[B]``, ``[B, F, 52]``, ``[B, N, layers, H]`` to curves and new state."""
        ...


class OnnxCpuBackend:
    """ONNX Runtime's CPU provider.

    Args:
        bundle: whose graphs to load.
        threads: for one operator; None takes half of the cores, so that the event loop and whoever else lives on the
            machine can run: threads that wait for a core cost more than they bring.
    """

    def __init__(self, bundle: Bundle, threads: int | None = None) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = threads or max(1, (os.cpu_count() or 1) // 2)
        # Threads that spin between ticks would take the cores from the event loop and its clients.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._encoder = self._session(str(bundle.encoder_graph), options)
        self._denoiser = self._session(str(bundle.denoiser_graph), options)

    @staticmethod
    def _session(path: str, options: Any) -> onnxruntime.InferenceSession:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def encode(self, samples: Floats, positional: Floats, ring: Floats, position: Integers) -> EncoderResult:
        """See ``Backend``."""
        inputs = {"samples": samples, "positional": positional, "ring": ring, "position": position}
        return EncoderResult(*self._encoder.run(None, inputs))

    def denoise(
        self, audio: Floats, identity: Floats, preset: Integers, noise: Floats, hidden: Floats
    ) -> tuple[Floats, Floats]:
        """See ``Backend``."""
        inputs = {"audio": audio, "identity": identity, "preset": preset, "noise": noise, "hidden": hidden}
        curves, state = self._denoiser.run(None, inputs)
        return curves, state
