"""Each run's course, thinned: made once, when the run is assessed, so that the report reads no samples of years ago."""

from __future__ import annotations

import base64
import math
from itertools import batched
from typing import TYPE_CHECKING, Any

import numpy as np

from hamload import warehouse
from hamload.load import demand
from hamload.pipeline.documents.storing import read_channels

if TYPE_CHECKING:
    import duckdb

    from hamload.parameters import LoadModel
    from hamload.pipeline.noting.progress import Progress
    from hamload.records import Array

#: Points of a course: ten years of them stay a few megabytes.
_POINTS = 240
#: How many runs' samples are in memory at once.
_BATCH = 50
_UNKNOWN = 255
#: One byte a value: what a step is, and what byte 0 stands for. `report.js` reads them back.
_STEPS = {"speed": (0.04, 0.0), "grade": (0.004, -0.5), "demand": (0.05, 0.0)}


def write_courses(con: duckdb.DuckDBPyConnection, model: LoadModel, progress: Progress) -> None:
    """Make the courses of runs that were recorded or assessed anew; drop those of samples that are gone."""
    con.execute(f"create or replace temp view wanted as {_WANTED}")
    con.execute(
        "delete from landing.courses where (activity_id, chunk, easy_speed_mps, model_version) not in (from wanted)"
    )
    todo = con.execute(
        "from wanted where activity_id not in (select activity_id from landing.courses) order by chunk, activity_id"
    ).fetchall()
    for place, some in enumerate(batched(todo, _BATCH, strict=False)):
        found = read_channels(con, [row[0] for row in some], ("time_s", "dt_s", "speed_mps", "grade"))
        rows = []
        for activity_id, chunk, easy_mps, version in some:
            time_s, dt_s, speed, grade = found[activity_id].values()
            asked = demand(speed, grade, easy_mps, model.demand)
            made_of = {"activity_id": activity_id, "chunk": chunk, "easy_speed_mps": easy_mps, "model_version": version}
            rows.append(made_of | course(time_s, dt_s, speed=speed, grade=grade, demand=asked))
        warehouse.append_rows(con, "landing.courses", rows)
        progress("courses", min((place + 1) * _BATCH, len(todo)), len(todo))


_WANTED = """
    select f.activity_id, f.chunk, l.easy_speed_mps, l.model_version
    from landing.sessions s
    join landing.session_loads l using (session_id)
    join landing.features f on f.activity_id = s.recording_id
    where f.chunk is not null
"""


def course(time_s: Array, dt_s: Array, **channels: Array) -> dict[str, Any]:
    """Return a course: seconds between its points, and each channel as base64 of one byte a point.

    A point is the mean over its seconds (shape (n,) each; NaN is unknown, and a point without a known second too).
    """
    step_s = max(math.ceil(100 * float(time_s[-1] + dt_s[-1]) / _POINTS) / 100, 1.0)
    where = np.minimum((time_s / step_s).astype(int), _POINTS - 1)
    count = int(where.max()) + 1
    told: dict[str, Any] = {"step_s": step_s}
    for name, values in channels.items():
        is_known = np.isfinite(values)
        weight = np.bincount(where[is_known], dt_s[is_known], count)
        total = np.bincount(where[is_known], values[is_known] * dt_s[is_known], count)
        means = np.divide(total, weight, out=np.full(count, np.nan), where=weight > 0)
        step, zero = _STEPS[name]
        coded = np.clip(np.round((means - zero) / step), 0, _UNKNOWN - 1)
        told[name] = base64.b64encode(np.where(np.isnan(means), _UNKNOWN, coded).astype(np.uint8).tobytes()).decode()
    return told
