"""The commands of the journal and the plans, as typed: what they print, what they refuse, and JSON for a machine."""

import datetime as dt
import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar
from typer.testing import CliRunner

from hamload import pipeline
from hamload.cli import app
from hamload.errors import ConfigurationError
from hamload.pipeline.intake.putting import Put
from hamload.settings import Settings

type Bring = Callable[..., Put]
type Typed = Callable[..., str]


def _where_it_is_noon() -> str:
    """Return a time zone in which the day does not end while these tests run."""
    ahead_h = 12 - dt.datetime.now(tz=dt.UTC).hour
    return f"Etc/GMT{-ahead_h:+d}"


ZONE = _where_it_is_noon()


@pytest.fixture(scope="module")
def five_weeks(
    home_with: Callable[[Path, str], Settings],
    bring: Bring,
    gpx_of: Callable[..., bytes],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Return a home with five weeks of runs up to yesterday, by the command's own clock. Copy it."""
    folder = tmp_path_factory.mktemp("runs")
    home = home_with(tmp_path_factory.mktemp("five") / "home", f'time_zone = "{ZONE}"')
    today = home.today()
    for days in range(1, 36, 2):
        start = dt.datetime.combine(today - dt.timedelta(days=days), dt.time(12), ZoneInfo(ZONE))
        (folder / f"{days}.gpx").write_bytes(gpx_of(start, minutes=20))
    bring(home, folder, now=dt.datetime.now(tz=dt.UTC), today=today, through=today - dt.timedelta(days=1))
    return home.home


@pytest.fixture
def lived_in(five_weeks: Path, home_with: Callable[[Path, str], Settings], tmp_path: Path) -> Settings:
    """Return a copy of the home with five weeks of runs."""
    return home_with(shutil.copytree(five_weeks, tmp_path / "lived"), f'time_zone = "{ZONE}"')


@pytest.fixture
def typed(lived_in: Settings) -> Typed:
    """Run a command in the home: `typed("log", "tightness", "4")` returns what it printed."""

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, [*words, "--home", str(lived_in.home)], env={"COLUMNS": "200"})
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.stdout

    return run


def test_what_is_logged_is_said_back_listed_and_taken_back(typed: Typed) -> None:
    assert "tightness 4/10, left" in typed("log", "tightness", "4", "--side", "left")
    assert "curls 2x8 @8, lowered in 4 s" in typed("log", "curls", "2x8", "--rpe", "8", "--lowering-s", "4")
    assert "soreness 2/10" in typed("log", "soreness", "2", "--on", "yesterday")
    assert "note new shoes" in typed("log", "note", "new", "shoes")
    assert "test 12 repetitions" in typed("log", "test", "12")
    typed("log", "massage")
    assert "Known already" in typed("log", "massage")
    rows = json.loads(typed("log", "list", "--json"))
    assert {row["kind"] for row in rows} == {"tightness", "curls", "soreness", "note", "test", "massage"}
    assert "massage" in typed("log", "undo")
    assert "massage" not in typed("log", "list")


def test_a_flag_is_answered_at_once_and_shuts_every_command(typed: Typed) -> None:
    assert "pain at the sit bone" in typed("log", "flag")
    answer = json.loads(typed("log", "flag", "saddle-numbness", "--json"))
    assert answer["advice"][0].startswith("Get medical help now")
    assert typed("status").count("Get medical help now") == 1
    for command in (("plan",), ("plan", "--add", "sun long 100min"), ("curls",)):
        told = typed(*command)
        assert "Get medical help now" in told
        assert "EFM" not in told
        assert "ball curls" not in told
    assert json.loads(typed("plan", "--json"))["is_withheld"] is True
    assert json.loads(typed("curls", "--json"))["dose"] is None
    assert "STOP" in typed("alerts", "--last", "1")
    typed("log", "cleared", "saddle-numbness")
    assert "medical help" not in typed("plan")


