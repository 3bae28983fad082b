"""The rows of a home's tables put into the charts: what `Opened.chart` gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hamload import charts
from hamload.pipeline.showing import charting

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    import duckdb
    import pandas as pd

    from hamload.parameters import AlertRules
    from hamload.settings import Settings

#: The charts of the report, and the data sets that each takes.
REPORTED = {
    "load": ("days", "unknown"),
    "ratios": ("ratios", "withheld", "thresholds"),
    "strength": ("tightness", "curls", "whole"),
}
NAMES = (*REPORTED, "sessions", "causes", "run")


def reported(
    name: str, con: duckdb.DuckDBPyConnection, settings: Settings, athlete_id: str, days: tuple[dt.date, dt.date]
) -> dict[str, Any]:
    """Return the data sets of a chart of the report."""
    first, last = days
    rows = charting.chart_rows(con, settings, athlete_id, last, (last - first).days + 1)
    return {kind: getattr(rows, kind) for kind in REPORTED[name]}


def limits(rules: AlertRules) -> list[dict[str, Any]]:
    """Return each form's deload threshold; the coupled one's follows from the uncoupled one's."""
    uncoupled, whole = rules.deload.uncoupled, rules.windows.chronic_days / rules.windows.acute_days
    return [
        {"form": "coupled", "value": whole * uncoupled / (whole - 1 + uncoupled)},
        {"form": "uncoupled", "value": uncoupled},
        {"form": "EWMA", "value": rules.deload.ewma},
    ]


def flares(began: Sequence[dt.date]) -> list[dict[str, Any]]:
    """Return the first days of flares for a chart."""
    return [{"at": charting.milliseconds(day), "label": f"{day:%a %-d %b %Y}"} for day in began]


def causes(con: duckdb.DuckDBPyConnection, reasons: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the runs behind the reasons of one day, with their shares."""
    shares = [
        (reason["rule"].replace("_", " "), cause["session_id"], cause["share"])
        for reason in reasons.to_dict("records")
        for cause in reason["causes"]
        if cause["share"] is not None
    ]
    told = {
        row[0]: f"{row[1]:%a %-d %b}, {row[2] or 'a run'}"
        for row in con.execute(
            "select session_id, local_date, title from marts.sessions where list_contains(?, session_id)",
            [[session_id for _, session_id, _ in shares]],
        ).fetchall()
    }
    return [
        {"rule": rule, "run": told.get(session_id, session_id), "share": share} for rule, session_id, share in shares
    ]


def run(
    con: duckdb.DuckDBPyConnection, settings: Settings, recording_id: str, easy_speed_mps: float, width: int
) -> Any:
    """Return one run's course: speed, grade and demand over its minutes."""
    rows = charting.run_rows(con, settings, recording_id, easy_speed_mps)
    return charts.with_rows(charts.run(width, language=settings.language()), run=rows)
