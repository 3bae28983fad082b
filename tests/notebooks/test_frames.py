"""What an analyst gets of a home: types, units, selections, snapshots, and remedies where something is wrong."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pandas as pd
import pytest

import hamload
from hamload import pipeline, settings, warehouse
from hamload.errors import HamloadError, WarehouseError
from hamload.pipeline.counsel import backtesting, journaling

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
FRAMES = (
    "athletes", "sessions", "daily", "weeks", "alerts", "reasons", "curls", "journal", "activities", "members",
    "set_aside", "unreadable", "sources",
)  # fmt: skip


@pytest.fixture(scope="module")
def home(simulated: Path) -> hamload.Opened:
    return hamload.open(simulated)


@pytest.fixture
def copy_of(simulated: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Return a home of its own with the same tables, changed by a query."""

    def changed(query: str) -> Path:
        own = tmp_path / "own"
        own.mkdir(exist_ok=True)
        shutil.copyfile(simulated / "config.toml", own / "config.toml")
        shutil.copyfile(simulated / warehouse.PUBLISHED, own / "warehouse.duckdb")
        with duckdb.connect(own / "warehouse.duckdb") as con:
            con.execute(query)
        warehouse.publish(own)
        return own

    return changed


def test_every_column_of_every_frame_has_its_words_and_samples_too(home: hamload.Opened) -> None:
    for name in FRAMES:
        told = home.columns(name)
        assert list(getattr(home, name)().columns) == list(told["column"]), name
        assert told["description"].str.len().min() > 3, name
    told = home.columns("samples")
    assert list(home.samples(home.sessions()["session_id"].iloc[0]).columns) == list(told["column"])
    assert told.set_index("column")["unit"]["speed_mps"] == "m/s"
    assert home.columns("marts.daily_load").set_index("column")["unit"]["acute_rolling"] == "EFM/day"


def test_every_published_table_and_column_is_described_in_the_database_itself(simulated: Path) -> None:
    with duckdb.connect(simulated / warehouse.PUBLISHED, read_only=True) as con:
        for kind in ("tables", "columns"):
            bare = con.execute(
                f"select table_name from duckdb_{kind}() where schema_name = 'marts' and comment is null"  # noqa: S608
            ).fetchall()
            assert bare == []


def test_types_do_not_depend_on_what_the_rows_hold(home: hamload.Opened) -> None:
    # Of a table without rows pandas cannot guess: so it is not left to it.
    for name in FRAMES:
        whole = getattr(home, name)()
        if name != "alerts":
            none = home.sql(f"select * from {whole.attrs['table']} limit 0")  # noqa: S608
            assert dict(none.dtypes) == dict(whole.dtypes), name
    assert dict(home.alerts(since="1999-01-01", until="1999-01-02").dtypes) == dict(home.alerts().dtypes)
    assert dict(home.reasons(since="1999-01-01", until="1999-01-02").dtypes) == dict(home.reasons().dtypes)
    sessions, daily = home.sessions(), home.daily()
    assert sessions["local_date"].dtype == "datetime64[us]"
    assert str(sessions["start_at"].dtype) == "datetime64[us, UTC]"
    assert sessions["is_hill"].dtype == "boolean"
    assert sessions["copies"].dtype == "Int64"
    assert daily["acwr_ewma"].dtype == np.float64


def test_what_is_missing_is_never_zero(home: hamload.Opened) -> None:
    first = home.daily(series="total").iloc[:27]
    assert first["acwr_uncoupled"].isna().all()
    assert first["withheld_why"].str.contains("baseline").all()
    assert home.sessions()["is_speed"].isna().any()
    assert home.weeks()["curl_sessions"].iloc[0] is pd.NA


def test_days_are_selected_with_both_ends_and_weeks_where_they_reach_in(home: hamload.Opened) -> None:
    days = home.daily(series="total", since="2026-03-02", until=dt.date(2026, 3, 4))["date"]
    assert list(days.dt.day) == [2, 3, 4]
    assert list(home.weeks(since="2026-03-04", until="2026-03-10")["week"].dt.day) == [2, 9]
    one = pd.Timestamp("2026-03-02")
    assert (home.sessions(since=one, until=one)["local_date"] == one).all()
    for label in ("hill", "long"):
        assert home.sessions(labels=[label])[f"is_{label}"].all()
    assert home.daily("demo").equals(home.daily())


