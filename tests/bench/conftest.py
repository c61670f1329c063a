"""A small engine to check the load generator's arithmetic against."""

from __future__ import annotations

from pathlib import Path

import pytest

from livetalker.engine.engine import Engine


@pytest.fixture(scope="session")
def tiny_engine(tiny_bundle: Path) -> Engine:
    """An engine over random weights that is ticked by hand."""
    return Engine.load(tiny_bundle, max_streams=1, threads=1)
