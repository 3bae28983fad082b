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
    return {name: Samples(**channels) for name, channels in found.items()}


def read_channels(
    con: duckdb.DuckDBPyConnection, recording_ids: Sequence[str], names: Sequence[str]
) -> dict[str, dict[str, Array]]:
    """Return some channels of these recordings, by their names, in order of time; those without samples are left out.

    Null is NaN.
    """
    recording_ids = list(dict.fromkeys(recording_ids))
    chunks = con.execute(
        "select distinct chunk from landing.features where list_contains(?, activity_id) and chunk is not null",
        [recording_ids],
    ).fetchall()
    if not chunks:
        return {}
    found = con.execute(
        # The numbers stand in the query: then blocks of other chunks are passed over unread. Names become places in
        # DuckDB for the same reason as above.
        f"select place, time_s as at_s, {', '.join(names)} from landing.samples"  # noqa: S608
        " join (select unnest($ids) as activity_id, generate_subscripts($ids, 1) as place) using (activity_id)"
        f" where chunk in ({', '.join(str(chunk) for (chunk,) in chunks)})",
        {"ids": recording_ids},
    ).fetchnumpy()
    place, at_s = (np.ma.getdata(found.pop(name)) for name in ("place", "at_s"))
    if not len(place):
        return {}
    columns = {name: np.ma.filled(np.ma.asarray(found[name], dtype=np.float64), np.nan) for name in names}
    step, is_later = np.diff(place), np.diff(at_s) >= 0
    if not np.all(is_later | (step != 0)) or np.count_nonzero(np.bincount(place)) != np.count_nonzero(step) + 1:
        # They are written in order of time, recording by recording, and DuckDB keeps the order; should it ever not.
        order = np.lexsort((at_s, place))
        place, columns = place[order], {name: values[order] for name, values in columns.items()}
    starts = np.flatnonzero(np.r_[True, place[1:] != place[:-1]])
    ends = np.r_[starts[1:], len(place)]
    return {
        recording_ids[place[first] - 1]: {name: columns[name][first:end] for name in names}
        for first, end in zip(starts, ends, strict=True)
    }
