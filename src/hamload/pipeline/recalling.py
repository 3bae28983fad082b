"""What each day was told as, and where history says otherwise now: a run that came late, was edited, or was decided on.

The record is the journal's, append-only: one entry for each day that a digest spoke of, and one more whenever a later
digest has said that its state changed.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

from hamload import journal, warehouse
from hamload.raw import Raw
from hamload.records import State

if TYPE_CHECKING:
    import duckdb

    from hamload.settings import Settings

KIND = "told"
_ALERTS = frozenset({State.STOP.value, State.DELOAD.value, State.CAUTION.value})
_TOLD_ALERTS = _ALERTS | {State.BUILD.value}
#: Days on which a change can still move a state: the chronic window and the week before it.
_REACH_DAYS = 35
_LISTED = 5


def note_told(settings: Settings, athlete_id: str, now: dt.datetime) -> int:
    """Write down what a digest has told of its day, and of earlier days whose state changed. Returns how many."""
    with Raw(settings.home) as raw, warehouse.reader(settings.home) as con:
        told = {e.date: e.content for e in journal.logged(raw, athlete_id) if e.kind == KIND}
        states = _states(con, athlete_id)
        if not states:
            return 0
        version = _version(con, athlete_id)
        today = max(states)
        fresh = {day for day, content in told.items() if states.get(day, content["state"]) != content["state"]}
        if today not in told:
            fresh.add(today)
        with raw.batch(journal.SOURCE, athlete_id, now) as batch:
            for day in sorted(fresh):
                content = {"state": states[day], "model_version": version}
                journal.append(batch, KIND, day, now, content)
    return len(fresh)


def changes(con: duckdb.DuckDBPyConnection, athlete_id: str, as_of: dt.date) -> list[str]:
    """Return a sentence for each alert that was told and is another one now, newest first, with the cause."""
    rows = warehouse.rows(
        con,
        "select date, arg_max(content, logged_at) as content, max(logged_at) as logged_at from landing.journal"
        " where athlete_id = ? and kind = ? and date < ? group by date order by date desc",
        [athlete_id, KIND, as_of],
    )
    states, version = _states(con, athlete_id), _version(con, athlete_id)
    sentences = []
    for row in rows:
        content = json.loads(row["content"])
        before, after = content["state"], states.get(row["date"], "")
        if not after or before == after or not (before in _TOLD_ALERTS or after in _ALERTS):
            continue
        if content["model_version"] != version:
            cause = "the load model, or your settings of it, changed"
        else:
            cause = _cause(con, athlete_id, row["date"], row["logged_at"])
        sentences.append(
            f"History changed: {row['date']:%-d %b} was told as {before} and is {after} now, because {cause}."
        )
    more = len(sentences) - _LISTED
    return sentences[:_LISTED] + ([f"History changed on {more} days more."] if more > 0 else [])


def _cause(con: duckdb.DuckDBPyConnection, athlete_id: str, day: dt.date, told_at: dt.datetime) -> str:
    since = day - dt.timedelta(days=_REACH_DAYS)
    came = con.execute(
        "select distinct a.local_date, coalesce(nullif(a.title, ''), split_part(a.name, '/', -1)) as what"
        " from landing.deliveries d join landing.activities a using (athlete_id, document_id)"
        " where d.athlete_id = ? and d.put_at > ? and a.local_date between ? and ? order by 1, 2",
        [athlete_id, told_at, since, day],
    ).fetchall()
    decided = con.execute(
        "select distinct date from landing.journal"
        " where athlete_id = ? and kind = 'sessions' and logged_at > ? and date between ? and ? order by 1",
        [athlete_id, told_at, since, day],
    ).fetchall()
    causes = []
    if came:
        named = ", ".join(f"{what} ({date:%-d %b})" for date, what in came[:3])
        more = f" and {len(came) - 3} more" if len(came) > 3 else ""  # noqa: PLR2004  # as many as are named
        causes.append(f"{named}{more} arrived or changed after that")
    if decided:
        causes.append(f"you decided on the run of {', '.join(f'{date:%-d %b}' for (date,) in decided[:3])}")
    return " and ".join(causes) or "something before it was removed, or your settings changed"


def _states(con: duckdb.DuckDBPyConnection, athlete_id: str) -> dict[dt.date, str]:
    rows = con.execute("select date, state from marts.alerts where athlete_id = ?", [athlete_id]).fetchall()
    return dict(rows)


def _version(con: duckdb.DuckDBPyConnection, athlete_id: str) -> str:
    rows = con.execute("select model_version from landing.athletes where athlete_id = ?", [athlete_id]).fetchall()
    return str(rows[0][0]) if rows else ""
