"""What each day was told as, and where history says otherwise now: a run that came late, was edited, or was decided on.

The record is the journal's, append-only: one entry for each day that a digest spoke of, and one more whenever a later
digest has said that its state changed.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

from hamload import journal, warehouse
from hamload.language import plural, text, word
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
    sentences: list[str] = []
    for row in rows:
        content = json.loads(row["content"])
        before, after = content["state"], states.get(row["date"], "")
        if not after or before == after or not (before in _TOLD_ALERTS or after in _ALERTS):
            continue
        if content["model_version"] != version:
            cause: str = text("the load model, or your settings of it, changed")
        else:
            cause = _cause(con, athlete_id, row["date"], row["logged_at"])
        sentences.append(
            text(
                "History changed: {date:date} was told as {before} and is {after} now, because {cause}.",
                date=row["date"],
                before=word(before),
                after=word(after),
                cause=cause,
            )
        )
    more = len(sentences) - _LISTED
    return sentences[:_LISTED] + (
        [plural("History changed on {n} day more.", "History changed on {n} days more.", more)] if more > 0 else []
    )


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
        named = [text("{what} ({date:date})", what=what, date=date) for date, what in came[:_NAMED]]
        more = len(came) - _NAMED
        causes.append(
            text(
                "{named:commas}{more} arrived or changed after that",
                named=named,
                more=text(" and {more} more", more=more) if more > 0 else "",
            )
        )
    if decided:
        days = [text("{date:date}", date=date) for (date,) in decided[:_NAMED]]
        causes.append(text("you decided on the run of {days:commas}", days=days))
    if not causes:
        return text("something before it was removed, or your settings changed")
    return text("{causes:and}", causes=causes)


_NAMED = 3


def _states(con: duckdb.DuckDBPyConnection, athlete_id: str) -> dict[dt.date, str]:
    rows = con.execute("select date, state from marts.alerts where athlete_id = ?", [athlete_id]).fetchall()
    return dict(rows)


def _version(con: duckdb.DuckDBPyConnection, athlete_id: str) -> str:
    rows = con.execute("select model_version from landing.athletes where athlete_id = ?", [athlete_id]).fetchall()
    return str(rows[0][0]) if rows else ""
