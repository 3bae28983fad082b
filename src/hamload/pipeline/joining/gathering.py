"""Third step, first half: activities become sessions.

Says which recordings are of one run, what each gives, and which are doubted; makes one recording of several where a
copy holds running, altitude or heart rate that the best one lacks.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hamload import warehouse
from hamload.load import features
from hamload.merging import Gift, Measures, as_record, compose, is_run_logged_as_ride, measures, merge
from hamload.pipeline.documents.storing import read_samples, write_samples
from hamload.pipeline.joining.activities import activities, judge, measures_of
from hamload.pipeline.joining.decided import decided
from hamload.pipeline.joining.gathered import doubts_of, gather, unheard, usable_share

if TYPE_CHECKING:
    import datetime as dt

    import duckdb

    from hamload.merging import Piece
    from hamload.merging.decisions import Decisions
    from hamload.pipeline.joining.activities import Activity
    from hamload.pipeline.joining.gathered import Gathered
    from hamload.settings import Settings


def write_sessions(con: duckdb.DuckDBPyConnection, settings: Settings, today: dt.date | None) -> None:
    """Say which activities record the same run. Runs outside the calendar (a clock that was not set) belong to none."""
    con.execute("delete from landing.members")
    con.execute("delete from landing.sessions")
    con.execute("delete from landing.maybe_runs")
    wanted: set[str] = set()
    for athlete in settings.athletes:
        found = [
            a for a in activities(con, athlete.id) if is_possible(a.local_date, a.start_at, settings, athlete.id, today)
        ]
        told = decided(con, athlete.id, settings)
        by_id = {a.activity_id: a for a in found}
        judged = {a.activity_id: judge(a, told, settings) for a in found}
        spans = [a.span(own) for a, own in zip(found, judged.values(), strict=True)]
        members: list[dict[str, Any]] = []
        sessions: list[dict[str, Any]] = []
        timeless = {a.activity_id for a in found if not a.has_duration}
        pairs = replace(told.pairs, together=tuple(p for p in told.pairs.together if timeless.isdisjoint(p)))
        for session in merge(spans, settings.merging, athlete.id, pairs):
            own = [by_id[m.activity_id] for m in session.members]
            if not own[0].has_duration:
                # Nobody tells how long it was: it stays listed as one that could not be counted.
                continue
            gathered = gather(session, own, told, judged, settings.zone(athlete.id), settings)
            made = None
            if gathered.recording_id != session.primary_id:
                made = _compose(con, gathered, settings)
                if made is not None:
                    wanted.add(gathered.recording_id)
                else:
                    gathered.recording_id = session.primary_id
            gathered.unheard = unheard(gathered, settings.merging.copies)
            gathered.doubts = doubts_of(gathered, made, settings)
            sessions.append(gathered.row(athlete.id))
            members += gathered.member_rows(athlete.id)
        warehouse.append_rows(con, "landing.members", members)
        warehouse.append_rows(con, "landing.sessions", sessions)
        _write_maybe_runs(con, athlete.id, told, settings)
    _drop_composed(con, wanted)


def _write_maybe_runs(con: duckdb.DuckDBPyConnection, athlete_id: str, told: Decisions, settings: Settings) -> None:
    """List the rides that may be runs. They count for nothing, and are told until the runner has decided."""
    rows = warehouse.rows(
        con,
        "select activity_id, local_date, title, name, measures"
        " from landing.activities where athlete_id = ? and sport = 'ride' and measures is not null"
        " order by activity_id",
        [athlete_id],
    )
    found = [
        {"athlete_id": athlete_id, **{name: r[name] for name in ("activity_id", "local_date", "title", "name")}}
        for r in rows
        if not told.verdict([r["activity_id"]])
        and is_run_logged_as_ride(Measures.from_record(json.loads(r["measures"])), settings.merging.sanity)
    ]
    warehouse.append_rows(con, "landing.maybe_runs", found)


def is_possible(
    local_date: dt.date, start_at: dt.datetime, settings: Settings, athlete_id: str, today: dt.date | None
) -> bool:
    """Whether an activity can have begun then. On a journey its own day may be one later than the day at home."""
    began = start_at.astimezone(settings.zone(athlete_id)).date()
    return settings.imports.earliest <= local_date and began <= (today or settings.today(athlete_id))


def _compose(con: duckdb.DuckDBPyConnection, gathered: Gathered, settings: Settings) -> Measures | None:
    """Make the recording, where it is not made yet. Returns its measures, None where a frozen record has no samples."""
    made = gathered.recording_id
    if known := con.execute("select measures from landing.composed where recording_id = ?", [made]).fetchall():
        return measures_of(known[0][0])
    by_id = {a.activity_id: a for a in gathered.members}
    givers = [gathered.primary, *(by_id[p.activity_id] for p in gathered.pieces)]
    givers += [a for a in (gathered.altitude, gathered.heart_rate) if a is not None]
    found = read_samples(con, sorted({a.activity_id for a in givers}))
    for a in givers:
        if a.activity_id in found and (a.measures is None or a.measures.stepless_s is None):
            # Beside one that counts steps, a recorder without a counter must not seem to have counted none.
            silent = np.full(len(found[a.activity_id]), np.nan)
            found[a.activity_id] = replace(found[a.activity_id], cadence_spm=silent)
    if any(a.activity_id not in found for a in givers):
        return None
    shift = gathered.shift_s(gathered.primary)

    def gift(activity: Activity | None, piece: Piece | None = None) -> Gift | None:
        if activity is None:
            return None
        away = gathered.shift_s(activity) - shift
        return Gift(found[activity.activity_id], away, piece.from_s if piece else None, piece.to_s if piece else None)

    pieces = [gift(by_id[p.activity_id], p) for p in gathered.pieces]
    whole = compose(
        found[gathered.primary.activity_id],
        [p for p in pieces if p is not None],
        gift(gathered.altitude),
        gift(gathered.heart_rate),
        gathered.until_s(gathered.primary),
    )
    whole = replace(whole, time_s=whole.time_s + shift)
    source = (gathered.altitude or gathered.primary).altitude_source
    seconds = max(float(whole.dt_s.sum()), 1e-9)
    # As it comes back from its row: what is doubted must not depend on the night on which it was made.
    measured = Measures.from_record(as_record(measures(whole)))
    with warehouse.transaction(con):
        chunk = write_samples(con, [(made, whole)])
        told = json.dumps(features(whole, settings.model).as_record())
        warehouse.append_rows(con, "landing.features", [{"activity_id": made, "chunk": chunk, "features": told}])
        row = {
            "recording_id": made,
            "altitude_source": source,
            "heart_rate_coverage": float(whole.dt_s[np.isfinite(whole.heart_rate_bpm)].sum()) / seconds,
            "altitude_coverage": float(whole.dt_s[np.isfinite(whole.altitude_m)].sum()) / seconds,
            "usable_share": usable_share(gathered, seconds),
            "samples": len(whole),
            "measures": json.dumps(as_record(measured)),
        }
        warehouse.append_rows(con, "landing.composed", [row])
    return measured


def _drop_composed(con: duckdb.DuckDBPyConnection, wanted: set[str]) -> None:
    kept = con.execute("select recording_id from landing.composed").fetchall()
    for (made,) in kept:
        if made in wanted:
            continue
        with warehouse.transaction(con):
            for table, column in (
                ("samples", "activity_id"),
                ("features", "activity_id"),
                ("courses", "activity_id"),
                ("composed", "recording_id"),
            ):
                con.execute(f"delete from landing.{table} where {column} = ?", [made])  # noqa: S608