@pytest.mark.parametrize(
    ("ask", "what", "remedy"),
    [
        (lambda h: h.sessions("nobody"), "no runner 'nobody'", "There is: demo"),
        (lambda h: h.sessions(since="tomorrow?"), "is no day", "2026-11-22"),
        (lambda h: h.alerts(since="2026-03-02", until="2026-03-01"), "is after", "Swap"),
        (lambda h: h.daily(series="hills"), "no series 'hills'", "total"),
        (lambda h: h.sessions(labels="hill"), "not usable", "list of: hill"),
        (lambda h: h.samples("nope"), "no session 'nope'", ".sessions()"),
        (lambda h: h.columns("sesions"), "no table 'sesions'", "sessions"),
        (lambda h: h.chart("run"), "Which run", "session_id"),
        (lambda h: h.sql("select nonsense from marts.sessions"), "does not run", ".columns(name)"),
        (lambda h: h.sql("delete from marts.sessions"), "read-only", "file of your own"),
        (lambda h: h.sql(" ; "), "does not run", ".columns(name)"),
        (lambda h: h.sql("select '\ud800'"), "does not run", ".columns(name)"),
        (lambda h: h.chart("load", days=-5), "cannot be drawn", "at least one"),
        (lambda h: h.sql("copy (select 1) to '/tmp/hamload-written.csv'"), "does not run", ".columns(name)"),
        (lambda h: h.sql("select * from read_text('/etc/passwd')"), "does not run", ".columns(name)"),
        (lambda h: h.backtest(thresholds={"alerts.deload.spik": 1.2}), "no coefficient", "alerts.deload.spike"),
        (lambda h: h.reassess().sessions({"model.demand.easy_exponent": -1}), "not a number", "default is 1.9"),
    ],
)
def test_a_mistake_is_answered_with_its_remedy(
    home: hamload.Opened, ask: Callable[[hamload.Opened], object], what: str, remedy: str
) -> None:
    with pytest.raises(HamloadError) as caught:
        ask(home)
    assert what in caught.value.what
    assert remedy in caught.value.remedy


def test_a_home_that_is_not_there_and_one_without_a_run_are_named(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="There is no home"):
        hamload.open(tmp_path / "nowhere")
    with pytest.raises(WarehouseError, match="nothing to show"):
        hamload.open(tmp_path)
    (tmp_path / warehouse.PUBLISHED).write_bytes(b"not a database at all")
    with pytest.raises(WarehouseError, match="cannot be opened"):
        hamload.open(tmp_path)


@pytest.mark.parametrize(
    ("version", "remedy"), [("9.0.0", "pip install --upgrade"), ("0.0.1", "hamload rebuild"), ("", "hamload rebuild")]
)
def test_tables_of_another_version_say_which_way_to_go(
    copy_of: Callable[[str], Path], version: str, remedy: str
) -> None:
    gone = (
        "drop table marts.alert_reasons; drop table marts.curl_sessions; drop table landing.day_metrics;"
        "drop table landing.session_loads; alter table marts.daily_load drop withheld_why;"
    )
    note = "create or replace table landing.built_by as select 'other' as sql, '{}' as version"
    home = hamload.open(copy_of(gone + note.format(version)))
    assert "another version" in repr(home)
    assert len(home.sessions())
    with pytest.raises(WarehouseError, match=remedy):
        home.curls()
    for ask in (home.reasons, home.chart, home.backtest, home.reassess):
        with pytest.raises(WarehouseError, match=remedy):
            ask()


def test_a_home_from_before_versions_were_noted_is_an_older_one(copy_of: Callable[[str], Path]) -> None:
    home = hamload.open(
        copy_of("create or replace table landing.built_by as select 'x' as sql; drop table marts.weeks")
    )
    assert "hamload unknown" in repr(home)
    with pytest.raises(WarehouseError, match=r"older hamload.*rebuild"):
        home.weeks()


def test_a_pinned_view_stays_while_the_next_call_sees_the_newer_copy(copy_of: Callable[[str], Path]) -> None:
    home = hamload.open(copy_of("update marts.sessions set history_runs = 1"))
    with home.pinned() as pinned:
        published_at = pinned.published_at
        copy_of("update marts.sessions set history_runs = 2")
        assert set(home.sessions()["history_runs"]) == {2}
        assert set(pinned.sessions()["history_runs"]) == {1}
        assert pinned.published_at == published_at
        assert home.published_at > published_at
        # In one process DuckDB shares what it has open by its path: the newest must be seen all the same.
        assert set(hamload.open(home.home).sessions()["history_runs"]) == {2}
        assert "pinned" in repr(pinned)
    with pytest.raises(HamloadError, match="was closed"):
        pinned.sessions()


