"""Writes ``blendshape_names.json`` and ``visemes.json``: ``python -m tests.vectors.blendshapes.generate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np

from diffusiontalker.arkit import BLENDSHAPES
from tests.vectors.blendshapes import conventions, visemes

FOLDER: Final = Path(__file__).parent.parent


def names() -> dict[str, Any]:
    """What the 52 are called elsewhere."""
    return {
        "about": "The 52 ARKit coefficients elsewhere; see docs/clients.md. Of several names, all get the weight.",
        "arkit": list(BLENDSHAPES),
        "conventions": {
            "perfect_sync": conventions.perfect_sync(),
            "cc4_standard": conventions.cc4_standard(),
            "cc4_extended": conventions.cc4_extended(),
            "metahuman": conventions.metahuman(),
        },
        "vrm1_presets": list(conventions.VRM1_PRESETS),
        "vrm1": conventions.VRM1,
        "spellings": [{"mesh": mesh, "arkit": arkit} for mesh, arkit in conventions.SPELLINGS],
    }


def viseme_table() -> dict[str, Any]:
    """The table that makes visemes of a face, and some faces with the answers."""
    means, spreads = visemes.fit()
    _, faces = visemes.utterance(10_001)
    chosen = faces[::9].astype(float).round(4)
    answers = visemes.weights(visemes.features(chosen), means, spreads)
    return {
        "about": "weight of viseme v = exp(-d_v) / sum over all, d_v = sum over features f of "
        "((x_f - mean_vf) / spread_f)^2 / 2, x_f the mean of the feature's coefficients; see docs/clients.md",
        "visemes": list(visemes.PHONES_OF),
        "features": [list(feature) for feature in visemes.FEATURES],
        "means": means.tolist(),
        "spreads": spreads.tolist(),
        "tolerance": 1e-4,
        "cases": [
            {"face": face.tolist(), "weights": answer.round(5).tolist()}
            for face, answer in zip(chosen, np.asarray(answers), strict=True)
        ],
    }


def _lines(value: Any, depth: int) -> str:
    """JSON with the outer levels on lines of their own."""
    if depth == 0 or not isinstance(value, dict | list) or not value:
        return json.dumps(value)
    if isinstance(value, dict):
        return (
            "{\n" + ",\n".join(f"{json.dumps(key)}: {_lines(item, depth - 1)}" for key, item in value.items()) + "\n}"
        )
    return "[\n" + ",\n".join(_lines(item, depth - 1) for item in value) + "\n]"


def files() -> dict[Path, str]:
    """Both files and their text."""
    return {
        FOLDER / "blendshape_names.json": _lines(names(), 3) + "\n",
        FOLDER / "visemes.json": _lines(viseme_table(), 2) + "\n",
    }


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
        print(f"{path.name}: {len(text) / 1e3:.0f} kB")
