"""Given rows in the landing tables, expect rows in the marts: small enough to check by eye."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from hamload import warehouse
from hamload.settings import shipped

SQL = shipped("sql")
SERIES = ("heavy", "hill", "long", "speed", "total")
_BLANKS: dict[str, Any] = {
    "VARCHAR": "",
    "INTEGER": 0,
    "DOUBLE": 0.0,
    "BOOLEAN": False,
    "VARCHAR[]": [],
    "DATE[]": [],
    "JSON": "[]",
    "DATE": dt.date(2026, 11, 1),
    "TIMESTAMP WITH TIME ZONE": dt.datetime(2026, 11, 1, 9, tzinfo=dt.UTC),
}


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a warehouse with empty landing tables."""
    with warehouse.writer(tmp_path, SQL) as connection:
        yield connection


def _day(number: int) -> dt.date:
    return dt.date(2026, 11, number)


def _at(number: int, hour: int = 9) -> dt.datetime:
    return dt.datetime(2026, 11, number, hour, tzinfo=dt.UTC)


def _give(con: duckdb.DuckDBPyConnection, table: str, **told: Any) -> None:
    """Insert one row; what is not told is null, or blank where it must not be null."""
    columns = con.execute(
        "select column_name, data_type, is_nullable from duckdb_columns()"
        " where schema_name = 'landing' and table_name = ?",
        [table],
    ).fetchall()
    assert set(told) <= {name for name, _, _ in columns}
    row = {name: told.get(name, None if nullable else _BLANKS[kind]) for name, kind, nullable in columns}
    con.execute(f"insert into landing.{table} values ({', '.join('?' * len(row))})", list(row.values()))  # noqa: S608


def _run(con: duckdb.DuckDBPyConnection, name: str, day: int, efm: float, *, hour: int = 9, **told: Any) -> None:
    """Insert a run of an hour that is its own session, all of its load in the base part unless told."""
    at = _at(day, hour)
    ends = at + dt.timedelta(hours=1)
    facts = {"athlete_id": "me", "activity_id": name, "document_id": f"doc {name}", "name": f"{name}.fit"}
    _give(con, "activities", sport="run", local_date=_day(day), start_at=at, end_at=ends, source="files", **facts)
    _give(con, "members", activity_id=name, athlete_id="me", session_id=name, is_primary=True)
    known = {"is_hill": False, "is_speed": False, "is_long": False, "is_heavy": False, "basis": "streams"}
    load = {"load_efm": efm, "load_base_efm": efm, "distance_m": 1000 * efm, **known, **told}
    _give(con, "session_loads", session_id=name, athlete_id="me", start_at=at, **load)


def _athlete(con: duckdb.DuckDBPyConnection, until: int) -> None:
    _give(con, "athletes", athlete_id="me", time_zone="UTC", as_of=_day(until))


def _covered(con: duckdb.DuckDBPyConnection, first: int, last: int, source: str = "files") -> None:
    _give(con, "reports", source=source, athlete_id="me", covered_from=_day(first), covered_until=_day(last))


def _build(con: duckdb.DuckDBPyConnection) -> None:
    warehouse.build(con, SQL, ["staging", "marts", "reports"])


