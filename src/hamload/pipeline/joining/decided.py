"""What the runner has decided about the activities that are here: the journal's entries beside the tables' rows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hamload import warehouse
from hamload.merging.decisions import KIND, Ref, decisions

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from hamload.merging.decisions import Decisions
    from hamload.settings import Settings


def refs(con: duckdb.DuckDBPyConnection, activity_ids: Sequence[str]) -> list[Ref]:
    """Return published activities as decisions name them, in the order of their ids."""
    return _refs(con, "marts.activities where list_contains(?, activity_id)", list(activity_ids))


def decided(con: duckdb.DuckDBPyConnection, athlete_id: str, settings: Settings) -> Decisions:
    """Return what a runner has decided about all of their activities, runs and others."""
    entries = _entries(con, athlete_id)
    here = _refs(con, "landing.activities where athlete_id = ?", athlete_id) if entries else []
    return decisions(entries, here, settings.merging.clocks, _superseded(con, athlete_id))


def _refs(con: duckdb.DuckDBPyConnection, of: str, value: object) -> list[Ref]:
    columns = (
        "activity_id, document_id, source, external_id, part, split_part(name, '/', -1) as name, start_at,"
        " elapsed_time_s as duration_s, distance_m"
    )
    rows = warehouse.rows(con, f"select {columns} from {of} order by activity_id", [value])  # noqa: S608  # names of our own
    return [Ref(**row) for row in rows]


def _superseded(con: duckdb.DuckDBPyConnection, athlete_id: str) -> dict[str, str]:
    rows = con.execute(
        "select document_id, by_document_id from landing.superseded where athlete_id = ?", [athlete_id]
    ).fetchall()
    return dict(rows)


def _entries(con: duckdb.DuckDBPyConnection, athlete_id: str) -> list[dict[str, Any]]:
    rows = con.execute(
        "select content from landing.journal where athlete_id = ? and kind = ? order by logged_at, entry_id",
        [athlete_id, KIND],
    ).fetchall()
    return [json.loads(content) for (content,) in rows]
