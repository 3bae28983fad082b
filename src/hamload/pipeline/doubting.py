"""Which runs are doubted, told with the command that settles each. Reads the tables only."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    import duckdb


def sentences(con: duckdb.DuckDBPyConnection, athlete_id: str, since: dt.date, until: dt.date) -> list[str]:
    """Return the sentences about recordings that are doubted, with the command that settles each."""
    rows = con.execute(
        "select left(session_id, 6), local_date, array_to_string(flags_why, '; '), counts, list_sort(unknown_dates)"
        " from landing.sessions where athlete_id = ? and local_date between ? and ? and len(flags) > 0 and verdict = ''"
        " order by local_date, session_id",
        [athlete_id, since, until],
    ).fetchall()
    rides = con.execute(
        "select left(activity_id, 6), local_date, coalesce(nullif(title, ''), split_part(name, '/', -1))"
        " from landing.maybe_runs where athlete_id = ? and local_date between ? and ? order by local_date, activity_id",
        [athlete_id, since, until],
    ).fetchall()
    return [_doubted(*row) for row in rows] + [_maybe_run(*row) for row in rides]


def _maybe_run(activity_id: str, date: dt.date, title: str) -> str:
    return (
        f"{title} of {date:%-d %b} is logged as a ride and is nowhere faster than a runner: it does not count. If it"
        f" was a run: hamload sessions accept {activity_id}; if not: hamload sessions exclude {activity_id}."
    )


def _doubted(session_id: str, date: dt.date, why: str, counts: bool, days: Sequence[dt.date]) -> str:  # noqa: FBT001
    if not counts:
        effect = "Its load does not count, and its day is unknown, until you decide"
    elif days:
        effect = f"What follows the break does not count, and {_days(days)} unknown, until you decide"
    else:
        effect = "It shapes none of your thresholds until you decide"
    whole = f", accept --whole {session_id}" if counts and days else ""
    return (
        f"The run of {date:%-d %b} is doubted: {why}. {effect}: hamload sessions accept {session_id}{whole}, or exclude"
        f" {session_id}."
    )


def _days(days: Sequence[dt.date]) -> str:
    told = ", ".join(f"{day:%-d %b}" for day in days[:3]) + (", ..." if len(days) > 3 else "")  # noqa: PLR2004
    return f"{told} {'is' if len(days) == 1 else 'are'}"
