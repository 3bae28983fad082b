"""From DuckDB's columns to pandas': the same types whatever the rows hold; what is missing is never 0."""

from __future__ import annotations

import datetime as dt
import json
import warnings
from typing import TYPE_CHECKING, Any

import pandas as pd

from hamload.errors import HamloadError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import duckdb

type Day = str | dt.date | None

_KINDS: dict[str, Any] = {
    "BOOLEAN": "boolean",
    "FLOAT": "float64",
    "DOUBLE": "float64",
    "DATE": "datetime64[us]",
    "VARCHAR": "str",
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"), "Int64"),
}


def frame(con: duckdb.DuckDBPyConnection, query: str, values: Sequence[Any] = ()) -> pd.DataFrame:
    """Return a query's rows.

    Dates and moments are datetime64 (moments in UTC), booleans "boolean", whole numbers "Int64", JSON and lists plain
    Python objects.
    """
    with warnings.catch_warnings():
        # DuckDB 2.0 builds its frames in a way that pandas 3.1 deprecates; nothing that the caller could mend.
        warnings.filterwarnings("ignore", message="The inplace keyword")
        cursor = con.execute(query, list(values))
        kinds = [str(column[1]) for column in cursor.description or ()]
        found = cursor.df()
    columns = [_column(found.iloc[:, place], kind) for place, kind in enumerate(kinds)]
    # From a dict a name that stands there twice would be lost.
    typed = pd.concat(columns, axis=1) if columns else found
    typed.columns = found.columns
    return typed


def _column(column: pd.Series[Any], kind: str) -> pd.Series[Any]:
    if kind == "TIMESTAMP WITH TIME ZONE":
        return pd.to_datetime(column, utc=True).astype("datetime64[us, UTC]")
    if kind == "JSON":
        return _objects(column, json.loads)
    if kind.endswith("[]"):
        return _objects(column, list)
    return column.astype(_KINDS[kind]) if kind in _KINDS else column


def _objects(column: pd.Series[Any], read: Callable[[Any], Any]) -> pd.Series[Any]:
    values = [None if value is None or value is pd.NA or isinstance(value, float) else read(value) for value in column]
    return pd.Series(values, index=column.index, name=column.name, dtype=object)


def day(value: Day, name: str) -> dt.date | None:
    """Return a day as the caller may write it: "2026-11-22", a date, a datetime, a Timestamp; None stays None."""
    if value is None:
        return None
    try:
        return pd.Timestamp(value).date()
    except (ValueError, TypeError) as error:
        raise HamloadError(f"{name} = {value!r} is no day.", 'Write it as "2026-11-22", or give a date.') from error


def span(since: Day, until: Day) -> tuple[dt.date | None, dt.date | None]:
    """Return both ends of a stretch of days. Raises HamloadError where the first is after the last."""
    first, last = day(since, "since"), day(until, "until")
    if first and last and first > last:
        raise HamloadError(f"since = {first} is after until = {last}.", "Swap them: both days are part of the stretch.")
    return first, last
