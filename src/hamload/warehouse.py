"""The warehouse: orders and runs `sql/`, runs its checks, and publishes the copy that readers open.

One writer works in `warehouse.duckdb`; `hamload.duckdb` is a finished copy of it, replaced atomically, so that a
notebook neither blocks the night nor is blocked by it, and never sees half a build.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import filecmp
import hashlib
import json
import os
import re
import shutil
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import count, takewhile
from typing import TYPE_CHECKING, Any

import duckdb

from hamload.errors import BusyError, ConfigurationError, WarehouseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

PUBLISHED = "hamload.duckdb"
_WORKING = "warehouse.duckdb"
#: Named so that `forget_derived`, which leaves nothing to compact, takes it along.
_COMPACT = "warehouse.duckdb.compact"
#: Each column of each table takes a block at least: of DuckDB's 256 KiB, four runs would fill 18 MB (here 5), and 240
#: runs 53 (here 41).
_NEW_FILE = "(block_size 65536)"
_LOOKS, _LOOK_S = 10, 0.02


@dataclass(frozen=True, slots=True)
class Failure:
    """A check whose rows are failures: its name, why it matters (its first line), how many rows, and the first ones."""

    check: str
    why: str
    rows: int
    examples: tuple[dict[str, Any], ...]


@contextmanager
def lock(home: Path) -> Iterator[None]:
    """Hold the home for one writer. A dead process holds nothing. Raises WarehouseError where another one works."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(home / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigurationError(
            f"The home {home} cannot be written: {error.strerror}.",
            "Name a folder that you may write to, with --home or HAMLOAD_HOME.",
        ) from error
    try:
        if not _held(descriptor):
            other = os.read(descriptor, 32).decode(errors="replace").strip()
            raise BusyError(
                f"Another hamload (process {other or 'unknown'}) is working in {home}.", "Wait until it has finished."
            )
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        # All that is written meanwhile tells of somebody's health: it is its owner's alone, whatever the home's rights.
        before = os.umask(0o077)
        try:
            yield
        finally:
            os.umask(before)
    finally:
        os.close(descriptor)


def _held(descriptor: int) -> bool:
    """Take the lock, and return whether that went. Who only looks (`is_locked`) has it for a moment: that is waited."""
    for _ in range(_LOOKS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOOK_S)
        else:
            return True
    return False


