"""At most one copy of each message, and none lost: against a real mail server, with a process really killed."""

from __future__ import annotations

import datetime as dt
import json
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hamload import post, settings
from hamload.errors import ConfigurationError, HamloadError
from hamload.post.letter import Attachment, addressed, compose, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hamload.settings import Settings

NIGHT = dt.datetime(2026, 11, 23, 3, 30, tzinfo=dt.UTC)
NEXT_NIGHT = NIGHT + dt.timedelta(days=1)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(200)

# The test server's own: its AUTH warning for implicit TLS, and sockets that a refusing or killed client leaves to it.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


class Plain(NamedTuple):
    """A server known by its port alone."""

    port: int


type Configured = Callable[..., Settings]


def _tell(current: Settings, key: str = "state 2026-11-22", kind: Any = "alert", **others: Any) -> bool:
    told: dict[str, Any] = {"subject": f"Deload ({key})", "text": f"The text of {key}: 東京.\n", "now": NIGHT}
    return post.tell(current, "me", key, kind, **told | others)


def _states(current: Settings) -> list[tuple[str, str, int]]:
    return [(m.key, m.state, m.attempts) for m in post.standing(current)]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_message_arrives_whole_over_an_encrypted_line_with_its_images_and_headers(
    security: str, request: pytest.FixtureRequest, configured: Configured
) -> None:
    server = request.getfixturevalue("server" if security == "starttls" else "tls_server")
    current = configured(server, security=security)
    image = Attachment("load.png", "image/png", PNG, content_id="load@hamload")
    html = '<p>München <img src="cid:load@hamload" alt="load" /></p>'
    assert _tell(current, html=html, attachments=[image])
    outcome = post.deliver(current, NIGHT)
    assert (outcome.sent, outcome.standing, outcome.problems) == (1, (), ())
    (message,) = server.messages
    assert server.received[0][0] == ["anna@example.org"]
    assert (message["From"], message["To"]) == ("hamload <hamload@example.org>", "anna@example.org")
    assert message["Subject"] == "Deload (state 2026-11-22)"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe"].startswith("<mailto:hamload@example.org?")
    assert message["Date"].datetime == NIGHT
    assert message["Message-ID"].endswith("@example.org>")
    kinds = [part.get_content_type() for part in message.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png"]
    text, shown = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert shown is not None
    assert text.get_content().replace("\r\n", "\n") == "The text of state 2026-11-22: 東京.\n"
    assert shown.get_content().strip() == html
    image_part = list(message.walk())[-1]
    assert image_part["Content-ID"] == "<load@hamload>"
    assert image_part.get_content() == PNG


def test_a_server_without_a_password_is_greeted_anew_once_the_line_is_encrypted(
    open_server: Any, configured: Configured
) -> None:
    current = configured(open_server, username="")
    _tell(current)
    assert post.deliver(current, NIGHT).problems == ()
    assert len(open_server.received) == 1


def test_the_same_key_is_told_once_whatever_it_says_the_second_time(server: Any, configured: Configured) -> None:
    current = configured(server)
    assert _tell(current)
    assert not _tell(current, text="other words")
    assert post.deliver(current, NIGHT).sent == 1
    assert not _tell(current)
    assert post.deliver(current, NEXT_NIGHT).sent == 0
    assert len(server.received) == 1


def test_a_server_that_is_down_keeps_messages_waiting_and_the_next_night_sends_them_in_order(
    server: Any, configured: Configured
) -> None:
    down = configured(server, port=1)
    _tell(down, "first", "failure")
    _tell(down, "second", "failure", now=NIGHT + dt.timedelta(minutes=1))
    outcome = post.deliver(down, NIGHT)
    assert outcome.sent == 0
    assert "127.0.0.1:1 cannot be used" in outcome.problems[0]
    assert _states(down) == [("first", "waiting", 1), ("second", "waiting", 1)]
    assert "waits, tried once: The mail server" in post.in_words(down, outcome.standing)[0]
    up = configured(server)
    assert post.deliver(up, NEXT_NIGHT).sent == 2
    assert [m["Subject"] for m in server.messages] == ["Deload (first)", "Deload (second)"]
    assert post.standing(up) == []


def test_a_refused_recipient_waits_with_the_servers_words_and_stops_no_other(
    server: Any, configured: Configured
) -> None:
    other = '[[athletes]]\nid = "berta"\nmail = "berta@example.org"'
    current = configured(server, extra=other)
    server.refused.add("anna@example.org")
    _tell(current)
    post.tell(current, "berta", "k", "alert", "Deload", "text", now=NIGHT)
    outcome = post.deliver(current, NIGHT)
    assert outcome.sent == 1
    assert "refused the recipient anna@example.org: 550 5.1.1 no such user here" in outcome.problems[0]
    assert [to for to, _ in server.received] == [["berta@example.org"]]
    assert _states(current) == [("state 2026-11-22", "waiting", 1)]
    server.refused.clear()
    assert post.deliver(current, NEXT_NIGHT).sent == 1


def test_content_that_the_server_refuses_has_not_arrived_and_is_tried_again(
    server: Any, configured: Configured
) -> None:
    current = configured(server)
    server.data_answer = "452 4.3.1 disk full"
    _tell(current)
    assert "452 4.3.1 disk full" in post.deliver(current, NIGHT).problems[0]
    assert _states(current) == [("state 2026-11-22", "waiting", 1)]
    server.data_answer = "250 OK"
    assert post.deliver(current, NEXT_NIGHT).sent == 1


def test_a_server_that_falls_silent_after_the_content_leaves_the_message_unsure_and_the_others_waiting(
    server: Any, configured: Configured
) -> None:
    current = configured(server, timeout_s=1)
    _tell(current, "first", "failure")
    _tell(current, "second", "failure", now=NIGHT + dt.timedelta(minutes=1))
    server.on_taken = lambda: time.sleep(1.5)
    assert "before the mail server confirmed" in post.deliver(current, NIGHT).problems[0]
    assert _states(current) == [("first", "unsure", 1), ("second", "waiting", 0)]
    server.on_taken = lambda: None
    assert post.deliver(configured(server), NEXT_NIGHT).sent == 2
    subjects = [m["Subject"] for m in server.messages]
    assert subjects == ["Deload (first)", "Deload (second)", "Perhaps not received: Deload (first)"]


def test_a_server_without_encryption_is_sent_nothing(configured: Configured) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def speak() -> None:
            connection, _ = listening.accept()
            with connection, connection.makefile("rwb") as line:
                line.write(b"220 hello\r\n")
                line.flush()
                heard.append(line.readline())
                line.write(b"250 hello\r\n")
                line.flush()
                heard.extend(line)

        heard: list[bytes] = []
        speaker = threading.Thread(target=speak, daemon=True)
        speaker.start()
        current = configured(Plain(listening.getsockname()[1]), ca_file="")
        _tell(current)
        assert "STARTTLS extension not supported" in post.deliver(current, NIGHT).problems[0]
        speaker.join(10)
    assert [line.split()[0].lower() for line in heard] == [b"ehlo"]


def test_a_certificate_of_an_unknown_authority_or_another_host_stops_everything_before_the_password(
    server: Any, configured: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    for wrong in ({"ca_file": ""}, {"host": "localhost"}):
        current = configured(server, **wrong)
        _tell(current)
        outcome = post.deliver(current, NIGHT)
        assert outcome.sent == 0
        assert "shows a certificate that cannot be trusted" in outcome.problems[0]
    assert server.received == []
    current = configured(server)
    monkeypatch.setenv("HAMLOAD_SMTP_PASSWORD", "wrong")
    assert "does not take username and password" in post.deliver(current, NIGHT).problems[0]
    monkeypatch.setenv("HAMLOAD_SMTP_PASSWORD", "S3cr\u00e9t-p\u00e4ssw\u00f6rd")
    (problem,) = post.deliver(current, NIGHT).problems
    assert "beyond ASCII" in problem
    assert "app password" in problem
    monkeypatch.delenv("HAMLOAD_SMTP_PASSWORD")
    assert "HAMLOAD_SMTP_PASSWORD_FILE" in post.deliver(current, NIGHT).problems[0]
    assert _states(current)[0][1:] == ("waiting", 5)


_SENDER = """
import datetime as dt, sys
from pathlib import Path
from hamload import post, settings
post.deliver(settings.load(Path(sys.argv[1])), dt.datetime.fromisoformat(sys.argv[2]))
"""


def _delivered_by_a_process(current: Settings, server: Any, when: str) -> int:
    """Run `deliver` in a process of its own that the server kills at the named moment. Returns its exit status."""
    started = threading.Event()
    processes: list[subprocess.Popen[bytes]] = []

    def kill() -> None:
        started.wait(30)
        processes[0].kill()
        processes[0].wait(30)

    setattr(server, when, kill)
    processes.append(subprocess.Popen([sys.executable, "-c", _SENDER, str(current.home), NIGHT.isoformat()]))
    started.set()
    status = processes[0].wait(60)
    setattr(server, when, lambda: None)
    return status


def test_killed_after_the_server_took_it_a_message_is_never_sent_again_and_a_notice_quotes_it(
    server: Any, configured: Configured
) -> None:
    current = configured(server)
    _tell(current)
    assert _delivered_by_a_process(current, server, "on_taken") == -9
    assert len(server.received) == 1
    assert _states(current) == [("state 2026-11-22", "sending", 0)]
    outcome = post.deliver(current, NEXT_NIGHT)
    assert (outcome.sent, outcome.standing) == (1, ())
    first, notice = server.messages
    assert first["Message-ID"] != notice["Message-ID"]
    assert notice["Subject"] == "Perhaps not received: Deload (state 2026-11-22)"
    body = notice.get_body(("plain",))
    assert body is not None
    assert "> The text of state 2026-11-22: 東京." in body.get_content()
    assert first["Message-ID"] in body.get_content()
    assert not _tell(current), "the key stays told"
    assert post.deliver(current, NEXT_NIGHT + dt.timedelta(days=1)).sent == 0
    assert len(server.received) == 2


def test_killed_before_the_content_left_a_message_is_sent_once_by_the_next_night(
    server: Any, configured: Configured
) -> None:
    current = configured(server)
    _tell(current)
    assert _delivered_by_a_process(current, server, "on_recipient") == -9
    assert server.received == []
    assert post.deliver(current, NEXT_NIGHT).sent == 1
    assert post.deliver(current, NEXT_NIGHT).sent == 0
    assert len(server.received) == 1


def test_a_notice_that_got_lost_itself_is_followed_by_another_that_still_quotes_the_message(
    server: Any, configured: Configured
) -> None:
    current = configured(server)
    _tell(current)
    assert _delivered_by_a_process(current, server, "on_taken") == -9
    assert _delivered_by_a_process(current, server, "on_taken") == -9
    assert [state for _, state, _ in _states(current)] == ["unsure", "sending"]
    assert any("Nobody can tell whether" in line for line in post.in_words(current, post.standing(current)))
    assert post.deliver(current, NEXT_NIGHT).standing == ()
    bodies = [m.get_body(("plain",)) for m in server.messages[1:]]
    assert len(bodies) == 2
    assert all(b is not None and "> The text of state" in b.get_content() for b in bodies)


def test_without_mail_or_an_address_messages_wait_and_only_the_newest_state_of_things_is_kept(
    configured: Configured,
) -> None:
    current = configured(None)
    for day in (8, 15, 22):
        _tell(current, f"digest {day}", "digest", now=NIGHT.replace(day=day))
    _tell(current, "a state", "alert")
    _tell(current, "a night", "failure")
    outcome = post.deliver(current, NIGHT)
    assert (outcome.sent, outcome.problems) == (0, ())
    assert [key for key, _, _ in _states(current)] == ["a state", "a night"]
    (words,) = post.in_words(current, outcome.standing)
    assert words.startswith("2 messages in the outbox: mail is not set up: [mail] in ")


def test_an_alarm_of_months_ago_is_not_mailed_once_newer_news_stands_for_it(
    server: Any, configured: Configured
) -> None:
    down = configured(None)
    _tell(down, "deload of 2026-09-20", "alert", now=NIGHT - dt.timedelta(days=60))
    post.deliver(down, NIGHT - dt.timedelta(days=60))
    _tell(down, "week to 2026-11-22", "digest")
    up = configured(server)
    assert post.deliver(up, NIGHT).sent == 1
    assert [m["Subject"] for m in server.messages] == ["Deload (week to 2026-11-22)"]


def test_a_message_and_what_it_also_tells_of_are_put_in_one_step_or_not_at_all(configured: Configured) -> None:
    current = configured(None)
    _tell(current, "before", "failure")
    with sqlite3.connect(current.home / "outbox" / "post.db") as ledger:
        ledger.execute(
            "create trigger killed before insert on messages when new.key = 'the week'"
            " begin select raise(abort, 'killed'); end"
        )
    with pytest.raises(HamloadError, match="killed"):
        _tell(current, also=["the week"])
    assert [key for key, _, _ in _states(current)] == ["before"]
    assert not post.is_told(current, "me", "state 2026-11-22")
    with sqlite3.connect(current.home / "outbox" / "post.db") as ledger:
        ledger.execute("drop trigger killed")
    assert _tell(current, also=["the week"])
    assert post.is_told(current, "me", "the week")
    assert [key for key, _, _ in _states(current)] == ["before", "state 2026-11-22"]


def test_the_outbox_is_its_owners_alone_and_two_senders_never_work_at_once(server: Any, configured: Configured) -> None:
    current = configured(server)
    _tell(current)
    assert stat.S_IMODE((current.home / "outbox" / "post.db").stat().st_mode) == 0o600
    answers = []
    server.on_recipient = lambda: answers.append(post.deliver(current, NIGHT))
    assert post.deliver(current, NIGHT).sent == 1
    assert answers[0].problems == ("Another hamload is sending this home's messages.",)
    assert len(server.received) == 1


HOSTILE = "Run\r\nBcc: all@example.org\r\n\r\n<h1>x</h1>\u202egnp.exe \U0001f3c3 " + "x" * 10_000


def test_a_hostile_subject_adds_no_header_and_stays_one_short_line(server: Any, configured: Configured) -> None:
    current = configured(server)
    _tell(current, subject=HOSTILE, text=HOSTILE + "\ud800")
    assert post.deliver(current, NIGHT).sent == 1
    (message,) = server.messages
    assert message["Bcc"] is None
    assert message["Subject"].startswith("Run Bcc: all@example.org <h1>x</h1>gnp.exe \U0001f3c3 xxx")
    assert len(message["Subject"]) == 300
    assert max(len(line) for line in server.received[0][1].split(b"\r\n")) <= 998


HEADERS = set(
    "Subject Date Message-ID Auto-Submitted X-Auto-Response-Suppress Content-Language Content-Type MIME-Version"  # noqa: SIM905
    " Content-Transfer-Encoding From To List-Id List-Unsubscribe".split()
)


@given(st.text(max_size=400))
def test_whatever_stands_in_a_subject_no_header_is_added(text: str) -> None:
    composed = compose(message_id="<a@b>", subject=text, text=text, html=None, attachments=(), put_at=NIGHT)
    sent = addressed(composed, "s@example.org", "r@example.org")
    names = [line.split(":")[0] for line in sent.decode().split("\r\n\r\n")[0].split("\r\n") if line[:1].strip()]
    assert set(names) <= HEADERS
    assert len(names) == len(set(names))
    assert "\n" not in one_line(text)


@pytest.fixture
def push_service() -> Iterator[tuple[str, list[dict[str, Any]], list[int]]]:
    """Run a push service on loopback: its Apprise URL, what it received, and the answers that it is to give next."""
    received: list[dict[str, Any]] = []
    answers: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = answers.pop() if answers else 200
            if status == 200:
                received.append(json.loads(body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as service:
        threading.Thread(target=service.serve_forever, daemon=True).start()
        yield f"json://127.0.0.1:{service.server_port}/secret-path", received, answers
        service.shutdown()


def test_a_worsened_state_is_pushed_once_where_push_is_on_and_a_digest_never(
    push_service: tuple[str, list[dict[str, Any]], list[int]], configured: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, received, answers = push_service
    current = configured(None)
    _tell(current, "before push was on")
    monkeypatch.setenv("HAMLOAD_PUSH_URLS", f"# mine\n{url}\n")
    _tell(current, "worse")
    _tell(current, "weekly", "digest")
    answers.append(500)
    failed = post.deliver(current, NIGHT)
    assert failed.sent == 0
    assert "did not take a message" in failed.problems[0]
    assert "secret-path" not in repr(failed)
    assert post.deliver(current, NEXT_NIGHT).sent == 1
    assert post.deliver(current, NEXT_NIGHT).sent == 0
    assert [(r["title"], r["message"]) for r in received] == [("Deload (worse)", "The text of worse: 東京.")]


def test_a_push_file_that_cannot_be_read_costs_no_message_and_is_said(
    configured: Configured, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    current = configured(None)
    monkeypatch.setenv("HAMLOAD_PUSH_URLS_FILE", str(tmp_path / "gone"))
    assert _tell(current)
    assert "HAMLOAD_PUSH_URLS_FILE names" in post.deliver(current, NIGHT).problems[0]
    monkeypatch.delenv("HAMLOAD_PUSH_URLS_FILE")
    assert "urls_file of [push] names" in post.deliver(configured(None, push="gone"), NIGHT).problems[0]


def test_a_secret_is_the_variables_value_or_the_content_of_its_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert settings.secret("HAMLOAD_X") == ""
    (tmp_path / "x").write_text("of the file\n")
    monkeypatch.setenv("HAMLOAD_X_FILE", str(tmp_path / "x"))
    assert settings.secret("HAMLOAD_X") == "of the file"
    monkeypatch.setenv("HAMLOAD_X", "its value")
    assert settings.secret("HAMLOAD_X") == "its value"


@pytest.mark.parametrize("bad", ["anna", "a@b\nBcc: c@d", "a b@c", "Anna <a@b>", "a@b, c@d"])
def test_an_address_that_is_more_or_less_than_one_is_refused(bad: str, configured: Configured) -> None:
    with pytest.raises(ConfigurationError):
        configured(None, mail=bad.replace("\n", "\\n"))


def test_withdrawn_advice_is_as_if_never_told_and_what_tells_of_the_stop_or_a_failure_waits_on(
    configured: Configured,
) -> None:
    home, now = configured(None), dt.datetime(2026, 11, 24, 3, 30, tzinfo=dt.UTC)
    post.tell(home, "me", "deload", "alert", "Deload", "Back off.", now=now, also=["week"])
    post.tell(home, "me", "broken", "failure", "A night failed", "Sign in.", now=now)
    assert post.withdraw(home, "me", lambda subject: subject == "Stop")
    assert [m.subject for m in post.standing(home, "me")] == ["A night failed"]
    assert not post.is_told(home, "me", "deload")
    assert not post.is_told(home, "me", "week")
    post.tell(home, "me", "stop", "alert", "Stop", "See a doctor.", now=now + dt.timedelta(minutes=1))
    assert post.withdraw(home, "me", lambda subject: subject == "Stop")
    assert {m.subject for m in post.standing(home, "me")} == {"Stop", "A night failed"}
    assert post.tell(home, "me", "deload", "alert", "Deload", "Back off.", now=now + dt.timedelta(days=1))
