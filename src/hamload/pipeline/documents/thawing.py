"""A frozen record is a document too: it becomes the rows again that it was made of (`pipeline/loads/freezing.py`)."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

from hamload import warehouse

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from hamload.raw import Delivery

FORMAT = "frozen"

_MOMENTS = ("start_at", "end_at")
_DAYS = ("local_date",)


def thaw(con: duckdb.DuckDBPyConnection, delivery: Delivery, content: bytes) -> None:
    """Write a frozen record back into the warehouse, under the document that it now is."""
    record = json.loads(content)
    own = {"document_id": delivery.document_id}
    runs = delivery.facts.get("as_runs", ())
    activities = [_typed(row) | own | ({"sport": "run"} if row["part"] in runs else {}) for row in record["activities"]]
    warehouse.append_rows(con, "landing.activities", activities)
    features = [{"activity_id": key, "features": json.dumps(told)} for key, told in record["features"].items()]
    warehouse.append_rows(con, "landing.features", features)
    loads = [{"activity_id": key, "load": json.dumps(told)} for key, told in record["loads"].items()]
    warehouse.append_rows(con, "landing.frozen_loads", loads)
    warehouse.append_rows(con, "landing.unreadable", [_typed(row) | own for row in record["unreadable"]])


def _typed(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: dt.datetime.fromisoformat(value)
        if name in _MOMENTS and value
        else dt.date.fromisoformat(value)
        if name in _DAYS and value
        else value
        for name, value in row.items()
    }
