"""One training loop for every objective: one-cycle learning rate, EMA weights, checkpoints, exact resume.

Sample ``i`` of a dataset is a function of its index and each step seeds torch from its own number, so a run that was
killed and resumed goes on as if it had not been.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

Batch = dict[str, Tensor]
Objective = Callable[[Batch], tuple[Tensor, Mapping[str, float]]]
Report = Callable[[int, Mapping[str, float]], None]


@dataclass(frozen=True, slots=True)
class LoopConfig:
    """How long and how fast.

    Attributes:
        steps: optimiser steps in all.
        batch: samples per step.
        learning_rate: peak, reached after ``warmup`` steps, falling along a cosine to a hundredth.
        warmup: steps.
        weight_decay: AdamW's; matrices only.
        ema: decay of the averaged weights.
        clip: largest gradient norm.
        seed: of everything random in the loop.
        save_every: steps between checkpoints.
        workers: loader processes.
        bfloat16: compute in mixed precision.
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
    bfloat16: bool = True

    def rate(self, step: int) -> float:
        """Learning rate of a step."""
        if step < self.warmup:
            return self.learning_rate * (step + 1) / self.warmup
        phase = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * phase)))


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


def _save(path: Path, state: dict[str, Any]) -> None:
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    os.replace(partial, path)


def train(
    model: nn.Module,
    objective: Objective,
    samples: Dataset[Batch],
    config: LoopConfig,
    folder: Path,
    *,
    report: Callable[[int, Mapping[str, float]], None] | None = None,
) -> dict[str, Tensor]:
    """Run an objective to its end, going on from ``folder``'s checkpoint where there is one.

    Args:
        model: whose parameters are trained, in place.
        objective: maps a batch to the loss and figures to log.
        samples: indexable; sample ``step * batch + i`` is used at ``step``.
        config: how.
        folder: receives ``checkpoint.pt`` and ``log.jsonl``.
        report: called after every step with its figures.

    Returns:
        The averaged (EMA) weights; the model is left with its own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    decayed = [p for p in model.parameters() if p.requires_grad and p.ndim > 1]
    plain = [p for p in model.parameters() if p.requires_grad and p.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": config.weight_decay}, {"params": plain, "weight_decay": 0.0}],
        lr=config.learning_rate,
        betas=(0.9, 0.98),
    )
    ema = Ema(model, config.ema)
    start = 0
    checkpoint = folder / "checkpoint.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        ema.weights = saved["ema"]
        start = saved["step"]
    model.train()
    order = range(start * config.batch, config.steps * config.batch)
    ahead = 4 if config.workers else None
    loader = DataLoader(samples, config.batch, sampler=order, num_workers=config.workers, prefetch_factor=ahead)
    began = time.monotonic()
    with (folder / "log.jsonl").open("a") as log:
        for step, batch in enumerate(loader, start):
            torch.manual_seed(config.seed * 1_000_003 + step)
            for group in optimizer.param_groups:
                group["lr"] = config.rate(step)
            with torch.autocast("cpu", torch.bfloat16, enabled=config.bfloat16):
                loss, figures = objective(batch)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            norm = torch.nn.utils.clip_grad_norm_(model.parameters(), config.clip)
            optimizer.step()
            ema.update(model, step)
            row = {"loss": float(loss.detach()), **figures, "norm": float(norm), "rate": config.rate(step)}
            if report is not None:
                report(step, row)
            if step % 20 == 0:
                log.write(json.dumps({"step": step, "seconds": time.monotonic() - began, **row}) + "\n")
                log.flush()
            if (step + 1) % config.save_every == 0 or step + 1 == config.steps:
                _save(
                    checkpoint,
                    {
                        "model": model.state_dict(),
                        "optimizer": optimizer.state_dict(),
                        "ema": ema.weights,
                        "step": step + 1,
                    },
                )
    return ema.weights
