"""A simulated runner's digests as mail: when they are due, and what the server receives."""

from __future__ import annotations

import datetime as dt
import shutil
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from hamload import pipeline, post, settings
from hamload.simulator import SimulatedRunner, write_year

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import EmailMessage
    from pathlib import Path

    from hamload.settings import Settings

    type Configured = Callable[..., Settings]

pytestmark = [
    pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
#: The Sunday on which the simulated year ends; its deload begins on the Friday before.
SUNDAY = dt.date(2026, 11, 22)
FRIDAY = SUNDAY - dt.timedelta(days=2)


@pytest.fixture(scope="session")
def raw_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home that holds 45 simulated days. Copy it."""
    recordings = tmp_path_factory.mktemp("recordings")
    write_year(SimulatedRunner(), recordings, SUNDAY, 45)
    home = tmp_path_factory.mktemp("mailed") / "home"
    home.mkdir()
    (home / "config.toml").write_text("[import]\nworkers = 1\n")
    current = settings.load(home)
    with pipeline.exclusive(current):
        pipeline.put_files(current, [recordings], "me", _night(SUNDAY), through=SUNDAY)
        pipeline.refresh(current, SUNDAY + dt.timedelta(days=1))
    return home


@pytest.fixture
def current(raw_home: Path, server: Any, configured: Configured, tmp_path: Path) -> Settings:
    """Return a home of one's own whose mail goes to the server."""
    shutil.copytree(raw_home, tmp_path / "home")
    return configured(server)


def _night(day: dt.date) -> dt.datetime:
    """Return the night after a day."""
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(3, 30), tzinfo=dt.UTC)


def _night_of(current: Settings, day: dt.date) -> bool:
    """Run what a night does after reading, as if `day` were the last day. Returns whether there is a new message."""
    pipeline.refresh(current, day)
    is_new = pipeline.tell_state(current, "me", _night(day))
    assert pipeline.deliver(current, _night(day)) == []
    return is_new


