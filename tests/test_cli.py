"""The installed command itself: what it prints, with which exit code, and that nothing it is given does any harm."""

import csv
import datetime as dt
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hamload import settings, warehouse
from hamload.cli import app
from hamload.simulator import SimulatedRunner, write_year

#: Long ago, so that the command's own clock never comes before it. What a day says depends on no later day.
LAST_DAY = dt.date(2025, 11, 23)
CONFIG = 'time_zone = "Europe/Vienna"\n'

type Run = Callable[..., subprocess.CompletedProcess[str]]


INSTALLED = Path(sys.executable).with_name("hamload")


@pytest.fixture(scope="module")
def hamload(forked: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run the command with a home, in a process of its own: `hamload(home, "status", ...)`.

    `installed` starts the very script that pip writes, which takes three times as long.
    """
    nowhere = tmp_path_factory.mktemp("nowhere")

    def run(
        home: Path | None, *arguments: object, columns: int = 200, installed: bool = False
    ) -> subprocess.CompletedProcess[str]:
        words = list(map(str, arguments))
        if home is not None:
            words += ["--home", str(home)]
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("HAMLOAD_")},
            "COLUMNS": str(columns),
            "XDG_DATA_HOME": str(nowhere),
        }
        if installed:
            return subprocess.run(
                [INSTALLED, *words], capture_output=True, text=True, check=False, env=environment, timeout=120
            )
        return forked(*words, environment=environment)

    return run


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recordings")
    write_year(SimulatedRunner(), folder, LAST_DAY, 60)
    return folder


@pytest.fixture(scope="module")
def filled(recordings: Path, tmp_path_factory: pytest.TempPathFactory, hamload: Run) -> Path:
    """Return a home into which the command has imported two simulated months. Read it only, or copy it."""
    home = tmp_path_factory.mktemp("filled") / "home"
    home.mkdir()
    (home / "config.toml").write_text(CONFIG)
    done = hamload(home, "import", recordings, "--through", LAST_DAY, installed=True)
    assert done.returncode == 0, done.stderr
    assert "43 offered, 43 new, 0 known already; 43 decoded, 0 could not be counted." in done.stdout
    assert "This home now holds 43 runs from 2025-09-25 to 2025-11-22." in done.stdout
    assert "count as rest" in done.stdout
    return home


@pytest.fixture
def own(filled: Path, tmp_path: Path) -> Path:
    """Return a copy of the filled home that a test may change."""
    return Path(shutil.copytree(filled, tmp_path / "own"))


def _rows(home: Path) -> list[tuple[Any, ...]]:
    with warehouse.reader(home) as con:
        return con.execute("from marts.sessions").fetchall()


def _tells(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    """Check that a command ended with this code and a sentence on stderr that holds these words, and no traceback."""
    assert done.returncode == code, (done.stdout, done.stderr)
    assert "Traceback" not in done.stdout + done.stderr
    assert done.stderr.strip()
    assert len(done.stderr) < 1000
    told = " ".join(done.stderr.split())
    assert [word for word in words if word not in told] == [], told


def _refused_files() -> dict[str, tuple[bytes, str]]:
    """Return bad inputs by the file's name, with a piece of what is to be said of each."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as members:
        members.writestr("../../outside.fit", b"no")
    return {
        "notes.txt": (b"Ran well today.", "neither FIT, GPX nor TCX. Export the activity as one of these"),
        "empty.fit": (b"", "The file is empty. Fetch it again."),
        "blank.gpx": (b"\n\n", "The file is empty. Fetch it again."),
        "page.fit": (b"<!DOCTYPE html><html>Not found</html>", "This is a web page"),
        "escape.zip": (archive.getvalue(), "names a path outside the archive"),
        "half.zip": (archive.getvalue()[:40], "This archive is cut off"),
        "cut.fit.gz": (b"\x1f\x8b\x08\x00", "cannot be unpacked"),
    }


def test_bad_files_are_listed_with_what_to_do_and_nothing_that_was_there_is_lost(
    own: Path, tmp_path: Path, recordings: Path, hamload: Run
) -> None:
    bad = tmp_path / "bad"
    bad.mkdir()
    for name, (content, _) in _refused_files().items():
        (bad / name).write_bytes(content)
    before = _rows(own)
    done = hamload(own, "import", *sorted(bad.iterdir()), min(recordings.iterdir()))
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    told = {Path(line.split(": ")[0]).name: line for line in done.stderr.splitlines() if line.startswith("! ")}
    assert told.keys() == {*_refused_files(), "outside.fit"} - {"escape.zip"}
    for name, (_, says) in _refused_files().items():
        assert says in told["outside.fit" if name == "escape.zip" else name]
    assert "7 could not be counted" in done.stdout
    assert _rows(own) == before
    assert not list(tmp_path.parent.rglob("outside.fit"))
    # Once they are gone they are no problem any more.
    shutil.rmtree(bad)
    bad.mkdir()
    assert hamload(own, "import", bad).returncode == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("time_zone = Vienna", ("config.toml", "not valid TOML", "Mend that line")),
        ('time_zone = "Europe/Wien"', ("config.toml", "is no time zone")),
        ("[model.demand]\neasy_exponent = -1", ("config.toml", "easy_exponent = -1", "the default is 1.9")),
        ("[model.demand]\neasy_exponnent = 2", ("config.toml", "easy_exponnent", "There are:")),
        ("[import]\nworkers = 1000", ("config.toml", "workers", "Mend that value")),
        ("colour = 3", ("config.toml", "colour")),
    ],
    ids=["syntax", "zone", "range", "spelling", "workers", "unknown"],
)
def test_a_broken_setting_is_named_with_its_file_and_its_remedy_and_nothing_is_touched(
    own: Path, hamload: Run, text: str, words: tuple[str, ...]
) -> None:
    (own / "config.toml").write_text(text)
    _tells(hamload(own, "status"), 2, *words)
    (own / "config.toml").write_text(CONFIG)
    assert hamload(own, "status").returncode == 0


