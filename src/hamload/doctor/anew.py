"""Builds every table anew, beside the home and from a copy of its ledger, and says which rows are not those published.

A check crosses what it was written for; a row that somebody has edited, or that a disk has, crosses no check. What the
raw documents give is the one thing that every row can be held against.
"""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
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

#: What came in. Where these rows are others than the ledger's, the tables are of an earlier day, not damaged.
_CAME_IN = frozenset({"landing.deliveries", "landing.reports", "landing.journal"})
_LEFT_OUT = frozenset({"landing.standing", "landing.version", "landing.built_by"})


def compared(home: Path, progress: Callable[[str, int, int], None]) -> Iterator[Finding]:
    """Yield whether the published tables are those that documents, journal and settings give. Needs no lock.

    It takes as long as `hamload rebuild` and as much room, where temporary files lie; nothing is left there, and
    nothing in the home is written.
    """
    if warehouse.is_locked(home):
        yield note("rows", "A run is at work, so that tables were not built anew.", "hamload doctor --verify")
        return
    before = warehouse.publication(home)
    try:
        with tempfile.TemporaryDirectory(prefix="hamload-verify-") as folder:
            beside = Path(folder)
            _lay_out(home, beside)
            _build(home, beside, progress)
            differing = _differing(home, beside)
    except (HamloadError, OSError, sqlite3.Error, duckdb.Error) as error:
        if warehouse.publication(home) == before and not warehouse.is_locked(home):
            why = error.what if isinstance(error, HamloadError) else str(error)
            yield wrong("rows", f"The tables could not be built anew to compare them: {why}", "hamload rebuild")
            return
        differing = {}
    if warehouse.publication(home) != before or warehouse.is_locked(home):
        yield note("rows", "A run came in between, so that rows were not compared.", "hamload doctor --verify")
        return
    if differing.keys() & _CAME_IN:
        yield note(
            "rows",
            "Something came in that the tables do not hold yet, so that rows were not compared.",
            "hamload sync, and then: hamload doctor --verify",
        )
        return
    for table, count in differing.items():
        yield wrong(
            "rows", f"{count} rows of {table} are not what documents, journal and settings give.", "hamload rebuild"
        )
    if not differing:
        yield ok("rows", "each is what documents, journal and settings give: all tables were built anew and compared")


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


def _differing(home: Path, beside: Path) -> dict[str, int]:
    """Return how many rows of which table stand in one of both alone."""
    with duckdb.connect() as con:
        for name, folder in (("here", home), ("there", beside)):
            con.execute(f"attach '{warehouse.quoted(folder / warehouse.PUBLISHED)}' as {name} (read_only)")
        found = {}
        for table in sorted(set().union(*(_tables(con, name) for name in ("here", "there"))) - _LEFT_OUT):
            here, there = (_select(f"{name}.{table}") for name in ("here", "there"))
            # Sums of hashes are a few times cheaper than sets of rows, and nearly always all that is needed.
            if _summed(con, here) != _summed(con, there):
                found[table] = max(_without(con, here, there), _without(con, there, here))
    return found


def _tables(con: duckdb.DuckDBPyConnection, database: str) -> set[str]:
    rows = con.execute("select schema_name, table_name from duckdb_tables() where database_name = ?", [database])
    return {f"{schema}.{table}" for schema, table in rows.fetchall()}


def _select(table: str) -> str:
    # In which chunk samples lie tells when they were read, and nothing about a run. What a digest has told is written
    # down after its tables are published, and stands in those of the next night.
    but = " where kind <> 'told'" if table.endswith(".journal") else ""
    return f"select columns(lambda name: name <> 'chunk') from {table}{but}"  # noqa: S608  # a table of ours


def _summed(con: duckdb.DuckDBPyConnection, select: str) -> tuple[int, int | None]:
    ((rows, total),) = con.execute(f"select count(*), sum(hash(r)::hugeint) from ({select}) r").fetchall()  # noqa: S608
    return rows, total


def _without(con: duckdb.DuckDBPyConnection, these: str, those: str) -> int:
    ((count,),) = con.execute(f"select count(*) from ({these} except all {those})").fetchall()  # noqa: S608
    return int(count)