class _Images(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note images."""
        if tag == "img":
            self.found.append(dict(attrs))


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def test_a_worsened_state_is_mailed_at_once_and_whole_and_the_next_night_is_quiet(
    server: Any, current: Settings
) -> None:
    assert _night_of(current, FRIDAY)
    (message,) = server.messages
    assert len(server.received[0][1]) < 500_000
    assert message["Subject"].startswith("[simulated] Deload: longest run in 30 days +61 %, ")
    kinds = [part.get_content_type() for part in message.walk()]
    assert kinds[:4] == ["multipart/alternative", "text/plain", "multipart/related", "text/html"]
    assert set(kinds[4:]) == {"image/png"}
    html, text = _body(message, "html"), _body(message, "plain")
    present = {part["Content-ID"].strip("<>") for part in message.walk() if part["Content-ID"]}
    images = _Images(html).found
    assert {(i["src"] or "").removeprefix("cid:") for i in images} == present
    assert {i["alt"] for i in images} == {i["alt"] for i in images if i["alt"]}
    assert "://" not in html.replace("http://www.w3.org/1999/xhtml", "")
    assert len(html) < 102_000, "Gmail cuts what is longer"
    for heading in ("Why", "The next 7 days", "What is not known", "Sources", "How these numbers are made"):
        assert heading in html
        assert heading in text
    assert "no medical advice" in text or "not medical advice" in text.lower()
    assert "prefers-color-scheme: dark" in html
    assert not _night_of(current, SUNDAY - dt.timedelta(days=1))


def test_the_weekly_digest_comes_after_the_weeks_last_day_once_and_a_missed_night_is_made_up_for(
    server: Any, current: Settings
) -> None:
    monday = FRIDAY - dt.timedelta(days=11)
    assert _night_of(current, monday), "the first digest tells of the week before"
    assert not _night_of(current, monday + dt.timedelta(days=1))
    # The night of Sunday 15 November fell out; the next one tells of that week.
    assert _night_of(current, FRIDAY - dt.timedelta(days=4))
    # So did Friday's, on which the deload began.
    assert _night_of(current, SUNDAY)
    assert not _night_of(current, SUNDAY), "the week's end and the deload are one message"
    subjects = [m["Subject"] for m in server.messages]
    assert len(subjects) == 3
    assert subjects[-1].startswith("[simulated] Deload: ")


def test_a_digest_that_is_asked_for_is_sent_now_and_once_a_day(server: Any, current: Settings) -> None:
    assert pipeline.tell_state(current, "me", _night(SUNDAY), at_once=True)
    assert not pipeline.tell_state(current, "me", _night(SUNDAY), at_once=True)
    assert pipeline.deliver(current, _night(SUNDAY)) == []
    assert len(server.received) == 1
    assert post.standing(current) == []


def test_the_night_after_a_digest_that_was_asked_for_does_not_send_the_same_again(
    server: Any, current: Settings
) -> None:
    pipeline.refresh(current, FRIDAY)
    assert pipeline.tell_state(current, "me", _night(FRIDAY), at_once=True)
    assert not _night_of(current, FRIDAY)
    assert not _night_of(current, FRIDAY + dt.timedelta(days=1))
    assert len(server.received) == 1


def test_a_late_run_that_moves_a_deloads_beginning_by_a_day_does_not_mail_it_again(
    server: Any, current: Settings
) -> None:
    saturday = FRIDAY + dt.timedelta(days=1)
    assert _night_of(current, FRIDAY)
    pipeline.refresh(current, saturday)
    for moved in ({FRIDAY: "build"}, {FRIDAY - dt.timedelta(days=1): "deload"}):
        _history(current, moved | {saturday: "deload"}, told=saturday if FRIDAY in moved else min(moved))
        assert not pipeline.tell_state(current, "me", _night(saturday))
    assert len(server.received) == 1


def test_a_deload_that_begins_anew_within_a_fortnight_of_another_is_mailed_at_once_unless_acknowledged(
    server: Any, current: Settings
) -> None:
    assert _night_of(current, FRIDAY)
    pipeline.refresh(current, SUNDAY + dt.timedelta(days=1))
    _history(current, {FRIDAY + dt.timedelta(days=1): "build", SUNDAY: "deload"}, told=FRIDAY)
    with duckdb.connect(str(current.home / "hamload.duckdb")) as con:
        con.execute("update marts.alerts set is_acknowledged = true where date = ?", [SUNDAY])
    assert post.told(current, "me", "deload of ") == [f"deload of {FRIDAY}"]
    post.tell(current, "me", f"week to {SUNDAY}", "digest", "the week", "", now=_night(SUNDAY), ways=[])
    assert not pipeline.tell_state(current, "me", _night(SUNDAY))
    with duckdb.connect(str(current.home / "hamload.duckdb")) as con:
        con.execute("update marts.alerts set is_acknowledged = false")
    assert pipeline.tell_state(current, "me", _night(SUNDAY))
    assert not pipeline.tell_state(current, "me", _night(SUNDAY))
    assert pipeline.deliver(current, _night(SUNDAY)) == []
    assert len(server.received) == 2


def _history(current: Settings, states: dict[dt.date, str], told: dt.date | None) -> None:
    """Give days another state, as a run that arrives late would; `told` is the only day that is news."""
    with duckdb.connect(str(current.home / "hamload.duckdb")) as con:
        con.execute("update marts.alerts set is_new = date is not distinct from ?", [told])
        for day, state in states.items():
            changed = con.execute("update marts.alerts set state = ? where date = ?", [state, day]).fetchone()
            assert changed == (1,)


def test_status_says_what_waits_and_why(current: Settings, configured: Configured) -> None:
    down = configured(None)
    assert pipeline.tell_state(down, "me", _night(SUNDAY))
    (line,) = pipeline.undelivered_words(down, "me")
    assert line.startswith("1 message in the outbox: mail is not set up: [mail] in ")
    assert current.home == down.home