@pytest.mark.parametrize("command", ["status", "sessions", "digest"])
def test_a_home_that_holds_nothing_yet_says_how_to_begin(tmp_path: Path, hamload: Run, command: str) -> None:
    _tells(hamload(tmp_path / "none", command), 1, "nothing to show", "hamload import PATH", "hamload demo")
    assert not (tmp_path / "none").exists()


def test_nothing_to_sync_and_nothing_to_rebuild_say_what_to_do(tmp_path: Path, hamload: Run) -> None:
    _tells(hamload(tmp_path / "none", "sync"), 2, "no source is set up", "[[folders]]")
    _tells(hamload(tmp_path / "none", "rebuild"), 1, "no raw documents", "hamload import PATH")


def test_without_a_home_named_the_platforms_folder_is_looked_into(hamload: Run) -> None:
    _tells(hamload(None, "status"), 1, "nowhere", "hamload import PATH")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("import", "/no/such/folder"), 2, ("nothing at /no/such/folder", "spelling")),
        (("import", "/", "--sport", "yoga"), 2, ("--sport yoga", "run, treadmill")),
        (("import", "/", "--gaps", "maybe"), 2, ("--gaps maybe", "rest, unknown")),
        (("import", "/", "--through", "soon"), 2, ("--through soon", "YYYY-MM-DD")),
        (("import", "/no", "--through", "2999-01-01"), 2, ("lies in the future", "or an earlier day")),
        (("import", "/no", "--through", "2025-01-01", "--gaps", "unknown"), 2, ("Say one of the two",)),
        (("status", "--athlete", "you"), 2, ("No runner named 'you'", "there is: me", "[[athletes]]")),
        (("digest", "--athlete", "../me"), 2, ("No runner named '../me'",)),
        (("sessions", "--athlete", "you"), 2, ("No runner named 'you'",)),
        (("status", "--on", "2025-13-45"), 2, ("--on 2025-13-45", "YYYY-MM-DD")),
        (("status", "--on", "1999-01-01"), 1, ("nothing to say of me on 1999-01-01", "name another day")),
        (("digest", "--on", "yesterday"), 2, ("--on yesterday", "YYYY-MM-DD")),
        (("sessions", "--last", "0"), 2, ("--last",)),
        (("stauts",), 2, ("stauts",)),
    ],
)
def test_a_wrong_argument_is_named_with_what_would_be_right(
    filled: Path, hamload: Run, arguments: tuple[str, ...], code: int, words: tuple[str, ...]
) -> None:
    _tells(hamload(filled, *arguments), code, *words)


