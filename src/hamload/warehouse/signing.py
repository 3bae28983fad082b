"""What tables were built from, as they say themselves: `sql/`, hamload, DuckDB, settings."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import duckdb

from hamload.warehouse.tables import rows, tables_in

if TYPE_CHECKING:
    from pathlib import Path


def sign(con: duckdb.DuckDBPyConnection, sql: Path, version: str = "", settings: str = "") -> None:
    """Note what the tables were built from: `sql/`, the version of hamload, the DuckDB, and what tells the settings."""
    con.execute(
        "create or replace table landing.built_by as select $1 as sql, $2 as version, $3 as duckdb, $4 as settings",
        [fingerprint(sql), version, duckdb.__version__, settings],
    )


def is_described(con: duckdb.DuckDBPyConnection, sql: Path) -> bool:
    """Return whether the tables have columns, types and comments of this `sql/` already: signed after `describe`."""
    return is_built_from(con, sql) and _signed(con).get("duckdb") == duckdb.__version__


def built_by(con: duckdb.DuckDBPyConnection, sql: Path) -> tuple[bool, str]:
    """Return whether the tables were built from this `sql/`, and by which version of hamload ("": not known)."""
    return is_built_from(con, sql), str(_signed(con).get("version", ""))


def settings_of(con: duckdb.DuckDBPyConnection) -> str:
    """Return what tells the settings that the tables were built with, as `sign` was given it ("": not known)."""
    return str(_signed(con).get("settings", ""))


def is_built_from(con: duckdb.DuckDBPyConnection, sql: Path) -> bool:
    """Return whether the tables were built from this `sql/`."""
    return _signed(con).get("sql") == fingerprint(sql)


def _signed(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Return what `sign` noted; nothing of tables that were never signed, and less of older ones."""
    if "landing.built_by" not in tables_in(con):
        return {}
    found = rows(con, "select * from landing.built_by")
    return found[0] if len(found) == 1 else {}


def fingerprint(sql: Path) -> str:
    """Return a hash of every file of `sql/`."""
    found = hashlib.sha256()
    for path in sorted(sql.rglob("*.sql")):
        found.update(path.relative_to(sql).as_posix().encode() + path.read_bytes())
    return found.hexdigest()[:12]