def test_age_and_origin_are_told(home: hamload.Opened, tmp_path: Path) -> None:
    assert "published" in repr(home)
    assert "ago" in repr(home)
    assert dt.timedelta() <= home.age < dt.timedelta(days=1)
    frame = home.sessions()
    assert frame.attrs == {"table": "marts.sessions", "published_at": home.published_at.isoformat()}
    assert json.dumps(frame.attrs)
    assert home.is_simulated
    old = dt.datetime.now(tz=dt.UTC) - dt.timedelta(days=3, hours=2)
    (tmp_path / "old").mkdir()
    aged = tmp_path / "old" / warehouse.PUBLISHED
    shutil.copyfile(home.home / warehouse.PUBLISHED, aged)
    os.utime(aged, (old.timestamp(), old.timestamp()))
    assert "3 days ago" in repr(hamload.open(aged.parent))


def test_alerts_have_columns_of_their_own_and_reasons_agree_with_the_table(home: hamload.Opened) -> None:
    alerts, reasons = home.alerts(), home.reasons()
    newest = alerts.iloc[-1]
    assert newest["state"] == "deload"
    assert "distance_spike" in newest["rules"]
    assert all(isinstance(sentence, str) for sentence in newest["reasons"])
    assert newest["plan"]["days"]
    assert pd.isna(newest["withheld"])
    assert alerts["withheld"].iloc[0].startswith("the ratios: building a baseline")
    pd.testing.assert_frame_equal(reasons, home.sql("select * from marts.alert_reasons"), check_exact=True)
    causes = reasons[reasons["rule"] == "distance_spike"]["causes"].iloc[-1]
    assert causes[0]["session_id"] in set(home.sessions()["session_id"])


def test_a_red_flag_logged_since_stops_what_is_read_at_once(copy_of: Callable[[str], Path]) -> None:
    home = hamload.open(copy_of("select 1"))
    current = settings.load(home.home)
    content = journaling.flag("night-or-rest-pain")
    journaling.log(current, "demo", "flag", dt.date(2026, 11, 23), content, dt.datetime.now(tz=dt.UTC))
    alerts, reasons = home.alerts(), home.reasons()
    assert alerts["state"].iloc[-1] == "stop"
    assert alerts["withheld"].str.contains("all exercise advice|a warning sign").all()
    assert not any("Run at most" in line for advice in alerts["advice"] for line in advice)
    assert alerts["plan"].isna().all()
    assert "red_flag" in set(reasons[reasons["date"] == alerts["date"].iloc[-1]]["rule"])
    assert not reasons[reasons["state"] == "build"]["sentence"].str.contains("curl", case=False).any()


def test_two_runners_are_told_apart(copy_of: Callable[[str], Path]) -> None:
    home = hamload.open(
        copy_of(
            "insert into landing.athletes select * replace ('ben' as athlete_id) from landing.athletes;"
            "insert into marts.sessions select * replace ('ben' as athlete_id, session_id || 'b' as session_id)"
            " from marts.sessions where local_date < '2026-01-01'"
        )
    )
    assert set(home.sessions()["athlete_id"]) == {"ben", "demo"}
    assert set(home.sessions("ben")["athlete_id"]) == {"ben"}
    for ask in (home.chart, home.backtest, home.reassess):
        with pytest.raises(HamloadError, match="several runners: ben, demo"):
            ask()
    assert home.chart("load", athlete_id="demo")
    # Ben has runs here, and no days: that is said, not drawn as rest.
    with pytest.raises(WarehouseError, match="nothing to draw of ben"):
        home.chart("load", athlete_id="ben")


def test_the_stored_loads_come_out_again_and_a_harder_speed_lifts_them(home: hamload.Opened) -> None:
    year = home.reassess()
    same = year.sessions()
    assert same["is_reassessed"].all()
    pd.testing.assert_series_equal(same["load_efm"], same["stored_efm"], check_names=False, rtol=1e-9)
    assert (same["is_heavy"] == same["stored_is_heavy"]).fillna(value=True).all()
    stored = home.daily(series="total").set_index("date")
    again = year.daily().set_index("date")
    for column in ("load_efm", "acwr_uncoupled", "acwr_ewma"):
        pd.testing.assert_series_equal(again[column], stored[column].loc[again.index], rtol=1e-9)
    harder = year.sessions({"model.demand.grade_exponent": 1.5})
    assert (harder["load_efm"] >= same["load_efm"] - 1e-9).all()
    assert harder["load_efm"].sum() > same["load_efm"].sum()
    changed = year.sensitivity(by=0.5, names=["model.session.long_gain"])
    assert list(np.sign(changed["load_change"])) == [-1, 1]


def test_runs_before_the_stretch_keep_their_load_and_the_stretch_agrees_with_the_whole(home: hamload.Opened) -> None:
    part = home.reassess(since="2026-09-01", until="2026-09-30")
    assert part.first == dt.date(2026, 9, 1)
    found = part.sessions()
    assert found["local_date"].between(pd.Timestamp("2026-09-01"), pd.Timestamp("2026-09-30")).all()
    assert found["change"].abs().max() < 1e-9


