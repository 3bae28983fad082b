"""From nothing to a first status: what init asks, what it tries, what it leaves alone, and where it ends half-way."""

import csv
import datetime as dt
import gzip
import io
import os
import pty
import select
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from hamload import settings, warehouse
from hamload.simulator import SimulatedRunner, fit_bytes, year_of

HAMLOAD = str(Path(sys.executable).with_name("hamload"))
LAST_DAY = dt.date(2025, 11, 23)
type Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bulk export as Strava's comes: a table, and each recording gzipped."""
    path = tmp_path_factory.mktemp("export") / "export_1234567.zip"
    columns = "Activity ID,Activity Date,Activity Name,Activity Type,Activity Description,Elapsed Time,Distance"
    rows = [[*columns.split(","), "Filename"]]
    with zipfile.ZipFile(path, "w") as archive:
        for number, run in enumerate(year_of(SimulatedRunner(), LAST_DAY, 45)):
            name = f"activities/{9_000_000 + number}.fit.gz"
            archive.writestr(name, gzip.compress(fit_bytes(SimulatedRunner(), run)))
            moment = dt.datetime.combine(run.date, run.start).strftime("%b %-d, %Y, %-I:%M:%S %p")
            rows.append([str(number), moment, "Run", "Run", "", str(int(run.minutes * 60)), "8", name])
        text = io.StringIO()
        csv.writer(text).writerows(rows)
        archive.writestr("activities.csv", text.getvalue())
        archive.writestr("profile.csv", "Athlete ID\n1\n")
    return path


@pytest.fixture
def hamload(forked: Run, tmp_path: Path) -> Run:
    """Run the command in a home directory with a space in its name, and nobody at the keyboard.

    `installed` starts the very script that pip writes.
    """
    user = tmp_path / "An na"
    user.mkdir()

    def run(
        *arguments: object, answers: str = "", installed: bool = False, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HAMLOAD_")}
        own = {"HOME": str(user), "XDG_DATA_HOME": f"{user}/.local/share", "COLUMNS": "160"}
        words, given = list(map(str, arguments)), kept | own | environment
        if installed:
            return subprocess.run(
                [HAMLOAD, *words],
                input=answers, capture_output=True, text=True, check=False, timeout=120, cwd=user, env=given,
            )  # fmt: skip
        return forked(*words, answers=answers, folder=user, environment=given)

    return run


def test_one_command_leads_from_an_export_to_the_first_status(hamload: Run, export: Path, tmp_path: Path) -> None:
    words = ("--name", "Anna", "--time-zone", "Europe/Vienna", "--import", export)
    done = hamload("init", "--yes", *words, installed=True)
    home = tmp_path / "An na/.local/share/hamload"
    assert done.returncode == 0, done.stderr
    assert "one of them: run" in done.stdout
    assert "Anna, " in done.stdout
    assert "days known" in done.stdout
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "config.toml").stat().st_mode & 0o777 == 0o600
    current = settings.load(home)
    assert (current.time_zone, current.athlete().name) == ("Europe/Vienna", "Anna")


def test_every_question_can_be_answered_at_the_keyboard(hamload: Run, export: Path, tmp_path: Path) -> None:
    watched = tmp_path / "watch folder"
    watched.mkdir()
    answers = ["Zoë", "Mars/Phobos", "Europe/Vienna", "1,2", "/nowhere", str(export), str(watched), "y"]
    done = hamload("init", answers="\n".join(answers) + "\n")
    assert done.returncode == 0, done.stderr
    assert "no time zone" in done.stderr
    assert "There is nothing at /nowhere" in done.stderr
    current = settings.load(tmp_path / "An na/.local/share/hamload")
    assert current.athlete().name == "Zoë"
    assert [(str(f.path), f.reports_rest) for f in current.folders] == [(str(watched), True)]


