"""Writes the vectors: ``python -m tests.vectors.presentation.generate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from tests.vectors.presentation.replay import COEFFICIENTS, buffer_answers, clock_answers
from tests.vectors.presentation.scenarios import CLOCK, Scenario, scenarios

FOLDER: Final = Path(__file__).parent


def rendered(scenario: Scenario) -> str:
    """The scenario and the reference's answers as a file's text, a step a line."""
    head: dict[str, object] = {"about": scenario.about, "kind": scenario.kind}
    if scenario.kind == CLOCK:
        answers = clock_answers(scenario.steps)
        head |= {"tolerance": {"time_s": 1e-6}}
    else:
        answers = buffer_answers(scenario.config, scenario.steps)
        head |= {"tolerance": {"time_s": 1e-6, "weight": 1e-5}}
        head |= {"config": scenario.config, "coefficients": list(COEFFICIENTS)}
    steps = ",\n".join(
        json.dumps({**step, **answer}, separators=(",", ":"))
        for step, answer in zip(scenario.steps, answers, strict=True)
    )
    return f'{json.dumps(head)[:-1]}, "steps": [\n{steps}\n]}}\n'


def files() -> dict[Path, str]:
    """Every vector and its text."""
    return {FOLDER / f"{name}.json": rendered(scenario) for name, scenario in scenarios().items()}


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
        print(f"{path.name}: {len(text) / 1e3:.0f} kB")
