"""Which runs are doubted, told with the command that settles each. Reads the tables only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hamload.language import Text, plural, text
from hamload.pipeline.showing import recognising

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
    return text(
        "{title} of {date:date} is logged as a ride and is nowhere faster than a runner: it does not count. If it was a"
        " run: hamload sessions accept {activity_id}; if not: hamload sessions exclude {activity_id}.",
        title=title,
        date=date,
        activity_id=activity_id,
    )


def _doubted(session_id: str, date: dt.date, why: str, counts: bool, days: Sequence[dt.date]) -> str:  # noqa: FBT001
    if not counts:
        effect = text("Its load does not count, and its day is unknown, until you decide")
    elif days:
        effect = plural(
            "What lies beyond it does not count, and {days} is unknown, until you decide",
            "What lies beyond it does not count, and {days} are unknown, until you decide",
            len(days),
            days=_days(days),
        )
    else:
        effect = text("It shapes none of your thresholds until you decide")
    whole = f", accept --whole {session_id}" if counts and days else ""
    return text(
        "The run of {date:date} is doubted: {why}. {effect}: hamload sessions accept {session_id}{whole}, or exclude"
        " {session_id}.",
        date=date,
        why=recognising.doubts(why),
        effect=effect,
        session_id=session_id,
        whole=whole,
    )


def _days(days: Sequence[dt.date]) -> Text:
    told: list[str] = [text("{date:date}", date=day) for day in days[:_LISTED]]
    return text("{days:commas}", days=[*told, "..."] if len(days) > _LISTED else told)


_LISTED = 3
