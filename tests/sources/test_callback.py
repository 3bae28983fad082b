"""The page that a sign-in comes back to: this machine's alone, and for the one answer that was asked for."""

import hmac
import socket
import threading
from http.client import HTTPConnection

import pytest

from hamload.errors import HamloadError
from hamload.sources.callback import Callback


def _ask(port: int, path: str) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def test_only_the_answer_with_this_sign_ins_state_ends_the_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    compare = hmac.compare_digest

    def constant(left: bytes, right: bytes) -> bool:
        compared.append((left, right))
        return compare(left, right)

    monkeypatch.setattr(hmac, "compare_digest", constant)
    with Callback("the-state") as page:
        port = page._server.server_port
        answers: list[int] = []
        paths = ("/", "/callback", "/callback?state=forged&code=c", "/callback?state=the-state&code=right")
        asking = threading.Thread(target=lambda: answers.extend(_ask(port, path) for path in paths))
        asking.start()
        address = page.wait(30)
        asking.join()
    assert answers == [404, 400, 400, 200]
    assert address.endswith("code=right")
    assert [left for left, _ in compared] == [b"", b"forged", b"the-state"]


def test_nobody_outside_this_machine_can_reach_it() -> None:
    with Callback("the-state") as page:
        host, port = page._server.server_address[:2]
        assert host == "127.0.0.1"
        assert page.redirect_uri == f"http://127.0.0.1:{port}/callback"
        with socket.socket() as other:
            other.settimeout(2)
            assert other.connect_ex(("127.0.0.2", port)) != 0, "another address of the same machine, even"


def test_nobody_who_comes_back_is_no_endless_waiting() -> None:
    with Callback("the-state") as page, pytest.raises(HamloadError, match="Nobody came back"):
        page.wait(0.01)
