"""What a home says that nobody has brought a run to for long."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hamload import pipeline, settings
from hamload.cli import app
from hamload.settings import Settings

LAST = dt.date(2021, 7, 4)
NIGHT = dt.datetime(2021, 7, 5, 5, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def old(
    home_with: Callable[[Path, str], Settings],
    bring: Callable[..., object],
    gpx_of: Callable[..., bytes],
    tmp_path_factory: pytest.TempPathFactory,
) -> Settings:
    """Return a home whose last night was years ago."""
    folder = tmp_path_factory.mktemp("runs")
    home = home_with(tmp_path_factory.mktemp("old") / "home", 'time_zone = "America/Recife"')
    for days in range(0, 36, 2):
        start = dt.datetime.combine(LAST - dt.timedelta(days=days), dt.time(12), dt.UTC)
        (folder / f"{days}.gpx").write_bytes(gpx_of(start, minutes=20))
    bring(home, folder, now=NIGHT, through=LAST)
    return home


def _typed(home: Settings, *words: str) -> str:
    done = CliRunner().invoke(app, [*words, "--home", str(home.home)], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    return " ".join(done.stdout.split())


@pytest.mark.parametrize("words", [("status",), ("digest", "--preview"), ("alerts",), ("sessions",)])
def test_every_view_says_that_hamload_has_not_looked_for_long(old: Settings, words: tuple[str, ...]) -> None:
    said = _typed(old, *words)
    assert "hamload last looked " in said
    assert "What follows is of 4 Jul 2021; the days since are unknown." in said


def test_the_report_says_it_by_the_day_of_its_writing_and_a_fresh_one_does_not(old: Settings) -> None:
    fresh = pipeline.report(settings.load(old.home), "me", NIGHT).read_text()
    assert "last looked" not in fresh
    later = pipeline.report(settings.load(old.home), "me", NIGHT + dt.timedelta(days=19)).read_text()
    assert "hamload last looked 19 days ago. What follows is of 4 Jul;" in later


def test_the_first_screen_of_an_old_export_says_where_to_look_and_calls_no_old_source_well(
    home_with: Callable[[Path, str], Settings],
    bring: Callable[..., object],
    gpx_of: Callable[..., bytes],
    tmp_path: Path,
) -> None:
    home = home_with(tmp_path / "home", 'time_zone = "America/Recife"')
    (tmp_path / "run.gpx").write_bytes(gpx_of(dt.datetime(2021, 7, 4, 12, tzinfo=dt.UTC), minutes=20))
    bring(home, tmp_path / "run.gpx", now=dt.datetime.now(tz=dt.UTC))
    said = _typed(home, "status")
    assert "Your newest recording is of 4 Jul 2021. To look back: hamload digest --on 2021-07-04" in said
    assert "newest Sun 4 Jul 2021 (" in said
    assert ", ok" not in said
    assert "Sun 4 Jul 2021" in _typed(home, "digest", "--preview", "--on", "2021-07-04")


def test_an_earlier_day_that_was_asked_for_is_told_with_its_year_and_is_not_called_old(old: Settings) -> None:
    said = _typed(old, "digest", "--preview", "--on", "2021-07-01")
    assert "Thu 1 Jul 2021" in said
    assert "last looked" not in said


def test_the_plan_of_a_simulated_home_speaks_of_the_day_and_state_that_its_status_shows(
    home_with: Callable[[Path, str], Settings],
    bring: Callable[..., object],
    fit_on: Callable[..., bytes],
    tmp_path: Path,
) -> None:
    home = home_with(tmp_path / "home", 'time_zone = "America/Recife"')
    (tmp_path / "runs").mkdir()
    for days in range(0, 36, 2):
        day = LAST - dt.timedelta(days=days)
        (tmp_path / "runs" / f"{day}.fit").write_bytes(fit_on(day, minutes=20))
    bring(home, tmp_path / "runs", now=NIGHT, through=LAST)
    status, plan = json.loads(_typed(home, "status", "--json")), json.loads(_typed(home, "plan", "--json"))
    assert status["outdated"] == ""
    assert (plan["as_of"], plan["state"]) == (status["as_of"], status["alert"]["state"]) == ("2021-07-04", "build")
    assert plan["plan"]["days"][0]["date"] == "2021-07-05"
    assert "last looked" not in _typed(home, "status")
