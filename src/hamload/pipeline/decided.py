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

#: The columns of `landing.activities` and `marts.activities` that a decision's reference is made of.
COLUMNS = (
    "activity_id, document_id, source, external_id, part, split_part(name, '/', -1) as name, start_at,"
    " elapsed_time_s as duration_s, distance_m"
)


def refs(con: duckdb.DuckDBPyConnection, activity_ids: Sequence[str], table: str = "landing.activities") -> list[Ref]:
    """Return the activities of these ids, as decisions name them, in the order of their ids."""
    rows = warehouse.rows(
        con,
        f"select {COLUMNS} from {table} where list_contains(?, activity_id) order by activity_id",  # noqa: S608  # names of our own
        [list(activity_ids)],
    )
    return [Ref(**row) for row in rows]


def decided(
    con: duckdb.DuckDBPyConnection, athlete_id: str, activity_ids: Sequence[str], settings: Settings
) -> Decisions:
    """Return what the runner has decided about these activities."""
    entries = _entries(con, athlete_id)
    if not entries:
        return decisions((), (), settings.merging.clocks)
    return decisions(entries, refs(con, activity_ids), settings.merging.clocks, _superseded(con, athlete_id))


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
