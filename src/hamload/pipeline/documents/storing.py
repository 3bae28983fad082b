"""The samples of recordings in the warehouse: written in chunks, found by them."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from hamload import warehouse
from hamload.records import Samples

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb
    from numpy.typing import NDArray

#: As the table holds it: float64 or float32.
type Channel = NDArray[np.floating[Any]]


def write_samples(con: duckdb.DuckDBPyConnection, recordings: Sequence[tuple[str, Samples]]) -> int:
    """Write the samples of recordings, each with its id, together. Returns the chunk under which they are found."""
    ((last,),) = con.execute("select coalesce(max(chunk), 0) from landing.features").fetchall()
    chunk = int(last) + 1
    lengths = [len(samples) for _, samples in recordings]
    columns: dict[str, Any] = {"place": np.repeat(np.arange(1, len(recordings) + 1, dtype=np.int32), lengths)}
    for field in fields(Samples):
        columns[field.name] = np.concatenate([getattr(samples, field.name) for _, samples in recordings])
    warehouse.append_columns(
        con,
        "landing.samples",
        columns,
        # Names are put in by DuckDB, since an object a sample costs more than the sample.
        "$chunk::integer as chunk, list_extract($names, place) as activity_id, * exclude (place)",
        {"chunk": chunk, "names": [name for name, _ in recordings]},
    )
    return chunk


def read_samples(con: duckdb.DuckDBPyConnection, recording_ids: Sequence[str]) -> dict[str, Samples]:
    """Return the samples of these recordings, in order of time; those without any are left out."""
    if not recording_ids:
        return {}
    found = read_channels(con, recording_ids, [f.name for f in fields(Samples)])
    return {
        recording_id: Samples(**{name: values.astype(np.float64, copy=False) for name, values in channels.items()})
        for recording_id, channels in found.items()
    }


def read_channels(
    con: duckdb.DuckDBPyConnection, recording_ids: Sequence[str], names: Sequence[str]
) -> dict[str, dict[str, Channel]]:
    """Return some channels of these recordings, by their names, in order of time; those without samples are left out.

    They are float64 or float32, as `landing.samples` holds them; null is NaN.
    """
    recording_ids = list(dict.fromkeys(recording_ids))
    chunks = con.execute(
        "select distinct chunk from landing.features where list_contains(?, activity_id) and chunk is not null",
        [recording_ids],
    ).fetchall()
    if not chunks:
        return {}
    asked = list(dict.fromkeys(("time_s", *names)))
    found = con.execute(
        # The numbers stand in the query: then blocks of other chunks are passed over unread. Names become places in
        # DuckDB for the same reason as above.
        f"select s.rowid as row, place, {', '.join(asked)} from landing.samples s"  # noqa: S608
        " join (select unnest($ids) as activity_id, generate_subscripts($ids, 1) as place) using (activity_id)"
        f" where chunk in ({', '.join(str(chunk) for (chunk,) in chunks)})",
        {"ids": recording_ids},
    ).fetchnumpy()
    row, place = np.asarray(found["row"]), np.asarray(found["place"])
    if not len(place):
        return {}
    columns: dict[str, Channel] = {name: np.ma.filled(found[name], np.nan) for name in asked}
    if np.any(np.diff(row) < 0):
        # A join by several threads gives blocks of rows in any order.
        place, columns = _in_order(np.argsort(row, kind="stable"), place, columns)
    starts = _starts(place)
    is_back = np.diff(columns["time_s"]) < 0
    is_back[starts[1:] - 1] = False
    if is_back.any() or len(np.unique(place[starts])) < len(starts):
        # They are written in order of time, recording by recording; should a table ever not keep that.
        place, columns = _in_order(np.lexsort((columns["time_s"], place)), place, columns)
        starts = _starts(place)
    ends = np.r_[starts[1:], len(place)]
    return {
        recording_ids[place[first] - 1]: {name: columns[name][first:end] for name in names}
        for first, end in zip(starts, ends, strict=True)
    }


def _in_order(
    order: NDArray[np.intp], place: NDArray[np.int64], columns: dict[str, Channel]
) -> tuple[NDArray[np.int64], dict[str, Channel]]:
    return place[order], {name: values[order] for name, values in columns.items()}


def _starts(place: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return where in these places each begins anew."""
    return np.concatenate([[0], np.flatnonzero(np.diff(place)) + 1])
