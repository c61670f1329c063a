"""``diffusiontalker corpus`` makes a captured corpus of each source and says what it left out."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile

from diffusiontalker.captures.store import CaptureCorpus
from diffusiontalker.cli.main import main
from tests.captures.writers import curves, timecode, tone, write_basis, write_beat, write_live_link, write_vocaset


def told(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err


def test_beat(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(1, 9):
        write_beat(tmp_path / "beat", f"3_solomon_0_{number}_{number}", curves(4, 51))
    write_beat(tmp_path / "beat", "1_wayne_0_1_1", curves(80, 51))
    write_beat(tmp_path / "beat", "2_scott_1_1_1", curves(620, 51))
    words = ["corpus", str(tmp_path / "out"), "--beat", str(tmp_path / "beat"), "--beat-types", "0", "1"]
    assert main([*words, "--split", "by-speaker"]) == 0
    text = told(capsys)
    assert "left out, too short: 8" in text and "and 3 more: all in" in text
    assert text.count("3_solomon_0_") == 5
    takes = CaptureCorpus.open(tmp_path / "out").takes
    assert [take.speaker for take in takes] == ["beat/wayne", "beat/scott"]
    assert {take.split for take in takes} == {"train", "held_out"}


def test_vocaset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    basis = write_basis(tmp_path / "basis.npz")
    write_vocaset(tmp_path / "voca", basis, {"sentence01": curves(70)})
    words = ["corpus", str(tmp_path / "out"), "--vocaset", str(tmp_path / "voca")]
    assert main(words) == 2
    assert "--vocaset and --basis go together" in told(capsys)
    assert main([*words, "--basis", str(basis)]) == 0
    assert len(CaptureCorpus.open(tmp_path / "out").takes) == 1


def test_own_captures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_live_link(tmp_path / "me" / "take [1].csv", curves(80), [timecode(n) for n in range(80)])
    words = ["corpus", str(tmp_path / "out"), "--live-link", str(tmp_path / "me")]
    assert main(words) == 2
    assert "none of 1 takes can be used; the first was left out" in told(capsys)
    soundfile.write(path.with_suffix(".wav"), tone(80 / 60), 16000)
    assert main(words) == 0
    assert CaptureCorpus.open(tmp_path / "out").takes[0].speaker == "own/me"


def test_a_folder_without_captures_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for source in ("--beat", "--live-link"):
        assert main(["corpus", str(tmp_path / "out"), source, str(tmp_path)]) == 2
    assert "holds no BEAT take" in told(capsys)
    assert main(["corpus", str(tmp_path / "out"), "--beat", str(tmp_path), "--speech", str(tmp_path)]) == 2
    assert "--speech goes into a synthesised corpus" in told(capsys)
    with pytest.raises(SystemExit):
        main(["corpus", "out", "--beat", "a", "--live-link", "b"])
    assert not (tmp_path / "out").exists()
