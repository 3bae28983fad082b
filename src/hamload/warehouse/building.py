"""Builds the tables of `sql/`, each one select, and runs its checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb

from hamload.errors import WarehouseError
from hamload.warehouse.selects import in_order
from hamload.warehouse.signing import is_described
from hamload.warehouse.tables import rows, tables_in, transaction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Failure:
    """A check whose rows are failures: its name, why it matters (its first line), how many rows, and the first ones."""

    check: str
    why: str
    rows: int
    examples: tuple[dict[str, Any], ...]


def build(con: duckdb.DuckDBPyConnection, sql: Path, schemas: Sequence[str]) -> list[str]:
    """Build the tables of the named schemas, each one select, in the order in which they need each other.

    All of them or none. Tables that `is_described` are filled anew and keep their comments; others are made anew.
    Returns the qualified names in the order built. Raises WarehouseError naming the file where a select fails.
    """
    selects = {f"{s}.{path.stem}": path for s in schemas for path in sorted((sql / s).glob("*.sql"))}
    order = in_order(con, selects)
    kept = tables_in(con) if is_described(con, sql) else set()
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
