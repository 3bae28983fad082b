"""A long history over several days of limits: never a request beyond one, and the tables of a run without any."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hamload import pipeline
from hamload.records import Service, Sport
from hamload.simulator import strava as strava_simulator
from hamload.simulator.garmin import RateLimit
from hamload.simulator.strava import Limits

STRAVA = (Service.STRAVA,)
RUNS = 130
WIDE = Limits((20_000, 200_000), (10_000, 100_000))


@pytest.fixture
def live(live: Any) -> Any:
    """Make homes whose nights write no digest: their tables are looked at here."""
    return partial(live, tells=False)


def _tables(home: Any) -> dict[str, list[tuple[Any, ...]]]:
    day = "2026-11-22"
    return {
        "sessions": home.ask("select * from marts.sessions order by all"),
        "daily_load": home.ask("select * from marts.daily_load where date <= ? order by all", day),
        "alerts": home.ask("select * from marts.alerts where date <= ? order by all", day),
    }


def _go_on(home: Any) -> bool:
    """Do what the scheduled backfill does. Returns whether anything was waiting."""
    settings = home.settings
    resumes_at = home.ask("select min(resumes_at) from marts.source_health")[0][0]
    if resumes_at is None:
        return False
    now = home.world.advance(resumes_at)
    waiting = pipeline.waiting_accounts(settings, now)
    assert [a.service for a in waiting] == [Service.STRAVA]
    with pipeline.exclusive(settings):
        for account in waiting:
            pipeline.fetch_account(settings, account, now)
        pipeline.refresh(settings, now.date(), now=now)
    return True


@pytest.mark.long
def test_a_history_that_takes_days_of_limits_ends_with_the_tables_of_a_run_without_interruptions(live: Any) -> None:
    config = "[fetch]\ntimeout_s = 5\nretries = 0\nstrava_retention_days = 3650\n"
    free = live(RUNS, STRAVA, config + "strava_backfill_share = 1.0\n", limits=WIDE)
    free.night()
    limits = Limits(overall=(60, 200), reads=(30, 100))
    home = live(RUNS, STRAVA, config, limits=limits)
    first = home.night()
    # What a limit leaves for later is the oldest: what came is complete from its first day to yesterday.
    assert first.fetched[0].resumes_at is not None
    assert first.fetched[0].covered_until == dt.date(2026, 11, 22)
    newest = free.ask("select session_id from marts.sessions order by start_at desc limit 20")
    assert set(newest) <= set(home.ask("select session_id from marts.sessions"))
    runs = 1
    while _go_on(home):
        runs += 1
        assert runs < 40
    assert home.world.strava.beyond == 0
    days = (home.world.now - dt.datetime(2026, 11, 23, 3, 30, tzinfo=dt.UTC)).days
    asked = home.requests()["strava"]
    print(f"{RUNS} activities in {runs} runs over {days + 1} days: {asked}")  # noqa: T201  # the figure to show
    assert asked["streams"] == RUNS
    assert days >= 1
    assert _tables(home) == _tables(free)


def test_a_missed_week_is_caught_up_in_one_night_and_every_day_is_known(live: Any) -> None:
    runs = [*_plan(20), *_plan(4, dt.date(2026, 11, 29))]
    home = live(runs, renews=True)
    home.night()
    home.requests()
    before = home.ask("select count(*) from marts.sessions")[0][0]
    night = home.night(days=7)
    new = home.ask("select count(*) from marts.sessions")[0][0] - before
    assert new == 4
    asked = home.requests()
    assert asked["strava"] == {"token": 1, "list": 2, "streams": new}
    # One more than the runs: a strength session.
    assert asked["garmin"] == {"activities": 1, "download": new + 1, "exercise_sets": 1}
    assert asked["garmin_personal"] == {"key": 1, "activities": 1, "download": new + 1}
    assert night.failed_sources == ()
    assert home.ask("select bool_and(is_known) from marts.daily_load where series = 'total'") == [(True,)]


def _plan(runs: int, until: dt.date = dt.date(2026, 11, 22)) -> list[Any]:
    from hamload.simulator import SimulatedRunner, year_of  # noqa: PLC0415

    return year_of(SimulatedRunner(), until, runs * 2 + 7)[-runs:]


def test_garmin_saying_that_it_is_asked_too_much_ends_the_night_and_the_next_goes_on(live: Any) -> None:
    home = live(12, (Service.GARMIN,))
    home.world.garmin.limit = RateLimit(8, dt.timedelta(hours=1))
    night = home.night()
    assert night.failed_sources == ()
    resumes_at = night.fetched[0].resumes_at
    assert resumes_at == dt.datetime(2026, 11, 23, 4, 0, tzinfo=dt.UTC)
    assert home.ask("select resumes_at, is_failing from marts.source_health") == [(resumes_at, False)]
    # Asked again too early, it keeps still.
    home.requests()
    home.night()
    assert home.requests()["garmin"] == {}
    home.night(days=1)
    home.night(days=1)
    assert home.ask("select count(*) from marts.sessions") == [(12,)]


class _Recorded(strava_simulator.Strava):
    """Answers with recordings of the real service, in their own words."""

    def __init__(
        self, rows: Sequence[dict[str, Any]], streams: Mapping[int, Any], like: strava_simulator.Strava
    ) -> None:
        super().__init__(like.runner, [], like.now, limits=WIDE)
        self.rows, self.streams = rows, streams

    def _shown(self, endpoint: Any, argument: int, query: Mapping[str, str]) -> Any:
        if endpoint == "list":
            size, page = int(query["per_page"]), int(query["page"])
            return strava_simulator._Answer(200, strava_simulator._json(self.rows[(page - 1) * size : page * size]))
        if argument in self.streams:
            return strava_simulator._Answer(200, strava_simulator._json(self.streams[argument]))
        return strava_simulator._Answer(404, b'{"message": "Record Not Found", "errors": []}')


@pytest.mark.slow
def test_every_recorded_strava_activity_goes_through_the_whole_night(
    live: Any, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shared_data / "api" / "strava"
    pages = json.loads((folder / "all_athlete_activities.json").read_text())
    rows = [row for page in pages for row in page["response"]["body"]]
    home = live(0, STRAVA, "[fetch]\ntimeout_s = 20\nretries = 0\nstrava_backfill_share = 1.0\n")
    recorded = _Recorded(rows, {}, home.world.strava)
    monkeypatch.setattr(home.world.strava, "_shown", recorded._shown)
    home.world.strava.limits = recorded.limits
    night = home.night()
    assert night.failed_sources == ()
    assert night.unreadable == ()
    assert night.failed_checks == ()
    assert home.ask("select count(*), count(distinct external_id) from marts.activities") == [(1132, 1132)]
    runs = sum("Run" in row["sport_type"] for row in rows)
    ((sessions, copies),) = home.ask("select count(*), sum(copies) from marts.sessions")
    assert sessions + copies == runs - _without_duration(rows)
    assert home.ask("select distinct basis from marts.sessions order by 1") == [("summary",)]
    assert {row[0] for row in home.ask("select distinct sport from marts.activities")} <= {s.value for s in Sport}


def _without_duration(rows: Sequence[Mapping[str, Any]]) -> int:
    return sum("Run" in row["sport_type"] and not row["elapsed_time"] for row in rows)
