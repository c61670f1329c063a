"""Compiles the kernels when LiveTalker is installed, once for each instruction set; goes without where no compiler is.

The libraries lie in ``service/livetalker/engine/kernels`` and are called through ctypes, so a wheel with them fits
every version of Python on its platform. In a development environment ``python service/kernels/build_hook.py`` compiles
them by hand.
"""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path(__file__).resolve().parent
TARGET = HERE.parent / "livetalker" / "engine" / "kernels"
FLAGS = (
    *("-std=c++17", "-O3", "-fPIC", "-fvisibility=hidden"),
    *("-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off"),  # for the last one see elementwise.h
)
INSTRUCTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "x86_64": {
        "avx2": ("-mavx2", "-mfma"),
        "avx512vnni": ("-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mavx512vnni", "-mavx2", "-mfma"),
    },
    "aarch64": {"neon": ()},
}
"""Machine -> instruction set -> what compilers call it; ``support.cpp`` asks a processor for the same."""
_STATIC = () if sys.platform == "darwin" else ("-static-libstdc++", "-static-libgcc")
"""So that a library needs nothing of the system but its C library."""
SAME_MACHINE = {"arm64": "aarch64"}


class KernelError(RuntimeError):
    """Kernels cannot be compiled here, and why."""


def compiler() -> list[str]:
    """The C++ compiler to call.

    Raises:
        KernelError: there is none.
    """
    chosen = shlex.split(os.environ.get("CXX", ""))
    if chosen and not shutil.which(chosen[0]):
        raise KernelError(f"CXX names {chosen[0]}, which is not there")
    for command in filter(None, (chosen, ["c++"], ["g++"], ["clang++"])):
        if shutil.which(command[0]):
            return command
    raise KernelError("no C++ compiler was found (c++, g++ or clang++; or name one in CXX)")


def compile_kernels(target: Path = TARGET) -> tuple[list[Path], list[str]]:
    """Compile a library for each instruction set of this kind of machine, in the place of those of before.

    Args:
        target: folder they are put in.

    Returns:
        The libraries, and what went wrong with those that are missing.
    """
    machine = SAME_MACHINE.get(platform.machine(), platform.machine())
    libraries: list[Path] = []
    try:
        for stale in target.glob("libkernels-*.so"):
            stale.unlink()
        if machine not in INSTRUCTIONS or sys.platform == "win32":
            raise KernelError(f"the kernels are not written for {platform.system()} on {platform.machine()}")
        command = compiler()
    except (KernelError, OSError) as error:
        return libraries, [str(error)]
    failures = []
    for name in INSTRUCTIONS[machine]:
        library = target / f"libkernels-{name}.so"
        try:
            _compile(command, name, INSTRUCTIONS[machine][name], library)
            libraries.append(library)
        except (KernelError, OSError) as error:
            failures.append(f"{name}: {error}")
    return libraries, failures


def _compile(command: list[str], name: str, flags: Sequence[str], library: Path) -> None:
    needs = f"-DLIVETALKER_NEEDS_{name.upper()}"
    with tempfile.TemporaryDirectory() as scratch:
        support, kernels, linked = (str(Path(scratch) / file) for file in ("support.o", "kernels.o", library.name))
        _run([*command, *FLAGS, needs, "-c", str(HERE / "support.cpp"), "-o", support])
        _run([*command, *FLAGS, *flags, "-c", str(HERE / "kernels.cpp"), "-o", kernels])
        link = [*command, "-shared", *_only_ours(), support, kernels, "-o", linked]
        try:
            _run([*link, *_STATIC])
        except KernelError:  # not every system has the C++ library to link into another
            _run(link)
        new = library.with_suffix(".new")  # a library appears whole or not at all
        shutil.copy(linked, new)
        new.replace(library)


def _only_ours() -> list[str]:
    """What keeps a library from offering anything but its own interface."""
    if sys.platform == "darwin":
        return ["-Wl,-exported_symbol,_livetalker_*"]
    return [f"-Wl,--version-script={HERE / 'exported.map'}"]


def _run(command: list[str]) -> None:
    ran = subprocess.run(command, capture_output=True, text=True)
    if ran.returncode:
        said = (ran.stderr or ran.stdout).strip().splitlines() or ["it said nothing"]
        raise KernelError(f"{command[0]} failed: {said[0]}")


class KernelBuildHook(BuildHookInterface[BuilderConfig]):
    """Compiles before a wheel is packed or an editable installation is made."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """See hatchling; ``version`` is ``editable`` or ``standard``."""
        libraries, failures = compile_kernels()
        for failure in failures:
            which = "some of its" if libraries else "its"
            self.app.display_warning(f"LiveTalker is installed without {which} compiled kernels, and slower: {failure}")
        if not libraries:
            return
        for library in libraries:
            build_data["artifacts"].append(library.relative_to(self.root).as_posix())
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"


if __name__ == "__main__":
    made, missing = compile_kernels()
    print(*made, sep="\n")
    sys.exit("\n".join(missing) or None)
