"""``encoder.safetensors`` of a training run: the encoder with its training heads, its shape and a version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from diffusiontalker.encoder.config import StreamingHubertConfig
from diffusiontalker.encoder.fingerprint import EncoderError

ENCODER_FILE: Final = "encoder.safetensors"
FORMAT: Final = "livetalker-encoder"
FORMAT_VERSION: Final = 4


def save_encoder(config: StreamingHubertConfig, state: Mapping[str, Tensor], folder: Path) -> Path:
    """Write the state of an ``EncoderTask``; the path of the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / ENCODER_FILE
    metadata = {"format": FORMAT, "format_version": str(FORMAT_VERSION), "config": json.dumps(config.to_dict())}
    save_file({name: value.contiguous() for name, value in state.items()}, path, metadata=metadata)
    path.chmod(0o644)  # safetensors writes for its owner alone
    return path


def read_encoder(path: Path) -> tuple[StreamingHubertConfig, dict[str, Tensor]]:
    """Shape and state of an ``EncoderTask``; the encoder's own tensors begin with ``encoder.``.

    Raises:
        EncoderError: the file is missing, damaged, or of another version.
    """
    if not path.is_file():
        raise EncoderError(f"{path} is missing: run 'diffusiontalker train' to the end of its encoder first")
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a mapping)
    except (SafetensorError, OSError) as error:
        raise EncoderError(f"{path} is damaged or cut short ({error}): train or copy it again") from error
    if (header.get("format"), header.get("format_version")) != (FORMAT, str(FORMAT_VERSION)):
        raise EncoderError(
            f"{path} is of format {header.get('format')!r} version {header.get('format_version')}; this program reads "
            f"{FORMAT!r} version {FORMAT_VERSION}: train the encoder with this release"
        )
    return StreamingHubertConfig.from_dict(json.loads(header["config"])), state
