"""Which processors are trusted with 8-bit products."""

from __future__ import annotations

import pytest

from livetalker.engine.backends.processor import multiplies_int8


@pytest.mark.parametrize(
    ("system", "machine", "info", "expected"),
    [
        ("Linux", "x86_64", "flags : fpu sse2 avx2 avx512_vnni", True),
        ("Linux", "x86_64", "flags : fpu avx2 avx_vnni", True),
        ("Linux", "x86_64", "flags : fpu sse2 avx2 avx512f", False),
        ("Linux", "aarch64", "Features : fp asimd asimddp", True),
        ("Linux", "aarch64", "Features : fp asimd", False),
    ],
)
def test_instructions_decide(system: str, machine: str, info: str, expected: bool) -> None:
    assert multiplies_int8(system, machine, lambda: info) is expected


def test_macs_are_known_and_windows_is_not() -> None:
    def unreadable() -> str:
        raise FileNotFoundError

    assert multiplies_int8("Darwin", "arm64", unreadable)
    assert not multiplies_int8("Darwin", "x86_64", unreadable)
    assert not multiplies_int8("Windows", "AMD64", unreadable)