def test_a_flag_logged_while_another_run_holds_the_home_takes_back_what_lies_about(
    typed: Typed, lived_in: Settings
) -> None:
    """Calendar, waiting mail, digest files and the report: none may go on advising until the tables follow."""
    typed("log", "curls", "1x5", "--rpe", "7", "--on", "yesterday")
    typed("digest")
    assert pipeline.tell_state(lived_in, "me", dt.datetime.now(tz=dt.UTC))
    report = lived_in.home / "report.html"
    report.write_text("Next curls: 1 x 5")
    calendar = lived_in.home / "curls.ics"
    assert "STATUS:CONFIRMED" in calendar.read_text()
    (digest,) = (lived_in.home / "outbox").glob("*-digest.txt")
    assert "good time for" in digest.read_text()
    with pipeline.exclusive(lived_in):
        typed("log", "flag", "hot-swollen-calf")
        assert typed("status").count("Get medical help now") == 1
        events: Any = Calendar.from_ical(calendar.read_bytes())
        coming = [e for e in events.walk("VEVENT") if e["DTSTART"].dt >= lived_in.today()]
        assert coming
        assert {str(e["STATUS"]) for e in coming} == {"CANCELLED"}
        assert pipeline.undelivered(lived_in, "me") == []
        for path in (digest, digest.with_suffix(".html"), report):
            assert "Get medical help now" in path.read_text().replace("\n", " ")
            for word in ("good time for", "Next curls", "ball curls"):
                assert word not in path.read_text()
    assert pipeline.tell_state(lived_in, "me", dt.datetime.now(tz=dt.UTC)), "the stop itself is told"
    assert pipeline.deliver(lived_in, dt.datetime.now(tz=dt.UTC)) == []
    (message,) = pipeline.undelivered(lived_in, "me")
    assert message.subject.startswith("Stop")


def test_the_week_ahead_the_curls_and_the_backtest_can_be_read_by_a_machine(typed: Typed) -> None:
    plan = json.loads(typed("plan", "--add", "tomorrow easy 60min", "--off", "today", "--json"))
    assert len(plan["plan"]["days"]) == 7
    assert plan["what_if"][0]["state"] == "deload"
    assert plan["what_if"][0]["spike_distance"] == pytest.approx(3.0, rel=0.05)
    assert json.loads(typed("curls", "--json"))["dose"] == {
        "sets": 1,
        "repetitions": 5,
        "lowering_s": None,
        "is_single_leg": False,
    }
    assert json.loads(typed("backtest", "--json"))["needed"] == 25
    shown = json.loads(typed("alerts", "--all", "--json"))
    assert shown[0]["state"] == "build"
    assert shown[0]["reasons"][0]["evidence"]


def test_acknowledging_is_said_and_kept(typed: Typed) -> None:
    assert "told again when it worsens" in typed("alerts", "ack")
    assert "acknowledged" in typed("alerts", "--all", "--last", "1")
    assert json.loads(typed("alerts", "ack", "--json"))["is_new"] is False


@pytest.mark.parametrize(
    "words",
    [
        ("log",),
        ("log", "tightness", "11"),
        ("log", "curls", "2x"),
        ("log", "flag", "sit-bone"),
        ("log", "tightness", "4", "--on", "tomorrow"),
        ("log", "undo", "nothing"),
        ("plan", "--add", "sun lung 100"),
        ("plan", "--off", "noday"),
        ("plan", "--race", "2001-01-01"),
        ("alerts", "--on", "soon"),
    ],
)
def test_a_typo_is_refused_with_a_remedy(typed: Typed, words: tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationError) as refused:
        typed(*words)
    assert refused.value.remedy


def test_three_questions_are_asked_where_somebody_can_answer(lived_in: Settings) -> None:
    """On a terminal of its own: a typo is asked again, an empty answer skips, the rest is logged."""
    terminal, inner = pty.openpty()
    command = [str(Path(sys.executable).with_name("hamload")), "log", "--home", str(lived_in.home)]
    asked = subprocess.Popen(command, stdin=inner, stdout=inner, stderr=inner)
    os.close(inner)
    os.write(terminal, b"4\neleven\n\n2x8 @8\n")
    said = b""
    while True:
        try:
            said += os.read(terminal, 4096)
        except OSError:  # the other side has closed
            break
    os.close(terminal)
    assert asked.wait(timeout=60) == 0, said
    shown = said.decode()
    assert "this is no level" in shown
    assert "tightness 4/10" in shown
    assert "curls 2x8 @8" in shown


def test_a_backtest_of_one_flare_compares_with_no_shuffles(typed: Typed) -> None:
    typed("log", "tightness", "5", "--on", "yesterday")
    told = typed("backtest")
    assert "Caught" in told
    assert "shuffles" not in told
