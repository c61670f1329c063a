"""One training loop for every objective, on a laptop's CPU, one GPU or many: mixed precision, EMA, exact resume.

Sample ``i`` of a dataset is a function of its index and each step seeds torch from its own number, so a run that was
killed and resumed goes on as if it had not been; in another precision than before, not to the same bits. Under
``accelerate launch`` each process takes its share of every batch and gradients are averaged: the number of devices
changes how fast a run is, not what is trained.
"""

from __future__ import annotations

import atexit
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch
from accelerate import Accelerator
from accelerate.utils import DataLoaderConfiguration
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from diffusiontalker.training.checkpoint import digest, load_checkpoint, save_checkpoint
from diffusiontalker.training.precision import fast_bfloat16

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

Batch = dict[str, Tensor]
Objective = Callable[[Batch], tuple[Tensor, Mapping[str, float]]]
Report = Callable[[int, Mapping[str, float]], None]

CHECKPOINT: Final = "checkpoint.safetensors"
_LOG_EVERY: Final = 20


@dataclass(frozen=True, slots=True)
class LoopConfig:
    """How long and how fast.

    Attributes:
        steps: optimiser steps in all.
        batch: samples per step, over all devices.
        learning_rate: peak, reached after ``warmup`` steps, falling along a cosine to a hundredth.
        warmup: steps.
        weight_decay: AdamW's; matrices only.
        ema: decay of the averaged weights.
        clip: largest gradient norm.
        seed: of everything random in the loop.
        save_every: steps between checkpoints.
        workers: loader processes per device.
        bfloat16: compute in mixed precision; None: where the device is faster with it.
    """

    steps: int
    batch: int
    learning_rate: float = 1e-3
    warmup: int = 200
    weight_decay: float = 0.01
    ema: float = 0.999
    clip: float = 1.0
    seed: int = 0
    save_every: int = 200
    workers: int = 1
    bfloat16: bool | None = None

    def rate(self, step: int) -> float:
        """Learning rate of a step."""
        if step < self.warmup:
            return self.learning_rate * (step + 1) / self.warmup
        phase = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * phase)))

    def settings(self) -> dict[str, Any]:
        """What a resumed run must have in common with the one it goes on from."""
        free = ("save_every", "workers", "bfloat16")  # the last is the device's, and a run may move to another
        return {key: value for key, value in asdict(self).items() if key not in free}


class Ema:
    """Exponential moving average of a module's parameters and buffers."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.weights = {k: v.detach().clone() for k, v in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Move towards the model; quickly at first, so that the start is soon forgotten."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for key, value in model.state_dict().items():
            if value.is_floating_point():
                self.weights[key].lerp_(value, 1 - decay)
            else:
                self.weights[key].copy_(value)


class _Log:
    """Writes a row every few steps to ``log.jsonl`` and, where TensorBoard is installed, to its curves."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / "log.jsonl").open("a", encoding="utf-8")
        self._began = time.monotonic()
        self._curves: SummaryWriter | None = None
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            return
        self._curves = SummaryWriter(str(folder / "tensorboard"))

    def write(self, step: int, row: Mapping[str, float]) -> None:
        seconds = time.monotonic() - self._began
        self._file.write(json.dumps({"step": step, "seconds": seconds, **row}) + "\n")
        self._file.flush()
        if self._curves is not None:
            for name, value in row.items():
                self._curves.add_scalar(name, value, step)

    def close(self) -> None:
        self._file.close()
        if self._curves is not None:
            self._curves.close()


def _optimizer(model: nn.Module, config: LoopConfig) -> torch.optim.AdamW:
    learned = [p for p in model.parameters() if p.requires_grad]
    return torch.optim.AdamW(
        [
            {"params": [p for p in learned if p.ndim > 1], "weight_decay": config.weight_decay},
            {"params": [p for p in learned if p.ndim <= 1], "weight_decay": 0.0},
        ],
        lr=config.learning_rate,
        betas=(0.9, 0.98),
    )


def train(
    model: nn.Module,
    objective: Objective,
    samples: Dataset[Batch],
    config: LoopConfig,
    folder: Path,
    *,
    report: Report | None = None,
) -> dict[str, Tensor]:
    """Run an objective to its end, going on from ``folder``'s checkpoint where there is one.

    Args:
        model: whose parameters are trained, in place.
        objective: maps a batch to the loss and figures to log.
        samples: indexable; sample ``step * batch + i`` is used at ``step``.
        config: how.
        folder: receives ``checkpoint.safetensors``, ``log.jsonl`` and ``tensorboard/``.
        report: called after every step with its figures.

    Returns:
        The averaged (EMA) weights, on the CPU; the model is left with its own.

    Raises:
        CheckpointError: the checkpoint is damaged, or of another version or run.
    """
    # Precision is the loop's own: one process trains several stages, and accelerate keeps the first one's setting.
    accelerator = Accelerator(dataloader_config=DataLoaderConfiguration(split_batches=True))
    mixed = fast_bfloat16(accelerator.device) if config.bfloat16 is None else config.bfloat16
    if accelerator.num_processes > 1:
        # Other stages may follow in the same group; threads of one that is left open can abort a process as it exits.
        atexit.register(accelerator.end_training)
    folder.mkdir(parents=True, exist_ok=True)
    model.to(accelerator.device)
    optimizer = _optimizer(model, config)
    ema = Ema(model, config.ema)
    path, run, start = folder / CHECKPOINT, digest(model, config.settings()), 0
    if path.exists():
        start, averaged = load_checkpoint(path, model, optimizer, run=run)
        ema.weights = {name: value.to(accelerator.device) for name, value in averaged.items()}
    model.train()
    order = range(start * config.batch, config.steps * config.batch)
    loader = accelerator.prepare(
        DataLoader(
            samples,
            config.batch,
            sampler=order,
            num_workers=config.workers,
            prefetch_factor=4 if config.workers else None,
        )
    )
    log = _Log(folder) if accelerator.is_main_process else None
    learned = [p for p in model.parameters() if p.requires_grad]
    for step, batch in enumerate(loader, start):
        # Every process draws its own noise, and the same noise however often the run was resumed.
        torch.manual_seed((config.seed * 1_000_003 + step) * accelerator.num_processes + accelerator.process_index)
        for group in optimizer.param_groups:
            group["lr"] = config.rate(step)
        with torch.autocast(accelerator.device.type, torch.bfloat16, enabled=mixed):
            loss, figures = objective(batch)
        optimizer.zero_grad(set_to_none=True)
        accelerator.backward(loss)
        if accelerator.num_processes > 1:
            for parameter in learned:
                if parameter.grad is not None:
                    parameter.grad = accelerator.reduce(parameter.grad, "mean")
        norm = torch.nn.utils.clip_grad_norm_(learned, config.clip)
        optimizer.step()
        ema.update(model, step)
        row = {"loss": float(loss.detach()), **figures, "norm": float(norm), "rate": config.rate(step)}
        if report is not None and accelerator.is_main_process:
            report(step, row)
        if log is not None and step % _LOG_EVERY == 0:
            log.write(step, row)
        done = step + 1
        if accelerator.is_main_process and (done % config.save_every == 0 or done == config.steps):
            save_checkpoint(path, model, optimizer, ema.weights, step=done, run=run)
    if log is not None:
        log.close()
    accelerator.wait_for_everyone()
    return {name: value.cpu() for name, value in ema.weights.items()}
