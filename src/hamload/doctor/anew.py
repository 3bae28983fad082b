"""Builds every table anew, beside the home and from a copy of its ledger, and says which rows are not those published.

A check crosses what it was written for; a row that somebody has edited, or that a disk has, crosses no check. What the
raw documents give is the one thing that every row can be held against.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from hamload import pipeline, raw, settings, versions, warehouse
from hamload.doctor.finding import note, ok, wrong
from hamload.errors import HamloadError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Mapping

    from hamload.doctor.finding import Finding

_PREFIX = "hamload-verify-"
_AGAIN = "hamload sync, and then: hamload doctor --verify"
#: When what came in came in. Where the ledger knows of something later, the tables are of an earlier day, not damaged.
_CAME_IN = {"landing.deliveries": "put_at", "landing.reports": "reported_at", "landing.journal": "logged_at"}
#: Which code and inputs a home was made from, and how far it got when: in its own words, and none about a runner.
_LEFT_OUT = frozenset({"landing.standing", "landing.memories", "landing.version", "landing.built_by"})
#: In which chunk samples lie tells when they were read, and nothing about a run; but all must name the same one.
_SCATTERED = """
    select count(*) from (select distinct activity_id, chunk from here.landing.samples) samples
    join (
        select activity_id, chunk from here.landing.features
        union all
        select activity_id, chunk from here.landing.courses
    ) named using (activity_id)
    where samples.chunk is distinct from named.chunk
"""


def compared(home: Path, progress: Callable[[str, int, int], None]) -> Iterator[Finding]:
    """Yield whether the published tables are those that documents, journal and settings give. Needs no lock.

    It takes as long as `hamload rebuild` and as much room, where temporary files lie; nothing is left there, and
    nothing in the home is written.
    """
    before = warehouse.publication(home)
    if warehouse.is_locked(home):
        yield note("rows", "A run is at work, so that rows were not compared.", "hamload doctor --verify")
        return
    _sweep()
    try:
        with tempfile.TemporaryDirectory(prefix=_PREFIX) as folder, warehouse.lock(Path(folder)):
            _lay_out(home, Path(folder))
            _build(home, Path(folder), progress)
            found = [*_differences(home, Path(folder)), *_working(home)]
    except (HamloadError, OSError, sqlite3.Error, duckdb.IOException, duckdb.OutOfMemoryException) as error:
        why = error.what if isinstance(error, HamloadError) else str(error).splitlines()[0]
        found = [
            note(
                "rows",
                f"The tables could not be built anew to compare them: {why.rstrip('.')}.",
                f"free some room in {tempfile.gettempdir()}, or name another folder in TMPDIR; then run it again",
            )
        ]
    if warehouse.publication(home) != before or warehouse.is_locked(home):
        yield note("rows", "A run came in between, so that rows were not compared.", "hamload doctor --verify")
        return
    yield from found or [
        ok("rows", "each is what documents, journal and settings give: all tables were built anew and compared")
    ]


def _sweep() -> None:
    """Remove what a killed run has left of a home: nobody else would, and it holds what is private."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):
            is_ours = left.lstat().st_uid == os.geteuid() and not left.is_symlink() and (left / ".lock").exists()
            if is_ours and not warehouse.is_locked(left):
                shutil.rmtree(left)


def _lay_out(home: Path, beside: Path) -> None:
    """Make a home with a copy of the ledger and a link for each document: what is deleted there is a link."""
    (beside / "raw").mkdir()
    with (
        closing(versions.read_only(home / "raw" / raw.LEDGER)) as here,
        closing(sqlite3.connect(beside / "raw" / raw.LEDGER)) as there,
    ):
        here.backup(there)
        documents = there.execute("select document_id, format from documents").fetchall()
    for name, format_ in documents:
        link = raw.path_of(beside / "raw", name, format_)
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(raw.path_of(home / "raw", name, format_).resolve())