@pytest.mark.sampled(1)
@pytest.mark.parametrize(("answer", "unknown"), [("y", 0), ("n", 2)])
def test_it_asks_whether_the_days_since_the_last_recording_were_rest(
    hamload: Run, tmp_path: Path, answer: str, unknown: int
) -> None:
    """Two days ago by the clock of the test: left unknown, they would withhold every ratio for four weeks."""
    today = dt.datetime.now(tz=dt.UTC).date()
    runner = SimulatedRunner()
    planned = [run for run in year_of(runner, today, 40) if run.date <= today - dt.timedelta(days=3)]
    (tmp_path / "runs").mkdir()
    for run in planned:
        (tmp_path / "runs" / f"{run.stem}.fit").write_bytes(fit_bytes(runner, run))
    gap = (today - dt.timedelta(days=1) - planned[-1].date).days
    home = tmp_path / "home"
    done = hamload("init", "--home", home, "--import", tmp_path / "runs", answers=f"Anna\nUTC\n{answer}\n")
    assert done.returncode == 0, done.stderr
    assert "have not run since" in done.stdout
    with warehouse.reader(home) as con:
        ((count,),) = con.execute(
            "select count(*) from marts.daily_load where series = 'total' and not is_known and date > ?",
            [planned[-1].date],
        ).fetchall()
    assert count == (gap if unknown else 0)
    assert ("say so: hamload import PATH --through" in done.stdout) == bool(unknown)


def test_where_there_is_no_run_yet_it_says_how_one_comes_in_and_offers_no_digest(hamload: Run, tmp_path: Path) -> None:
    done = hamload("init", "--home", tmp_path / "home", "--yes", "--name", "Anna")
    assert done.returncode == 0, done.stderr
    assert "hamload import PATH" in done.stdout
    assert "digest" not in done.stdout


def test_where_nobody_answers_nothing_is_made(hamload: Run, tmp_path: Path) -> None:
    done = hamload("init")
    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert not (tmp_path / "An na/.local").exists()


@pytest.mark.parametrize("answers", ["Anna\n", "Anna\nUTC\n", "Anna\nUTC\n1\n", "Anna\nUTC\n2\n/nowhere\n"])
def test_where_the_answers_end_half_way_it_ends_too_and_nothing_is_made(
    hamload: Run, tmp_path: Path, answers: str
) -> None:
    done = hamload("init", "--home", tmp_path / "home", answers=answers)
    assert done.returncode == 2
    assert done.stderr.count("Nobody answered") == 1
    assert not (tmp_path / "home").exists()


def test_again_changes_nothing_that_is_there_unless_it_is_said_twice(hamload: Run, tmp_path: Path) -> None:
    home = tmp_path / "home"
    hamload("init", "--home", home, "--yes", "--name", "Anna", "--time-zone", "Europe/Vienna")
    own = '# mine\ntime_zone = "Europe/Vienna"\n[[athletes]]\nid = "me"\nname = "Anna" # me\n[show]\nunits = "miles"\n'
    (home / "config.toml").write_text(own)
    assert hamload("init", "--home", home, "--yes").returncode == 0
    assert (home / "config.toml").read_text() == own
    kept = hamload("init", "--home", home, "--name", "Bea", answers="n\n\n")
    assert 'config.toml says name = "Anna"' in kept.stdout
    assert (home / "config.toml").read_text() == own
    hamload("init", "--home", home, "--name", "Bea", "--yes")
    assert (home / "config.toml").read_text() == own.replace('"Anna"', '"Bea"')


def test_an_inaccessible_zone_is_added_before_the_tables_of_an_older_config(hamload: Run, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.toml").write_text('[show]\nunits = "miles"\n')
    done = hamload("init", "--home", home, "--yes", "--time-zone", "Asia/Tokyo", "--easy-pace", "5:30")
    assert done.returncode == 0, done.stderr
    current = settings.load(home)
    assert (current.time_zone, current.show.units, current.athlete().easy_speed_mps) == ("Asia/Tokyo", "miles", 3.03)


@pytest.mark.sampled(6)
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--time-zone", "Mars/Phobos"), "no time zone"),
        (("--time-zone", "../../etc/passwd"), "no time zone"),
        (("--time-zone", "Europe"), "no time zone"),
        (("--easy-pace", "fast"), "no pace"),
        (("--athlete", "Anna Maria"), "short name"),
        (("--import", "/nowhere"), "There is nothing at /nowhere"),
        (("--import", "/etc/hostname"), "can read none"),
        (("--folder", "/etc/hostname"), "no recordings|can read none|is no folder"),
        (("--service", "polar"), "no such service"),
        (("--home", "/etc/hostname"), "is a file, not a folder"),
        (("--home", "/etc/hostname/home"), "is a file, so that"),
        (("--home", "/proc/home"), "cannot be written"),
        (("--home", "/var/what?"), "question mark"),
        (("--home", "/etc"), "holds other things already"),
    ],
)
def test_what_cannot_be_used_is_said_with_its_remedy_and_nothing_is_made(
    hamload: Run, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = hamload("init", "--yes", *arguments)
    assert done.returncode == 2
    assert any(word in done.stderr for word in said.split("|")), done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "An na/.local").exists()


