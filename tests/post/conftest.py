"""A real mail server on loopback: TLS by an authority of its own, a password, and a will of its own where asked."""

from __future__ import annotations

import email
import email.policy
import socket
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from hamload import settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import EmailMessage
    from pathlib import Path

    from aiosmtpd.smtp import SMTP, Envelope, Session

    from hamload.settings import Settings

PASSWORD = "correct horse"  # noqa: S105  # of a server that lives for one test
RECIPIENT = "anna@example.org"


@dataclass
class Server:
    """What the server has taken, and what it is to do: refuse recipients, or kill whoever sends at some point."""

    port: int = 0
    received: list[tuple[list[str], bytes]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    data_answer: str = "250 OK"
    on_recipient: Callable[[], None] = lambda: None
    on_taken: Callable[[], None] = lambda: None

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take or refuse a recipient."""
        self.on_recipient()
        if address in self.refused:
            return "550 5.1.1 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a message."""
        if self.data_answer.startswith("2"):
            assert isinstance(envelope.original_content, bytes)
            self.received.append((list(envelope.rcpt_tos), envelope.original_content))
        self.on_taken()
        return self.data_answer

    @property
    def messages(self) -> list[EmailMessage]:
        """The messages taken, parsed."""
        return [email.message_from_bytes(c, policy=email.policy.default) for _, c in self.received]


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Make an authority that nobody trusts who was not told to."""
    return trustme.CA()


@pytest.fixture
def server(authority: trustme.CA, tmp_path: Path) -> Iterator[Server]:
    """Run a mail server with STARTTLS and a password."""
    yield from _running(authority, tmp_path, implicit=False)


@pytest.fixture
def tls_server(authority: trustme.CA, tmp_path: Path) -> Iterator[Server]:
    """Run a mail server that speaks TLS from the first byte."""
    yield from _running(authority, tmp_path, implicit=True)


@pytest.fixture
def open_server(authority: trustme.CA, tmp_path: Path) -> Iterator[Server]:
    """Run a mail server with STARTTLS that knows no passwords, as a house's own relay."""
    yield from _running(authority, tmp_path, implicit=False, with_password=False)


def _running(authority: trustme.CA, place: Path, *, implicit: bool, with_password: bool = True) -> Iterator[Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(place / "ca.pem"))
    told = Server()

    def authenticated(_server: object, _session: object, _envelope: object, mechanism: str, data: object) -> AuthResult:
        assert mechanism in {"LOGIN", "PLAIN"}
        assert isinstance(data, LoginPassword)
        return AuthResult(success=data.login == b"hamload" and data.password == PASSWORD.encode(), handled=False)

    options: dict[str, Any] = {"authenticator": authenticated, "auth_required": True} if with_password else {}
    options |= {"auth_require_tls": False, "ssl_context": context} if implicit else {"tls_context": context}
    if not implicit:
        options["require_starttls"] = True
    with socket.create_server(("127.0.0.1", 0)) as free:
        told.port = free.getsockname()[1]
    controller = Controller(told, hostname="127.0.0.1", port=told.port, **options)
    controller.start()
    yield told
    controller.stop()


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    """Make a home whose mail goes to a server: `configured(server, security="tls", host="localhost", ...)`."""

    def made(server: Any, mail: str = RECIPIENT, extra: str = "", push: str = "", **others: object) -> Settings:
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        told: dict[str, object] = {
            "host": "127.0.0.1",
            "port": server.port if server else 1,
            "sender": "hamload@example.org",
            "username": "hamload",
            "ca_file": str(tmp_path / "ca.pem"),
            "timeout_s": 5,
        }
        rows = [f"{name} = {value!r}" for name, value in (told | others).items()] if server else []
        config = [
            extra,
            "[[athletes]]",
            'id = "me"',
            f'mail = "{mail}"',
            "[push]",
            f'urls_file = "{push}"',
            "[mail]",
            *rows,
        ]
        (home / "config.toml").write_text("\n".join(config) + "\n")
        monkeypatch.setenv("HAMLOAD_SMTP_PASSWORD", PASSWORD)
        return settings.load(home)

    return made
