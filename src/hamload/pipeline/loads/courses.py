"""Each run's course, thinned: made once, when the run is assessed, so that the report reads no samples of years ago."""

from __future__ import annotations

from itertools import batched
from typing import TYPE_CHECKING, Any

from hamload import warehouse
from hamload.pipeline.documents.storing import read_channels
from hamload.pipeline.loads.measuring import CHANNELS, course_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from hamload.parameters import LoadModel
    from hamload.pipeline.noting.progress import Progress

#: How many runs' samples are in memory at once.
_BATCH = 50


def keep_courses(con: duckdb.DuckDBPyConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Keep the courses of recordings in the place of those that they had. `rows` are those of `landing.courses`."""
    con.execute(
        "delete from landing.courses where list_contains(?, activity_id)", [[row["activity_id"] for row in rows]]
    )
    warehouse.append_rows(con, "landing.courses", rows)


def write_courses(con: duckdb.DuckDBPyConnection, model: LoadModel, progress: Progress) -> None:
    """Make the courses that are missing, of runs that were not assessed anew; drop those of samples that are gone."""
    con.execute(f"create or replace temp view wanted as {_WANTED}")
    con.execute(
        "delete from landing.courses where (activity_id, chunk, easy_speed_mps, model_version) not in (from wanted)"
    )
    todo = warehouse.rows(
        con,
        "from wanted where activity_id not in (select activity_id from landing.courses) order by chunk, activity_id",
    )
    for place, some in enumerate(batched(todo, _BATCH, strict=False)):
        found = read_channels(con, [row["activity_id"] for row in some], CHANNELS)
        made = [row | course_of(found[row["activity_id"]], row["easy_speed_mps"], model) for row in some]
        warehouse.append_rows(con, "landing.courses", made)
        progress("courses", min((place + 1) * _BATCH, len(todo)), len(todo))


_WANTED = """
    select f.activity_id, f.chunk, l.easy_speed_mps, l.model_version
    from landing.sessions s
    join landing.session_loads l using (session_id)
    join landing.features f on f.activity_id = s.recording_id
    where f.chunk is not null
"""
