"""What each day was told as, and where history says otherwise now: a run that came late, was edited, or was decided on.

The record is the journal's, append-only: one entry for each day that a digest spoke of, and one more whenever a later
digest has said that its state changed.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from hamload import journal, warehouse
from hamload.language import plural, text, word
from hamload.merging.decisions import KIND as DECISIONS
from hamload.raw import Raw
from hamload.records import State

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import duckdb

    from hamload.settings import Settings

KIND = "told"
_ALERTS = frozenset({State.STOP.value, State.DELOAD.value, State.CAUTION.value})
_TOLD_ALERTS = _ALERTS | {State.BUILD.value}
#: The state of a day that was told and lies before the first run that is known now.
_GONE = "gone"
#: Days on which a change can still move a state: the chronic window and the week before it.
_REACH_DAYS = 35
_LISTED = 5
_NAMED = 3


def note_told(settings: Settings, athlete_id: str, now: dt.datetime) -> int:
    """Write down what a digest has told of its day, and of earlier days whose state changed. Returns how many.

    With it stand the loads and the decisions that it was told from, so that a change of it finds its cause.
    """
    with Raw(settings.home) as raw, warehouse.reader(settings.home) as con:
        told = {e.date: e.content for e in journal.logged(raw, athlete_id) if e.kind == KIND}
        states = _states(con, athlete_id)
        version = _version(con, athlete_id)
        fresh = {day for day, content in told.items() if states.get(day, _GONE) != content["state"]}
        if states and max(states) not in told:
            fresh.add(max(states))
        loads, decided = _loads(con, athlete_id), _decided(con, athlete_id)
        with raw.batch(journal.SOURCE, athlete_id, now) as batch:
            for day in sorted(fresh):
                content = {
                    "state": states.get(day, _GONE),
                    "model_version": version,
                    "loads": {date.isoformat(): load for date, load in loads.items() if _is_near(date, day)},
                    "decided": {name: date.isoformat() for name, date in decided.items() if _is_near(date, day)},
                }
                journal.append(batch, KIND, day, now, content)
    return len(fresh)


def _is_near(date: dt.date, day: dt.date) -> bool:
    return day - dt.timedelta(days=_REACH_DAYS) <= date <= day


def changes(con: duckdb.DuckDBPyConnection, athlete_id: str, as_of: dt.date) -> list[str]:
    """Return a sentence for each alert that was told and is another one now, newest first, with the cause."""
    rows = warehouse.rows(
        con,
        "select date, arg_max(content, logged_at) as content, max(logged_at) as logged_at from landing.journal"
        " where athlete_id = ? and kind = ? and date < ? group by date order by date desc",
        [athlete_id, KIND, as_of],
    )
    states, version = _states(con, athlete_id), _version(con, athlete_id)
    loads, decided = _loads(con, athlete_id), _decided(con, athlete_id)
    sentences: list[str] = []
    for row in rows:
        content, day = json.loads(row["content"]), row["date"]
        before, after = content["state"], states.get(day, _GONE)
        if before == after or not (before in _TOLD_ALERTS or after in _ALERTS):
            continue
        if content["model_version"] != version:
            cause: str = text("the load model, or your settings of it, changed")
        else:
            cause = _cause(con, athlete_id, day, _since(content, row["logged_at"], day, loads), decided)
        sentences.append(_changed(day, before, after, cause))
    more = len(sentences) - _LISTED
    return sentences[:_LISTED] + (
        [plural("History changed on {n} day more.", "History changed on {n} days more.", more)] if more > 0 else []
    )


@dataclass(frozen=True, slots=True)
class _Since:
    """What has changed since a day was told: days with another load, those of them without one now, and what held then.

    `changed` is None where the loads of then are not known: earlier versions wrote none down.
    """

    told_at: dt.datetime
    changed: frozenset[dt.date] | None = None
    gone: frozenset[dt.date] = frozenset()
    decided: Mapping[str, dt.date] = MappingProxyType({})


def _since(
    content: Mapping[str, Any], told_at: dt.datetime, day: dt.date, loads: Mapping[dt.date, float | None]
) -> _Since:
    if "loads" not in content:
        return _Since(told_at)
    then = {dt.date.fromisoformat(date): load for date, load in content["loads"].items()}
    changed = frozenset(d for d in then.keys() | loads.keys() if _is_near(d, day) and then.get(d) != loads.get(d))
    gone = frozenset(date for date in changed if then.get(date) and not loads.get(date))
    return _Since(told_at, changed, gone, {n: dt.date.fromisoformat(date) for n, date in content["decided"].items()})


def _cause(
    con: duckdb.DuckDBPyConnection, athlete_id: str, day: dt.date, since: _Since, decided: Mapping[str, dt.date]
) -> str:
    """Say why a state changed."""

    def matters(date: dt.date) -> bool:
        return _is_near(date, day) if since.changed is None else date in since.changed

    found = con.execute(
        "select a.local_date, coalesce(nullif(a.title, ''), split_part(a.name, '/', -1)) as what"
        " from landing.deliveries d join landing.activities a using (athlete_id, document_id)"
        " where d.athlete_id = ? group by all having min(d.put_at) > ? order by 1, 2",
        [athlete_id, since.told_at],
    ).fetchall()
    came = [(date, what) for date, what in found if matters(date)]
    new = {date for name, date in decided.items() if name not in since.decided and matters(date)}
    if since.changed is None:
        new = {
            date for name, date in decided.items() if matters(date) and _is_after(con, athlete_id, name, since.told_at)
        }
    undone = {date for name, date in since.decided.items() if name not in decided and matters(date)}
    logged = con.execute(
        "select distinct date from landing.journal"
        " where athlete_id = ? and logged_at > ? and not list_contains(?, kind) order by 1",
        [athlete_id, since.told_at, [KIND, DECISIONS]],
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
    if new:
        causes.append(text("you decided on the run of {days:commas}", days=_listed(new)))
    if undone:
        causes.append(text("you took back what you had decided on the run of {days:commas}", days=_listed(undone)))
    told = {date for date, _ in came} | new | undone
    # A change moves what is usual, and with it later loads: only days without a load now, or with one again, are news.
    if lost := since.gone - told:
        causes.append(text("the run of {days:commas} is gone or does not count any more", days=_listed(lost)))
    if not causes and (entries := [date for (date,) in logged if _is_near(date, day)]):
        causes.append(text("you logged something of {days:commas} after that", days=_listed(entries)))
    if not causes:
        return text("your settings, or what was known of the days before it, changed")
    return text("{causes:and}", causes=causes)


def _changed(day: dt.date, before: str, after: str, cause: str) -> str:
    if before == _GONE:
        return text(
            "History changed: {date:date} was told as no day of your history and is {after} now, because {cause}.",
            date=day,
            after=word(after),
            cause=cause,
        )
    if after == _GONE:
        return text(
            "History changed: {date:date} was told as {before} and lies before the first run that is known now,"
            " because {cause}.",
            date=day,
            before=word(before),
            cause=cause,
        )
    return text(
        "History changed: {date:date} was told as {before} and is {after} now, because {cause}.",
        date=day,
        before=word(before),
        after=word(after),
        cause=cause,
    )


def _is_after(con: duckdb.DuckDBPyConnection, athlete_id: str, entry_id: str, told_at: dt.datetime) -> bool:
    query = "select 1 from landing.journal where athlete_id = ? and entry_id = ? and logged_at > ?"
    return bool(con.execute(query, [athlete_id, entry_id, told_at]).fetchall())


def _listed(dates: Collection[dt.date]) -> list[str]:
    days: list[str] = [text("{date:date}", date=date) for date in sorted(dates)[:_NAMED]]
    return [*days, "..."] if len(dates) > _NAMED else days


def _states(con: duckdb.DuckDBPyConnection, athlete_id: str) -> dict[dt.date, str]:
    rows = con.execute("select date, state from marts.alerts where athlete_id = ?", [athlete_id]).fetchall()
    return dict(rows)


def _loads(con: duckdb.DuckDBPyConnection, athlete_id: str) -> dict[dt.date, float | None]:
    """Return the load of each day, to what a sentence would tell apart; None where it is not known."""
    rows = con.execute(
        "select date, round(load_efm, 1) from marts.daily_load where athlete_id = ? and series = 'total'", [athlete_id]
    ).fetchall()
    return dict(rows)


def _decided(con: duckdb.DuckDBPyConnection, athlete_id: str) -> dict[str, dt.date]:
    rows = con.execute(
        "select entry_id, date from landing.journal where athlete_id = ? and kind = ?", [athlete_id, DECISIONS]
    ).fetchall()
    return dict(rows)


def _version(con: duckdb.DuckDBPyConnection, athlete_id: str) -> str:
    rows = con.execute("select model_version from landing.athletes where athlete_id = ?", [athlete_id]).fetchall()
    return str(rows[0][0]) if rows else ""
