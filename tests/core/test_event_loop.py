"""The event loop of servers and load generators."""

from __future__ import annotations

import asyncio
import sys

import pytest

from livetalker import event_loop


async def _loop() -> str:
    await asyncio.sleep(0)
    return type(asyncio.get_running_loop()).__module__.partition(".")[0]


@pytest.mark.skipif(sys.platform == "win32", reason="uvloop does not run on Windows")
def test_it_is_libuvs_where_there_is_one() -> None:
    assert event_loop.run(_loop()) == "uvloop"


def test_it_is_pythons_own_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert event_loop.run(_loop()) == "asyncio"


def test_errors_come_through() -> None:
    async def fail() -> None:
        raise ValueError("as it was")

    with pytest.raises(ValueError, match="as it was"):
        event_loop.run(fail())
