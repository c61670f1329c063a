"""The demo on machines other than an idle one with a terminal: it says that it is at work, and when it was too late."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from demo import run as demo
from livetalker.client.latency import LatencySummary
from livetalker.client.stream import StreamInfo
from livetalker.client.watch import Watched


def watched(p95: float) -> Watched:
    latency = LatencySummary(365, p95 / 2, p95, 1.1 * p95, 2 * p95)
    info = StreamInfo("s", "tiny", "1", 30, 80_000)
    return Watched(np.zeros((365, 52), np.float32), 0, latency, "warm", info)


@pytest.mark.parametrize(("p95", "late"), [(12.0, False), (13_000.0, True)])
def test_a_useless_lateness_is_said_to_be_the_computers(
    p95: float, late: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def stream(audio: Any) -> Watched:
        return watched(p95)

    drawn = []
    files = {name: demo.HERE / name for name in ("clip.flac", "clip.phones.tsv")}
    for name, path in files.items():
        (tmp_path / name).write_bytes(path.read_bytes())
    monkeypatch.setattr(demo, "HERE", tmp_path)
    monkeypatch.setattr(demo, "stream", stream)
    monkeypatch.setattr(demo, "console", Console(highlight=False, soft_wrap=True))
    monkeypatch.setattr(demo, "draw_take", lambda *args, **named: drawn.append(named["note"]))
    assert demo.main() == 0
    said = capsys.readouterr().out
    assert ("this computer is too slow, or was busy" in said) is late
    assert (tmp_path / "demo.csv").exists() and len(drawn) == 1


@pytest.mark.parametrize("terminal", [False, True])
async def test_where_no_meter_is_drawn_the_demo_says_that_it_is_at_work(
    terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(demo, "console", SimpleNamespace(is_terminal=terminal, print=said.append))
    monkeypatch.setattr(demo, "TICK_SECONDS", 0.01)
    async with demo.ticking():
        await asyncio.sleep(0.1)
    lines = len(said)
    await asyncio.sleep(0.03)
    assert len(said) == lines and (lines == 0) is terminal
    assert all("streaming for" in line for line in said)
