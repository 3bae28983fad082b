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

    from hamload.records import Array


def write_samples(con: duckdb.DuckDBPyConnection, recordings: Sequence[tuple[str, Samples]]) -> int:
    """Write the samples of recordings, each with its id, together. Returns the chunk under which they are found."""
    ((last,),) = con.execute("select coalesce(max(chunk), 0) from landing.features").fetchall()
    chunk = int(last) + 1
    lengths = [len(samples) for _, samples in recordings]
    columns: dict[str, Any] = {
        "chunk": np.full(sum(lengths), chunk, dtype=np.int32),
        "activity_id": np.repeat(np.array([name for name, _ in recordings], dtype=object), lengths),
    }
    for field in fields(Samples):
        columns[field.name] = np.concatenate([getattr(samples, field.name) for _, samples in recordings])
    warehouse.append_columns(con, "landing.samples", columns)
    return chunk


def read_samples(con: duckdb.DuckDBPyConnection, recording_ids: Sequence[str]) -> dict[str, Samples]:
    """Return the samples of these recordings, in order of time; those without any are left out."""
    if not recording_ids:
        return {}
    found = read_channels(con, recording_ids, [f.name for f in fields(Samples)])
    return {name: Samples(**channels) for name, channels in found.items()}


def read_channels(
    con: duckdb.DuckDBPyConnection, recording_ids: Sequence[str], names: Sequence[str]
) -> dict[str, dict[str, Array]]:
    """Return some channels of these recordings, by their names, in order of time; those without samples are left out.

    Null is NaN.
    """
    chunks = con.execute(
        "select distinct chunk from landing.features where list_contains(?, activity_id) and chunk is not null",
        [list(recording_ids)],
    ).fetchall()
    if not chunks:
        return {}
    found = con.execute(
        # The numbers stand in the query: then blocks of other chunks are passed over unread.
        f"select activity_id, {', '.join(names)} from landing.samples"  # noqa: S608
        f" where chunk in ({', '.join(str(chunk) for (chunk,) in chunks)}) and list_contains(?, activity_id)"
        " order by activity_id, time_s",
        [list(recording_ids)],
    ).fetchnumpy()
    ids = np.ma.getdata(found.pop("activity_id"))
    if not len(ids):
        return {}
    columns = {name: np.ma.filled(np.ma.asarray(found[name], dtype=np.float64), np.nan) for name in names}
    starts = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]])
    ends = np.r_[starts[1:], len(ids)]
    return {
        str(ids[first]): {name: columns[name][first:end] for name in names}
        for first, end in zip(starts, ends, strict=True)
    }
