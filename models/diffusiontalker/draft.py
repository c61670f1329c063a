"""A folder that appears whole or not at all: written beside its place, moved there when everything in it is done."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import TracebackType
from typing import Self

from diffusiontalker.errors import MendableError


class OccupiedError(MendableError, FileExistsError):
    """A place that holds something of another kind."""


def let_everybody_read(path: Path) -> None:
    """Undo that safetensors lets nobody but the owner read what it writes: a server may run as somebody else."""
    path.chmod(0o644)


def require_room(out: Path, marker: str) -> None:
    """Refuse a place that holds something else than a folder with the file ``marker``, or nothing.

    Raises:
        OccupiedError: ``out`` is there and is something else.
    """
    if out.exists() and not (out / marker).is_file() and not (out.is_dir() and not any(out.iterdir())):
        raise OccupiedError(f"{out} is there and holds no {marker}, so it is not replaced: give another folder")


class Draft:
    """A folder under way to ``out``.

    A folder that is there is replaced only if it is of the same kind, which its marker file tells: a mistyped path must
    not cost somebody their own files.

    Use it as a context manager: leaving it moves the draft to ``out``, replacing what was there; an exception drops the
    draft and leaves whatever was at ``out`` untouched.

    Attributes:
        folder: where to write, ``<out>.unfinished``; what a killed run left there is gone.
    """

    def __init__(self, out: Path, marker: str) -> None:
        """Start what will become ``out``; ``marker`` is a file that every folder of its kind holds.

        Raises:
            OccupiedError: ``out`` is there and is something else.
        """
        require_room(out, marker)
        self.out = out
        self.folder = out.with_name(out.name + ".unfinished")
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.folder.mkdir(parents=True)

    def publish(self) -> None:
        """Move the draft to its place."""
        if self.out.exists():
            shutil.rmtree(self.out)
        self.folder.rename(self.out)

    def drop(self) -> None:
        """Remove the draft."""
        shutil.rmtree(self.folder)

    def __enter__(self) -> Self:
        """Return the draft itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Publish, or drop when an exception is under way."""
        if kind is None:
            self.publish()
        else:
            self.drop()
