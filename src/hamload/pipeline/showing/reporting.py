"""The report: gathers what the published tables say, draws nothing itself, and writes `report.html` into the home."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hamload import charts, post, warehouse
from hamload.digest.facts import written_on
from hamload.digest.outbox import replace_file
from hamload.digest.report import Coefficient, ReportFacts, ReportRun, Spell, render_report
from hamload.language import METRES_PER_MILE
from hamload.pipeline.counsel import withholding
from hamload.pipeline.showing import telling
from hamload.pipeline.showing.bundling import bundled
from hamload.pipeline.showing.charting import chart_rows
from hamload.records import State
from hamload.settings import cache_folder

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from pathlib import Path

    import duckdb

    from hamload.digest.facts import DigestFacts
    from hamload.settings import Settings

_KM_FACTOR, _MILES_FACTOR = 3.6, 3600 / METRES_PER_MILE


def write_report(settings: Settings, athlete_id: str, now: dt.datetime) -> Path:
    """Write one athlete's report. The only runner of a home has `report.html`, others `report-ATHLETE.html`."""
    with warehouse.reader(settings.home) as con:
        told = telling.digest_facts(con, settings, athlete_id)
        digest = written_on(told, now.astimezone(settings.zone(athlete_id)).date(), is_newest=True)
        rows = chart_rows(con, settings, athlete_id, digest.as_of)
        sessions = telling.sessions(con, athlete_id, 1_000_000)
        traces = _traces(con, athlete_id, sessions)
        spells = _spells(con, athlete_id, digest)
    is_miles = digest.language.is_miles
    places = {session_id: place for place, session_id in enumerate(traces)}
    facts = ReportFacts(
        digest=digest,
        runs=tuple(_run(dict(row), places.get(row["session_id"])) for row in sessions),
        spells=tuple(spells),
        coefficients=tuple(Coefficient(key, **asdict(p)) for key, p in settings.provenance.items()),
        rows={
            name: getattr(rows, name)
            for name in ("days", "unknown", "ratios", "withheld", "thresholds", "curls", "tightness", "whole")
        }
        | {"traces": list(traces.values()), "speed_factor": _MILES_FACTOR if is_miles else _KM_FACTOR},
        specs={
            name: charts.spec(getattr(charts, name)(language=digest.language))
            for name in ("load", "ratios", "strength", "run")
        },
        drawing=bundled(cache_folder()),
        written_at=now,
        first_weekday=settings.show.first_weekday,
        outbox=tuple(post.in_words(settings, post.standing(settings, athlete_id))),
    )
    path = report_path(settings, athlete_id)
    replace_file(path, render_report(facts).encode())
    if withholding.is_outdated(settings, digest.alert):
        return write_report(settings, athlete_id, now)
    return path


def report_path(settings: Settings, athlete_id: str) -> Path:
    """Return where a runner's report lies; a home of several runners has one for each."""
    return settings.home / ("report.html" if len(settings.athletes) == 1 else f"report-{athlete_id}.html")


def _run(row: dict[str, Any], trace: int | None) -> ReportRun:
    return ReportRun(
        session=telling.session(row),
        source=row["source"],
        device=row["device"],
        basis=row["basis"],
        climb_m=row["climb_m"],
        copies=row["copies"],
        trace=trace,
    )


def _spells(con: duckdb.DuckDBPyConnection, athlete_id: str, digest: DigestFacts) -> list[Spell]:
    """Return the days in a row of one state, newest first. While a flag is open no earlier headline is shown."""
    is_stopped = digest.alert.state is State.STOP
    found: list[tuple[dict[str, Any], dt.date]] = []
    for row in warehouse.rows(
        con,
        "select date, state, headline, reasons, told from marts.alerts where athlete_id = ? order by date",
        [athlete_id],
    ):
        if is_stopped and row["date"] == digest.as_of:
            row = {**row, "state": State.STOP.value, "headline": digest.headline, "reasons": digest.alert.reasons}  # noqa: PLW2901
        else:
            said = telling.spoken(row["told"])
            row["headline"] = said(row["headline"])
            row["reasons"] = tuple(telling.reason(told, said) for told in json.loads(row["reasons"]))
            if is_stopped:
                row["headline"] = withholding.past_headline(State(row["state"]))
                row["reasons"] = withholding.past_reasons(row["reasons"])
        if found and found[-1][0]["state"] == row["state"]:
            found[-1] = (found[-1][0], row["date"])
        else:
            found.append((row, row["date"]))
    return [
        Spell(
            state=State(row["state"]),
            first_date=row["date"],
            last_date=last,
            headline=row["headline"],
            reasons=row["reasons"],
        )
        for row, last in reversed(found)
    ]


def _traces(
    con: duckdb.DuckDBPyConnection, athlete_id: str, sessions: Sequence[dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Return each run's course as `report.js` reads it."""
    found = {row.pop("activity_id"): row for row in warehouse.rows(con, _COURSES, [athlete_id])}
    return {row["session_id"]: found[row["recording_id"]] for row in sessions if row["recording_id"] in found}


_COURSES = """
    select activity_id, step_s as s, speed as v, grade as g, demand as h
    from landing.courses
    where activity_id in (select recording_id from landing.sessions where athlete_id = ?)
"""
