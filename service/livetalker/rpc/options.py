"""How a server is set up."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from livetalker.address import DEFAULT_HOST, DEFAULT_PORT


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where a server's TLS material is, all of it PEM.

    Attributes:
        certificate: the server's, followed by those that lead to its authority.
        key: its private key, not encrypted.
        client_authority: whose clients are let in; None lets in clients without a certificate.
    """

    certificate: Path
    key: Path
    client_authority: Path | None = None


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Settings of a server; the defaults serve real-time clients.

    Attributes:
        host: address to listen at; ``0.0.0.0`` or ``[::]`` for every interface.
        port: TCP port; 0 picks a free one.
        grace_s: seconds from the order to stop until streams still open are ended.
        config_deadline_s: seconds a client may take to send its config.
        write_deadline_s: seconds a client may read nothing while a message waits for it.
        max_message_bytes: largest request; a second of stereo 48 kHz floats fits.
        backlog_s: seconds of audio waiting for the engine at which a stream's input is held back.
        outbox_s: seconds of frames waiting for the client at which a lossless stream's input is held back and a live
            one's oldest frames are dropped, if they have waited for as long.
        share_port: whether other processes of this user may listen at the same port and get some of the connections.
        session_prefix: begins the name of every stream, which tells servers that share a port apart.
        tls: certificate and key; None serves in plain text.
        token_file: bearer tokens of those who may call; None lets everybody.
        resume_key: secret that signs resume tokens; servers that have it in common take over one another's streams.
    """

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    grace_s: float = 10.0
    config_deadline_s: float = 10.0
    write_deadline_s: float = 20.0
    max_message_bytes: int = 512 * 1024
    backlog_s: float = 2.0
    outbox_s: float = 1.0
    share_port: bool = False
    session_prefix: str = ""
    tls: TlsFiles | None = None
    token_file: Path | None = None
    resume_key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
