"""What ``diffusiontalker`` says of itself."""

from __future__ import annotations

import re

import pytest

from diffusiontalker import __version__
from diffusiontalker.cli.main import main


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_it_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "--version") == f"diffusiontalker {__version__}\n"


@pytest.mark.parametrize("verb", ["train", "distill", "evaluate"])
def test_every_count_says_its_default(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Counts are written N; those that take another option's value or are left to the checkpoint say which."""
    help_text = " ".join(told(capsys, verb, "--help").split())
    counts = re.findall(r"(--[a-z-]+) N (.*?)(?= --[a-z-]+ |$)", help_text.partition("options:")[2])
    assert counts
    assert [name for name, text in counts if "default: " not in text] == []


def test_folders_of_a_run_say_their_default(capsys: pytest.CaptureFixture[str]) -> None:
    help_text = " ".join(told(capsys, "train", "--help").split())
    assert "(default: runs)" in help_text and "(default: corpus)" in help_text
    assert "teacher of the denoiser" not in help_text
