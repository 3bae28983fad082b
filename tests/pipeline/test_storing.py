"""Samples come back as they went in, whichever recordings are asked for and however they lie."""

from __future__ import annotations

import datetime as dt
from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from hamload import warehouse
from hamload.pipeline.documents.decoding import enough
from hamload.pipeline.documents.reading import Decoded, Outcome
from hamload.pipeline.documents.storing import read_channels, read_samples, write_samples
from hamload.records import Recording, Samples, Sport
from hamload.settings import shipped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import duckdb

CHANNELS = [f.name for f in fields(Samples)]


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with warehouse.writer(tmp_path, shipped("sql")) as con:
        yield con


def _samples(seed: int, count: int) -> Samples:
    draw = np.random.default_rng(seed)
    # Numbers that the table's single precision holds to the last bit.
    columns = {name: draw.integers(0, 1000, count) / 8 for name in CHANNELS}
    columns["heart_rate_bpm"][::3] = np.nan
    return Samples(**columns | {"time_s": np.cumsum(draw.integers(1, 5, count)).astype(float)})


def _outcome(samples: Samples) -> Outcome:
    recording = Recording(sport=Sport.RUN, start_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC), reader="fit")
    return Outcome((Decoded(recording, samples, None, "{}"),))


def _kept(con: duckdb.DuckDBPyConnection, recordings: list[tuple[str, Samples]]) -> None:
    chunk = write_samples(con, recordings)
    rows = [{"activity_id": name, "features": "{}", "chunk": chunk} for name, _ in recordings]
    warehouse.append_rows(con, "landing.features", rows)


def _same(one: Samples, other: Samples) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True) for name in CHANNELS)


def test_samples_come_back_whole_out_of_several_chunks_in_any_order_asked(con: duckdb.DuckDBPyConnection) -> None:
    held = {f"run {k}": _samples(k, 10 + k) for k in range(9)}
    names = list(held)
    for first in (0, 3, 6):
        _kept(con, [(name, held[name]) for name in names[first : first + 3]])
    asked = ["run 7", "run 1", "run 4", "run 0", "unknown"]
    found = read_samples(con, asked)
    assert sorted(found) == sorted(asked[:-1])
    assert all(_same(samples, held[name]) for name, samples in found.items())
    assert read_samples(con, []) == {}
    assert read_samples(con, ["unknown"]) == {}


def test_some_channels_come_alone_and_null_is_nan(con: duckdb.DuckDBPyConnection) -> None:
    held = _samples(1, 9)
    _kept(con, [("a", held)])
    ((name, channels),) = read_channels(con, ["a"], ("heart_rate_bpm", "speed_mps")).items()
    assert name == "a"
    assert list(channels) == ["heart_rate_bpm", "speed_mps"]
    assert np.isnan(channels["heart_rate_bpm"]).sum() == 3
    assert np.array_equal(channels["speed_mps"], held.speed_mps)


def test_samples_are_in_order_of_time_even_where_their_rows_are_not(con: duckdb.DuckDBPyConnection) -> None:
    held = {"a": _samples(1, 40), "b": _samples(2, 30)}
    _kept(con, list(held.items()))
    con.execute("create temp table shuffled as select * from landing.samples order by hash(time_s)")
    con.execute("delete from landing.samples")
    con.execute("insert into landing.samples select * from shuffled")
    assert all(_same(samples, held[name]) for name, samples in read_samples(con, ["b", "a"]).items())


def test_seconds_that_a_recording_tells_several_times_keep_their_order(con: duckdb.DuckDBPyConnection) -> None:
    count = 3 * 122_880
    held = replace(_samples(1, count), time_s=np.floor(np.arange(count) / 5000), distance_m=np.arange(float(count)))
    _kept(con, [("a", held)])
    assert _same(read_samples(con, ["a"])["a"], held)


def test_what_decoding_writes_at_a_time_is_not_written_anew_by_a_checkpoint(con: duckdb.DuckDBPyConnection) -> None:
    held = [(f"run {seed}", _samples(seed, 24_000)) for seed in range(64)]
    while count := enough([_outcome(samples) for _, samples in held]):
        with warehouse.transaction(con):
            _kept(con, held[:count])
        del held[:count]
    assert not held
    con.execute("checkpoint")
    ((total, free),) = con.execute(
        "select total_blocks, free_blocks from pragma_database_size() where database_name = current_database()"
    ).fetchall()
    assert free < total / 20