def _ask(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return con.execute(query).fetchall()


def _series(con: duckdb.DuckDBPyConnection, name: str) -> list[float | None]:
    query = "select load_efm from staging.days where series = ? order by date"
    return [load for (load,) in con.execute(query, [name]).fetchall()]


def test_a_day_holds_the_sum_of_its_runs_a_reported_day_without_one_is_rest_and_the_others_are_unknown(
    con: duckdb.DuckDBPyConnection,
) -> None:
    _athlete(con, 7)
    _covered(con, 1, 4)
    _run(con, "a", 1, 10)
    _run(con, "b", 3, 20)
    _run(con, "c", 3, 30, hour=18)
    _run(con, "d", 6, 40)
    _build(con)
    assert _series(con, "total") == [10, 0, 50, 0, None, 40, None]
    assert _ask(con, "select distinct series from staging.days order by 1") == [(name,) for name in SERIES]
    sessions = "select sessions from staging.days where series = 'hill' order by date"
    assert [n for (n,) in _ask(con, sessions)] == [1, 0, 2, 0, 0, 1, 0]


def test_a_run_that_could_not_be_told_apart_makes_its_day_unknown_in_that_series_alone(
    con: duckdb.DuckDBPyConnection,
) -> None:
    _athlete(con, 4)
    _covered(con, 1, 4)
    hilly: dict[str, Any] = {"load_hill_efm": 4.0, "load_base_efm": 6.0, "is_hill": True, "is_heavy": True}
    _run(con, "a", 1, 10, **hilly)
    _run(con, "b", 2, 20, is_hill=None)
    _run(con, "c", 3, 10, **hilly)
    _run(con, "d", 3, 20, hour=18, is_hill=None, is_heavy=None)
    _build(con)
    assert _series(con, "total") == [10, 20, 30, 0]
    assert _series(con, "hill") == [4, None, None, 0]
    assert _series(con, "heavy") == [10, 0, None, 0]
    assert _series(con, "speed") == [0, 0, 0, 0]


def test_reports_of_several_sources_join_and_one_runners_reports_say_nothing_of_another(
    con: duckdb.DuckDBPyConnection,
) -> None:
    _athlete(con, 6)
    _run(con, "a", 1, 10)
    _covered(con, 1, 2, "garmin")
    _covered(con, 2, 4, "strava")
    _give(con, "reports", source="files", athlete_id="you", covered_from=_day(1), covered_until=_day(6))
    _give(con, "reports", source="files", athlete_id="me", is_failure=True)
    _build(con)
    assert _series(con, "total") == [10, 0, 0, 0, None, None]


def test_a_copy_counts_nothing_and_is_told(con: duckdb.DuckDBPyConnection) -> None:
    _athlete(con, 1)
    _run(con, "a", 1, 10)
    _give(con, "activities", activity_id="b", athlete_id="me", sport="run", start_at=_at(1), end_at=_at(1, 10))
    _give(con, "members", activity_id="b", athlete_id="me", session_id="a", is_primary=False, why="shares 90 %")
    _build(con)
    assert _ask(con, "select session_id, load_efm, copies from marts.sessions") == [("a", 10, 1)]
    assert _ask(con, "select activity_id, session_id, is_primary, why from marts.activities") == [
        ("a", "a", True, ""),
        ("b", "a", False, "shares 90 %"),
    ]


def test_a_distance_beyond_belief_is_no_distance_and_a_missing_one_comes_from_the_recordings_own_total(
    con: duckdb.DuckDBPyConnection,
) -> None:
    _run(con, "a", 1, 10, basis="duration", distance_m=None)
    _run(con, "b", 2, 10, basis="streams", distance_m=None)
    con.execute("update landing.activities set distance_m = 9000")
    _build(con)
    assert _ask(con, "select session_id, distance_m from marts.sessions") == [("a", None), ("b", 9000)]


def test_the_daily_load_says_why_a_ratio_is_withheld(con: duckdb.DuckDBPyConnection) -> None:
    _athlete(con, 30)
    _covered(con, 1, 27)
    _run(con, "a", 1, 10)
    _run(con, "b", 28, 10)
    _run(con, "c", 30, 10)
    # What Python would have computed: a ratio on day 27 is made up here to see that the reason goes.
    for day, ratio, chronic in ((27, 0.5, 1.0), (28, None, 1.0), (29, None, None)):
        keys = {"athlete_id": "me", "date": _day(day), "series": "total"}
        _give(con, "day_metrics", **keys, acwr_uncoupled=ratio, chronic_rolling=chronic)
    _build(con)
    rows = _ask(
        con,
        "select day(date), load_efm, is_known, unknown_days_28, acwr_uncoupled, withheld_why from marts.daily_load"
        " where series = 'total' and date >= '2026-11-26' order by date",
    )
    assert rows == [
        (26, 0, True, 0, None, "building a baseline: day 26 of 28"),
        (27, 0, True, 0, 0.5, None),
        (28, 10, True, 0, None, "no such load in the weeks before"),
        (29, None, False, 1, None, "1 of the last 28 days are unknown"),
        (30, 10, True, 1, None, "1 of the last 28 days are unknown"),
    ]


def test_after_a_break_the_ratio_is_withheld_although_every_day_is_known(con: duckdb.DuckDBPyConnection) -> None:
    _athlete(con, 28)
    _covered(con, 1, 28)
    _run(con, "a", 1, 10)
    _give(con, "day_metrics", athlete_id="me", date=_day(28), series="total", is_returning=True, chronic_rolling=0.4)
    _build(con)
    ((why,),) = _ask(con, "select withheld_why from marts.daily_load where series = 'total' and day(date) = 28")
    assert why.startswith("two weeks or more without running")


def test_a_sources_health_is_its_last_answer_and_the_failures_after_it(con: duckdb.DuckDBPyConnection) -> None:
    _athlete(con, 9)
    _run(con, "a", 3, 10)
    _run(con, "b", 5, 10)
    _run(con, "clock of 2099", 9, 10)
    con.execute("update landing.activities set local_date = '2099-01-01' where activity_id = 'clock of 2099'")
    for position, (name, source) in enumerate((("a", "garmin"), ("b", "strava"), ("a", "strava"), ("b", "strava"))):
        _give(con, "deliveries", position=position, athlete_id="me", source=source, document_id=f"doc {name}")
    _give(con, "deliveries", position=9, athlete_id="me", source="strava", document_id="doc clock of 2099")
    ok, failed = {"athlete_id": "me", "is_failure": False}, {"athlete_id": "me", "is_failure": True}
    _give(con, "reports", source="garmin", reported_at=_at(4), covered_from=_day(1), covered_until=_day(3), **ok)
    _give(con, "reports", source="garmin", reported_at=_at(6), message="Login refused.", remedy="Log in.", **failed)
    _give(con, "reports", source="strava", reported_at=_at(4), message="Too many requests.", remedy="Wait.", **failed)
    _give(con, "reports", source="strava", reported_at=_at(6), **ok)
    _give(con, "reports", source="new", reported_at=_at(5), message="No key.", remedy="Get one.", **failed)
    _give(con, "reports", source="new", reported_at=_at(6), message="No key.", remedy="Get one.", **failed)
    _give(con, "reports", source="limited", reported_at=_at(5), **ok)
    _give(con, "reports", source="limited", reported_at=_at(6), message="Used up.", resumes_at=_at(7), **ok)
    for source in ("garmin", "strava", "new", "limited", "garmin_personal"):
        _give(con, "sources", athlete_id="me", source=source, is_asked=True)
    for source in ("files", "left_behind", "folder:/gone"):
        _give(con, "sources", athlete_id="me", source=source, is_asked=False)
    _build(con)
    assert _ask(
        con,
        "select source, day(last_success_at), day(covered_until), day(newest_activity_at), activities, is_failing,"
        " day(failing_since), day(resumes_at), message, remedy from marts.source_health",
    ) == [
        ("files", None, None, None, 0, False, None, None, "", ""),
        (
            "folder:/gone",
            None,
            None,
            None,
            0,
            True,
            None,
            None,
            "The night no longer asks it.",
            "Add it to [[folders]] in config.toml again, or run: hamload forget folder:/gone",
        ),
        ("garmin", 4, 3, 3, 1, True, 6, None, "Login refused.", "Log in."),
        ("garmin_personal", None, None, None, 0, True, None, None, "It has not been asked yet.", "Run: hamload sync"),
        (
            "left_behind",
            None,
            None,
            None,
            0,
            True,
            None,
            None,
            "The night no longer asks it.",
            "Run: hamload auth left-behind, or: hamload forget left-behind",
        ),
        ("limited", 5, None, None, 0, False, None, 7, "Used up.", ""),
        ("new", None, None, None, 0, True, 5, None, "No key.", "Get one."),
        ("strava", 6, None, 5, 2, False, None, None, "", ""),
    ]


def test_what_cannot_be_counted_is_listed_once_with_its_reason(con: duckdb.DuckDBPyConnection) -> None:
    _athlete(con, 9)
    _run(con, "counted", 3, 10)
    facts = {"athlete_id": "me", "source": "files"}
    _give(con, "unreadable", name="empty.fit", reason="The file is empty.", **facts)
    _give(con, "unreadable", name="cut.fit", document_id="doc cut", reason="cut off", **facts)
    _give(con, "unreadable", name="mended.fit", document_id="doc old", reason="cut off", **facts)
    for position, (name, document) in enumerate(
        (("cut.fit", "doc cut"), ("mended.fit", "doc old"), ("mended.fit", "doc new"))
    ):
        _give(con, "deliveries", position=position, name=name, document_id=document, **facts)
    _give(con, "activities", activity_id="1", name="1990.fit", sport="run", elapsed_time_s=60,
          local_date=dt.date(1990, 1, 1), **facts)  # fmt: skip
    _give(con, "activities", activity_id="2", name="nothing.fit", sport="run", elapsed_time_s=0, **facts)
    _give(con, "activities", activity_id="3", name="track.gpx", sport="unknown", notes=["names no sport"], **facts)
    _give(con, "activities", activity_id="4", name="ride.fit", sport="ride", elapsed_time_s=60, **facts)
    con.execute("update landing.activities set elapsed_time_s = 3600 where activity_id = 'counted'")
    _build(con)
    assert _ask(con, "select name, reason from marts.unreadable order by name") == [
        ("1990.fit", "This run is dated 1990-01-01, which cannot be: the clock of the device was wrong."),
        ("cut.fit", "cut off"),
        ("empty.fit", "The file is empty."),
        ("nothing.fit", "This run has neither a second of recording nor a duration."),
        ("track.gpx", "names no sport"),
    ]


@pytest.fixture
def sound(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Return four days that every check finds in order: two runs, a day of rest, an unknown day."""
    _athlete(con, 4)
    _covered(con, 1, 3)
    _run(con, "a", 1, 10, load_hill_efm=4, load_base_efm=6)
    _run(con, "b", 3, 20)
    for day in range(1, 5):
        _give(con, "alerts", athlete_id="me", date=_day(day), state="baseline")
    _build(con)
    return con


def test_sound_tables_pass_every_check(sound: duckdb.DuckDBPyConnection) -> None:
    assert warehouse.check(sound, SQL) == []


#: A second run, so many minutes after the first one of an hour.
_OTHER_RUN = (
    "insert into landing.activities select * replace ('z' as activity_id, start_at + interval {0} minute as start_at,"
    " end_at + interval {0} minute as end_at) from landing.activities where activity_id = 'a';"
    "insert into landing.members values ('z', 'me', 'z', true, [], 0, '')"
)
#: Samples of a recording, second by second for an hour, at one speed.
_MOVES = (
    "insert into landing.samples (chunk, activity_id, time_s, dt_s, speed_mps)"
    " select 1, '{0}', unnest(range(3600)), 1, {1}"
)
FAULTS = [
    ("parts_sum_to_the_load", "update marts.sessions set load_hill_efm = load_hill_efm + 1 where session_id = 'a'"),
    ("days_sum_to_the_sessions", "update marts.daily_load set load_efm = 20 where day(date) = 1 and series = 'total'"),
    ("days_sum_to_the_sessions", "update marts.daily_load set load_efm = null where day(date) = 1"),
    ("days_sum_to_the_sessions", "update marts.daily_load set load_efm = 7 where day(date) = 2 and series = 'total'"),
    ("days_sum_to_the_sessions", "delete from marts.sessions where session_id = 'b'"),
    ("no_gap_in_the_days", "delete from marts.daily_load where day(date) = 2 and series = 'long'"),
    ("no_gap_in_the_days", "insert into marts.daily_load from marts.daily_load where day(date) = 2"),
    ("one_alert_a_day", "delete from marts.alerts where day(date) = 4"),
    ("one_alert_a_day", "insert into marts.alerts from marts.alerts where day(date) = 4"),
    ("unknown_days_have_no_ratio", "update marts.daily_load set acwr_ewma = 1 where day(date) = 4"),
    ("unknown_days_have_no_ratio", "update marts.daily_load set acwr_coupled = 1 where day(date) = 4"),
    ("unknown_days_have_no_ratio", "update marts.daily_load set acwr_uncoupled = 1 where day(date) = 4"),
    ("runs_do_not_overlap", _OTHER_RUN.format(30)),
    ("runs_do_not_overlap", _OTHER_RUN.format(57)),
    ("runs_do_not_overlap", f"{_OTHER_RUN.format(30)};{_MOVES.format('z', 1)}"),
]


@pytest.mark.parametrize(("check", "fault"), FAULTS)
def test_a_check_finds_its_fault_and_no_other_does(sound: duckdb.DuckDBPyConnection, check: str, fault: str) -> None:
    sound.execute(fault)
    (failure,) = warehouse.check(sound, SQL)
    assert failure.check == check
    assert failure.rows >= 1
    assert failure.why


@pytest.mark.parametrize("beside", [_OTHER_RUN.format(59), f"{_OTHER_RUN.format(30)};{_MOVES.format('z', 0.1)}"])
def test_two_runs_are_two_where_clocks_alone_overlap_or_one_of_them_lies_still(
    sound: duckdb.DuckDBPyConnection, beside: str
) -> None:
    sound.execute(beside)
    assert warehouse.check(sound, SQL) == []


@pytest.mark.parametrize(("split_from", "faults"), [("z", []), ("another", ["runs_do_not_overlap"])])
def test_only_the_very_runs_that_were_split_from_each_other_may_overlap(
    sound: duckdb.DuckDBPyConnection, split_from: str, faults: list[str]
) -> None:
    sound.execute(_OTHER_RUN.format(30))
    at = _at(1, 9)
    facts = {"start_at": at, "local_date": at.date(), "elapsed_time_s": 3600, "counts": True, "is_hour_known": True}
    for name, other in (("a", split_from), ("z", "a" if split_from == "z" else "another")):
        _give(sound, "sessions", session_id=name, athlete_id="me", primary_id=name, recording_id=name,
              split_from=[other], **facts)  # fmt: skip
    assert [failure.check for failure in warehouse.check(sound, SQL)] == faults


def test_every_check_has_a_fault_that_it_was_seen_to_find() -> None:
    assert {path.stem for path in (SQL / "checks").glob("*.sql")} == {check for check, _ in FAULTS}


CONTRACT = {
    "sessions": {
        "session_id": "VARCHAR",
        "athlete_id": "VARCHAR",
        "local_date": "DATE",
        "start_at": "TIMESTAMP WITH TIME ZONE",
        "sport": "VARCHAR",
        **dict.fromkeys(("distance_m", "moving_time_s", "spike_distance", "spike_load"), "DOUBLE"),
        **{f"load_{part}efm": "DOUBLE" for part in ("", "hill_", "speed_", "long_", "base_")},
        **dict.fromkeys(("is_hill", "is_speed", "is_long", "is_heavy"), "BOOLEAN"),
        "confidence": "VARCHAR",
        "source": "VARCHAR",
    },
    "daily_load": {
        "athlete_id": "VARCHAR",
        "date": "DATE",
        "series": "VARCHAR",
        "is_known": "BOOLEAN",
        **dict.fromkeys(("load_efm", "acute_rolling", "chronic_rolling", "acwr_coupled", "acwr_uncoupled"), "DOUBLE"),
        **dict.fromkeys(("acute_ewma", "chronic_ewma", "acwr_ewma", "monotony", "strain"), "DOUBLE"),
    },
    "alerts": {"athlete_id": "VARCHAR", "date": "DATE", "state": "VARCHAR", "reasons": "JSON"},
    "curl_sessions": {"athlete_id": "VARCHAR", "local_date": "DATE", "sets": "BIGINT", "repetitions": "BIGINT"},
    "source_health": {
        "athlete_id": "VARCHAR",
        "source": "VARCHAR",
        "last_success_at": "TIMESTAMP WITH TIME ZONE",
        "newest_activity_at": "TIMESTAMP WITH TIME ZONE",
        "covered_until": "DATE",
        "is_failing": "BOOLEAN",
        "message": "VARCHAR",
        "remedy": "VARCHAR",
    },
}


@pytest.mark.parametrize("table", CONTRACT)
def test_the_columns_that_others_rely_on_are_there_with_their_types(con: duckdb.DuckDBPyConnection, table: str) -> None:
    _build(con)
    found = dict(
        con.execute(
            "select column_name, data_type from duckdb_columns() where schema_name = 'marts' and table_name = ?",
            [table],
        ).fetchall()
    )
    assert CONTRACT[table].items() <= found.items()


def _sets(con: duckdb.DuckDBPyConnection, activity: str, day: int, *sets: tuple[str, str | None, int]) -> None:
    at = _at(day, 18)
    facts = {"athlete_id": "me", "activity_id": activity, "document_id": f"doc {activity}", "source": "garmin"}
    _give(con, "activities", sport="strength", local_date=_day(day), start_at=at, end_at=at, rpe=7.0, **facts)
    for index, (category, name, repetitions) in enumerate(sets):
        told = {"category": category, "name": name, "repetitions": repetitions, "set_type": "active"}
        _give(con, "strength_sets", activity_id=activity, set_index=index, **told)


@pytest.mark.parametrize(
    ("category", "name", "is_curl"),
    [
        ("leg_curl", None, True),
        ("leg_curl", "swiss_ball_hip_raise_and_leg_curl", True),
        ("LEG_CURL", "SLIDING_LEG_CURL", True),
        ("hip_raise", "single_leg_swiss_ball_hip_raise_and_leg_curl", True),
        ("banded_exercises", "hamstring_curls", True),
        ("suspension", "hamstring_curl", True),
        ("leg_curl", "good_morning", False),
        ("leg_curl", "single_leg_barbell_good_morning", False),
        ("leg_curl", "split_stance_extension", False),
        ("hip_raise", "hip_raise_with_feet_on_swiss_ball", False),
        ("hip_raise", None, False),
        ("curl", "barbell_biceps_curl", False),
    ],
)
def test_which_sets_of_a_watch_are_hamstring_curls(
    con: duckdb.DuckDBPyConnection,
    category: str,
    name: str | None,
    is_curl: bool,  # noqa: FBT001
) -> None:
    _sets(con, "gym", 3, (category, name, 8), (category, name, 7))
    _build(con)
    rows = _ask(con, "select sets, repetitions, rpe, is_single_leg from marts.curl_sessions")
    is_single = name is not None and name.startswith("single_leg")
    assert rows == ([(2, 15, 7.0, is_single)] if is_curl else [])


def test_curls_told_three_ways_are_one_session_a_day_and_the_runner_s_word_goes_first(
    con: duckdb.DuckDBPyConnection,
) -> None:
    _sets(con, "gym", 3, ("leg_curl", None, 8), ("leg_curl", None, 7))
    _sets(con, "copy", 3, ("leg_curl", None, 8), ("leg_curl", None, 7))
    rows = "select sets, repetitions, rpe, lowering_s, source, told_by from marts.curl_sessions"
    _build(con)
    assert _ask(con, rows) == [(2, 15, 7.0, None, "garmin", ["garmin"])], "a copy is no second session"
    said = '{"sets": 2, "repetitions": 8, "rpe": 9, "is_single_leg": false, "lowering_s": null}'
    whose = {"athlete_id": "me", "kind": "curls"}
    _give(con, "said", activity_id="run", local_date=_day(3), start_at=_at(3), content=said, **whose)
    _build(con)
    assert _ask(con, rows) == [(2, 16, 9.0, None, "title", ["garmin", "title"])]
    logged = '{"sets": 1, "repetitions": 9, "rpe": null, "is_single_leg": false, "lowering_s": 4}'
    _give(con, "journal", entry_id="a", date=_day(3), logged_at=_at(3, 20), content=logged, **whose)
    _build(con)
    assert _ask(con, rows) == [(1, 9, 9.0, 4, "journal", ["garmin", "journal", "title"])]
    other = {**whose, "athlete_id": "you"}
    _give(con, "journal", entry_id="b", date=_day(3), logged_at=_at(3, 20), content=logged, **other)
    _build(con)
    assert len(_ask(con, rows)) == 2


@pytest.mark.parametrize(("first_weekday", "name", "days"), [(0, "Monday", [1, 7, 2]), (6, "Sunday", [7, 3])])
def test_weeks_begin_where_the_runners_do(
    con: duckdb.DuckDBPyConnection, first_weekday: int, name: str, days: list[int]
) -> None:
    """1 November 2026 is a Sunday."""
    _athlete(con, 10)
    _run(con, "a", 1, 10)
    _run(con, "b", 10, 10)
    con.execute("set variable first_weekday = ?", [first_weekday])
    _build(con)
    found = _ask(con, "select dayname(week), days from marts.weeks order by week")
    assert found == [(name, number) for number in days]
