"""What Strava gave is kept for seven days; what hamload made of it stays, to the last digit."""

import datetime as dt
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hamload import journal, pipeline, warehouse
from hamload.pipeline.joining import deciding
from hamload.raw import Raw
from hamload.records import Service
from hamload.simulator import streams_of

STRAVA = (Service.STRAVA,)
#: A row of whose samples and whose answer nothing may stay.
CANARY = b'"velocity_smooth"'


@pytest.fixture
def live(live: Any) -> Any:
    """Make homes whose nights write no digest: their tables are looked at here."""
    return partial(live, tells=False)


def _rows(home: Any, table: str) -> list[tuple[Any, ...]]:
    with warehouse.reader(home.home) as con:
        return con.execute(f"select * exclude (document_id) from {table} order by all").fetchall()  # noqa: S608


def _series(home: Any) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = home.ask("select * from marts.daily_load where date <= '2026-11-22' order by all")
    return found


def _formats(home: Any) -> dict[str, int]:
    with Raw(home.home) as raw:
        deliveries = [d for d in raw.deliveries() if d.format != journal.FORMAT]
    return {f: sum(d.format == f for d in deliveries) for f in {d.format for d in deliveries}}


def test_after_seven_days_samples_and_answers_are_gone_and_sessions_stay_as_they_were(live: Any) -> None:
    home = live(12, STRAVA, recorder=streams_of)
    home.night()
    sessions, series = _rows(home, "marts.sessions"), _series(home)
    assert len(sessions) == 12
    assert {row[0] for row in home.ask("select basis from marts.sessions")} == {"streams"}
    home.night(days=6)
    assert _formats(home) == {"strava": 12}
    assert home.ask("select count(*) from landing.samples")[0][0] > 10_000
    assert home.ask("select count(*) from landing.courses") == [(12,)]

    home.night(days=1)

    assert _formats(home) == {"frozen": 12}
    assert home.ask("select (select count(*) from landing.samples), (select count(*) from landing.courses)") == [(0, 0)]
    assert _rows(home, "marts.sessions") == sessions
    assert _series(home) == series
    for path in (home.home / "raw").rglob("*.strava*"):
        raise AssertionError(path)
    assert not _holding(home.home, CANARY)


def _holding(home: Path, content: bytes) -> list[Path]:
    return [path for path in home.rglob("*") if path.is_file() and content in path.read_bytes()]


def test_a_rebuild_from_frozen_records_gives_the_same_history(live: Any) -> None:
    home = live(5, STRAVA, recorder=streams_of)
    home.night()
    sessions = _rows(home, "marts.sessions")
    home.night(days=8)
    frozen, series = _rows(home, "marts.activities"), _series(home)
    with pipeline.exclusive(home.settings):
        pipeline.rebuild(home.settings, home.world.now.date(), now=home.world.now)
    assert _rows(home, "marts.sessions") == sessions
    assert _rows(home, "marts.activities") == frozen
    assert _series(home) == series


def test_a_frozen_session_keeps_the_model_that_made_it_when_the_model_changes(live: Any) -> None:
    home = live(5, STRAVA, recorder=streams_of)
    home.night()
    before = home.ask("select session_id, load_efm, model_version from marts.sessions order by 1")
    home.night(days=8)
    config = home.home / "config.toml"
    config.write_text(config.read_text() + "\n[model.demand]\neasy_exponent = 2.5\n")
    night = home.night(days=1)
    assert night.failed_checks == ()
    assert home.settings.model.version != before[0][2]
    assert home.ask("select session_id, load_efm, model_version from marts.sessions order by 1") == before


