"""A mail server on loopback, with TLS by an authority of its own, that keeps what it takes."""

from __future__ import annotations

import email
import email.policy
import socket
import ssl
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import trustme
from aiosmtpd.controller import Controller

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage
    from pathlib import Path

    from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class Mailbox:
    """What has arrived."""

    port: int = 0
    received: list[bytes] = field(default_factory=list)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a message."""
        content = envelope.original_content
        self.received.append(content if isinstance(content, bytes) else b"")
        return "250 OK"

    def taken(self) -> list[EmailMessage]:
        """Return what has arrived since the last time."""
        found = [email.message_from_bytes(content, policy=email.policy.default) for content in self.received]
        self.received.clear()
        return found


@contextmanager
def receiving(place: Path) -> Iterator[tuple[Mailbox, str]]:
    """Run the server. Yields it, and the section of a config.toml that leads there."""
    authority, mailbox = trustme.CA(), Mailbox()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(place / "mail-authority.pem"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        mailbox.port = free.getsockname()[1]
    controller = Controller(
        mailbox, hostname="127.0.0.1", port=mailbox.port, tls_context=context, require_starttls=True
    )
    controller.start()
    config = (
        f'[mail]\nhost = "127.0.0.1"\nport = {mailbox.port}\nsender = "hamload@example.org"\n'
        f'ca_file = "{place / "mail-authority.pem"}"\ntimeout_s = 20\n'
    )
    try:
        yield mailbox, config
    finally:
        controller.stop()