def test_a_broken_config_is_named_and_left_as_it_is(hamload: Run, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home/config.toml").write_text("time_zone = ")
    done = hamload("init", "--home", tmp_path / "home", "--yes", "--name", "Anna")
    assert done.returncode == 2
    assert "is not valid TOML" in done.stderr
    assert (tmp_path / "home/config.toml").read_text() == "time_zone = "


def test_a_sign_in_that_fails_leaves_a_home_that_works(hamload: Run, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.toml").write_text('[services]\ngarmin_personal = "http://127.0.0.1:9"\n[fetch]\nretries = 0\n')
    done = hamload(
        "init", "--home", home, "--yes", "--service", "garmin-personal", GARMIN_PERSONAL_API_KEY="0000"
    )  # fmt: skip
    assert done.returncode == 1
    assert "hamload auth garmin-personal" in done.stderr
    assert settings.load(home).accounts == ()


def test_ctrl_c_at_a_question_leaves_no_home_and_during_the_import_one_that_works(
    export: Path, tmp_path: Path, hamload: Run
) -> None:
    home = tmp_path / "home"
    pid, terminal = pty.fork()
    if pid == 0:
        _started("init", "--home", str(home))
    _read_until(terminal, b"Your name")
    # Between the prompt and the waiting for keys Python may not notice it: then people press it again.
    assert _ended(pid, lambda: os.write(terminal, b"\x03")) == 1
    os.close(terminal)
    assert not home.exists()

    pid, terminal = pty.fork()
    if pid == 0:
        _started("init", "--home", str(home), "--yes", "--import", str(export))
    _read_until(terminal, b"reading")
    os.kill(pid, signal.SIGINT)
    _drain(terminal)
    assert _ended(pid) in {0, 1, 130}
    os.close(terminal)
    again = hamload("init", "--home", home, "--yes", "--import", export)
    assert again.returncode == 0, again.stderr
    assert "days known" in again.stdout
    assert hamload("doctor", "--verify", "--home", home).returncode == 0


def _started(*words: str) -> None:
    """Become the command, in a child that has just been forked."""
    # Whoever runs the tests in the background has told every child to ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execv(HAMLOAD, [HAMLOAD, *words])  # noqa: S606


def _ended(pid: int, press: Callable[[], object] = lambda: None) -> int:
    deadline = time.monotonic() + 120
    pressed_at = 0.0
    while time.monotonic() < deadline:
        if time.monotonic() - pressed_at > 2:
            press()
            pressed_at = time.monotonic()
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    raise AssertionError("it did not end within two minutes")


def _read_until(terminal: int, words: bytes) -> None:
    seen = b""
    deadline = time.monotonic() + 60
    while words not in seen and time.monotonic() < deadline:
        if select.select([terminal], [], [], 1)[0]:
            seen += os.read(terminal, 4096)
    assert words in seen


def _drain(terminal: int) -> None:
    try:
        while select.select([terminal], [], [], 60)[0] and os.read(terminal, 4096):
            pass
    except OSError:
        pass  # the other side has gone


def test_what_a_day_without_a_run_means_is_changed_where_a_folder_is_named_again(
    hamload: Run, export: Path, tmp_path: Path
) -> None:
    watched = tmp_path / "watched"
    with zipfile.ZipFile(export) as archive:
        archive.extractall(watched, [name for name in archive.namelist() if "900000" in name][:3])
    home = tmp_path / "home"
    said = []
    for options in (["--rest"], [], ["--no-rest"]):
        done = hamload("init", "--yes", "--folder", watched, *options, "--home", home)
        assert done.returncode == 0, done.stderr
        said.append("reports_rest = false" in done.stdout)
        said.append(settings.load(home).folders[0].reports_rest)
    assert said == [False, True, False, True, True, False]