def _build(home: Path, beside: Path, progress: Callable[[str, int, int], None]) -> None:
    """Build the tables of the home beside, of the days of which those in the home are."""
    here = settings.load(home)
    there = replace(
        here, home=beside, days=_days(home), imports=here.imports.model_copy(update={"cluster": "", "shared": ""})
    )
    pipeline.decode(there, progress)
    pipeline.assess(there, progress=progress)
    pipeline.alert(there)
    pipeline.publish(there)


def _days(home: Path) -> Mapping[str, dt.date]:
    with warehouse.reader(home) as con:
        return dict(con.execute("select athlete_id, today from landing.athletes").fetchall())


def _differences(home: Path, beside: Path) -> Iterator[Finding]:
    with duckdb.connect() as con:
        for name, folder in (("here", home), ("there", beside)):
            con.execute(f"attach '{warehouse.quoted(folder / warehouse.PUBLISHED)}' as {name} (read_only)")
        here, there = (_columns(con, name) for name in ("here", "there"))
        others = sorted(table for table in here | there if here.get(table) != there.get(table))
        for table in others:
            yield wrong("rows", f"{table} has not the columns that it was made with.", "hamload rebuild")
        tables = sorted((here.keys() & there.keys()) - {*others, *_LEFT_OUT})
        if _CAME_IN.keys() <= set(tables) and _is_behind(con):
            yield note(
                "rows", "Something came in that the tables do not hold yet, so that rows were not compared.", _AGAIN
            )
            return
        for table in tables:
            if count := _differing(con, table):
                what = f"{count} rows of {table} are not what documents, journal and settings give."
                yield wrong("rows", what, "hamload rebuild")
        if not others:
            ((scattered,),) = con.execute(_SCATTERED).fetchall()
            if scattered:
                yield wrong(
                    "rows", f"{scattered} recordings name another place than their samples'.", "hamload rebuild"
                )


def _working(home: Path) -> Iterator[Finding]:
    if not warehouse.is_as_published(home):
        yield note(
            "rows", "What the next night goes on from is not what was published: a run broke off.", "hamload rebuild"
        )


def _columns(con: duckdb.DuckDBPyConnection, database: str) -> dict[str, list[tuple[str, str]]]:
    """Return the columns of every table and view, in order, with their types."""
    found: dict[str, list[tuple[str, str]]] = {}
    for schema, table, column, kind in con.execute(
        "select schema_name, table_name, column_name, data_type from duckdb_columns()"
        " where database_name = ? and not internal order by schema_name, table_name, column_index",
        [database],
    ).fetchall():
        found.setdefault(f"{schema}.{table}", []).append((column, kind))
    return found


def _is_behind(con: duckdb.DuckDBPyConnection) -> bool:
    """Return whether the ledger knows of something that came in later than all that the tables hold."""
    for table, moment in _CAME_IN.items():
        latest = [
            con.execute(f"select max({moment}) from {name}.{table}{_but_told(table)}").fetchall()[0][0]  # noqa: S608
            for name in ("here", "there")
        ]
        if latest[1] is not None and (latest[0] is None or latest[0] < latest[1]):
            return True
    return False


def _differing(con: duckdb.DuckDBPyConnection, table: str) -> int:
    """Return how many rows of a table stand in one of both alone."""
    here, there = (f"select columns(lambda name: name <> 'chunk') from {name}.{table}" for name in ("here", "there"))  # noqa: S608
    told = _but_told(table)
    # Sums of hashes are a few times cheaper than sets of rows, and nearly always all that is needed.
    if not told and _summed(con, here) == _summed(con, there):
        return 0
    return max(_without(con, here, there), _without(con, f"{there}{told}", here))


def _but_told(table: str) -> str:
    # What a digest has told is written down after its tables are published, and stands in those of the next night.
    return " where kind <> 'told'" if table.endswith(".journal") else ""


def _summed(con: duckdb.DuckDBPyConnection, select: str) -> tuple[int, int | None]:
    ((rows, total),) = con.execute(f"select count(*), sum(hash(r)::hugeint) from ({select}) r").fetchall()  # noqa: S608
    return rows, total


def _without(con: duckdb.DuckDBPyConnection, these: str, those: str) -> int:
    ((count,),) = con.execute(f"select count(*) from ({these} except all {those})").fetchall()  # noqa: S608
    return int(count)