@pytest.mark.parametrize("command", ["import", "rebuild", "sync"])
def test_a_home_that_cannot_be_written_is_named_with_the_remedy(tmp_path: Path, hamload: Run, command: str) -> None:
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "folder").mkdir()
    arguments = [command, tmp_path / "folder"] if command == "import" else [command]
    done = hamload(tmp_path / "file", *arguments)
    words = ("no source is set up",) if command == "sync" else (str(tmp_path / "file"), "--home")
    _tells(done, 2, *words)
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_damaged_warehouse_says_how_it_is_made_anew_and_the_raw_documents_are_enough(own: Path, hamload: Run) -> None:
    before = _rows(own)
    for name in ("hamload.duckdb", "warehouse.duckdb"):
        (own / name).write_bytes(b"this is no database" * 1000)
    _tells(hamload(own, "status"), 1, "cannot be opened", "hamload rebuild")
    _tells(hamload(own, "import", own / "raw"), 1, "cannot be opened", "hamload rebuild")
    assert hamload(own, "rebuild").returncode == 0
    assert _rows(own) == before


def test_a_damaged_raw_document_is_named_and_the_others_are_kept(own: Path, hamload: Run) -> None:
    victim = min((own / "raw").glob("??/*.fit"))
    victim.write_bytes(b"rot")
    hamload(own, "rebuild")
    assert len(_rows(own)) == 42
    with warehouse.reader(own) as con:
        ((reason,),) = con.execute("select reason from marts.unreadable").fetchall()
    assert "no longer matches its name" in reason


def test_two_runs_at_once_the_second_says_so_and_changes_nothing(own: Path, recordings: Path, hamload: Run) -> None:
    with warehouse.lock(own):
        for arguments in (["import", recordings], ["rebuild"], ["sync"]):
            _tells(hamload(own, *arguments), 1, f"process {os.getpid()}", "Wait until it has finished")
        assert hamload(own, "status").returncode == 0, "whoever only reads does not wait"
    assert hamload(own, "import", recordings).returncode == 0


def test_the_status_of_a_day_names_its_state_its_reasons_and_what_to_do(filled: Path, hamload: Run) -> None:
    done = hamload(filled, "status", "--on", LAST_DAY)
    assert (done.returncode, done.stderr) == (0, "")
    assert "DELOAD" in done.stdout
    assert "simulated" in done.stdout
    assert "beyond your longest in 30 days" in done.stdout
    assert "Run at most" in done.stdout
    assert str(filled) in done.stdout.replace("\n", "")
    today = hamload(filled, "status")
    assert today.returncode == 0
    assert "UNKNOWN" in today.stdout
    assert "unknown, not rest" in today.stdout


def test_the_status_for_a_machine_is_json_with_the_same_facts(filled: Path, hamload: Run) -> None:
    told = json.loads(hamload(filled, "status", "--json", "--on", LAST_DAY).stdout)
    assert (told["home"], told["as_of"], told["is_simulated"]) == (str(filled), str(LAST_DAY), True)
    assert told["alert"]["state"] == "deload"
    assert "distance_spike" in {reason["rule"] for reason in told["alert"]["reasons"]}
    assert told["last_7"]["runs"] == 5


def test_the_sessions_are_listed_newest_first_in_a_wide_and_in_a_narrow_window(filled: Path, hamload: Run) -> None:
    wide = hamload(filled, "sessions", "--last", 3)
    assert wide.returncode == 0
    lines = wide.stdout.splitlines()
    assert lines[0].split() == [
        *("Day", "Run", "km", "min", "EFM", "hill", "speed", "long", "base", "Labels", "Spike", "Confidence", "ID")
    ]
    assert [line.split()[0] for line in lines[1:4]] == ["2025-11-22", "2025-11-21", "2025-11-20"]
    narrow = hamload(filled, "sessions", "--last", 3, columns=80)
    assert max(map(len, narrow.stdout.splitlines())) <= 80
    assert "2025-11-21" in narrow.stdout
    rows = json.loads(hamload(filled, "sessions", "--last", 500, "--json").stdout)
    assert len(rows) == 43
    for row in rows:
        parts = sum(row[f"load_{part}_efm"] for part in ("hill", "speed", "long", "base"))
        assert parts == pytest.approx(row["load_efm"])


