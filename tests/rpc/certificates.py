"""Certificates for tests, made by the openssl program."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from livetalker.rpc.options import TlsFiles


@dataclass(frozen=True)
class Signed:
    """A certificate and its key."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates for ``localhost`` and 127.0.0.1."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("openssl") is None:
            pytest.skip("certificates are made by openssl, which is not installed")
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._key = folder / "ca.key"
        self.certificate = folder / "ca.pem"
        new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        self._new = new
        _openssl(
            "req", "-x509", *new, "-keyout", self._key, "-out", self.certificate, "-days", "2", "-subj", "/CN=authority"
        )

    def signed(self, name: str) -> Signed:
        """A new certificate in ``NAME.pem`` and its key in ``NAME.key``; replaces older ones."""
        made = Signed(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        request, extensions = self._folder / f"{name}.csr", self._folder / f"{name}.ext"
        extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1")
        _openssl("req", *self._new, "-keyout", made.key, "-out", request, "-subj", f"/CN={name}")
        authority: list[str | Path] = ["-CA", self.certificate, "-CAkey", self._key, "-CAcreateserial"]
        _openssl(
            "x509", "-req", "-in", request, *authority, "-days", "2", "-extfile", extensions, "-out", made.certificate
        )
        return made

    def server(self, *, mutual: bool = False) -> TlsFiles:
        """What a server is given."""
        made = self.signed("server")
        return TlsFiles(made.certificate, made.key, self.certificate if mutual else None)


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
