"""Tells the warehouse what ledger and journals say: who gave what, which days were reported on, what was logged."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hamload import journal, warehouse
from hamload.pipeline.joining.gathering import is_possible

if TYPE_CHECKING:
    import datetime as dt

    import duckdb

    from hamload.raw import Raw, Report
    from hamload.settings import Settings

type _Days = dict[str, list[dt.date]]


def write_reports(con: duckdb.DuckDBPyConnection, raw: Raw, settings: Settings, today: dt.date | None = None) -> None:
    """Tell the warehouse which documents each source gave, and which days it has reported on, from the ledger."""
    deliveries = [d for d in raw.deliveries() if d.format != journal.FORMAT]
    con.execute("delete from landing.deliveries")
    con.execute("delete from landing.reports")
    rows = [
        {
            "position": position,
            "athlete_id": d.athlete_id,
            "source": d.source,
            "document_id": d.document_id,
            "name": d.name,
            "put_at": d.put_at,
        }
        for position, d in enumerate(deliveries)
    ]
    warehouse.append_rows(con, "landing.deliveries", rows)
    _write_sources(con, raw, settings)
    days = {athlete.id: _calendar(con, settings, athlete.id, today) for athlete in settings.athletes}
    given: dict[tuple[str, str], set[str]] = {}
    for delivery in deliveries:
        given.setdefault((delivery.athlete_id, delivery.source), set()).add(delivery.document_id)
    reports = [
        _report(report, days[report.athlete_id], given.get((report.athlete_id, report.source), set()))
        for report in raw.reports()
        if report.athlete_id in days
    ]
    warehouse.append_rows(con, "landing.reports", reports)


def _write_sources(con: duckdb.DuckDBPyConnection, raw: Raw, settings: Settings) -> None:
    """Tell which sources the night asks, and which once gave something and are asked no longer."""
    con.execute("delete from landing.sources")
    asked = {(settings.athlete(f.athlete).id, f"folder:{f.path}") for f in settings.folders}
    asked |= {(a.athlete, a.service.value) for a in settings.accounts}
    known = {(a.id, source) for a in settings.athletes for source in raw.sources(a.id) if source != journal.SOURCE}
    rows = [
        {"athlete_id": athlete_id, "source": source, "is_asked": (athlete_id, source) in asked}
        for athlete_id, source in sorted(asked | known)
    ]
    warehouse.append_rows(con, "landing.sources", rows)


def write_journal(con: duckdb.DuckDBPyConnection, raw: Raw) -> None:
    """Tell the warehouse what the runners' journals say."""
    con.execute("delete from landing.journal")
    rows = [{**asdict(e), "content": json.dumps(e.content)} for e in journal.logged(raw)]
    warehouse.append_rows(con, "landing.journal", rows)


def _calendar(con: duckdb.DuckDBPyConnection, settings: Settings, athlete_id: str, today: dt.date | None) -> _Days:
    """Return the days of each document's activities; those of a clock that was wrong cover nothing."""
    found: _Days = {}
    for document_id, date, start_at in con.execute(
        "select document_id, local_date, start_at from landing.activities where athlete_id = ?", [athlete_id]
    ).fetchall():
        if is_possible(date, start_at, settings, athlete_id, today):
            found.setdefault(document_id, []).append(date)
    return found


def _report(report: Report, days: _Days, given: set[str]) -> dict[str, Any]:
    first = last = None
    if report.is_history:
        covered = [date for document in report.documents or given for date in days.get(document, ())]
        if covered:
            first, last = min(covered), max(covered)
            if report.covered_until is not None:
                last = max(last, report.covered_until)
    return {
        "source": report.source,
        "athlete_id": report.athlete_id,
        "reported_at": report.reported_at,
        "covered_from": first,
        "covered_until": last,
        "is_failure": report.is_failure,
        "message": report.message,
        "remedy": report.remedy,
        "resumes_at": report.resumes_at,
    }
