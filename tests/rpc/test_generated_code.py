"""The committed code, the contract's text and the service agree with one another."""

from __future__ import annotations

import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from livetalker.rpc.errors import DOMAIN, Reason, ServiceError
from livetalker.v1 import face_animation_pb2 as pb

ROOT = Path(__file__).resolve().parents[2]
PROTO = ROOT / "proto" / "livetalker" / "v1" / "face_animation.proto"


def test_generated_code_is_what_the_contract_generates(tmp_path: Path) -> None:
    generate = runpy.run_path(str(ROOT / "proto" / "generate.py"))["generate"]
    fresh = {path.relative_to(tmp_path): path.read_text() for path in generate(tmp_path)}
    assert len(fresh) == 3 * len(list((ROOT / "proto").rglob("*.proto")))
    committed = {path: (ROOT / "service" / path).read_text() for path in fresh}
    assert fresh == committed, "run `make proto`"


def test_the_contract_passes_its_lint() -> None:
    npx = shutil.which("npx")
    if npx is None:
        pytest.skip("buf comes through npx, which is not installed")

    def buf(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [npx, "--yes", "@bufbuild/buf", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)

    try:
        fetched = buf("--version").returncode == 0
    except subprocess.TimeoutExpired:
        fetched = False
    if not fetched:
        pytest.skip("npx cannot fetch buf")
    lint = buf("lint")
    assert (lint.returncode, lint.stdout) == (0, ""), lint.stderr


def test_the_service_needs_no_runtime() -> None:
    """Only the engine loads ONNX Runtime: a server can be tested, and a client used, without it."""
    program = "import sys, livetalker.rpc.server; assert 'onnxruntime' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_every_reason_is_in_the_contract_with_its_status() -> None:
    rows = re.findall(r"^//   ([A-Z_]+) +([A-Z_]+) +\S", PROTO.read_text(), re.MULTILINE)
    assert dict(rows) == {reason.value: reason.code.name for reason in Reason}


def test_every_error_names_domain_and_reason() -> None:
    for reason in Reason:
        status = ServiceError(reason, "do this", field="config.seed", retry_after_s=2.5).status()
        assert (status.code, status.message) == (reason.code.value[0], "do this")
        kinds = [detail.type_url.rpartition(".")[2] for detail in status.details]
        assert kinds == ["ErrorInfo", "BadRequest", "RetryInfo"]
    assert DOMAIN == "livetalker"


def test_field_numbers_of_the_contract_stay() -> None:
    def numbers(message: str) -> dict[str, int]:
        return {field.name: field.number for field in pb.DESCRIPTOR.message_types_by_name[message].fields}

    assert numbers("AnimateRequest") == {"config": 1, "audio": 2, "control": 3, "resume": 4}
    assert numbers("AnimateResponse") == {"started": 1, "frames": 2, "event": 3}
    assert numbers("Resume") == {"token": 1, "next_frame": 2}
    assert numbers("AudioChunk") == {"start_sample": 1, "data": 2}
    assert numbers("Frame") == {"index": 1, "time_us": 2, "weights": 3}
    assert numbers("Event") == {"identity_matched": 1, "gap": 2, "draining": 3, "warning": 4, "resume_point": 5}
