"""Nothing is said to a server that cannot prove who it is: by no client, and by no switch in the code."""

from __future__ import annotations

import ast
import datetime as dt
import json
import ssl
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from hamload import post, settings
from hamload.errors import ConfigurationError, HamloadError
from hamload.post import delivering, smtp
from hamload.sources import garmin, garmin_personal, strava
from hamload.sources.tokens import App, TokenFile, Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[1]
NIGHT = dt.datetime(2026, 11, 23, 3, 30, tzinfo=dt.UTC)


@dataclass
class Stranger:
    """A server with a certificate of an authority that nobody trusts, and what it was told."""

    port: int = 0
    told: list[str] = field(default_factory=list)


@pytest.fixture
def stranger(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stranger]:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    found = Stranger()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.told.append(self.path)
            self.send_error(500)

        do_POST = do_GET  # noqa: N815  # the base class's way

        def log_message(self, *_: Any) -> None:
            """Write no log."""

    class Server(ThreadingHTTPServer):
        def finish_request(self, request: Any, client_address: Any) -> None:
            with context.wrap_socket(request, server_side=True) as encrypted:
                super().finish_request(encrypted, client_address)

        def handle_error(self, *_: object) -> None:
            """Say nothing where a client hangs up: that is what is wanted."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1", "localhost").configure_cert(context)
    server = Server(("127.0.0.1", 0), Answer)
    found.port = server.server_port
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


def _ask_strava(port: int, _: Path) -> None:
    client = strava.client(strava.session(5, 10), "canary-token", strava.Host(api=f"127.0.0.1:{port}"))
    list(strava.fetch(client, {}, NIGHT))


def _sign_in_to_strava(port: int, place: Path) -> None:
    host = strava.Host(sign_in=f"127.0.0.1:{port}")
    strava.exchange(TokenFile(place / "strava.json"), App(7, "canary"), strava.session(5, 10), "canary", host=host)


def _refresh_strava(port: int, place: Path) -> None:
    file = TokenFile(place / "strava.json")
    file.save(Tokens("canary", "canary", NIGHT))
    strava.refresh_here(file, App(7, "canary"), strava.session(5, 10), NIGHT, strava.Host(sign_in=f"127.0.0.1:{port}"))


def _hosts(port: int) -> garmin.Hosts:
    base = f"https://127.0.0.1:{port}"
    return garmin.Hosts(base, base, base, f"{base}/di-oauth2-service/oauth/token")


def _ask_garmin(port: int, place: Path) -> None:
    told = {"di_token": "canary-token", "di_refresh_token": "canary-refresh", "di_client_id": "GARMIN"}
    (place / garmin.TOKENS).write_text(json.dumps(told))
    with garmin.connect(place, hosts=_hosts(port), retries=0, wait_s=0.01, timeout_s=5) as connection:
        connection.activities(0, 1)


def _log_in_to_garmin(port: int, place: Path) -> None:
    garmin.login(place, "anna@example.org", "canary-password", lambda: "1", NIGHT, hosts=_hosts(port))


def _ask_personal(port: int, _: Path) -> None:
    with garmin_personal.connect("canary-key", host=f"https://127.0.0.1:{port}", retries=0, timeout_s=5) as connection:
        connection.activities(0, 1)


CLIENTS: list[Callable[[int, Path], None]] = [
    _ask_strava, _sign_in_to_strava, _refresh_strava, _ask_garmin, _log_in_to_garmin, _ask_personal,
]  # fmt: skip


@pytest.mark.parametrize("ask", CLIENTS, ids=lambda ask: ask.__name__.strip("_"))
def test_no_service_is_told_anything_whose_certificate_nobody_vouches_for(
    ask: Callable[[int, Path], None], stranger: Stranger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import garminconnect.client.sso  # noqa: PLC0415

    for name in dir(garminconnect.client.sso):
        if "DELAY" in name:
            monkeypatch.setattr(garminconnect.client.sso, name, 0.0)
    with pytest.raises(HamloadError):
        ask(stranger.port, tmp_path)
    assert stranger.told == []


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_no_mail_server_is_given_a_password_whose_certificate_nobody_vouches_for(
    security: str, stranger: Stranger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """STARTTLS against a stranger is in tests/post; here it meets a server that speaks no mail at all."""
    monkeypatch.setenv("HAMLOAD_SMTP_PASSWORD", "canary-password")
    (tmp_path / "config.toml").write_text(
        f'[mail]\nhost = "127.0.0.1"\nport = {stranger.port}\nsecurity = "{security}"\nsender = "h@example.org"\n'
        'username = "h"\ntimeout_s = 2\n'
    )
    words = "certificate that cannot be trusted" if security == "tls" else "cannot be used"
    with pytest.raises(HamloadError, match=words), smtp.line(settings.load(tmp_path).mail):
        pass
    assert stranger.told == []


def test_no_heartbeat_and_no_push_message_goes_to_a_stranger(stranger: Stranger, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        f'[heartbeat]\nurl = "https://127.0.0.1:{stranger.port}/ping/canary"\ntimeout_s = 5\n'
    )
    assert "CERTIFICATE_VERIFY_FAILED" in post.beat(settings.load(tmp_path), "success", "id")
    assert not delivering._pushed(f"jsons://127.0.0.1:{stranger.port}/canary", "Deload", "text")
    assert stranger.told == []


@pytest.mark.parametrize("switch", ["?verify=no", "?x=1&verify=False", "/?VERIFY=0"])
def test_a_push_address_that_switches_the_check_off_is_refused(
    switch: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAMLOAD_PUSH_URLS", f"jsons://push.example.org{switch}")
    with pytest.raises(ConfigurationError, match="certificate is not to be checked"):
        post.telling.push_urls(settings.load(tmp_path))


_FORBIDDEN_NAMES = {"CERT_NONE", "CERT_OPTIONAL", "_create_unverified_context", "disable_warnings", "SSLv3_METHOD"}
_FORBIDDEN_WORDS = {"verify": False, "check_hostname": False, "verify_login": False}


def test_no_switch_in_the_code_turns_the_check_of_certificates_off() -> None:
    looked = 0
    for folder in ("src", "flows", "docs/examples", "notebooks"):
        for path in (ROOT / folder).rglob("*.py"):
            looked += 1
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                name = getattr(node, "attr", getattr(node, "id", ""))
                assert name not in _FORBIDDEN_NAMES, f"{path}: {name}"
                if isinstance(node, ast.keyword) and node.arg in _FORBIDDEN_WORDS:
                    told = node.value.value if isinstance(node.value, ast.Constant) else None
                    assert told is not False, f"{path}: {node.arg} = False"
                if isinstance(node, ast.Assign):
                    named = {getattr(target, "attr", "") for target in node.targets}
                    is_off = isinstance(node.value, ast.Constant) and node.value.value is False
                    assert not (is_off and named & {"verify", "check_hostname"}), path
    assert looked > 100
