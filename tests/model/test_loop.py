"""The training loop: resumed runs, several devices, checkpoints that refuse what they are not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from diffusiontalker.training.checkpoint import CheckpointError
from diffusiontalker.training.loop import CHECKPOINT
from diffusiontalker.training.precision import fast_bfloat16
from tests.model import number_fit
from tests.model.number_fit import fit


def test_a_killed_run_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    whole = fit(tmp_path / "whole")
    assert fit(tmp_path / "killed", stop=8) == {}
    resumed = fit(tmp_path / "killed")
    assert whole.keys() == resumed.keys()
    for name, weight in whole.items():
        torch.testing.assert_close(resumed[name], weight, rtol=0, atol=0)


def test_a_run_goes_on_in_the_precision_of_the_device_it_was_moved_to(tmp_path: Path) -> None:
    assert fit(tmp_path, stop=8, bfloat16=True) == {}
    assert fit(tmp_path, bfloat16=False)


@pytest.mark.parametrize("capable", [True, False])
def test_mixed_precision_is_used_where_the_device_multiplies_in_it(
    capable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: capable)
    assert fast_bfloat16(torch.device("cpu")) is capable  # whatever GPU stands beside it
    # A GPU of before 2020 says that it can, and means that it can emulate it.
    supported = lambda including_emulation=True: including_emulation or capable  # noqa: E731
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    monkeypatch.setattr(torch.cuda, "device", nullcontext)
    assert fast_bfloat16(torch.device("cuda")) is capable
    assert not fast_bfloat16(torch.device("mps"))


def test_two_processes_train_what_one_does(tmp_path: Path) -> None:
    alone = fit(tmp_path / "alone", dropout=0.0)
    # What "accelerate launch" starts for several GPUs, here on the CPU.
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    together = tmp_path / "together"
    together.mkdir()
    root = str(Path(number_fit.__file__).parents[2])
    environment = os.environ | {"PYTHONPATH": root, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    done = subprocess.run(
        [*launch, str(number_fit.__file__), str(together)], env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for rank in range(2):
        for name, weight in load_file(together / f"weights-{rank}.safetensors").items():
            torch.testing.assert_close(weight, alone[name], rtol=1e-5, atol=1e-6)


def test_a_run_leaves_its_figures_as_lines_and_curves(tmp_path: Path) -> None:
    fit(tmp_path, steps=25)
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [0, 20]
    assert rows[0].keys() == {"step", "seconds", "loss", "norm", "rate"}
    assert all(np.isfinite(row["loss"]) for row in rows)
    assert list((tmp_path / "tensorboard").glob("events.*"))


def test_what_cannot_be_resumed_is_refused_by_name(tmp_path: Path) -> None:
    fit(tmp_path)
    path = tmp_path / CHECKPOINT
    whole = path.read_bytes()
    with pytest.raises(CheckpointError, match="other settings or another model: remove it"):
        fit(tmp_path, steps=13)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match="checkpoint.safetensors is damaged or cut short"):
        fit(tmp_path)
    save_file({"x": torch.zeros(1)}, path, metadata={"format": "livetalker-training", "format_version": "99"})
    with pytest.raises(CheckpointError, match="version 99; this program resumes 'livetalker-training' version 2"):
        fit(tmp_path)
