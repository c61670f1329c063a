"""Training checkpoints: one safetensors file with a version, holding all that the next step depends on.

Tensors are named ``model.<parameter>``, ``ema.<parameter>`` and ``optimizer.<parameter>.<moment>``. The header says the
format, its version, the step, and a digest of what is trained and how, so that a run is never resumed as another.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from diffusiontalker.errors import MendableError

FORMAT: Final = "livetalker-training"
FORMAT_VERSION: Final = 2


class CheckpointError(MendableError, ValueError):
    """A checkpoint that cannot be resumed, and what to do about it."""


def digest(model: nn.Module, settings: Mapping[str, Any]) -> str:
    """Names the shapes of a model and the settings of its run."""
    shapes = {name: list(value.shape) for name, value in model.state_dict().items()}
    return hashlib.sha256(json.dumps([shapes, dict(settings)], sort_keys=True).encode()).hexdigest()[:16]


def save_checkpoint(
    path: Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    ema: Mapping[str, Tensor],
    *,
    step: int,
    run: str,
) -> None:
    """Write a checkpoint; a reader sees the old one or the new one, never a part.

    Args:
        path: file to write.
        model: being trained.
        optimizer: of its parameters.
        ema: averaged weights by name.
        step: steps done.
        run: ``digest`` of the run.
    """
    names: dict[Tensor, str] = {parameter: name for name, parameter in model.named_parameters()}
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"ema.{name}": value for name, value in ema.items()}
    for parameter, moments in optimizer.state.items():
        for moment, value in moments.items():
            tensors[f"optimizer.{names[parameter]}.{moment}"] = torch.as_tensor(value)
    header = {"format": FORMAT, "format_version": str(FORMAT_VERSION), "step": str(step), "run": run}
    partial = path.with_suffix(".partial")
    save_file({key: value.detach().cpu().clone() for key, value in tensors.items()}, partial, metadata=header)
    os.replace(partial, path)


def load_checkpoint(
    path: Path, model: nn.Module, optimizer: torch.optim.Optimizer, *, run: str
) -> tuple[int, dict[str, Tensor]]:
    """Bring a model and its optimiser to where a checkpoint left them.

    Returns:
        Steps done, and the averaged weights.

    Raises:
        CheckpointError: the file is truncated, of another version, or of another run.
    """
    advice = "remove it to start anew"
    try:
        with safe_open(path, framework="pt") as file:
            header: Mapping[str, str] = file.metadata() or {}
            tensors: dict[str, Tensor] = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is damaged or cut short ({error}): {advice}") from error
    found = (header.get("format"), header.get("format_version"))
    if found != (FORMAT, str(FORMAT_VERSION)):
        raise CheckpointError(
            f"{path} is of format {found[0]!r} version {found[1]}; this program resumes {FORMAT!r} version "
            f"{FORMAT_VERSION}: {advice}, or go on with the release that wrote it"
        )
    if header.get("run") != run:
        raise CheckpointError(
            f"{path} belongs to a run with other settings or another model: {advice}, train into another folder, "
            "or give the settings it was begun with"
        )

    def part(prefix: str) -> dict[str, Tensor]:
        return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}

    model.load_state_dict(part("model."))
    moments = part("optimizer.")
    for name, parameter in model.named_parameters():
        own = {k.rpartition(".")[2]: v for k, v in moments.items() if k.rpartition(".")[0] == name}
        if own:
            optimizer.state[parameter] = {
                moment: value if moment == "step" else value.to(parameter.device) for moment, value in own.items()
            }
    return int(header["step"]), part("ema.")
