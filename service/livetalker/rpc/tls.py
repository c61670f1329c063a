"""TLS: certificate and key from files, checked before use and read again when they change."""

from __future__ import annotations

import logging
import os
import ssl
from pathlib import Path

import grpc

from diffusiontalker.errors import MendableError
from livetalker.rpc.options import TlsFiles

log = logging.getLogger(__name__)


class TlsError(MendableError):
    """The TLS files cannot be used, and what to do about it."""


def read_tls(files: TlsFiles) -> grpc.ServerCertificateConfiguration:
    """The files as they stand.

    Raises:
        TlsError: one of them cannot be read, is something else, or they do not fit together.
    """
    certificate, key = _read(files.certificate), _read(files.key)
    authority = None if files.client_authority is None else _read(files.client_authority)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(files.certificate, files.key, password=_no_password)
    except ssl.SSLError as error:
        raise TlsError(_explained(files, certificate, key, error)) from None
    if authority is not None:
        try:
            context.load_verify_locations(cadata=authority.decode("ascii", "replace"))
        except (ssl.SSLError, ValueError):  # the latter of an empty file
            raise TlsError(f"--tls-client-ca: {files.client_authority} holds no PEM certificate") from None
    return grpc.ssl_server_certificate_configuration([(key, certificate)], authority)


def _explained(files: TlsFiles, certificate: bytes, key: bytes, error: ssl.SSLError) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"--tls-key: {files.key} is not the key of the certificate {files.certificate}"
    if b"CERTIFICATE-----" not in certificate:
        return f"--tls-cert: {files.certificate} holds no PEM certificate"
    if b"PRIVATE KEY-----" not in key:
        return f"--tls-key: {files.key} holds no PEM private key"
    if b"ENCRYPTED" in key:
        return f"--tls-key: {files.key} is encrypted; take the password off with: openssl pkey -in {files.key} -out KEY"
    return f"--tls-cert and --tls-key: {files.certificate} and {files.key} cannot be used ({error.reason or error})"


def _no_password() -> str:
    """OpenSSL would ask at the terminal."""
    return ""


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TlsError(f"{path} cannot be read: {error.strerror or error}") from None


def server_credentials(files: TlsFiles) -> grpc.ServerCredentials:
    """Credentials that follow the files: a connection made after they have changed gets the new certificate.

    Raises:
        TlsError: the files cannot be used.
    """
    initial, stamp = read_tls(files), _stamp(files)

    def newer() -> grpc.ServerCertificateConfiguration | None:
        """gRPC asks before every handshake; None is no change."""
        nonlocal stamp
        try:
            if (now := _stamp(files)) == stamp:
                return None
            stamp = now
            fresh = read_tls(files)
        except (OSError, TlsError) as error:
            log.warning("the certificate stays as it was: %s", error)
            return None
        log.info("%s was read again", files.certificate)
        return fresh

    mutual = files.client_authority is not None
    return grpc.dynamic_ssl_server_credentials(initial, newer, mutual)  # type: ignore[arg-type]  # None is allowed


def _stamp(files: TlsFiles) -> list[tuple[int, int, int]]:
    """Changes when a file does.

    Raises:
        OSError: a file is not there.
    """
    paths = [path for path in (files.certificate, files.key, files.client_authority) if path is not None]
    return [(status.st_mtime_ns, status.st_size, status.st_ino) for status in map(os.stat, paths)]
