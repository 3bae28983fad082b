"""What names may try (markup, SQL, headers, a terminal's commands, paths, formulas) stays words wherever they show."""

import datetime as dt
import json
import subprocess
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from hamload import pipeline, post, settings, warehouse
from hamload.post.ledger import Ledger
from hamload.simulator import PlannedRun, SimulatedRunner, fit_bytes

type Run = Callable[..., subprocess.CompletedProcess[str]]

NOW = dt.datetime(2026, 11, 23, 3, 30, tzinfo=dt.UTC)
#: Each the name of a file that is no recording, and of one of an archive's members.
FILES = (
    "\x1b[2J\x1b]0;owned\x07\x9b31m.fit",
    "run\r\nBcc: all@example.org\r\n\r\n.fit",
    "'); drop table landing.activities; --.fit",
    "<img src=x onerror=alert(1)>.fit",
    "[bold red]x[_] [link=file:..etc..passwd]y[_link].fit",
    "=cmd|' C calc'!A0.fit",
    "\u202etif.nur.fit",
    "{{7*7}}{% raw %}.fit",
)
_TITLE = "Run\x1b[2J\r\nBcc: all@example.org\r\nEND:VEVENT <script>alert(1)</script> '); drop table marts.sessions; --"


@pytest.fixture(scope="module")
def home(forked: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home into which all of them were brought, beside one good run with a title as bad as them."""
    place = tmp_path_factory.mktemp("names")
    folder, home = place / "files", place / "home"
    folder.mkdir()
    home.mkdir(mode=0o700)
    (home / "config.toml").write_text('time_zone = "Europe/Vienna"\n[import]\nworkers = 1\n')
    for number, name in enumerate(FILES):
        (folder / name).write_bytes(b"no recording %d" % number)
    good = fit_bytes(SimulatedRunner(), PlannedRun(dt.date(2026, 11, 20), dt.time(7, 10), "easy", 8, "flat"))
    row = f'1,"20 Nov 2026, 06:10:00","{_TITLE}",Run,"{_TITLE}",480,1.3,,,,,,activities/1.fit,,,480,480,1300\n'
    header = "Activity ID,Activity Date,Activity Name,Activity Type,Activity Description,Elapsed Time,Distance,"
    with zipfile.ZipFile(folder / "export.zip", "w") as archive:
        archive.writestr("activities.csv", f"{header},,,,,Filename,,,Elapsed Time,Moving Time,Distance\n{row}")
        archive.writestr("activities/1.fit", good)
        for number, name in enumerate(FILES):
            archive.writestr(f"activities/{number} {name}", b"nor this %d" % number)
    done = forked("import", folder, "--home", home)
    assert done.returncode == 1, done.stderr
    assert done.stderr.count("\n") >= len(FILES)
    _is_harmless(done.stdout)
    _is_harmless(done.stderr)
    return home


def _is_harmless(text: str) -> None:
    strange = {c for c in text if unicodedata.category(c) in {"Cc", "Cf"}} - {"\n", "\u200b", "\xad"}
    assert strange == set()


@pytest.mark.sampled(3)
@pytest.mark.parametrize("command", ["status", "sessions", "alerts", "plan", "doctor"])
def test_no_command_sends_a_terminal_anything_but_words(home: Path, forked: Run, command: str) -> None:
    shown = forked(command, "--home", home)
    _is_harmless(shown.stdout)
    _is_harmless(shown.stderr)
    assert "Traceback" not in shown.stderr


def test_a_machine_reads_them_as_they_are_and_the_tables_are_all_there(home: Path, forked: Run) -> None:
    told = json.loads(forked("import", home.parent / "files", "--json", "--home", home).stdout)
    assert any("drop table" in problem for problem in told["problems"])
    with warehouse.reader(home) as con:
        ((title,),) = con.execute("select title from marts.sessions").fetchall()
        names = {name for (name,) in con.execute("select name from marts.unreadable").fetchall()}
    assert "<script>alert(1)</script>" in title
    assert len([name for name in names if "drop table" in name]) == 2


def test_mail_report_calendar_and_digest_hold_them_as_words(home: Path) -> None:
    current = settings.load(home)
    with pipeline.exclusive(current):
        pipeline.refresh(current, NOW.date(), now=NOW)
        told = pipeline.digest(current, "me", NOW)
        pipeline.tell_state(current, "me", NOW)
        report = pipeline.report(current, "me", NOW).read_text(encoding="utf-8")
    _is_harmless(told.subject)
    _is_harmless(told.text_path.read_text(encoding="utf-8").replace("\xa0", " "))
    for page in (told.html_path.read_text(encoding="utf-8"), report):
        assert "<script>alert(1)" not in page
        assert "<img src=x" not in page
    calendar = (home / "curls.ics").read_text(encoding="utf-8") if (home / "curls.ics").exists() else ""
    assert calendar.count("BEGIN:VEVENT") == calendar.count("END:VEVENT")
    assert "Bcc" not in {line.partition(":")[0] for line in calendar.splitlines()}
    with Ledger(home / "outbox") as ledger:
        for message in post.standing(current):
            head = ledger.content(message.message_id).split(b"\r\n\r\n")[0]
            assert b"\nBcc" not in head
            assert b"\x1b" not in ledger.content(message.message_id)


def test_an_error_that_names_one_is_one_line_of_words(home: Path, forked: Run) -> None:
    shown = forked("import", home / "no\x1b[2J\r\nsuch\u202efile", "--home", home)
    assert shown.returncode == 2
    _is_harmless(shown.stderr)
    assert len(list(filter(None, shown.stderr.splitlines()))) == 2
