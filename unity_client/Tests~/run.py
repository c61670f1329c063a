"""Compiles every assembly of the package and runs the tests: ``python Tests~/run.py``.

1. ``Runtime/Core`` as C# 8 against .NET Standard 2.1, warnings as errors.
2. ``Runtime/Unity``, ``Editor`` and the samples against the hand-written declarations in ``UnityDeclarations``: a
   syntax check, with each of the HTTP handlers and with none.
3. ``Tests/Core`` and ``Tests~``: the tests, against a real server of this repository.

A missing toolchain is a failure under CI or with ``--require``, and else a message.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parent))

import metas
from toolchain import Toolchain, ToolchainError, find_or_fetch

HERE: Final = Path(__file__).resolve().parent
PACKAGE: Final = HERE.parent
REPOSITORY: Final = PACKAGE.parent
BUILD: Final = HERE / ".build"
HANDLERS: Final = ((), ("LIVETALKER_YET_ANOTHER_HTTP_HANDLER",), ("UNITY_6000_5_OR_NEWER",))
"""Defines of a project without an HTTP/2 handler, with YetAnotherHttpHandler, and of Unity 6.5."""


class BuildError(Exception):
    """An assembly does not compile; the compiler has said why."""


def compile_assembly(
    tools: Toolchain,
    output: Path,
    folders: Iterable[Path],
    *,
    standard: bool,
    references: Iterable[Path] = (),
    defines: Iterable[str] = (),
    program: bool = False,
    documented: bool = False,
    engine: bool = False,
) -> Path:
    """Compiles all C# files below some folders.

    Args:
        tools: what to compile with.
        output: the assembly to write.
        folders: where the sources are.
        standard: against .NET Standard 2.1, as Unity does, or against the runtime itself.
        references: other assemblies.
        defines: symbols for ``#if``.
        program: whether it can be run.
        documented: whether every public name must have its documentation.
        engine: whether it is a layer on Unity.

    Raises:
        BuildError: it does not compile.
    """
    framework = tools.netstandard if standard else tools.framework
    sources = sorted(str(path) for folder in folders for path in folder.rglob("*.cs"))
    response = output.with_suffix(".rsp")
    lines = [
        "-nologo", "-nostdlib", "-deterministic", "-langversion:8.0", "-warn:4", "-warnaserror+", "-debug:portable",
        f"-target:{'exe' if program else 'library'}", f'-out:"{output}"', "-optimize+",
        # Unity fills in serialized fields, and silences this warning about them itself.
        *(["-nowarn:0649"] if engine else []),
        *([f'-doc:"{output.with_suffix(".xml")}"'] if documented else []),
        *(f"-define:{define}" for define in defines),
        *(f'-r:"{path}"' for path in (*sorted(framework.glob("*.dll")), *references)),
        *(f'"{source}"' for source in sources),
    ]  # fmt: skip
    response.write_text("\n".join(lines), encoding="utf-8")
    if tools.run(tools.compiler, "-noconfig", f"@{response}"):
        raise BuildError(output.name)
    return output


def compile_all(tools: Toolchain) -> Path:
    """Compiles everything; the tests' program."""
    core = compile_assembly(
        tools, BUILD / "LiveTalker.Core.dll", [PACKAGE / "Runtime/Core"], standard=True, documented=True
    )
    unity = compile_assembly(tools, BUILD / "UnityDeclarations.dll", [HERE / "UnityDeclarations"], standard=True)
    layers = 0
    for number, defines in enumerate(HANDLERS):
        runtime = compile_assembly(
            tools, BUILD / f"LiveTalker.{number}.dll", [PACKAGE / "Runtime/Unity"],
            standard=True, references=[core, unity], defines=defines, documented=True, engine=True,
        )  # fmt: skip
        editor = compile_assembly(
            tools, BUILD / f"LiveTalker.Editor.{number}.dll", [PACKAGE / "Editor"],
            standard=True, references=[core, unity, runtime], defines=(*defines, "UNITY_EDITOR"), engine=True,
        )  # fmt: skip
        layers += 2
    for sample in sorted((PACKAGE / "Samples~").iterdir()):
        if sample.is_dir():
            compile_assembly(
                tools, BUILD / f"Sample.{sample.name}.dll", [sample],
                standard=True, references=[core, unity, runtime, editor], defines=("UNITY_EDITOR",), engine=True,
            )  # fmt: skip
            layers += 1
    print(f"compiled Core for netstandard2.1, and {layers} engine assemblies against declarations", flush=True)
    return compile_assembly(
        tools, BUILD / "LiveTalker.Core.Tests.dll", [PACKAGE / "Tests/Core", HERE / "Harness", HERE / "Server"],
        standard=False, references=[core], program=True,
    )  # fmt: skip


def write_clip() -> Path:
    """Writes the demo's sentence as raw 16-bit samples at 16 kHz, which C# reads without a decoder."""
    clip = BUILD / "clip.s16"
    if not clip.exists():
        import soundfile

        samples, rate = soundfile.read(REPOSITORY / "demo" / "clip.flac", dtype="int16")
        if rate != 16_000:
            raise ValueError(f"demo/clip.flac is at {rate} Hz; the tests expect 16000")
        clip.write_bytes(samples.tobytes())
    return clip


def main() -> int:
    """Compiles and runs; the process's exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="run the tests whose name contains this")
    parser.add_argument("--require", action="store_true", help="a missing toolchain is a failure, as under CI")
    parser.add_argument("--compile", action="store_true", help="compile only")
    options = parser.parse_args()
    try:
        tools = find_or_fetch()
    except ToolchainError as error:
        required = options.require or os.environ.get("CI", "") not in ("", "0", "false")
        print(f"{'error' if required else 'skipped'}: no C# toolchain: {error}", file=sys.stderr)
        return 1 if required else 0
    BUILD.mkdir(exist_ok=True)
    missing = metas.missing(PACKAGE)
    if missing:
        print(f"error: without .meta file: {', '.join(missing)}; run `make metas`", file=sys.stderr)
        return 1
    try:
        program = compile_all(tools)
    except BuildError as error:
        print(f"error: {error} does not compile", file=sys.stderr)
        return 1
    if options.compile:
        return 0
    framework = {"name": "Microsoft.NETCore.App", "version": tools.framework.name}
    program.with_suffix(".runtimeconfig.json").write_text(json.dumps({"runtimeOptions": {"framework": framework}}))
    os.environ["LIVETALKER_PYTHON"] = sys.executable
    os.environ["LIVETALKER_REPOSITORY"] = str(REPOSITORY)
    os.environ["LIVETALKER_CLIP"] = str(write_clip())
    roots = [REPOSITORY / "service", REPOSITORY / "models", REPOSITORY]
    os.environ["PYTHONPATH"] = os.pathsep.join([*map(str, roots), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    return tools.run(program, options.only)


if __name__ == "__main__":
    sys.exit(main())
