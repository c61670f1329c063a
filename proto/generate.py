"""Generates the Python code of the wire contract: ``python proto/generate.py [OUTPUT_ROOT]``.

The output root defaults to ``service/``, where the generated modules are committed as ``livetalker/v1`` and
``livetalker/internal/v1``; a test generates into a temporary folder and compares. Needs grpcio-tools, which carries its
own protoc.
"""

from __future__ import annotations

import argparse
from importlib import resources
from pathlib import Path

from grpc_tools import protoc

PROTO_ROOT = Path(__file__).resolve().parent
DEFAULT_OUTPUT = PROTO_ROOT.parent / "service"


def generate(output: Path) -> list[Path]:
    """Writes ``*_pb2.py``, ``*_pb2.pyi`` and ``*_pb2_grpc.py`` of every ``.proto`` below an output root.

    Returns:
        The files written.

    Raises:
        RuntimeError: protoc refused a ``.proto``; it has printed why.
    """
    sources = sorted(PROTO_ROOT.rglob("*.proto"))
    output.mkdir(parents=True, exist_ok=True)
    status = protoc.main(
        [
            "protoc",
            f"--proto_path={PROTO_ROOT}",
            f"--proto_path={resources.files('grpc_tools') / '_proto'}",
            f"--python_out={output}",
            f"--pyi_out={output}",
            f"--grpc_python_out={output}",
            *map(str, sources),
        ]
    )
    if status:
        raise RuntimeError(f"protoc ended with status {status}")
    stems = [output / source.relative_to(PROTO_ROOT).with_suffix("") for source in sources]
    return [stem.with_name(stem.name + end) for stem in stems for end in ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py")]


def main() -> None:
    """Command line entry."""
    parser = argparse.ArgumentParser(description="Generate the Python code of the wire contract.")
    parser.add_argument("output", nargs="?", type=Path, default=DEFAULT_OUTPUT, help="output root (default: service/)")
    for path in generate(parser.parse_args().output):
        print(path)


if __name__ == "__main__":
    main()
