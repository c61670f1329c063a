"""Unity's ``.meta`` files: a package that comes by git must bring them, or Unity ignores its files.

The GUID of a file is the MD5 of its path in the package, so that writing them again changes nothing and references to
them stay valid. Unity ignores files and folders that begin with a dot or end with a tilde.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PACKAGE_NAME: Final = "com.livetalker.unity"
_TAIL: Final = "  externalObjects: {}\n  userData: \n  assetBundleName: \n  assetBundleVariant: \n"
_IMPORTERS: Final = {
    ".cs": "MonoImporter:\n  externalObjects: {}\n  serializedVersion: 2\n  defaultReferences: []\n"
    "  executionOrder: 0\n  icon: {instanceID: 0}\n  userData: \n  assetBundleName: \n  assetBundleVariant: \n",
    ".asmdef": "AssemblyDefinitionImporter:\n" + _TAIL,
    ".md": "TextScriptImporter:\n" + _TAIL,
    ".json": "TextScriptImporter:\n" + _TAIL,
    "package.json": "PackageManifestImporter:\n" + _TAIL,
}


def assets(package: Path) -> Iterator[Path]:
    """All files and folders that Unity imports, in order."""
    for path in sorted(package.iterdir()):
        if path.name.startswith(".") or path.name.endswith("~") or path.suffix == ".meta" or path.name == "__pycache__":
            continue
        yield path
        if path.is_dir():
            yield from assets(path)


def guid(path: Path, package: Path) -> str:
    """The asset's GUID, 32 hexadecimal digits."""
    name = f"{PACKAGE_NAME}/{path.relative_to(package).as_posix()}"
    return hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()


def meta(path: Path, package: Path) -> str:
    """The text of an asset's ``.meta`` file."""
    if path.is_dir():
        body = "folderAsset: yes\nDefaultImporter:\n" + _TAIL
    else:
        body = _IMPORTERS.get(path.name) or _IMPORTERS.get(path.suffix) or "DefaultImporter:\n" + _TAIL
    return f"fileFormatVersion: 2\nguid: {guid(path, package)}\n{body}"


def missing(package: Path) -> list[str]:
    """Assets without a ``.meta`` file, and ``.meta`` files without an asset."""
    names = [path.relative_to(package).as_posix() for path in assets(package) if not _beside(path).exists()]
    known = {_beside(path) for path in assets(package)}
    for path in package.rglob("*.meta"):
        hidden = any(part.endswith("~") or part.startswith(".") for part in path.relative_to(package).parts)
        if path not in known and not hidden:
            names.append(path.relative_to(package).as_posix())
    return names


def write(package: Path) -> None:
    """Writes the ``.meta`` files that are missing and removes those whose asset is gone."""
    known = set()
    for path in assets(package):
        known.add(_beside(path))
        if not _beside(path).exists():
            _beside(path).write_text(meta(path, package), encoding="utf-8")
    for path in package.rglob("*.meta"):
        hidden = any(part.endswith("~") or part.startswith(".") for part in path.relative_to(package).parts)
        if path not in known and not hidden:
            path.unlink()


def _beside(path: Path) -> Path:
    return path.with_name(path.name + ".meta")


if __name__ == "__main__":
    root = Path(__file__).resolve().parent.parent
    if "--write" in sys.argv:
        write(root)
    found = missing(root)
    print("\n".join(found) or "every asset has its .meta file")
    sys.exit(bool(found))
