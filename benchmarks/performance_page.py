"""Writes the figures into docs/performance.md: what stands between its markers is made of the records of a folder.

``python -m benchmarks.performance_page --from DIR`` after the benchmarks have written to ``DIR``. What has no record
there is said not to have been measured; all else on the page stays as it is. ``--check`` only says whether the page is
what the folder makes.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchmarks.performance_tables import SECTIONS
from benchmarks.records import Record, read_records

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
_MARKED: Final = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- end of figures -->)", re.DOTALL)


class PageError(ValueError):
    """The page cannot be filled in; the message says which marker is wrong."""


def filled(page: str, records: Mapping[str, Record], pictures: Mapping[str, tuple[str, str]] | None = None) -> str:
    """A page with its figures.

    Args:
        page: text with ``<!-- figures: NAME -->`` and ``<!-- end of figures -->``, each on a line of its own.
        records: by their names.
        pictures: name of a section -> address and caption of its picture.

    Returns:
        The page, with what was between the markers replaced.

    Raises:
        PageError: a marker names no section, or does not end.
    """
    drawn = pictures or {}

    def fill(match: re.Match[str]) -> str:
        begin, name, end = match.groups()
        if name not in SECTIONS:
            raise PageError(f"there are no figures {name!r}; there are {', '.join(SECTIONS)}")
        text = SECTIONS[name](records)
        if name in drawn:
            address, caption = drawn[name]
            text += f"\n\n![{caption}]({address})"
        return f"{begin}{text}\n{end}"

    if page.count("<!-- figures:") != len(_MARKED.findall(page)):
        raise PageError("a marker of figures does not end, or its name is not one word")
    return _MARKED.sub(fill, page)


def main() -> int:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", type=Path, required=True, metavar="DIR", dest="folder", help="folder of the records")
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if the page is another one")
    options = parser.parse_args()
    if not options.folder.is_dir():
        print(f"there is no folder {options.folder}; the benchmarks make it with --out", file=sys.stderr)
        return 2
    records = read_records(options.folder)
    from benchmarks.performance_pictures import PICTURES, draw

    images = options.page.parent / "images"
    if options.check:
        found = {name: images / f"performance-{name.replace('_', '-')}.png" for name in PICTURES if name in records}
        drawn = {name: (path, PICTURES[name][1]) for name, path in found.items()}
    else:
        drawn = draw(records, images)
    addresses = {name: (f"images/{path.name}", caption) for name, (path, caption) in drawn.items()}
    old = options.page.read_text(encoding="utf-8")
    new = filled(old, records, addresses)
    if options.check:
        print("the page is up to date" if new == old else "the page is not what the folder makes")
        return int(new != old)
    options.page.write_text(new, encoding="utf-8")
    print(f"{options.page}: {', '.join(records) or 'nothing was measured'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
