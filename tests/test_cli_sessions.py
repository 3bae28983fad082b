"""The commands about runs: what they print, and what they refuse."""

import datetime as dt
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hamload.cli import app
from hamload.errors import ConfigurationError

#: Long ago, so that the command's own clock never comes before it.
START = dt.datetime(2025, 3, 3, 7, 0, tzinfo=dt.UTC)

type Hamload = Callable[..., Result]


def _gpx(start: dt.datetime, minutes: int, title: str, creator: str) -> str:
    points = "".join(
        f'<trkpt lat="{48 + 2.8 * second / 111_195:.7f}" lon="16.37">'
        f"<time>{start + dt.timedelta(seconds=second):%Y-%m-%dT%H:%M:%SZ}</time></trkpt>"
        for second in range(0, 60 * minutes, 5)
    )
    name = f"<name>{title}</name><type>running</type>"
    return f'<gpx version="1.1" creator="{creator}"><trk>{name}<trkseg>{points}</trkseg></trk></gpx>'


def _in(home: Path) -> Hamload:
    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, [*arguments, "--home", str(home)], env={"COLUMNS": "160"})

    return run


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home with two runs, one of them twice. Copy it."""
    place = tmp_path_factory.mktemp("kept")
    home, folder = place / "home", place / "runs"
    home.mkdir()
    folder.mkdir()
    (home / "config.toml").write_text('time_zone = "Europe/Vienna"\n[import]\nworkers = 1\n')
    (folder / "watch.gpx").write_text(_gpx(START, 40, "Prater [bold]", "watch"))
    (folder / "phone.gpx").write_text(_gpx(START + dt.timedelta(seconds=40), 38, "phone", "phone"))
    (folder / "later.gpx").write_text(_gpx(START + dt.timedelta(days=1), 30, "later", "watch"))
    assert _in(home)("import", str(folder)).exit_code == 0
    return home


@pytest.fixture
def hamload(kept: Path, tmp_path: Path) -> Hamload:
    """Run the command on a copy of the home with two runs, one of them twice."""
    return _in(shutil.copytree(kept, tmp_path / "home"))


def _ids(hamload: Hamload) -> list[str]:
    return [row["session_id"] for row in json.loads(hamload("sessions", "--json").stdout)]


def test_a_title_of_ten_thousand_characters_is_cut_to_its_room(hamload: Hamload, tmp_path: Path) -> None:
    title = "endless " + "x" * 10_000
    (tmp_path / "endless.gpx").write_text(_gpx(START + dt.timedelta(days=2), 30, title, "watch"))
    assert hamload("import", str(tmp_path / "endless.gpx")).exit_code == 0
    shown = hamload("sessions", "show", _ids(hamload)[0]).stdout
    assert shown.startswith("endless xxx")
    assert "x" * 60 not in shown
    assert "…" in shown.splitlines()[0]


def test_a_session_is_shown_with_its_recordings_and_what_each_gives(hamload: Hamload) -> None:
    later, twice = _ids(hamload)
    shown = hamload("sessions", "show", twice[:6])
    assert shown.exit_code == 0
    assert "Prater [bold]" in shown.stdout
    assert "by the place of the run" in shown.stdout
    assert "gives streams, title; the best recording" in shown.stdout
    assert "gives nothing: a copy; shares 100% of its time with a better recording" in shown.stdout
    told = json.loads(hamload("sessions", "show", later, "--json").stdout)
    assert (told["title"], len(told["members"])) == ("later", 1)


def test_the_home_named_before_the_subcommand_holds_for_it(hamload: Hamload, tmp_path: Path) -> None:
    (session, _) = _ids(hamload)
    shown = CliRunner().invoke(app, ["sessions", "--home", str(tmp_path / "home"), "show", session])
    assert shown.exit_code == 0


def test_decisions_are_made_listed_and_taken_back(hamload: Hamload) -> None:
    later, twice = _ids(hamload)
    assert "sessions undo" in hamload("sessions", "split", twice).stdout
    assert len(_ids(hamload)) == 3
    done = hamload("sessions", "exclude", later)
    assert done.exit_code == 0
    assert "Noted: does not count: later of 4 Mar 2025, 5.0 km. Take it back with: hamload sessions undo" in done.stdout
    assert len(_ids(hamload)) == 2
    assert f"Not counted {later[:6]} 2025-03-04 later, 5.0 km: excluded by you" in hamload("sessions").stdout
    listed = hamload("sessions", "decisions").stdout.splitlines()
    assert [line.split("  ")[1] for line in listed] == [
        "not one run, 2025-03-03: watch.gpx | phone.gpx",
        "does not count, 2025-03-04: later.gpx",
    ]
    assert hamload("sessions", "undo", listed[0].split()[0]).exit_code == 0
    assert hamload("sessions", "undo").exit_code == 0
    assert _ids(hamload) == [later, twice]
    assert "decided nothing" in hamload("sessions", "decisions").stdout


def test_what_is_not_there_is_refused(hamload: Hamload) -> None:
    for arguments in (("show", "zzz"), ("accept", "zzz"), ("undo", "zzz"), ("join", *_ids(hamload)[:1])):
        refused = hamload("sessions", *arguments)
        assert isinstance(refused.exception, ConfigurationError)