@pytest.mark.sampled(4)
@pytest.mark.parametrize("columns", [40, 50, 60, 72, 80, 100, 120])
def test_a_window_of_any_width_shows_each_day_and_number_whole_or_not_at_all(
    filled: Path, hamload: Run, columns: int
) -> None:
    lines = hamload(filled, "sessions", "--last", 12, columns=columns).stdout.splitlines()
    assert max(map(len, lines)) <= columns
    rows = json.loads(hamload(filled, "sessions", "--last", 12, "--json").stdout)
    headings = lines[0].split()
    for line, row in zip(lines[1:], rows, strict=False):
        numbers = (f"{row['distance_m'] / 1000:.1f}", f"{row['moving_time_s'] / 60:.0f}", f"{row['load_efm']:.0f}")
        assert line.startswith(f"{row['local_date']} ")
        assert set(numbers) <= set(line.split())
        if "ID" in headings:
            assert line.split()[-1] == row["session_id"][:6]
        if "Labels" in headings:
            labels = {name for name in ("hill", "speed", "long", "heavy") if row[f"is_{name}"]}
            assert labels <= set(line.split())


def test_a_heavy_run_is_called_heavy_in_the_list(filled: Path, hamload: Run) -> None:
    rows = json.loads(hamload(filled, "sessions", "--last", 43, "--json").stdout)
    lines = hamload(filled, "sessions", "--last", 43).stdout.splitlines()[1:]
    assert {bool(row["is_heavy"]) for row in rows} == {True, False}
    assert ["heavy" in line.split() for line in lines[:43]] == [bool(row["is_heavy"]) for row in rows]


def test_a_runner_of_miles_reads_the_list_and_a_run_in_miles(own: Path, hamload: Run) -> None:
    (own / "config.toml").write_text(CONFIG + '[show]\nunits = "miles"\n')
    row = json.loads(hamload(own, "sessions", "--last", 1, "--json").stdout)[0]
    miles = f"{row['distance_m'] / 1609.344:.1f}"
    heading, line = hamload(own, "sessions", "--last", 1).stdout.splitlines()[:2]
    assert "mi" in heading.split()
    assert "km" not in heading.split()
    assert miles in line.split()
    assert f"{miles} mi," in hamload(own, "sessions", "show", row["session_id"][:8]).stdout


def test_the_digest_is_shown_or_written_and_written_again_is_the_same(own: Path, hamload: Run) -> None:
    shown = hamload(own, "digest", "--preview", "--on", LAST_DAY)
    assert shown.returncode == 0
    for words in ("Deload", "The next 7 days", "not medical advice", "simulated"):
        assert words in shown.stdout
    assert not (own / "outbox").exists()
    written = hamload(own, "digest")
    assert written.returncode == 0
    paths = [Path(line.strip()) for line in written.stdout.splitlines()[1:]]
    assert [path.suffix for path in paths] == [".txt", ".html"]
    before = [path.read_bytes() for path in paths]
    assert hamload(own, "digest").returncode == 0
    assert [path.read_bytes() for path in paths] == before


def test_a_rebuild_and_the_same_import_again_change_no_session(own: Path, recordings: Path, hamload: Run) -> None:
    before = _rows(own)
    rebuilt = hamload(own, "rebuild")
    assert rebuilt.returncode == 0
    assert f"Rebuilt from 43 documents (model {settings.load(own).model.version})." in rebuilt.stdout
    assert _rows(own) == before
    again = hamload(own, "import", recordings, "--json")
    assert again.returncode == 0
    assert json.loads(again.stdout) == {"offered": 43, "new": 0, "known": 43, "unreadable": 0, "problems": []}
    assert _rows(own) == before


def test_a_sync_reads_the_watched_folder_and_one_that_is_gone_harms_no_other(
    tmp_path: Path, recordings: Path, hamload: Run, migrated: Path
) -> None:
    home = tmp_path / "home"
    (home / "prefect").mkdir(parents=True)
    shutil.copyfile(migrated, home / "prefect" / "prefect.db")
    few = tmp_path / "few"
    few.mkdir()
    for path in sorted(recordings.iterdir())[-5:]:
        shutil.copyfile(path, few / path.name)
    watched = f'[[folders]]\npath = "{few}"\nreports_rest = true\n'
    (home / "config.toml").write_text(CONFIG + watched)
    done = hamload(home, "sync", "--json", installed=True)
    told = json.loads(done.stdout)
    assert (done.returncode, told["decoded"], told["problems"]) == (0, 5, [])
    assert [Path(path).exists() for path in told["digests"]] == [True]
    (home / "config.toml").write_text(f'{CONFIG}{watched}[[folders]]\npath = "{tmp_path / "gone"}"\n')
    _tells(hamload(home, "sync", installed=True), 1, str(tmp_path / "gone"), "is not there", "config.toml")
    assert len(_rows(home)) == 5


