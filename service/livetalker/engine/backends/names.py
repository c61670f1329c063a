"""Names of the backends, for whoever only wants to list them: this module imports nothing."""

from __future__ import annotations

from typing import Final

AUTO: Final = "auto"
BACKENDS: Final = (AUTO, "native", "cpu", "cpu-int8", "cuda", "tensorrt", "torch", "torch-cuda", "torch-cuda-bf16")
"""What ``open_backend`` takes."""

ON_PROCESSOR: Final = ("native", "cpu", "cpu-int8", "torch")
"""Those that use no GPU."""
