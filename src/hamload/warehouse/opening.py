"""Opens the working warehouse for its writer, and the published copy for readers."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from contextlib import ExitStack, contextmanager
from itertools import count
from typing import TYPE_CHECKING

import duckdb

from hamload.errors import WarehouseError
from hamload.warehouse.files import (
    NEW_FILE,
    PUBLISHED,
    WORKING,
    check_published,
    forget_derived,
    publication_of,
    quoted,
)
from hamload.warehouse.signing import is_built_from
from hamload.warehouse.sparing import spill_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def writer(home: Path, sql: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the working warehouse, its landing tables in place. Hold `lock` around it.

    What does not fit into memory goes to a folder in the home.
    """
    path, spill = home / WORKING, spill_of(home)
    tables = (sql / "landing" / "tables.sql").read_text(encoding="utf-8")
    version = hashlib.sha256(tables.encode()).hexdigest()[:12]
    try:
        with ExitStack() as stack:
            try:
                con = stack.enter_context(_attached(path, spill=spill))
                if not _is_of(con, version):
                    # The landing tables have changed since: everything in them is derived, and is built anew.
                    stack.close()
                    forget_derived(home)
                    con = stack.enter_context(_attached(path, spill=spill))
            except duckdb.Error as error:
                raise WarehouseError(
                    f"The warehouse {path} cannot be opened: {error}.",
                    "Run: hamload rebuild (your raw documents are untouched).",
                ) from error
            con.execute(tables)
            con.execute("create table if not exists landing.version as select $1 as tables", [version])
            yield con
    except duckdb.OutOfMemoryException as error:
        raise WarehouseError(
            f"The warehouse {path} cannot be written: {str(error).splitlines()[0]}.",
            "Free memory, or some space there for what does not fit into it; then run the same again (your raw"
            " documents are untouched).",
        ) from error
    except (duckdb.IOException, duckdb.TransactionException) as error:
        # What a commit could not write comes as a failed transaction.
        if isinstance(error, duckdb.TransactionException) and "Failed to commit" not in str(error):
            raise
        raise WarehouseError(
            f"The warehouse {path} cannot be written: {str(error).splitlines()[0]}.",
            "Free some space there, then run the same again (your raw documents are untouched).",
        ) from error


def _is_of(con: duckdb.DuckDBPyConnection, version: str) -> bool:
    """Return whether the working warehouse is empty, or has the landing tables of this version."""
    known = con.execute(
        "select table_name from duckdb_tables() where database_name = current_database() and schema_name = 'landing'"
    ).fetchall()
    if not known:
        return True
    if ("version",) not in known:
        return False
    return con.execute("select tables from landing.version").fetchall() == [(version,)]


@contextmanager
def reader(home: Path, sql: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the published copy, read-only.

    Raises
    ------
    WarehouseError
        Where nothing has been published yet, or, with `sql`, where it was built from another version of it.

    """
    path = home / PUBLISHED
    check_published(home)
    with ExitStack() as stack:
        try:
            con = stack.enter_context(_attached(path, is_read_only=True))
        except duckdb.Error as error:
            raise WarehouseError(f"{path} cannot be opened: {error}.", "Run: hamload rebuild.") from error
        if sql is not None and not is_built_from(con, sql):
            raise WarehouseError(
                f"The tables in {home} were made by another version of hamload.",
                "Run: hamload rebuild",
            )
        yield con


@contextmanager
def snapshot(home: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, dt.datetime]]:
    """Open the published copy as it is now, read-only, with when it was published (UTC).

    It stays what it is however many copies are published after it: DuckDB shares what one process has opened by its
    path, and would hand the old copy to whoever asks for the new one, so each snapshot is attached to a database of
    its own. Its schemas are found without naming it.

    Raises
    ------
    WarehouseError
        Where nothing has been published yet, or it cannot be read.

    """
    path = home / PUBLISHED
    con = duckdb.connect()
    try:
        while True:
            check_published(home)
            before = publication_of(path)
            con.execute(f"attach '{quoted(path)}' as hamload (read_only)")
            if before == publication_of(path):
                break
            # Another copy was published in between: which of the two was opened is not known.
            con.execute("detach hamload")
        _settle(con)
        # A query of an analyst's reads these tables, and neither reads nor writes a file by a slip.
        con.execute("set enable_external_access = false")
    except duckdb.Error as error:
        con.close()
        is_newer = "version number" in str(error)
        raise WarehouseError(
            f"{path} cannot be opened: {str(error).splitlines()[0]}.",
            "It was made by a newer DuckDB: install a newer hamload." if is_newer else "Run: hamload rebuild.",
        ) from error
    except BaseException:
        con.close()
        raise
    try:
        yield con, dt.datetime.fromtimestamp(before[1] / 1e9, tz=dt.UTC)
    finally:
        con.close()


def another(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Return another connection to the same snapshot, for a thread of its own."""
    return _settle(con.cursor())


def _settle(con: duckdb.DuckDBPyConnection, database: str = "hamload") -> duckdb.DuckDBPyConnection:
    con.execute(f"use {database}")
    con.execute("set TimeZone = 'UTC'")
    # A missing table must not be looked for among the variables of whoever asks.
    con.execute("set python_enable_replacements = false")
    return con


def is_current(home: Path, sql: Path) -> bool:
    """Return whether the published copy is there, and was built from this `sql/`."""
    try:
        with snapshot(home) as (con, _):
            return is_built_from(con, sql)
    except WarehouseError:
        return False


@contextmanager
def _attached(
    path: Path, *, is_read_only: bool = False, spill: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a file in the one DuckDB of this process, under a name of its own, with moments in UTC."""
    name = f"home_{next(_NUMBERS)}"
    how = "(read_only)" if is_read_only else "" if path.exists() else NEW_FILE
    order = f"attach '{quoted(path)}' as {name} {how}"
    database = _database(spill)
    try:
        database.execute(order)
    except duckdb.ResourceInUseException:
        # Opened already, and perhaps not the same copy of what is published: another DuckDB tells them apart.
        database = duckdb.connect(config={} if spill is None else {"temp_directory": str(spill)})
        database.execute(order)
    con = database.cursor()
    try:
        yield _settle(con, name)
    except duckdb.FatalException:
        _databases.clear()
        raise
    finally:
        # It rolls back what is not committed, and closing the file then checkpoints it.
        con.close()
        database.execute(f"detach {name}")


#: One DuckDB for each process (a forked one has no use for its parent's): making one takes five times as long as
#: opening a file in it, and a night opens a dozen.
_databases: dict[int, duckdb.DuckDBPyConnection] = {}
_NUMBERS = count(1)


def _database(spill: Path | None) -> duckdb.DuckDBPyConnection:
    process = os.getpid()
    if process not in _databases:
        _databases[process] = duckdb.connect()
    if spill is not None:
        _spill_to(spill, process)
    return _databases[process]


def _spill_to(spill: Path, process: int) -> None:
    place = str(spill)
    if _databases[process].execute("select current_setting('temp_directory')").fetchone() == (place,):
        return
    try:
        _databases[process].execute(f"set temp_directory = '{quoted(spill)}'")
    except duckdb.NotImplementedException:
        # It has spilled for another home already, and stays there.
        _databases[process] = duckdb.connect(config={"temp_directory": place})
