"""The pages say what the code does: the error table, the presets, and links that lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from diffusiontalker.geometry import PRESETS, SAMPLE_RATE
from livetalker.rpc.errors import Reason

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


def test_the_protocol_page_lists_every_error_with_its_status() -> None:
    page = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `([A-Z_]+)` \| `([A-Z_]+)` \|", page, flags=re.MULTILINE))
    assert listed == {reason.value: reason.code.name for reason in Reason}


def test_the_guide_gives_every_presets_look_ahead() -> None:
    page = (ROOT / "docs" / "getting-started.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `(\w+)` \| (\d+) ms \|", page, flags=re.MULTILINE))
    assert listed == {name: str(preset.look_ahead * 1000 // SAMPLE_RATE) for name, preset in PRESETS.items()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert missing == []
