"""The compact encoder and the denoiser on LiveTalker's own compiled kernels, in 8-bit integers on the CPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from safetensors import safe_open

from diffusiontalker.bundle import INT8_WEIGHTS, VOICE, WEIGHTS, Bundle
from diffusiontalker.denoiser.schedule import Schedule
from diffusiontalker.geometry import PRESETS
from diffusiontalker.phones import PHONE_INDEX, SILENCE
from livetalker.engine.backend import Array, BackendError, EncoderResult, Floats, Heard, Integers, Past
from livetalker.engine.backends.onnx_backend import LEAST
from livetalker.engine.backends.providers import cpu_session
from livetalker.engine.backends.runners import HostRunner
from livetalker.engine.kernels.library import KernelError, KernelLibrary, KernelModel, Sizes, best_library

_PARTS: Final = ("encoder.", "phone_head.", "denoiser.")
_ELSEWHERE: Final = "encoder.voice_head."
"""Whose voice it is is asked for a few seconds of a stream, and ONNX Runtime answers."""


class KernelBackend:
    """A bundle's networks in kernels.

    Every feature meets older ones as they are remembered, and every sum has one order: a stream's frames are the same
    to the last bit in whatever pieces its audio comes and whoever else is served, on one instruction set.

    Attributes:
        description: see ``Backend``.
        past: likewise.
        frame_by_frame: likewise.

    Args:
        bundle: whose networks to pack.
        library: to run them; None for the best one here.

    Raises:
        BackendError: there is none for this processor, or it cannot run a model of these sizes.
    """

    past = Past.IN_PLACE
    frame_by_frame = False

    def __init__(self, bundle: Bundle, library: KernelLibrary | None = None) -> None:
        library = library or best_library()
        if library is None:
            raise BackendError(
                "no compiled kernels for this processor are installed: install LiveTalker where a C++ compiler is "
                "(g++ or clang++), or use --backend cpu"
            )
        if bundle.encoder_kind != "streaming":
            raise BackendError(f"{bundle.folder} has a public HuBERT, which kernels do not run: use --backend cpu")
        try:
            self._model = KernelModel(library, _tensors(bundle), _sizes(bundle))
        except KernelError as error:
            raise BackendError(
                f"the kernels cannot run {bundle.folder} ({error}): export it with this release, or use --backend cpu"
            ) from error
        self._voice = HostRunner(cpu_session(bundle.graph(VOICE), 1), LEAST)
        self.description = f"compiled kernels ({library.instructions}) on the CPU, 8-bit integers, 1 thread"

    def encode(self, samples: Floats, position: Integers, past: Mapping[str, Array]) -> EncoderResult:
        """See ``Backend``."""
        return EncoderResult(*self._model.encode(samples, position, **past), fresh=())

    def voice(self, samples: Floats) -> Floats:
        """See ``Backend``."""
        return self._voice({"samples": samples})[0]

    def hear(self, windows: Floats) -> Heard:
        """See ``Backend``; never called, since no *rolling* encoder is opened."""
        raise NotImplementedError

    def denoise(
        self, audio: Floats, identity: Floats, preset: Integers, noise: Floats, hidden: Floats
    ) -> tuple[Floats, Floats]:
        """See ``Backend``."""
        return self._model.denoise(audio, identity, preset, noise, hidden)


def _sizes(bundle: Bundle) -> Sizes:
    encoder, denoiser = bundle.encoder, bundle.denoiser
    return Sizes(
        width=int(encoder["width"]),
        layers=int(encoder["layers"]),
        kernel=int(encoder["positional_kernel"]),
        heads=int(encoder["heads"]),
        context=int(encoder["context"]),
        presets=len(PRESETS),
        silence=PHONE_INDEX[SILENCE],
        identity=bundle.identities.embeddings.shape[1],
        steps=bundle.steps,
        hidden=int(denoiser["hidden"]),
    )


def _tensors(bundle: Bundle) -> dict[str, Array]:
    """What the kernels read of a bundle, and the sampler's steps."""
    tensors: dict[str, Array] = {"denoiser.mixtures": np.array(Schedule.spaced(bundle.steps).ddim(), np.float32)}
    for file in (WEIGHTS, INT8_WEIGHTS):
        with safe_open(bundle.folder / file, framework="numpy") as weights:
            ours = [name for name in weights.keys() if name.startswith(_PARTS) and not name.startswith(_ELSEWHERE)]
            tensors |= {name: weights.get_tensor(name) for name in ours}
    return tensors
