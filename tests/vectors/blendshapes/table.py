"""The mapping table of ``docs/clients.md``, made of ``conventions``: ``python -m tests.vectors.blendshapes.table``."""

from __future__ import annotations

from os.path import commonprefix

from diffusiontalker.arkit import BLENDSHAPES
from tests.vectors.blendshapes import conventions

_PREFIX = "CTRL_expressions_"


def _together(names: list[str]) -> str:
    """Names that begin alike, with their ends one after the other."""
    start = len(commonprefix(names)) if len(names) > 1 else len(names[0])
    ends = "/".join(name[start:] for name in names)
    return f"`{names[0][:start]}{ends}`"


def _cell(left: list[str], right: list[str] | None) -> str:
    """Shapes of both sides as one, where only their ends tell them apart."""
    if right is None:
        return _together(left)
    pairs = [_together([a, b]) for a, b in zip(left, right, strict=True)]
    if all(pair.endswith(("L/R`", "Left/Right`")) for pair in pairs):
        return ", ".join(pairs)
    return "; ".join(_together(side) for side in (left, right))


def markdown() -> str:
    """The table, a row for each coefficient or pair of them."""
    standard, extended = conventions.cc4_standard(), conventions.cc4_extended()
    curves = {name: [c.removeprefix(_PREFIX) for c in several] for name, several in conventions.metahuman().items()}
    rows = ["| ARKit | CC4 | MetaHuman, after `CTRL_expressions_` |", "|---|---|---|"]
    for name in BLENDSHAPES:
        right = name.removesuffix("Left") + "Right" if name.endswith("Left") else None
        if name.endswith("Right"):
            continue
        cells = [_cell([name], None if right is None else [right])]
        cc4 = _cell(standard[name], None if right is None else standard[right])
        if extended[name] != standard[name]:
            cc4 += f"; Extended: {_cell(extended[name], None)}"
        cells += [cc4, _cell(curves[name], None if right is None else curves[right])]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    print(markdown(), end="")
