"""The README's ten lines of Python run as they stand."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

from livetalker.address import DEFAULT_ADDRESS
from tests.rpc.loopback import serving
from tests.rpc.scripted_engine import ScriptedEngine

README = Path(__file__).parents[2] / "README.md"


async def test_the_readmes_python_prints_frames() -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(blocks) == 1
    assert f'"{DEFAULT_ADDRESS}"' in blocks[0]
    async with serving(ScriptedEngine()) as server:
        code = blocks[0].replace(DEFAULT_ADDRESS, server.address)
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE, cwd=README.parent
        )
        printed, _ = await program.communicate()
    assert program.returncode == 0
    lines = printed.decode().splitlines()
    assert len(lines) == 730, "the demo's clip, at 60 fps"
    assert re.fullmatch(r" 12\.150 s  jaw \d\.\d\d  blink \d\.\d\d", lines[-1])