def test_the_backtest_is_the_command_lines_and_thresholds_move_it(home: hamload.Opened, simulated: Path) -> None:
    test = home.backtest()
    assert test.result == backtesting.backtest(settings.load(simulated))
    assert len(test.rules()) == len(test.result.rules)
    assert "19 flares" in test.sentences[0] or "flares" in test.sentences[0]
    lower = home.backtest(thresholds={"alerts.deload.ewma": 1.1}).rules().set_index(["rule", "state"])
    fired = test.rules().set_index(["rule", "state"])["fired"]
    assert lower["fired"][("ewma_ratio", "deload")] > fired[("ewma_ratio", "deload")]
    assert "(6 or more" in home.backtest(thresholds={"alerts.backtest.tightness": 6}).sentences[0]
    windows = test.windows(acute_days=(7,), chronic_days=(28,))
    assert set(windows["method"]) == {"coupled", "uncoupled", "ewma"}
    # By their identity the coupled and the uncoupled form are above their thresholds on the same days.
    shares = windows.set_index("method")["share"]
    assert shares["coupled"] == pytest.approx(shares["uncoupled"])


def test_a_backtest_without_an_entry_says_so_and_still_draws(copy_of: Callable[[str], Path]) -> None:
    home = hamload.open(copy_of("delete from staging.journal"))
    test = home.backtest()
    assert "No tightness is logged yet" in test.sentences[0]
    for name in ("rules", "forms", "nulls", "windows"):
        assert test.chart(name).to_dict()


def test_unknown_weeks_are_grey_and_without_a_ratio(copy_of: Callable[[str], Path]) -> None:
    home = hamload.open(
        copy_of(
            "update marts.daily_load set load_efm = null, is_known = false, acwr_uncoupled = null, acwr_ewma = null,"
            " withheld_why = '14 of the last 28 days are unknown' where date between '2026-09-01' and '2026-09-14';"
            "update staging.days set load_efm = null where date between '2026-09-01' and '2026-09-14';"
            "update landing.day_metrics set acwr_uncoupled = null, acwr_ewma = null, acwr_coupled = null"
            " where date between '2026-09-01' and '2026-10-11'"
        )
    )
    load = home.chart("load", days=120).to_dict()["datasets"]["unknown"]
    assert [(span["until"] - span["at"]) / 86_400_000 for span in load] == [14]
    grey = home.backtest().chart("forms").to_dict()["datasets"]["withheld"]
    assert len(grey) == 2
    again = home.reassess().daily()
    assert again["load_efm"].isna().sum() == 14
    assert home.chart("sessions", days=120, labels=["long"]).to_dict()


def test_a_home_without_a_run_and_one_with_a_single_run_answer(tmp_path: Path) -> None:
    from hamload.simulator import PlannedRun, SimulatedRunner, fit_bytes  # noqa: PLC0415

    current = settings.load(tmp_path)
    with pipeline.exclusive(current):
        pipeline.refresh(current, dt.date(2026, 11, 23))
    empty = hamload.open(tmp_path)
    for name in FRAMES:
        if name != "athletes":
            assert getattr(empty, name)().empty, name
    with pytest.raises(WarehouseError, match="nothing to draw"):
        empty.chart("load")
    with pytest.raises(WarehouseError, match="nothing to say"):
        empty.backtest()
    with pytest.raises(WarehouseError, match="nothing to assess"):
        empty.reassess()
    run = tmp_path / "run.fit"
    run.write_bytes(fit_bytes(SimulatedRunner(), PlannedRun(dt.date(2026, 11, 21), dt.time(7), "easy", 30, "flat")))
    with pipeline.exclusive(current):
        pipeline.put_files(current, [run], "me", dt.datetime.now(tz=dt.UTC))
        pipeline.refresh(current, dt.date(2026, 11, 23))
    one = hamload.open(tmp_path)
    assert len(one.sessions()) == 1
    for name in ("load", "ratios", "strength", "sessions", "causes"):
        assert one.chart(name).to_dict()
    assert one.backtest().nulls().empty
    assert one.reassess().sessions()["change"].abs().max() < 1e-9
    assert one.backtest().windows()["share"].isna().all()


def test_a_writer_in_a_loop_and_ten_readers_never_meet(simulated: Path) -> None:
    """`make readers` does it for a minute; HAMLOAD_READERS_S says otherwise here."""
    seconds = os.environ.get("HAMLOAD_READERS_S", "6")
    done = subprocess.run(
        [sys.executable, ROOT / "bench" / "readers.py", seconds, "--home", simulated],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert (told["errors"], told["too_old"], told["torn"]) == ([], 0, 0), told
    assert told["publications"] >= 5
    assert told["reads"] >= 10
    assert done.returncode == 0, done.stderr
