"""What still stands of last night's work: left alone where every input is what it was, done anew where one is not."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from hamload import pipeline, warehouse
from hamload.advice import assess, walk
from hamload.pipeline.counsel import advising, remembering, standing
from hamload.pipeline.joining import gathering
from hamload.records import DayFacts
from hamload.settings import Settings, shipped

type Bring = Callable[..., Any]


@pytest.fixture(scope="module")
def days(simulated_home: Settings) -> list[DayFacts]:
    with warehouse.reader(simulated_home.home) as con:
        return advising.day_facts(con, "me", simulated_home.model)


@pytest.mark.parametrize("done", [1, 40, 200, 350, 363])
def test_days_gone_on_with_from_memory_are_those_of_one_walk(
    days: list[DayFacts], simulated_home: Settings, done: int
) -> None:
    rules = simulated_home.alerts
    memory = [remembered for remembered, _ in walk(days, rules, "me")][done - 1]
    kept = remembering.remembered(remembering.told(memory))
    later = [alert for _, alert in walk(days, rules, "me", done, kept)]
    assert later == assess(days, rules, "me")[done:]


def test_states_stand_until_the_first_day_that_has_changed(
    days: list[DayFacts], simulated_home: Settings, tmp_path: Path
) -> None:
    rules = simulated_home.alerts
    with warehouse.writer(tmp_path, shipped("sql")) as con:
        first = standing.new_alerts(con, days[:-1], rules, "me")
        assert (first.done, len(first.alerts)) == (0, len(days) - 1)
        _keep(con, first, days)
        # A day later: the newest six weeks are assessed again, and are what they would be in one walk.
        second = standing.new_alerts(con, days, rules, "me")
        assert second.done == len(days) - 1 - 42
        assert second.alerts == assess(days, rules, "me")[second.done :]
        # Whoever asks for the newest gets it from there; whoever asks for all does not get the newest for all.
        assert standing.newest(days, rules, "me") is second.alerts[-1]
        assert len(standing.assessed(days, rules, "me")) == len(days)
        # What was said of a day long ago changes what it says, and may change every day after it.
        changed = [replace(days[0], tightness=9.0), *days[1:]]
        assert standing.new_alerts(con, changed, rules, "me").done == 0
        stricter = replace(rules, deload=replace(rules.deload, clear_ewma=rules.deload.clear_ewma - 0.1))
        assert standing.new_alerts(con, days, stricter, "me").done == 0
        con.execute("delete from landing.alerts where date = ?", [days[5].date])
        assert standing.new_alerts(con, days, rules, "me").done == 0, "a row that should stand is gone"


def _keep(con: duckdb.DuckDBPyConnection, found: standing.Assessed, days: list[DayFacts]) -> None:
    rows = [advising._row(alert) for alert in found.alerts]
    warehouse.append_rows(con, "landing.alerts", rows)
    standing.note_alerts(con, "me", found)
    assert found.place == len(days) - 1 - 42


def test_sessions_are_gathered_anew_only_where_something_has_changed(
    home: Settings, bring: Bring, gpx_of: Callable[..., bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = 0
    gather = gathering.write_sessions

    def counted(*arguments: Any) -> None:
        nonlocal times
        times += 1
        gather(*arguments)

    monkeypatch.setattr(gathering, "write_sessions", counted)
    start = dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)
    for number, days in enumerate((0, 1), 1):
        (tmp_path / f"{number}.gpx").write_bytes(gpx_of(start + dt.timedelta(days=days)))
    today = start.date() + dt.timedelta(days=3)

    def refreshed(later: int = 0) -> int:
        before = times
        with pipeline.exclusive(home):
            pipeline.refresh(home, today + dt.timedelta(days=later))
        return times - before

    bring(home, tmp_path / "1.gpx", today=today)
    assert times == 1
    assert [refreshed(), refreshed(1)] == [0, 0], "nothing new, and a day later"
    bring(home, tmp_path / "2.gpx", today=today)
    assert times == 2
    with warehouse.writer(home.home, shipped("sql")) as con:
        con.execute("delete from landing.sessions")
    assert refreshed() == 1, "what it had left is gone"
    assert refreshed() == 0


def test_a_run_of_tomorrow_gets_its_session_once_that_day_has_come(
    home: Settings, bring: Bring, gpx_of: Callable[..., bytes], tmp_path: Path, ask: Callable[..., Any]
) -> None:
    ahead = dt.datetime(2026, 11, 24, 15, tzinfo=dt.UTC)
    (tmp_path / "ahead.gpx").write_bytes(gpx_of(ahead))
    bring(home, tmp_path / "ahead.gpx", today=ahead.date() - dt.timedelta(days=1))
    assert ask(home, "select count(*) from marts.sessions") == [(0,)]
    with pipeline.exclusive(home):
        pipeline.refresh(home, ahead.date())
    assert ask(home, "select count(*) from marts.sessions") == [(1,)]
