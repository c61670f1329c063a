"""Which precision training computes in: bfloat16 where the device multiplies in it, single precision elsewhere."""

from __future__ import annotations

import torch


def fast_bfloat16(device: torch.device) -> bool:
    """Whether mixed precision is faster on a device; no, where nobody has tried.

    Without instructions for it, it is emulated: a processor then takes twenty times as long as in single precision.
    """
    if device.type == "cuda":
        with torch.cuda.device(device):
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and bool(torch.cpu._is_avx512_bf16_supported())