def is_locked(home: Path) -> bool:
    """Return whether some run holds the home now. Writes nothing."""
    try:
        descriptor = os.open(home / ".lock", os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def writer(home: Path, sql: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the working warehouse, its landing tables in place. Hold `lock` around it."""
    path = home / _WORKING
    tables = (sql / "landing" / "tables.sql").read_text(encoding="utf-8")
    version = hashlib.sha256(tables.encode()).hexdigest()[:12]
    try:
        with ExitStack() as stack:
            try:
                con = stack.enter_context(_attached(path))
                if not _is_of(con, version):
                    # The landing tables have changed since: everything in them is derived, and is built anew.
                    stack.close()
                    forget_derived(home)
                    con = stack.enter_context(_attached(path))
            except duckdb.Error as error:
                raise WarehouseError(
                    f"The warehouse {path} cannot be opened: {error}.",
                    "Run: hamload rebuild (your raw documents are untouched).",
                ) from error
            con.execute(tables)
            con.execute("create table if not exists landing.version as select $1 as tables", [version])
            yield con
    except (duckdb.IOException, duckdb.TransactionException) as error:
        # What a commit could not write comes as a failed transaction.
        if isinstance(error, duckdb.TransactionException) and "Failed to commit" not in str(error):
            raise
        raise WarehouseError(
            f"The warehouse {path} cannot be written: {str(error).splitlines()[0]}.",
            "Free some space there, then run the same again (your raw documents are untouched).",
        ) from error


@contextmanager
def _attached(path: Path, *, is_read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a file in the one DuckDB of this process, under a name of its own, with moments in UTC."""
    name = f"home_{next(_NUMBERS)}"
    how = "(read_only)" if is_read_only else "" if path.exists() else _NEW_FILE
    order = f"attach '{quoted(path)}' as {name} {how}"
    database = _database()
    try:
        database.execute(order)
    except duckdb.ResourceInUseException:
        # Opened already, and perhaps not the same copy of what is published: another DuckDB tells them apart.
        database = duckdb.connect()
        database.execute(order)
    con = database.cursor()
    try:
        con.execute(f"use {name}")
        con.execute("set TimeZone = 'UTC'")
        # A missing table must not be looked for among the variables of whoever asks.
        con.execute("set python_enable_replacements = false")
        yield con
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


def _database() -> duckdb.DuckDBPyConnection:
    process = os.getpid()
    if process not in _databases:
        _databases[process] = duckdb.connect()
    return _databases[process]


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


def sign(con: duckdb.DuckDBPyConnection, sql: Path, version: str = "", settings: str = "") -> None:
    """Note what the tables were built from: `sql/`, the version of hamload, the DuckDB, and what tells the settings."""
    con.execute(
        "create or replace table landing.built_by as select $1 as sql, $2 as version, $3 as duckdb, $4 as settings",
        [_fingerprint(sql), version, duckdb.__version__, settings],
    )


def is_described(con: duckdb.DuckDBPyConnection, sql: Path) -> bool:
    """Return whether the tables have columns, types and comments of this `sql/` already: signed after `describe`."""
    if "landing.built_by" not in _tables(con):
        return False
    found = rows(con, "select * from landing.built_by")
    return [(row["sql"], row.get("duckdb")) for row in found] == [(_fingerprint(sql), duckdb.__version__)]


def describe(con: duckdb.DuckDBPyConnection, sql: Path, schemas: Sequence[str] = ("landing", "marts")) -> None:
    """Write what `sql/` says of its tables and columns into the database itself, for whoever opens it.

    A table is described by the comment that its select begins with, a column by the comment behind it; one without is
    described as in the table that it is taken from.
    """
    told = comments(con, sql)
    orders = []
    for schema, table, column, known in con.execute(
        "select schema_name, table_name, column_name, comment from duckdb_columns()"
        " where not internal and database_name = current_database() and list_contains(?, schema_name) order by all",
        [list(schemas)],
    ).fetchall():
        text = told.get(f"{schema}.{table}", {}).get(column)
        if text is not None and text != known:
            orders.append(f"comment on column {schema}.{table}.{column} is '{text.replace("'", "''")}'")
    for schema, table in con.execute(
        "select schema_name, table_name from duckdb_tables()"
        " where database_name = current_database() and list_contains(?, schema_name)",
        [list(schemas)],
    ).fetchall():
        if text := told.get(f"{schema}.{table}", {}).get(""):
            orders.append(f"comment on table {schema}.{table} is '{text.replace("'", "''")}'")
    # Each by itself would be written to the disk by itself.
    with transaction(con):
        con.execute(";\n".join(orders))


def comments(con: duckdb.DuckDBPyConnection, sql: Path) -> dict[str, dict[str, str]]:
    """Return what `sql/` says of each qualified table, by column; "" is the table itself."""
    found: dict[str, dict[str, str]] = {}
    for line in (sql / "landing" / "tables.sql").read_text(encoding="utf-8").splitlines():
        if begun := _CREATED.match(line):
            told = found.setdefault(begun[1], {})
        elif column := _LANDED.match(line):
            told[column[1]] = column[2]
    needs: dict[str, frozenset[str]] = {}
    for schema in ("staging", "marts"):
        for path in sorted((sql / schema).glob("*.sql")):
            text = path.read_text(encoding="utf-8")
            needs[f"{schema}.{path.stem}"] = _tables_of(con, text)
            found[f"{schema}.{path.stem}"] = _told(text)
    for table in TopologicalSorter({table: needs[table] & set(needs) for table in needs}).static_order():
        for before in sorted(needs[table], reverse=True):
            inherited = {column: text for column, text in found.get(before, {}).items() if column}
            found[table] = inherited | found[table]
    return found


_CREATED = re.compile(r"create table if not exists (landing\.\w+)")
_LANDED = re.compile(r"    (\w+) .*?--\s*(.+)$")
_SELECTED = re.compile(r"^\s.*?(\w+),?\s+-- (.+)$")


def _told(select: str) -> dict[str, str]:
    lines = select.splitlines()
    opening = list(takewhile(lambda line: line.startswith("--"), lines))
    told = {"": " ".join(line.removeprefix("--").strip() for line in opening)}
    return told | {found[1]: found[2] for line in lines[len(opening) :] if (found := _SELECTED.match(line))}


def _fingerprint(sql: Path) -> str:
    found = hashlib.sha256()
    for path in sorted(sql.rglob("*.sql")):
        found.update(path.relative_to(sql).as_posix().encode() + path.read_bytes())
    return found.hexdigest()[:12]


@contextmanager
def reader(home: Path, sql: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the published copy, read-only.

    Raises
    ------
    WarehouseError
        Where nothing has been published yet, or, with `sql`, where it was built from another version of it.

    """
    path = home / PUBLISHED
    _check_published(home)
    with ExitStack() as stack:
        try:
            con = stack.enter_context(_attached(path, is_read_only=True))
        except duckdb.Error as error:
            raise WarehouseError(f"{path} cannot be opened: {error}.", "Run: hamload rebuild.") from error
        if sql is not None and not _is_built_from(con, sql):
            raise WarehouseError(
                f"The tables in {home} were made by another version of hamload.",
                "Run: hamload rebuild",
            )
        yield con


def _check_published(home: Path) -> None:
    if (home / PUBLISHED).is_dir():
        raise WarehouseError(f"{home / PUBLISHED} is a folder, not tables.", "Move it away, then: hamload rebuild.")
    if not (home / PUBLISHED).is_file():
        raise WarehouseError(
            f"There is nothing to show in {home} yet.", "Run: hamload import PATH, or try it first with: hamload demo."
        )


def publication(home: Path) -> tuple[int, int]:
    """Return what tells one published copy from every other. Raises WarehouseError where nothing has been published."""
    _check_published(home)
    return _publication(home / PUBLISHED)


def _publication(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_ino, status.st_mtime_ns


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
            _check_published(home)
            before = _publication(path)
            con.execute(f"attach '{quoted(path)}' as hamload (read_only)")
            if before == _publication(path):
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


def _settle(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    con.execute("use hamload")
    con.execute("set TimeZone = 'UTC'")
    # A missing table must not be looked for among the variables of whoever asks.
    con.execute("set python_enable_replacements = false")
    return con


def built_by(con: duckdb.DuckDBPyConnection, sql: Path) -> tuple[bool, str]:
    """Return whether the tables were built from this `sql/`, and by which version of hamload ("": not known)."""
    try:
        ((version,),) = con.execute("select version from landing.built_by").fetchall()
    except (duckdb.CatalogException, duckdb.BinderException, ValueError):
        version = ""
    return _is_built_from(con, sql), str(version)


def is_current(home: Path, sql: Path) -> bool:
    """Return whether the published copy is there, and was built from this `sql/`."""
    try:
        with snapshot(home) as (con, _):
            return _is_built_from(con, sql)
    except WarehouseError:
        return False


def settings_of(con: duckdb.DuckDBPyConnection) -> str:
    """Return what tells the settings that the tables were built with, as `sign` was given it."""
    ((told,),) = con.execute("select settings from landing.built_by").fetchall()
    return str(told)


def _is_built_from(con: duckdb.DuckDBPyConnection, sql: Path) -> bool:
    try:
        row = con.execute("select sql from landing.built_by").fetchall()
    except duckdb.CatalogException:
        return False
    return row == [(_fingerprint(sql),)]


def forget_derived(home: Path) -> None:
    """Remove the working warehouse: the raw documents are all that a rebuild needs."""
    for path in home.glob(f"{_WORKING}*"):
        path.unlink()


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit what is done inside together, or nothing of it."""
    con.execute("begin")
    try:
        yield
    except BaseException:
        con.execute("rollback")
        raise
    con.execute("commit")


def order_compact(home: Path) -> None:
    """Order a `compact` that a crash does not lose."""
    (home / _COMPACT).touch()


def compact_due(home: Path) -> None:
    """Carry out what `order_compact` ordered, be it by an earlier run. Call it with the working warehouse closed."""
    if (home / _COMPACT).exists():
        compact(home)
        (home / _COMPACT).unlink()


def compact(home: Path) -> None:
    """Write the working warehouse anew, so that what was deleted from it is in no free block of its file."""
    part = home / f"{_WORKING}.part"
    part.unlink(missing_ok=True)
    with duckdb.connect() as con:
        con.execute(f"attach '{quoted(home / _WORKING)}' as old (read_only)")
        con.execute(f"attach '{quoted(part)}' as new {_NEW_FILE}")
        con.execute("copy from database old to new")
        con.execute("detach new")
        con.execute("detach old")
    part.replace(home / _WORKING)


def quoted(path: Path) -> str:
    """Return a path as it stands between the quotes of SQL."""
    return str(path).replace("'", "''")


def build(con: duckdb.DuckDBPyConnection, sql: Path, schemas: Sequence[str]) -> list[str]:
    """Build the tables of the named schemas, each one select, in the order in which they need each other.

    All of them or none. Tables that `is_described` are filled anew and keep their comments; others are made anew.
    Returns the qualified names in the order built. Raises WarehouseError naming the file where a select fails.
    """
    selects = {f"{s}.{path.stem}": path for s in schemas for path in sorted((sql / s).glob("*.sql"))}
    order = _in_order(con, selects)
    kept = _tables(con) if is_described(con, sql) else set()
    with transaction(con):
        for schema in schemas:
            con.execute(f"create schema if not exists {schema}")
        for table in order:
            select = selects[table].read_text(encoding="utf-8")
            try:
                if table in kept:
                    con.execute(f"truncate {table}")
                    con.execute(f"insert into {table} {select}")
                else:
                    con.execute(f"create or replace table {table} as {select}")
            except duckdb.Error as error:
                raise WarehouseError(f"{selects[table]} cannot be built: {error}.") from error
    return order


def _tables(con: duckdb.DuckDBPyConnection) -> set[str]:
    rows = con.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = current_database()"
    ).fetchall()
    return {f"{schema}.{table}" for schema, table in rows}


def _in_order(con: duckdb.DuckDBPyConnection, selects: Mapping[str, Path]) -> list[str]:
    needs = {table: _tables_of(con, path.read_text(encoding="utf-8")) & set(selects) for table, path in selects.items()}
    try:
        return list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        raise WarehouseError(f"These tables need each other in a circle: {' -> '.join(error.args[1])}.") from None


#: The tables that a select reads: nights of one process, and `describe` after `build`, parse each select once.
_tables_read: dict[str, frozenset[str]] = {}


def _tables_of(con: duckdb.DuckDBPyConnection, select: str) -> frozenset[str]:
    """Return the qualified tables that a select reads, by DuckDB's own parser.

    `get_table_names` would be shorter, but binds the select and returns quoted and aliased names (DuckDB 2.0).
    """
    if select in _tables_read:
        return _tables_read[select]
    ((text,),) = con.execute("select json_serialize_sql(?)", [select]).fetchall()
    tree = json.loads(text)
    if tree["error"]:
        raise WarehouseError(f"This is not one select: {tree.get('error_message', '')}: {select[:80]!r}.")

    def tables(node: object) -> Iterator[str]:
        if isinstance(node, dict):
            if node.get("type") == "BASE_TABLE" and node.get("schema_name"):
                yield f"{node['schema_name']}.{node['table_name']}"
            node = list(node.values())
        if isinstance(node, list):
            for child in node:
                yield from tables(child)

    return _tables_read.setdefault(select, frozenset(tables(tree)))


def check(con: duckdb.DuckDBPyConnection, sql: Path) -> list[Failure]:
    """Run every check of `sql/checks`. A check is a select whose rows are failures."""
    failures = []
    for path in sorted((sql / "checks").glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        found = rows(con, text)
        if found:
            why = text.splitlines()[0].removeprefix("--").strip()
            failures.append(Failure(path.stem, why, len(found), tuple(found[:3])))
    return failures


def publish(home: Path) -> Path:
    """Replace the copy that readers open, atomically. Call it with the working warehouse closed.

    Raises
    ------
    WarehouseError
        Where it does not fit on the disk: readers keep the copy before.

    """
    part = home / f"{PUBLISHED}.part"
    try:
        shutil.copyfile(home / _WORKING, part)
        return part.replace(home / PUBLISHED)
    except OSError as error:
        # Half a copy would only keep the disk full.
        part.unlink(missing_ok=True)
        raise WarehouseError(
            f"{home / PUBLISHED} cannot be written: {error.strerror or error}.",
            "Free some space there, or move away what is in its place, then run the same again; what you see till then"
            " is the copy before.",
        ) from error


def is_as_published(home: Path) -> bool:
    """Return whether the working warehouse is what was published last, or is not there: both are derived."""
    return not (home / _WORKING).exists() or filecmp.cmp(home / _WORKING, home / PUBLISHED, shallow=False)


def rows(con: duckdb.DuckDBPyConnection, query: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """Return the rows of a select by their columns' names."""
    cursor = con.execute(query, list(values))
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def append_columns(con: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, Any]) -> None:
    """Append equal-length arrays to a table, by name. NaN and None become null."""
    con.register("incoming", dict(columns))
    con.execute(f"insert into {table} by name select * from incoming")  # noqa: S608  # a name of our own
    con.unregister("incoming")


def append_rows(con: duckdb.DuckDBPyConnection, table: str, records: Sequence[Mapping[str, Any]]) -> None:
    """Append rows to a table, by name."""
    import numpy as np  # noqa: PLC0415  # commands that only read need not load it

    if not records:
        return
    columns: dict[str, Any] = {}
    for name in records[0]:
        column = np.empty(len(records), dtype=object)
        for index, record in enumerate(records):
            column[index] = record[name]
        columns[name] = column
    append_columns(con, table, columns)
