"""A simulated run as a FIT activity file, and a year of them in a folder."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from hamload.simulator.athlete import start_of, year_of
from hamload.simulator.device import SEMICIRCLE_DEG, recorded
from hamload.simulator.fitfile import block, fit_file, number_of
from hamload.simulator.truth import truth_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hamload.records import Array, Streams
    from hamload.simulator.athlete import PlannedRun, Road, SimulatedRunner
    from hamload.simulator.fitfile import Block

#: What a file says of itself wherever a reader shows a name.
PRODUCT_NAME = "hamload simulator"
SPORT_PROFILE_NAME = "Simulated run"

_SOFTWARE_VERSION = 1.0
_LAP_M = 1000.0
_ASCENT_EVERY_ROWS = 20
_SUB_SPORTS: dict[Road, str] = {"flat": "street", "rolling": "generic", "hilly": "trail"}


def streams_of(runner: SimulatedRunner, run: PlannedRun) -> Streams:
    """Return a run as the simulated watch recorded it, in exactly the values that its FIT file holds."""
    return recorded(runner, run, truth_of(runner, run))


def sub_sport_of(run: PlannedRun) -> str:
    """Return FIT's sub sport of a run."""
    return "treadmill" if run.kind == "treadmill" else _SUB_SPORTS[run.road]


def fit_bytes(runner: SimulatedRunner, run: PlannedRun) -> bytes:
    """Return a run as a FIT activity file that says of itself that it is simulated."""
    streams = streams_of(runner, run)
    start = start_of(runner, run)
    return fit_file([*_preface(runner, start), *_timeline(streams, start), *_summary(runner, run, streams, start)])


