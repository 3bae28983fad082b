"""Runs assessed as if: by other coefficients, or by the copy that would speak for them. Nothing is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from hamload import warehouse
from hamload.load import (
    History,
    RunFeatures,
    athlete_before,
)
from hamload.pipeline.documents.storing import read_channels
from hamload.pipeline.loads.assessing import decided_load, recorded_of
from hamload.pipeline.loads.measuring import CHANNELS, load_of
from hamload.pipeline.loads.runs import Run, features_of, past_run, row_of, runs_of, stored_loads
from hamload.records import AltitudeSource

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    import duckdb

    from hamload.pipeline.documents.storing import Channel
    from hamload.settings import Settings


@dataclass(frozen=True, slots=True)
class Recordings:
    """One athlete's runs with their recordings in memory, to be assessed again as if. Nothing is written.

    `runs` are all of them, oldest first; those before `first` keep the load that they have, and so do runs of which no
    samples are left.
    """

    runs: tuple[Run, ...]
    known: dict[str, RunFeatures]
    stored: dict[str, tuple[float, float | None, str]]
    channels: dict[str, dict[str, Channel]]
    easy_mps: float
    zone: ZoneInfo
    first: dt.date


def recordings(
    con: duckdb.DuckDBPyConnection, settings: Settings, athlete_id: str, time_zone: str, first: dt.date
) -> Recordings:
    """Read what `reassessed` needs, from the working tables or the published ones."""
    runs = runs_of(con, athlete_id)
    wanted = [r.recording_id for r in runs if r.local_date >= first and r.has_features and r.frozen is None]
    ((easy_mps,),) = con.execute(
        "select easy_speed_mps from landing.athletes where athlete_id = ?", [athlete_id]
    ).fetchall()
    return Recordings(
        runs=tuple(runs),
        known=features_of(con, runs),
        stored=stored_loads(con, athlete_id),
        channels=read_channels(con, wanted, CHANNELS),
        easy_mps=easy_mps or settings.model.easy_speed.default_mps,
        zone=ZoneInfo(time_zone),
        first=first,
    )


def reassessed(held: Recordings, settings: Settings) -> list[dict[str, Any]]:
    """Assess every run from `first` on as the settings have it, against its own past as that comes out.

    Returns rows of `session_loads` in order, each with `is_reassessed`: False where the stored load had to stay. The
    easy speed stays as it is stored.
    """
    past = History()
    rows: list[dict[str, Any]] = []
    for run in held.runs:
        stored, known = held.stored[run.session_id], held.known.get(run.recording_id)
        if run.local_date < held.first:
            past.add(past_run(run, known, stored, held.zone))
            continue
        channels = held.channels.get(run.recording_id)
        if channels is None:
            rows.append({"session_id": run.session_id, "load_efm": stored[0], "is_reassessed": False})
            past.add(past_run(run, known, stored, held.zone))
            continue
        athlete = athlete_before(run.start_at, past, held.easy_mps, settings.model)
        own = load_of(recorded_of(run, channels, athlete), settings.signal, settings.model)
        load = decided_load(run, own, athlete, past, settings)
        rows.append(row_of(run, "", athlete, load, settings.model.version) | {"is_reassessed": True})
        past.add(past_run(run, known, load, held.zone))
    return rows


def loads_of_copies(
    con: duckdb.DuckDBPyConnection, settings: Settings, athlete_id: str, activity_ids: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Return what the load of their session would be if these copies spoke for it, as rows of `session_loads`.

    For the day on which a copy is all that is left of a run: its own samples may be gone by then.
    """
    copies = warehouse.rows(
        con,
        "select m.activity_id, m.session_id, a.altitude_source, a.usable_share"
        " from landing.members m join landing.activities a using (activity_id)"
        " join landing.sessions s on s.session_id = m.session_id"
        # What a session has beside its recording is no part of that recording's own load.
        " where (not m.is_primary or s.beside_time_s > 0) and a.samples > 0 and list_contains(?, m.activity_id)",
        [list(activity_ids)],
    )
    if not copies:
        return {}
    runs, stored, zone = runs_of(con, athlete_id), stored_loads(con, athlete_id), settings.zone(athlete_id)
    places = {run.session_id: place for place, run in enumerate(runs)}
    known = features_of(con, runs)
    past = [past_run(run, known.get(run.recording_id), stored.get(run.session_id), zone) for run in runs]
    ((easy_mps,),) = con.execute(
        "select easy_speed_mps from landing.athletes where athlete_id = ?", [athlete_id]
    ).fetchall()
    channels = read_channels(con, [copy["activity_id"] for copy in copies], CHANNELS)
    found = {}
    for copy in copies:
        place = places.get(copy["session_id"])
        if place is None or copy["activity_id"] not in channels:
            continue
        altitude = AltitudeSource(copy["altitude_source"])
        run = replace(
            runs[place],
            altitude_source=altitude,
            usable=copy["usable_share"],
            beside_time_s=0.0,
            beside_distance_m=None,
            frozen=None,
        )
        before = past[:place]
        athlete = athlete_before(run.start_at, before, easy_mps, settings.model)
        own = load_of(recorded_of(run, channels[copy["activity_id"]], athlete), settings.signal, settings.model)
        load = decided_load(run, own, athlete, before, settings)
        found[copy["activity_id"]] = row_of(run, athlete_id, athlete, load, settings.model.version)
    return found
