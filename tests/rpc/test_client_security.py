"""What a client says of a token that others could read on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from livetalker.client import LiveTalkerClient, Tls
from livetalker.client.security import _warn_of_open_token
from tests.rpc.certificates import Authority

TOKEN = "anna-0123456789abcdef"


@pytest.fixture(autouse=True)
def nothing_said_yet() -> None:
    _warn_of_open_token.cache_clear()


@pytest.mark.parametrize(
    "address",
    [
        "voice.example.com:50051",
        "192.0.2.7:50051",
        "[2001:db8::1]:50051",
        "dns:///voice.example.com:50051",
        "localhost.com:1",
    ],
)
async def test_a_token_that_leaves_this_machine_in_plain_text_is_warned_of_once(
    caplog: pytest.LogCaptureFixture, address: str
) -> None:
    for _ in range(3):
        async with LiveTalkerClient(address, token=TOKEN):
            pass
    assert caplog.messages == [f"the token goes to {address} in plain text: anybody on the way can read it; use TLS"]


@pytest.mark.parametrize(
    "address",
    ["localhost:50051", "127.0.0.1:50051", "127.8.0.1:1", "[::1]:50051", "ipv4:127.0.0.1:50051", "unix:socket"],
)
async def test_one_that_stays_here_is_not(caplog: pytest.LogCaptureFixture, address: str) -> None:
    async with LiveTalkerClient(address, token=TOKEN):
        assert caplog.messages == []


async def test_neither_is_tls_nor_the_want_of_a_token(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with (
        LiveTalkerClient("voice.example.com:50051", token=TOKEN, tls=Tls(authority=authority.certificate)),
        LiveTalkerClient("voice.example.com:50051"),
    ):
        assert caplog.messages == []
