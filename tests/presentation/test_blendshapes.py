"""The shared tables of names and visemes are whole, are what their generator writes, and tell mouths apart."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from diffusiontalker.arkit import BLENDSHAPES
from tests.vectors.blendshapes import visemes
from tests.vectors.blendshapes.generate import FOLDER, files
from tests.vectors.blendshapes.table import markdown


def _load(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def test_the_generator_writes_both_files() -> None:
    assert [path.name for path, text in files().items() if path.read_text(encoding="utf-8") != text] == []


@pytest.mark.parametrize("convention", ["perfect_sync", "cc4_standard", "cc4_extended", "metahuman"])
def test_every_convention_names_all_52_and_no_shape_twice(convention: str) -> None:
    names = _load("blendshape_names.json")["conventions"][convention]
    assert list(names) == list(BLENDSHAPES)
    shapes = [shape for several in names.values() for shape in several]
    assert all(names.values()) and len(set(shapes)) == len(shapes)


def test_left_is_left_in_every_convention() -> None:
    """A name that tells the side it is on (at its end, or after Eye) tells the same as ARKit's."""
    for names in _load("blendshape_names.json")["conventions"].values():
        for arkit, shapes in names.items():
            side = {"Left": "L", "Right": "R"}.get(next((s for s in ("Left", "Right") if arkit.endswith(s)), ""))
            for shape in shapes if side else ():
                if shape.startswith("Eye_L_") or shape.startswith("Eye_R_"):
                    assert shape[4] == side
                else:
                    assert shape.removesuffix("eft").removesuffix("ight").endswith(side), f"{arkit}: {shape}"


def test_vrm_expressions_are_presets_made_of_what_there_is() -> None:
    table, known = _load("blendshape_names.json"), _load("visemes.json")["visemes"]
    assert set(table["vrm1"]) < set(table["vrm1_presets"])
    for parts in table["vrm1"].values():
        assert set(parts.get("arkit", {})) <= set(BLENDSHAPES)
        assert set(parts.get("visemes", {})) <= set(known)


def test_visemes_of_utterances_never_fitted_are_told_apart() -> None:
    """T and D, K and G, N and L look alike: they only have to be one of each other, or another open mouth."""
    table = _load("visemes.json")
    rows, labels = visemes.examples(range(20_000, 20_040))
    weights = visemes.weights(rows, np.array(table["means"]), np.array(table["spreads"]))
    np.testing.assert_allclose(weights.sum(1), 1.0, atol=1e-9)
    names = list(visemes.PHONES_OF)
    shares = {name: float((weights[labels == number].argmax(1) == number).mean()) for number, name in enumerate(names)}
    assert {name for name, share in shares.items() if share > 0.8} >= {"sil", "PP", "FF", "TH", "CH"}
    assert {name for name, share in shares.items() if share < 0.6} <= {"DD", "kk", "nn"}


def test_the_page_has_the_mapping_table() -> None:
    page = (FOLDER.parents[1] / "docs" / "clients.md").read_text(encoding="utf-8")
    assert markdown() in page
