"""Fixtures that more than one area of the tests needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tiny_model import write_tiny_bundle


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of random weights, made once."""
    return write_tiny_bundle(tmp_path_factory.mktemp("tiny") / "bundle")
