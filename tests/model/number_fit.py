"""A run of the training loop that takes a second; also a program for several processes: number_fit.py FOLDER."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.utils.data import Dataset

from diffusiontalker.training.loop import LoopConfig, train


class Numbers(Dataset[dict[str, Tensor]]):
    def __len__(self) -> int:
        return 1 << 20

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"x": torch.randn(4, generator=torch.Generator().manual_seed(index))}


class Stop(Exception):
    pass


def fit(
    folder: Path, *, stop: int | None = None, dropout: float = 0.5, steps: int = 12, bfloat16: bool = False
) -> dict[str, Tensor]:
    """Train a net to add four numbers; empty when it was stopped, as by a kill, after step ``stop``."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(dropout), nn.Linear(8, 1))

    def report(step: int, _: object) -> None:
        if step == stop:
            raise Stop

    def objective(batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, float]]:
        return (model(batch["x"]) - batch["x"].sum(-1, keepdim=True)).square().mean(), {}

    config = LoopConfig(steps=steps, batch=4, warmup=2, save_every=5, workers=0, bfloat16=bfloat16)
    try:
        return train(model, objective, Numbers(), config, folder, report=report)
    except Stop:
        return {}


if __name__ == "__main__":
    out = Path(sys.argv[1])
    save_file(fit(out, dropout=0.0), out / f"weights-{torch.distributed.get_rank()}.safetensors")
