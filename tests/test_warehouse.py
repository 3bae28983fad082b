import datetime as dt
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pytest

from hamload import warehouse
from hamload.errors import ConfigurationError, WarehouseError
from hamload.settings import shipped


def _selects(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        schema, _, table = name.partition("__")
        (folder / schema).mkdir(exist_ok=True)
        (folder / schema / f"{table}.sql").write_text(text)
    return folder


def test_tables_are_built_in_the_order_in_which_they_need_each_other(tmp_path: Path) -> None:
    sql = _selects(
        tmp_path,
        marts__a="select n + 1 as n from marts.b",
        marts__b="select n * 10 as n from staging.z",
        staging__z="select 1 as n",
    )
    con = duckdb.connect()
    order = warehouse.build(con, sql, ["marts", "staging"])
    assert order.index("staging.z") < order.index("marts.b") < order.index("marts.a")
    assert con.execute("select n from marts.a").fetchall() == [(11,)]


def test_tables_that_need_each_other_in_a_circle_are_named(tmp_path: Path) -> None:
    sql = _selects(tmp_path, marts__a="select * from marts.b", marts__b="select * from marts.a")
    with pytest.raises(WarehouseError, match="in a circle"):
        warehouse.build(duckdb.connect(), sql, ["marts"])


def test_a_select_that_fails_is_named_by_its_file(tmp_path: Path) -> None:
    sql = _selects(tmp_path, marts__broken="select nope from nowhere.at_all")
    with pytest.raises(WarehouseError, match=r"broken\.sql"):
        warehouse.build(duckdb.connect(), sql, ["marts"])


def test_a_check_reports_its_why_and_its_rows(tmp_path: Path) -> None:
    sql = _selects(
        tmp_path, checks__never="-- It hurts.\nselect 7 as n union all select 8", checks__fine="select 1 where false"
    )
    (failure,) = warehouse.check(duckdb.connect(), sql)
    assert (failure.check, failure.why, failure.rows, failure.examples[0]) == ("never", "It hurts.", 2, {"n": 7})


def test_every_shipped_table_builds_on_an_empty_home_and_every_check_holds(tmp_path: Path) -> None:
    sql = shipped("sql")
    with warehouse.writer(tmp_path, sql) as con:
        built = warehouse.build(con, sql, ["staging", "marts", "reports"])
        assert {
            "marts.sessions",
            "marts.daily_load",
            "marts.alerts",
            "marts.curl_sessions",
            "marts.source_health",
        } <= set(built)
        assert warehouse.check(con, sql) == []


def test_nan_none_and_dates_become_what_they_mean() -> None:
    con = duckdb.connect()
    con.execute("create table t (x double, b boolean, d date, started_at timestamptz, words varchar[])")
    at = dt.datetime(2026, 1, 1, 6, tzinfo=dt.UTC)
    warehouse.append_rows(con, "t", [
        {"x": 1.5, "b": None, "d": dt.date(2026, 1, 1), "started_at": at, "words": ["a", "b"]},
        {"x": None, "b": True, "d": None, "started_at": at, "words": ["c", "d"]},
    ])  # fmt: skip
    warehouse.append_columns(con, "t", {"x": np.array([np.nan])})
    con.execute("set TimeZone = 'UTC'")
    assert con.execute("select x, b, d, words from t").fetchall() == [
        (1.5, None, dt.date(2026, 1, 1), ["a", "b"]),
        (None, True, None, ["c", "d"]),
        (None, None, None, None),
    ]
    assert con.execute("select epoch(started_at) from t limit 1").fetchall() == [(at.timestamp(),)]


def test_a_reader_keeps_what_it_opened_while_a_new_copy_is_published(tmp_path: Path) -> None:
    sql = shipped("sql")
    with warehouse.writer(tmp_path, sql) as con:
        con.execute("create table marts_n as select 1 as n")
    warehouse.publish(tmp_path)
    with warehouse.reader(tmp_path) as old:
        with warehouse.writer(tmp_path, sql) as con:
            con.execute("update marts_n set n = 2")
        warehouse.publish(tmp_path)
        assert old.execute("select n from marts_n").fetchall() == [(1,)]
    with warehouse.reader(tmp_path) as new:
        assert new.execute("select n from marts_n").fetchall() == [(2,)]


def test_two_runs_cannot_work_in_one_home(tmp_path: Path) -> None:
    with warehouse.lock(tmp_path), pytest.raises(WarehouseError, match="Another hamload"), warehouse.lock(tmp_path):
        pass
    with warehouse.lock(tmp_path):
        pass


def test_an_empty_home_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="hamload import"), warehouse.reader(tmp_path):
        pass