HOSTILE = (
    "[bold red]Free[/] [link=http://example.org]shoes[/link] [/]",
    "a\x1b[2J\x1b]0;title\x07b\rc\u202etxt.exe",
    "L" * 10_000,
    "one\ntwo\n\n\nthree",
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
)


def test_hostile_titles_do_no_harm_wherever_they_are_shown(tmp_path: Path, hamload: Run) -> None:
    header = ["Activity ID", "Activity Date", "Activity Name", "Activity Type", "Activity Description", "Elapsed Time"]
    header += ["Distance", "", "", "", "", "", "Filename", "", "", "Elapsed Time", "Moving Time", "Distance"]
    table = io.StringIO()
    csv.writer(table).writerows([
        header,
        *(
            [n, f"{15 + n} Apr 2024, 17:34:54", title, "Run", "", 3600, 10, *[""] * 8, 3600, 3600, 10000]
            for n, title in enumerate(HOSTILE, 1)
        ),
    ])  # fmt: skip
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "activities.csv").write_text(table.getvalue(), encoding="utf-8", newline="")
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.toml").write_text(CONFIG)
    shown = [
        hamload(home, *arguments)
        for arguments in (
            ["import", folder, "--json"],
            ["sessions"],
            ["status", "--on", "2024-04-21"],
            ["digest", "--preview", "--on", "2024-04-21"],
        )
    ]
    for done in shown:
        assert (done.returncode, done.stderr) == (0, "")
        assert not {c for c in done.stdout if not c.isprintable()} - {"\n"}
        assert "L" * 300 not in done.stdout
    lines = shown[1].stdout.splitlines()
    assert [line[:10].strip() for line in lines] == ["Day", *(f"2024-04-{day}" for day in range(21, 15, -1))]
    assert "[bold red]Free" in lines[-1]
    kept = json.loads(hamload(home, "sessions", "--json").stdout)
    # What is kept is what was given; csv alone takes a carriage return for the end of a line.
    assert [row["title"].split() for row in reversed(kept)] == [title.split() for title in HOSTILE]
    assert hamload(home, "digest").returncode == 0
    (html,) = (home / "outbox").glob("*.html")
    assert "<script>alert" not in html.read_text(encoding="utf-8")


def test_help_names_every_command_and_every_command_has_help(hamload: Run) -> None:
    whole = hamload(None, "--help", installed=True)
    assert whole.returncode == 0
    commands = [command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands]
    assert len(commands) >= 7
    for command in commands:
        assert f" {command} " in whole.stdout
        shown = hamload(None, command, "--help")
        assert shown.returncode == 0
        assert "--home" in shown.stdout
    assert hamload(None).returncode == 2


def test_status_draws_its_days_says_what_waits_and_imports_no_chart_library(own: Path, hamload: Run) -> None:
    (own / "config.toml").write_text(CONFIG + '[[athletes]]\nid = "me"\n[show]\nunits = "miles"\n')
    shown = hamload(own, "status", "--on", LAST_DAY)
    assert shown.returncode == 0
    assert re.search(r"56 days  [▁▂▃▄▅▆▇█·?]{56}", shown.stdout)
    assert re.search(r"distance +\d+\.\d mi", shown.stdout)
    script = (
        "import sys; sys.argv = ['hamload', 'status', '--home', sys.argv[1]]\nfrom hamload.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print([m for m in ('altair', 'vl_convert', 'css_inline', 'apprise', 'prefect', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script, own], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_terminal_that_knows_ascii_only_gets_ascii(own: Path) -> None:
    command = [str(INSTALLED), "status", "--home", str(own)]
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "COLUMNS": "60"}
    done = subprocess.run(command, capture_output=True, check=True, env=environment, timeout=60)
    assert done.stdout.isascii()
    assert b"days  " in done.stdout


def test_the_report_is_written_and_a_digest_that_cannot_be_sent_says_why(own: Path, hamload: Run) -> None:
    written = hamload(own, "report", "--json")
    assert written.returncode == 0, written.stderr
    told = json.loads(written.stdout)
    assert Path(told["path"]) == own / "report.html"
    assert told["bytes"] == (own / "report.html").stat().st_size
    _tells(hamload(own, "digest", "--send"), 1, "mail is not set up", "config.toml")
    assert "1 message in the outbox: mail is not set up" in " ".join(hamload(own, "status").stdout.split())
    assert [m["state"] for m in json.loads(hamload(own, "status", "--json").stdout)["outbox"]] == ["waiting"]
