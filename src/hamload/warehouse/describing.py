"""Writes what `sql/` says of its tables and columns into the database, for whoever opens it."""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from itertools import takewhile
from typing import TYPE_CHECKING

from hamload.warehouse.selects import tables_of
from hamload.warehouse.tables import transaction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import duckdb


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
            needs[f"{schema}.{path.stem}"] = tables_of(con, text)
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