def test_a_home_under_a_file_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="--home"), warehouse.lock(tmp_path / "file" / "home"):
        pass


def test_a_warehouse_of_other_landing_tables_is_built_anew(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    old = _selects(tmp_path / "old", landing__tables="create schema landing; create table landing.x (a int)")
    with warehouse.writer(tmp_path, old) as con:
        con.execute("insert into landing.x values (1)")
    with warehouse.writer(tmp_path, shipped("sql")) as con:
        names = {row[0] for row in con.execute("select table_name from information_schema.tables").fetchall()}
    assert "x" not in names
    assert "activities" in names


def test_tables_of_another_version_are_told_before_they_are_read(tmp_path: Path) -> None:
    sql = shipped("sql")
    with warehouse.writer(tmp_path, sql) as con:
        warehouse.build(con, sql, ["staging", "marts", "reports"])
        warehouse.sign(con, sql)
    warehouse.publish(tmp_path)
    with warehouse.reader(tmp_path, sql) as con:
        assert con.execute("select count(*) from marts.sessions").fetchall() == [(0,)]
    with warehouse.writer(tmp_path, sql) as con:
        con.execute("update landing.built_by set sql = 'older'")
    warehouse.publish(tmp_path)
    with pytest.raises(WarehouseError, match="hamload rebuild"), warehouse.reader(tmp_path, sql):
        pass


def test_tables_that_are_filled_anew_keep_their_comments_and_hold_what_a_new_one_would(tmp_path: Path) -> None:
    sql = _selects(
        tmp_path,
        landing__tables="create schema if not exists landing;\n"
        "create table if not exists landing.x (\n    a int  -- [m] far\n)",
        marts__a="-- All of it.\nselect\n    a + 1 as b,  -- [m] farther\nfrom landing.x",
    )
    comments = "select comment from duckdb_columns() where schema_name = 'marts'"
    with warehouse.writer(tmp_path, sql) as con:
        for value in (1, 2):
            con.execute("insert into landing.x values (?)", [value])
            assert warehouse.is_described(con, sql) is (value == 2)
            warehouse.build(con, sql, ["marts"])
            warehouse.describe(con, sql)
            warehouse.sign(con, sql)
        assert con.execute("from marts.a order by b").fetchall() == [(2,), (3,)]
        assert con.execute(comments).fetchall() == [("[m] farther",)]
        con.execute("drop table marts.a")
        warehouse.build(con, sql, ["marts"])
        assert con.execute("from marts.a order by b").fetchall() == [(2,), (3,)]
    _selects(tmp_path, marts__a="select a as c, a as d from landing.x")
    with warehouse.writer(tmp_path, sql) as con:
        assert not warehouse.is_described(con, sql), "the select has changed"
        warehouse.build(con, sql, ["marts"])
        assert con.execute("select d from marts.a order by d").fetchall() == [(1,), (2,)]


def _spilled(home: Path) -> list[Path]:
    return list(home.glob("spill-*/*storage*"))


def _spill(con: duckdb.DuckDBPyConnection, home: Path) -> None:
    con.execute("create temp table much as select range as n, random() as x from range(20_000_000)")
    assert _spilled(home)
    assert con.execute("select count(*) from much").fetchall() == [(20_000_000,)]
    con.execute("drop table much")


def test_what_does_not_fit_into_memory_goes_to_the_home_and_is_gone_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not to wherever the command was started: nobody may be able to write there, and others may read it."""
    homes, elsewhere = [tmp_path / "one", tmp_path / "two"], tmp_path / "elsewhere"
    for folder in (*homes, elsewhere):
        folder.mkdir()
    monkeypatch.chdir(elsewhere)
    for home in (homes[0], homes[0], homes[1]):
        with warehouse.writer(home, shipped("sql")) as con:
            warehouse.sparingly(con, lambda con=con, home=home: _spill(con, home))  # type: ignore[misc]
        assert not list(elsewhere.iterdir())
        assert not _spilled(homes[0])
    with warehouse.writer(homes[1], shipped("sql")):
        assert not _spilled(homes[1])


def test_what_a_killed_run_has_spilled_is_removed_by_the_next_and_nothing_else(tmp_path: Path) -> None:
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    left, alive, mine = (tmp_path / f"spill-{name}" for name in (int(gone.stdout), os.getppid(), "of mine"))
    for folder in (left, alive, mine):
        folder.mkdir()
        (folder / "duckdb_temp_1_0_storage_S32K-0.tmp").write_bytes(b"heart rates")
    with warehouse.writer(tmp_path, shipped("sql")):
        assert not left.exists()
    assert list(alive.iterdir())
    assert list(mine.iterdir())


def test_memory_is_held_only_while_it_is_asked_for_whatever_happens_meanwhile(tmp_path: Path) -> None:
    def limit() -> str:
        ((told,),) = con.execute("select current_setting('memory_limit')").fetchall()
        return str(told)

    def fail() -> None:
        raise ZeroDivisionError

    with warehouse.writer(tmp_path, shipped("sql")) as con:
        before = limit()
        assert warehouse.sparingly(con, limit) != before
        assert limit() == before
        with pytest.raises(ZeroDivisionError):
            warehouse.sparingly(con, fail)
        assert limit() == before


def test_what_does_not_fit_into_little_memory_is_done_with_more(tmp_path: Path) -> None:
    """Long texts of one insert cannot be spilled while DuckDB works with them."""
    rows = [{"text": chr(65 + number) * 40_000_000} for number in range(5)]

    def write() -> None:
        tries.append("once")
        with warehouse.transaction(con):
            warehouse.append_rows(con, "landing.texts", rows)

    tries: list[str] = []
    with warehouse.writer(tmp_path, shipped("sql")) as con:
        con.execute("create table landing.texts (text varchar)")
        warehouse.sparingly(con, write)
        assert len(tries) == 2, "little memory was enough: this shows nothing"
        assert con.execute("select count(*), min(length(text)) from landing.texts").fetchall() == [(5, 40_000_000)]


def test_too_little_memory_is_told_with_its_remedy(tmp_path: Path) -> None:
    def write_much() -> None:
        with warehouse.writer(tmp_path, shipped("sql")) as con:
            con.execute("set memory_limit = '20MB'")
            try:
                con.execute("create table landing.texts as select repeat('a', 40_000_000) as text")
            finally:
                con.execute("reset memory_limit")

    with pytest.raises(WarehouseError, match=r"Out of Memory.*Free memory"):
        write_much()


def test_a_forked_process_writes_as_its_parent_did(tmp_path: Path) -> None:
    with warehouse.writer(tmp_path, shipped("sql")) as con:
        con.execute("create table landing.visits as select 1 as number")
    child = multiprocessing.get_context("fork").Process(target=_visit, args=(tmp_path,))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    with warehouse.writer(tmp_path, shipped("sql")) as con:
        assert con.execute("select count(*) from landing.visits").fetchall() == [(2,)]


def _visit(home: Path) -> None:
    with warehouse.writer(home, shipped("sql")) as con:
        con.execute("insert into landing.visits values (2)")
    # What libraries of other tests want done at the end of a process is not this one's.
    os._exit(0)


def test_the_home_before_is_opened_again_beside_another_one(tmp_path: Path) -> None:
    homes = [tmp_path / name for name in ("one", "two")]
    for home in homes:
        home.mkdir()
    for number, home in enumerate([*homes, *homes]):
        with warehouse.writer(home, shipped("sql")) as con:
            con.execute("create table if not exists landing.visits (number integer)")
            con.execute("insert into landing.visits values (?)", [number])
    with warehouse.writer(homes[0], shipped("sql")) as con, warehouse.writer(homes[1], shipped("sql")) as other:
        assert con.execute("from landing.visits").fetchall() == [(0,), (2,)]
        assert other.execute("from landing.visits").fetchall() == [(1,), (3,)]
