"""What a select reads, and in which order selects can be run."""

from __future__ import annotations

import json
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from hamload.errors import WarehouseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import duckdb


def in_order(con: duckdb.DuckDBPyConnection, selects: Mapping[str, Path]) -> list[str]:
    """Return the tables in the order in which their selects need each other. Raises WarehouseError for a circle."""
    needs = {table: tables_of(con, path.read_text(encoding="utf-8")) & set(selects) for table, path in selects.items()}
    try:
        return list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        raise WarehouseError(f"These tables need each other in a circle: {' -> '.join(error.args[1])}.") from None


#: The tables that a select reads: nights of one process, and `describe` after `build`, parse each select once.
_tables_read: dict[str, frozenset[str]] = {}


def tables_of(con: duckdb.DuckDBPyConnection, select: str) -> frozenset[str]:
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
