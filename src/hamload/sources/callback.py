"""The page to which a service sends the browser back after a sign-in: bound to loopback, for one answer."""

from __future__ import annotations

import hmac
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from hamload.errors import HamloadError

_PATH = "/callback"
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>hamload</title><body style="font: 1.1rem system-ui; margin: 4rem auto; max-width: 32rem">
<h1 style="font-size: 1.4rem">{title}</h1><p>{text}</p></body></html>"""
_POLL_S = 0.25


class Callback:
    """Waits for the one answer that carries `state`. Use as a context manager.

    Anything else that reaches the page (another site, a second tab) is refused and does not end the waiting.
    """

    def __init__(self, state: str, port: int = 0) -> None:
        try:
            self._server = _Server(("127.0.0.1", port), _Answer)
        except OSError as error:
            raise HamloadError(
                f"Port {port} cannot be used on this machine: {error.strerror}.",
                "Name another one with --port, or paste the address instead: --paste",
            ) from None
        self._server.timeout = _POLL_S
        self._server.state = state

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.server_close()

    @property
    def redirect_uri(self) -> str:
        """Return the address to name to the service."""
        return f"http://127.0.0.1:{self._server.server_port}{_PATH}"

    def wait(self, timeout_s: float) -> str:
        """Return the address that the browser was sent to. Raises HamloadError where none came in time."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            self._server.handle_request()
            if self._server.answered:
                return self._server.answered
        raise HamloadError(
            f"Nobody came back from the sign-in within {timeout_s / 60:.0f} minutes.",
            "Run it again. Where the browser is on another machine: --paste",
        )


class _Server(HTTPServer):
    state = ""
    answered = ""

    def handle_error(self, *_: object) -> None:
        """Say nothing where a browser went away: the waiting goes on."""


class _Answer(BaseHTTPRequestHandler):
    server: _Server
    timeout = 5

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        states = parse_qs(url.query).get("state", [""])
        if url.path != _PATH:
            self._write(404, "Nothing here", "This page only waits for a sign-in.")
        elif not hmac.compare_digest(states[0].encode(), self.server.state.encode()):
            self._write(400, "Not this sign-in", "This answer does not belong to the sign-in that was begun here.")
        else:
            self.server.answered = f"http://127.0.0.1{self.path}"
            self._write(200, "Back at hamload", "You can close this page: the terminal tells how it went.")

    def log_message(self, *_: Any) -> None:
        """Write no log: the address holds the code."""

    def _write(self, status: int, title: str, text: str) -> None:
        content = _PAGE.format(title=title, text=text).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)