def test_a_run_joined_with_a_half_that_only_a_summary_knows_keeps_its_load_when_its_samples_go(live: Any) -> None:
    home = live(3, STRAVA, recorder=streams_of)
    home.night()
    session, start_at, elapsed_s, load = home.ask(
        "select session_id, start_at, elapsed_time_s, load_efm from marts.sessions order by start_at desc limit 1"
    )[0]
    later = start_at + dt.timedelta(seconds=elapsed_s + 300)
    half = {"start_at": later.isoformat(), "sport": "run", "moving_time_s": 1234, "distance_m": 3456}
    with Raw(home.home) as raw, raw.batch("other", "me", home.world.now) as batch:
        batch.put(json.dumps(half).encode(), "json", name="half", external_id="half")
    home.night()
    halves = [row[0] for row in home.ask("select session_id from marts.sessions order by start_at desc limit 2")]
    assert session in halves
    deciding.join(home.settings, "me", halves, home.world.now)
    home.night()
    sessions, series = _rows(home, "marts.sessions"), _series(home)
    ((joined, basis),) = home.ask("select load_efm, basis from marts.sessions order by start_at desc limit 1")
    assert joined > load + 15
    assert basis == "summary"
    home.night(days=8)
    assert home.ask("select (select count(*) from landing.samples), (select count(*) from landing.courses)") == [(0, 0)]
    assert _rows(home, "marts.sessions") == sessions
    assert _series(home) == series
    with pipeline.exclusive(home.settings):
        pipeline.rebuild(home.settings, home.world.now.date(), now=home.world.now)
    assert _rows(home, "marts.sessions") == sessions
    # What was frozen is the recording's own load: taken apart again, nothing counts twice.
    deciding.undo(home.settings, "me", "", home.world.now)
    home.night(days=1)
    assert home.ask("select load_efm from marts.sessions order by start_at desc limit 2")[1] == (load,)


def test_an_edit_after_the_retention_is_fetched_anew_and_replaces_the_record(live: Any) -> None:
    home = live(3, STRAVA)
    home.night()
    home.night(days=8)
    home.requests()
    edited = home.world.strava.ids()[0]
    home.world.strava.edit(edited, name="Renamed")
    home.night(days=1)
    assert home.requests()["strava"]["streams"] == 1
    assert home.ask("select title from marts.sessions order by start_at desc limit 1") == [("Renamed",)]
    assert _formats(home) == {"frozen": 3, "strava": 1}
    home.night(days=8)
    assert _formats(home) == {"frozen": 4}
    assert home.ask("select count(*) from marts.sessions") == [(3,)]
    assert home.ask("select title from marts.sessions order by start_at desc limit 1") == [("Renamed",)]


def test_a_retention_of_the_runners_own_is_kept(live: Any) -> None:
    home = live(2, STRAVA, config="[fetch]\ntimeout_s = 2\nretries = 0\nstrava_retention_days = 2\n")
    home.night()
    home.night(days=1)
    assert _formats(home) == {"strava": 2}
    home.night(days=1)
    assert _formats(home) == {"frozen": 2}


def test_what_garmin_gave_does_not_expire(live: Any) -> None:
    home = live(2, (Service.STRAVA, Service.GARMIN))
    home.night()
    samples = home.ask(
        "select count(*) from landing.samples join marts.activities using (activity_id) where source = 'garmin'"
    )
    home.night(days=30)
    assert _formats(home) == {"frozen": 2, "fit": 3, "garmin": 1}
    assert home.ask("select count(*) from landing.samples") == samples
    assert home.ask("select source, copies from marts.sessions") == [("garmin", 1), ("garmin", 1)]


def test_a_deleted_activity_is_followed_and_its_day_is_rest(live: Any) -> None:
    home = live(4)
    home.night()
    gone = home.ask(
        "select local_date, external_id from marts.activities where source = 'strava' order by start_at desc"
    )
    day, number = gone[0]
    home.world.strava.delete(int(number))
    upload = max((u for u in home.world.account.uploads.values() if u.run), key=lambda u: u.start_at)
    upload.is_deleted = True
    # Garmin's word that something is gone counts once two lists in a row have lacked it.
    home.night(days=1)
    night = home.night(days=1)
    assert night.failed_sources == ()
    assert home.ask("select count(*) from marts.sessions") == [(3,)]
    assert home.ask("select load_efm, is_known from marts.daily_load where series = 'total' and date = ?", day) == [
        (0.0, True)
    ]
    assert isinstance(day, dt.date)
