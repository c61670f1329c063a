"""A bundle's networks on torch: on the CPU as the reference for every other backend, on a GPU with CUDA graphs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diffusiontalker.bundle import Bundle
from diffusiontalker.denoiser.model import sample
from diffusiontalker.encoder.streaming_hubert import EncoderState, StreamingHubert
from diffusiontalker.export.bundle_reader import read_modules
from livetalker.engine.backend import Array, BackendError, EncoderResult, Floats, Heard, Integers, Past
from livetalker.engine.backends.batches import bucket, cpu_threads, padded

Network = Callable[..., tuple[Tensor, ...]]
_WARM_UP = 3
"""Runs before a capture, in which libraries choose their kernels and allocate their workspaces."""


class TorchBackend:
    """A bundle's modules in evaluation mode.

    Attributes:
        description: see ``Backend``.
        past: likewise.
        frame_by_frame: likewise.

    Args:
        bundle: whose networks to load.
        device: ``cpu``, or ``cuda`` for a GPU.
        index: of the GPU among the visible ones.
        threads: of torch in the whole process, where the device is the CPU; see ``cpu_threads``.
        bfloat16: compute matrix products in bfloat16, on a GPU.

    Raises:
        BackendError: torch sees no such GPU, or was built without CUDA.
    """

    past = Past.FLOATS
    frame_by_frame = False

    def __init__(
        self,
        bundle: Bundle,
        device: str = "cpu",
        index: int = 0,
        *,
        threads: int | None = None,
        bfloat16: bool = False,
    ) -> None:
        if device == "cuda":
            _require_cuda(index)
            self._device = torch.device("cuda", index)
            torch.backends.cuda.matmul.allow_tf32 = False
            torch.backends.cudnn.allow_tf32 = False
            where = f"GPU {index}, {torch.cuda.get_device_name(index)}, {'bfloat16' if bfloat16 else 'float32'}"
        else:
            self._device = torch.device("cpu")
            count = cpu_threads(threads)
            torch.set_num_threads(count)
            where = f"the CPU, {count} thread{'s' if count > 1 else ''}"
        self._bfloat16 = bfloat16
        self.description = f"torch {torch.__version__} on {where}"
        modules = read_modules(bundle)
        self._encoder = modules.encoder.to(self._device)
        self._speech = modules.phone_head.to(self._device)
        self._denoiser = modules.denoiser.to(self._device)
        self._schedule = modules.schedule
        self._graphs: dict[tuple[Any, ...], _Captured] = {}

    def encode(self, samples: Floats, position: Integers, past: Mapping[str, Array]) -> EncoderResult:
        """See ``Backend``."""
        features, speech, *fresh = self._run("encode", self._encode, [samples, position, *past.values()])
        return EncoderResult(features, speech, fresh)

    def voice(self, samples: Floats) -> Floats:
        """See ``Backend``."""
        return self._run("voice", self._voice, (samples,))[0]

    def hear(self, windows: Floats) -> Heard:
        """See ``Backend``."""
        return Heard(*self._run("hear", self._hear, (windows,)))

    def denoise(
        self, audio: Floats, identity: Floats, preset: Integers, noise: Floats, hidden: Floats
    ) -> tuple[Floats, Floats]:
        """See ``Backend``."""
        by_stream = hidden.transpose(2, 0, 1, 3)  # rows of a batch are padded on their first axis
        curves, state = self._run("denoise", self._denoise, (audio, identity, preset, noise, by_stream))
        return curves, state.transpose(1, 2, 0, 3)

    def _encode(self, samples: Tensor, position: Tensor, positional: Tensor, *rings: Tensor) -> tuple[Tensor, ...]:
        assert isinstance(self._encoder, StreamingHubert)
        layers, heads = len(rings) // 2, self._encoder.config.heads
        keys = torch.stack([ring.permute(0, 3, 1, 2).flatten(2) for ring in rings[:layers]], dim=1)
        values = torch.stack([ring.transpose(1, 2).flatten(2) for ring in rings[layers:]], dim=1)
        state = EncoderState(positional, torch.stack([keys, values], dim=2), position)
        out = self._encoder.step(samples, state)
        fresh = out.keys_values.reshape(*out.keys_values.shape[:-1], heads, -1).permute(2, 0, 1, 4, 3, 5)
        return out.features, self._speech.speech(out.features), out.positional, fresh[0], fresh[1]

    def _voice(self, samples: Tensor) -> tuple[Tensor, ...]:
        assert isinstance(self._encoder, StreamingHubert)
        return (self._encoder.voice(samples),)

    def _hear(self, windows: Tensor) -> tuple[Tensor, ...]:
        assert not isinstance(self._encoder, StreamingHubert)
        features, voice = self._encoder.hear(windows)
        return features, voice, self._speech.speech(features)

    def _denoise(
        self, audio: Tensor, identity: Tensor, preset: Tensor, noise: Tensor, hidden: Tensor
    ) -> tuple[Tensor, ...]:
        by_step = hidden.permute(1, 2, 0, 3).contiguous()
        curves, state = sample(self._denoiser, self._schedule, audio, identity, preset, noise, by_step)
        return curves, state.permute(2, 0, 1, 3)

    @torch.no_grad()
    def _run(self, name: str, network: Network, arrays: Sequence[NDArray[Any]]) -> list[NDArray[np.float32]]:
        if self._device.type == "cpu":
            return [out.numpy() for out in network(*(torch.from_numpy(np.ascontiguousarray(a)) for a in arrays))]
        batch = len(arrays[0])
        full = [torch.from_numpy(padded(array, bucket(batch))) for array in arrays]
        key = (name, *(tensor.shape for tensor in full))
        if key not in self._graphs:
            self._graphs[key] = _Captured(network, [tensor.to(self._device) for tensor in full], self._bfloat16)
        return [out[:batch].float().cpu().numpy() for out in self._graphs[key](full)]


class _Captured:
    """A network as a CUDA graph over fixed buffers of one shape."""

    def __init__(self, network: Network, inputs: list[Tensor], bfloat16: bool) -> None:
        self._inputs = inputs

        def run() -> tuple[Tensor, ...]:
            with torch.autocast("cuda", torch.bfloat16, enabled=bfloat16, cache_enabled=False):
                return network(*inputs)

        # Capture wants a stream of its own, on which everything was run before.
        side = torch.cuda.Stream(inputs[0].device)  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(_WARM_UP):
                run()
        torch.cuda.current_stream().wait_stream(side)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._outputs = run()

    def __call__(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        for own, new in zip(self._inputs, inputs, strict=True):
            own.copy_(new)
        self._graph.replay()
        return self._outputs


def _require_cuda(index: int) -> None:
    if not torch.backends.cuda.is_built():  # type: ignore[no-untyped-call]
        raise BackendError(f"torch {torch.__version__} was built without CUDA: install a build with it, or use torch")
    if index >= torch.cuda.device_count():
        raise BackendError(f"torch sees {torch.cuda.device_count()} GPUs, and was asked for number {index}")
