"""Which precision training computes in: bfloat16 where the machine multiplies in it, single precision elsewhere."""

from __future__ import annotations

import torch


def fast_bfloat16() -> bool:
    """Whether mixed precision is faster here.

    On a processor without instructions for it, it is emulated: products take several times as long as in single
    precision.
    """
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported())