def write_year(runner: SimulatedRunner, folder: Path, last_day: dt.date, days: int = 365) -> list[Path]:
    """Write a year of runs as FIT files into a folder, which is made where it is missing; return them, oldest first."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for run in year_of(runner, last_day, days):
        path = folder / f"{run.stem}.fit"
        path.write_bytes(fit_bytes(runner, run))
        paths.append(path)
    return paths


def _preface(runner: SimulatedRunner, start: dt.datetime) -> Iterator[Block]:
    at, maker = start.timestamp(), "development"
    yield block(
        "file_id",
        type="activity",
        manufacturer=maker,
        product=0,
        serial_number=runner.seed % 0xFFFF_FFFE + 1,
        time_created=at,
        product_name=PRODUCT_NAME,
    )
    yield block("file_creator", software_version=round(100 * _SOFTWARE_VERSION))
    watch: dict[str, Any] = {
        "timestamp": at,
        "manufacturer": maker,
        "product": 0,
        "source_type": "local",
        "software_version": _SOFTWARE_VERSION,
        "product_name": PRODUCT_NAME,
    }
    yield block("device_info", device_index=0, **watch)
    for index, part in enumerate(("barometer", "gps"), start=1):
        yield block("device_info", device_index=index, device_type=number_of("local_device_type", part), **watch)


def _timeline(streams: Streams, start: dt.datetime) -> Iterator[Block]:
    """Yield records, timer events and laps in the order of time."""
    at = start.timestamp()
    records = _records(streams, at)
    time_s = streams.time_s
    cuts: list[tuple[int, int, Block]] = []  # row before which the block stands, rank among equals
    for begins, ends in zip(
        (0.0, *(to for _, to in streams.pauses)), (*(stop for stop, _ in streams.pauses), time_s[-1]), strict=True
    ):
        started = block("event", timestamp=at + begins, event="timer", event_type="start")
        stopped = block("event", timestamp=at + ends, event="timer", event_type="stop_all")
        cuts.append((int(np.searchsorted(time_s, begins, side="left")), 2, started))
        cuts.append((int(np.searchsorted(time_s, ends, side="right")), 1, stopped))
    cuts += [(last + 1, 0, lap) for last, lap in _laps(streams, at)]
    written = 0
    for row, _, mark in sorted(cuts, key=lambda cut: cut[:2]):
        if row > written:
            yield records.part(written, row)
            written = row
        yield mark


def _records(streams: Streams, at: float) -> Block:
    strides = np.floor(streams.cadence_spm / 2)
    columns = {
        "position_lat": streams.latitude_deg / SEMICIRCLE_DEG,
        "position_long": streams.longitude_deg / SEMICIRCLE_DEG,
        "distance": streams.distance_m,
        "enhanced_speed": streams.speed_mps,
        "enhanced_altitude": streams.altitude_m,
        "grade": 100 * streams.incline,
        "heart_rate": streams.heart_rate_bpm,
        "cadence": strides,
        "fractional_cadence": streams.cadence_spm / 2 - strides,
    }
    known = {name: values for name, values in columns.items() if np.any(np.isfinite(values))}
    return block("record", local=0, timestamp=at + streams.time_s, **known)


def _laps(streams: Streams, at: float) -> Iterator[tuple[int, Block]]:
    """Yield a lap for every kilometre and one for the rest, each with the row it ends on."""
    last_row = len(streams) - 1
    kilometres = np.arange(_LAP_M, streams.distance_m[-1], _LAP_M)
    ends = np.unique(np.append(np.searchsorted(streams.distance_m, kilometres), last_row))
    for index, (first, last) in enumerate(zip((0, *ends[:-1]), ends, strict=True)):
        trigger = "session_end" if last == last_row else "distance"
        yield (
            int(last),
            block(
                "lap",
                message_index=index,
                timestamp=at + streams.time_s[last],
                start_time=at + streams.time_s[first],
                event="lap",
                event_type="stop",
                sport="running",
                lap_trigger=trigger,
                **_totals(streams, int(first), int(last)),
            ),
        )


def _summary(runner: SimulatedRunner, run: PlannedRun, streams: Streams, start: dt.datetime) -> Iterator[Block]:
    at = start.timestamp()
    ended = at + streams.time_s[-1]
    totals = _totals(streams, 0, len(streams) - 1)
    yield block(
        "session",
        message_index=0,
        timestamp=ended,
        start_time=at,
        event="session",
        event_type="stop",
        sport="running",
        sub_sport=sub_sport_of(run),
        sport_profile_name=SPORT_PROFILE_NAME,
        first_lap_index=0,
        num_laps=sum(1 for _ in _laps(streams, at)),
        trigger="activity_end",
        **totals,
    )
    offset = start.astimezone(ZoneInfo(runner.time_zone)).utcoffset() or dt.timedelta(0)
    yield block(
        "activity",
        timestamp=ended,
        total_timer_time=totals["total_timer_time"],
        num_sessions=1,
        type="manual",
        event="activity",
        event_type="stop",
        local_timestamp=ended + offset.total_seconds(),
    )


def _totals(streams: Streams, first: int, last: int) -> dict[str, Any]:
    """Return what a lap or session says of the rows from `first` to `last`; what is not known is left out."""
    begins, ends = streams.time_s[first], streams.time_s[last]
    paused = sum(max(min(ends, to) - max(begins, stop), 0.0) for stop, to in streams.pauses)
    rows = slice(first, last + 1)
    timer = ends - begins - paused
    distance = streams.distance_m[last] - streams.distance_m[first]
    totals: dict[str, Any] = {
        "total_elapsed_time": ends - begins,
        "total_timer_time": timer,
        "total_distance": distance,
        "enhanced_max_speed": np.max(streams.speed_mps[rows]),
        "avg_cadence": np.floor(np.mean(streams.cadence_spm[rows]) / 2),
    }
    if timer > 0:
        totals["enhanced_avg_speed"] = distance / timer
    beats = streams.heart_rate_bpm[rows]
    if np.any(np.isfinite(beats)):
        totals |= {"avg_heart_rate": np.nanmean(beats), "max_heart_rate": np.nanmax(beats)}
    heights = streams.altitude_m[rows]
    if np.all(np.isfinite(heights)):
        totals |= {"total_ascent": _climbed(heights), "total_descent": _climbed(-heights)}
    return totals


def _climbed(altitude_m: Array) -> float:
    """Return the sum of the rises between means over some rows: single seconds of a barometer are mostly noise."""
    edges = np.arange(0, len(altitude_m), _ASCENT_EVERY_ROWS)
    means = np.add.reduceat(altitude_m, edges) / np.diff(np.append(edges, len(altitude_m)))
    return float(np.sum(np.maximum(np.diff(means), 0.0)))
