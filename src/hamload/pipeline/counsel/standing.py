"""What of last night's states still stands: a day whose every fact is what it was is not assessed again."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from hamload.advice import Memory, walk
from hamload.pipeline.counsel import remembering
from hamload.pipeline.joining.unchanged import code
from hamload.records import DayFacts

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from hamload.parameters import AlertRules
    from hamload.records import Alert

#: So many of the newest days are assessed anew each night: what arrives late mostly belongs to them.
_OPEN_DAYS = 42
#: The alerts that this process has found, of all days or of the newest, by the facts of all: a night's digests and
#: plans ask for them again.
_assessed: dict[str, list[Alert]] = {}
_KEPT = 8


def assessed(days: Sequence[DayFacts], rules: AlertRules, athlete_id: str) -> list[Alert]:
    """Return the alert of each of these days."""
    key = hash_of(days, rules, athlete_id)[len(days)]
    if len(_assessed.get(key, ())) < len(days):
        _remember(key, [alert for _, alert in walk(days, rules, athlete_id)])
    return _assessed[key]


def newest(days: Sequence[DayFacts], rules: AlertRules, athlete_id: str) -> Alert:
    """Return the alert of the last of these days, which are not none."""
    key = hash_of(days, rules, athlete_id)[len(days)]
    return _assessed[key][-1] if key in _assessed else assessed(days, rules, athlete_id)[-1]


def _remember(key: str, alerts: list[Alert]) -> None:
    _assessed.pop(key, None)
    while len(_assessed) >= _KEPT:
        del _assessed[next(iter(_assessed))]
    _assessed[key] = alerts


@dataclass(frozen=True, slots=True)
class Assessed:
    """The alerts of all days but the first `done`, and what is remembered after `place` days, with their hash."""

    done: int
    alerts: list[Alert]
    place: int
    inputs: str
    memory: str


_CREATE_MEMORIES = """
create table if not exists landing.memories (
    athlete_id varchar primary key, done integer not null, inputs varchar not null, memory varchar not null
)
"""


def forget_others(con: duckdb.DuckDBPyConnection, athletes: Sequence[str]) -> None:
    """Drop what is remembered of runners who are listed no longer."""
    con.execute(_CREATE_MEMORIES)
    con.execute("delete from landing.memories where not list_contains(?, athlete_id)", [list(athletes)])


def new_alerts(
    con: duckdb.DuckDBPyConnection, days: Sequence[DayFacts], rules: AlertRules, athlete_id: str
) -> Assessed:
    """Return how many of the first days stand as they were assessed before, and the alerts of all others.

    Their rows lie in `landing.alerts`. Note what was found with `note_alerts`, once its rows lie there too.
    """
    hashes = hash_of(days, rules, athlete_id)
    con.execute(_CREATE_MEMORIES)
    kept = con.execute("select done, inputs, memory from landing.memories where athlete_id = ?", [athlete_id])
    done, memory = 0, Memory()
    for place, inputs, text in kept.fetchall():
        ((rows,),) = con.execute(
            "select count(*) from landing.alerts where athlete_id = ? and date < ?",
            [athlete_id, days[place].date if place < len(days) else dt.date.max],
        ).fetchall()
        if place < len(days) and rows == place and hashes[place] == inputs:
            done, memory = place, remembering.remembered(text)
    walked = list(walk(days, rules, athlete_id, done, memory))
    place = max(len(days) - _OPEN_DAYS, 0)
    if place > done:
        memory = walked[place - done - 1][0]
    alerts = [alert for _, alert in walked]
    _remember(hashes[len(days)], alerts)
    return Assessed(done, alerts, max(place, done), hashes[max(place, done)], remembering.told(memory))


def note_alerts(con: duckdb.DuckDBPyConnection, athlete_id: str, found: Assessed) -> None:
    """Note what is remembered of an athlete's days, once their rows are written."""
    con.execute(
        "insert or replace into landing.memories values (?, ?, ?, ?)",
        [athlete_id, found.place, found.inputs, found.memory],
    )


def hash_of(days: Sequence[DayFacts], rules: AlertRules, athlete_id: str) -> list[str]:
    """Return for 0, 1, 2, ... days a hash of all that their alerts follow from: facts, rules, and the very code."""
    found = hashlib.sha256(repr((athlete_id, rules, code())).encode())
    hashes, seen = [found.hexdigest()], set()
    for day in days:
        told: list[object] = [getattr(day, name) for name in _FACTS]
        for session in day.sessions:
            told.append(session.session_id)
            if session.session_id not in seen:
                seen.add(session.session_id)
                told.append(session)
        found.update(repr(told).encode())
        hashes.append(found.hexdigest())
    return hashes


_FACTS = tuple(field.name for field in fields(DayFacts) if field.name != "sessions")
