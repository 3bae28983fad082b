"""Rows out of tables and into them, and what is done together or not at all."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import duckdb


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


def rows(con: duckdb.DuckDBPyConnection, query: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """Return the rows of a select by their columns' names."""
    cursor = con.execute(query, list(values))
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def append_columns(
    con: duckdb.DuckDBPyConnection,
    table: str,
    columns: Mapping[str, Any],
    select: str = "*",
    values: Mapping[str, Any] | None = None,
) -> None:
    """Append equal-length arrays to a table, by name. NaN and None become null.

    `select` says what becomes of them, in DuckDB's SQL, with these values for its parameters.
    """
    con.register("incoming", dict(columns))
    con.execute(f"insert into {table} by name select {select} from incoming", values)  # noqa: S608  # names of our own
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


def tables_in(con: duckdb.DuckDBPyConnection) -> set[str]:
    """Return the qualified names of all tables of the database at hand."""
    rows = con.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = current_database()"
    ).fetchall()
    return {f"{schema}.{table}" for schema, table in rows}
