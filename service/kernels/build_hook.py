"""Compiles the kernels when LiveTalker is installed, once for each instruction set; goes without where no compiler is.

The libraries lie in ``service/livetalker/engine/kernels`` and are called through ctypes, so a wheel with them fits
every version of Python on its platform. ``python service/kernels/build_hook.py`` compiles them by hand.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
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
SAME_MACHINE = {"AMD64": "x86_64", "arm64": "aarch64"}


class KernelError(RuntimeError):
    """The kernels cannot be compiled here, and why."""


def compiler() -> str:
    """The C++ compiler to call.

    Raises:
        KernelError: there is none.
    """
    for name in filter(None, (os.environ.get("CXX"), "c++", "g++", "clang++")):
        if shutil.which(name.split()[0]):
            return name
    raise KernelError("no C++ compiler was found (c++, g++ or clang++; or name one in CXX)")


def compile_kernels(target: Path = TARGET) -> list[Path]:
    """Compile a library for each instruction set of this kind of machine.

    Args:
        target: folder they are put in.

    Raises:
        KernelError: this machine has none that the kernels are written for, or a compiler is missing or fails.
    """
    machine = SAME_MACHINE.get(platform.machine(), platform.machine())
    if machine not in INSTRUCTIONS or sys.platform == "win32":
        raise KernelError(f"the kernels are not written for {platform.system()} on {platform.machine()}")
    command = compiler().split()
    libraries = []
    for name, flags in INSTRUCTIONS[machine].items():
        library = target / f"libkernels-{name}.so"
        needs = f"-DLIVETALKER_NEEDS_{name.upper()}"
        with tempfile.TemporaryDirectory() as scratch:
            objects = [Path(scratch) / "support.o", Path(scratch) / "kernels.o"]
            _run([*command, *FLAGS, needs, "-c", str(HERE / "support.cpp"), "-o", str(objects[0])])
            _run([*command, *FLAGS, *flags, "-c", str(HERE / "kernels.cpp"), "-o", str(objects[1])])
            linked = Path(scratch) / library.name
            _run([*command, "-shared", *_only_ours(), *map(str, objects), "-o", str(linked)])
            # A library that a running process has loaded must not change under it.
            library.unlink(missing_ok=True)
            shutil.copy(linked, library)
        libraries.append(library)
    return libraries


def _only_ours() -> list[str]:
    """What keeps a library from offering anything but its own interface."""
    if sys.platform == "darwin":
        return ["-Wl,-exported_symbol,_livetalker_*"]
    return [f"-Wl,--version-script={HERE / 'exported.map'}", "-static-libstdc++", "-static-libgcc"]


def _run(command: list[str]) -> None:
    ran = subprocess.run(command, capture_output=True, text=True)
    if ran.returncode:
        said = (ran.stderr or ran.stdout).strip().splitlines() or ["it said nothing"]
        raise KernelError(f"{command[0]} failed: {said[0]}")


class KernelBuildHook(BuildHookInterface[BuilderConfig]):
    """Compiles before a wheel is packed or an editable installation is made."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """See hatchling; ``version`` is ``editable`` or ``standard``."""
        if self.target_name != "wheel":
            return
        try:
            libraries = compile_kernels()
        except KernelError as error:
            self.app.display_warning(f"LiveTalker is installed without its compiled kernels, and slower: {error}")
            return
        for library in libraries:
            build_data["artifacts"].append(library.relative_to(self.root).as_posix())
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"


if __name__ == "__main__":
    try:
        print(*compile_kernels(), sep="\n")
    except KernelError as failure:
        sys.exit(str(failure))
