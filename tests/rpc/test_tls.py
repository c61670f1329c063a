"""TLS: who can talk to whom, and certificates that change while the server runs."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import subprocess
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from livetalker.rpc.options import TlsFiles
from livetalker.rpc.tls import TlsError, read_tls
from livetalker.v1 import face_animation_pb2_grpc as rpc
from tests.rpc.certificates import Authority, Signed
from tests.rpc.loopback import Heard, audio, config, exchange, serving
from tests.rpc.scripted_engine import ScriptedEngine


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


async def over_tls(port: int, authority: Authority, own: Signed | None = None) -> Heard:
    identity = (None, None) if own is None else (own.key.read_bytes(), own.certificate.read_bytes())
    credentials = grpc.ssl_channel_credentials(authority.certificate.read_bytes(), *identity)
    options = (("grpc.use_local_subchannel_pool", 1),)
    async with grpc.aio.secure_channel(f"localhost:{port}", credentials, options=options) as channel:
        return await exchange(rpc.FaceAnimationServiceStub(channel), [config(), audio(533)])


@pytest.mark.parametrize("share_port", [False, True])
async def test_a_client_that_trusts_the_authority_is_served(authority: Authority, share_port: bool) -> None:
    async with serving(ScriptedEngine(), tls=authority.server(), share_port=share_port) as server:
        assert (await over_tls(server.server.port, authority)).indexes == [0]
        plain = await exchange(server.stub, [config()])
        assert plain.code is grpc.StatusCode.UNAVAILABLE


async def test_mutual_tls_lets_in_only_who_was_signed(authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "other").signed("stranger")
    async with serving(ScriptedEngine(), tls=authority.server(mutual=True)) as server:
        port = server.server.port
        assert (await over_tls(port, authority, authority.signed("client"))).indexes == [0]
        assert (await over_tls(port, authority)).code is grpc.StatusCode.UNAVAILABLE
        assert (await over_tls(port, authority, stranger)).code is grpc.StatusCode.UNAVAILABLE


def serial(port: int, authority: Authority) -> str:
    """The serial number of the certificate that a server shows."""
    context = ssl.create_default_context(cafile=str(authority.certificate))
    with (
        socket.create_connection(("127.0.0.1", port)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        certificate = secure.getpeercert()
        assert certificate is not None
        return str(certificate["serialNumber"])


async def test_a_renewed_certificate_is_shown_to_the_next_connection(
    authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = TlsFiles(tmp_path / "cert.pem", tmp_path / "key.pem")

    def install(made: Signed) -> None:
        shutil.copy(made.key, files.key)
        shutil.copy(made.certificate, files.certificate)

    install(authority.signed("first"))
    async with serving(ScriptedEngine(), tls=files) as server:
        port = server.server.port
        first = await asyncio.to_thread(serial, port, authority)
        install(authority.signed("second"))
        second = await asyncio.to_thread(serial, port, authority)
        files.certificate.write_text("half written")
        third = await asyncio.to_thread(serial, port, authority)
        assert (await over_tls(port, authority)).indexes == [0]
    assert first != second == third
    assert "the certificate stays as it was: --tls-cert: " in caplog.text


def encrypted(key: Path, to: Path) -> Path:
    command = ["openssl", "pkey", "-in", str(key), "-out", str(to), "-aes256", "-passout", "pass:secret"]
    subprocess.run(command, check=True, capture_output=True)
    return to


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("no certificate", "missing.pem cannot be read: No such file"),
        ("no key", "missing.pem cannot be read: No such file"),
        ("no authority", "missing.pem cannot be read: No such file"),
        ("another key", "--tls-key: .* is not the key of the certificate"),
        ("swapped", "--tls-cert: .* holds no PEM certificate"),
        ("certificate as key", "--tls-key: .* holds no PEM private key"),
        ("key as authority", "--tls-client-ca: .* holds no PEM certificate"),
        ("empty authority", "--tls-client-ca: .* holds no PEM certificate"),
        ("encrypted", "--tls-key: .* is encrypted; take the password off with: openssl pkey"),
    ],
)
def test_files_that_are_no_good_are_named(authority: Authority, tmp_path: Path, wrong: str, message: str) -> None:
    good = authority.server(mutual=True)
    missing, empty = tmp_path / "missing.pem", tmp_path / "empty.pem"
    empty.touch()
    files = {
        "no certificate": lambda: replace(good, certificate=missing),
        "no key": lambda: replace(good, key=missing),
        "no authority": lambda: replace(good, client_authority=missing),
        "another key": lambda: replace(good, key=authority.signed("other").key),
        "swapped": lambda: replace(good, certificate=good.key, key=good.certificate),
        "certificate as key": lambda: replace(good, key=good.certificate),
        "key as authority": lambda: replace(good, client_authority=good.key),
        "empty authority": lambda: replace(good, client_authority=empty),
        "encrypted": lambda: replace(good, key=encrypted(good.key, tmp_path / "encrypted.key")),
    }[wrong]()
    with pytest.raises(TlsError, match=message):
        read_tls(files)
    read_tls(good)
