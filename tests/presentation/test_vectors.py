"""The shared vectors are what the generator writes, and the Python clock and buffer answer as they say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.vectors.presentation.generate import FOLDER, files
from tests.vectors.presentation.replay import buffer_answers, clock_answers
from tests.vectors.presentation.scenarios import CLOCK

VECTORS = sorted(FOLDER.glob("*.json"))


def test_the_generator_writes_these_files_and_no_others() -> None:
    written = files()
    assert sorted(written) == VECTORS
    assert [path.name for path, text in written.items() if path.read_text(encoding="utf-8") != text] == []
    assert sum(len(text) for text in written.values()) < 200_000


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
def test_the_reference_answers_within_the_tolerance(path: Path) -> None:
    vector = json.loads(path.read_text(encoding="utf-8"))
    time, weight = vector["tolerance"]["time_s"], vector["tolerance"].get("weight", 0.0)
    tolerances = {"audio": time, "playhead": time, "presence": weight, "weights": weight}
    steps = vector["steps"]
    answers = clock_answers(steps) if vector["kind"] == CLOCK else buffer_answers(vector["config"], steps)
    compared = 0
    for number, (step, answer) in enumerate(zip(steps, answers, strict=True)):
        for name, value in answer.items():
            expected: Any = step[name]
            if name in tolerances and expected is not None:
                expected = pytest.approx(expected, abs=tolerances[name], rel=0)
            assert value == expected, f"{path.name}, step {number}: {name}"
            compared += 1
    assert compared >= len(steps) // 2


def test_the_buffers_vectors_show_every_state_and_every_result() -> None:
    steps = [step for path in VECTORS for step in json.loads(path.read_text(encoding="utf-8"))["steps"]]
    assert {step.get("state") for step in steps} == {None, "resting", "playing", "holding", "easing"}
    assert {step.get("result") for step in steps} == {None, "accepted", "late", "dropped", "full"}
