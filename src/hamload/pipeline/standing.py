"""What of last night's work still stands: a step whose every input is what it was is not done again."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

import hamload
from hamload.advice import Memory, walk
from hamload.merging.decisions import KIND
from hamload.pipeline import remembering
from hamload.records import DayFacts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hamload.parameters import AlertRules
    from hamload.records import Alert
    from hamload.settings import Settings

#: The tables from which sessions are gathered, and of them only what matters to it.
_GATHERED_FROM = {
    "landing.activities": "select * from landing.activities",
    "landing.features": "select * from landing.features",
    "landing.decoded": "select * from landing.decoded",
    "landing.superseded": "select * from landing.superseded",
    "landing.journal": f"select * from landing.journal where kind = '{KIND}'",  # noqa: S608  # a name of our own
    # What gathering has left: tables that somebody has emptied are filled anew.
    "landing.members": "select * from landing.members",
    "landing.sessions": "select * from landing.sessions",
    "landing.maybe_runs": "select * from landing.maybe_runs",
    "landing.composed": "select * from landing.composed",
}


def gathered(con: duckdb.DuckDBPyConnection, settings: Settings, today: dt.date | None) -> str:
    """Return what tells whether sessions would be gathered anew as they stand: a hash of all that goes in and came out.

    The rows, the rules, the runners and their zones, the very code; of the days only whether one decides what may have
    begun by then.
    """
    told: list[object] = [duckdb.__version__, _code(), repr(settings.merging), settings.model.version]
    told += [str(settings.imports.earliest), [(a.id, settings.zone(a.id).key) for a in settings.athletes]]
    told += [_rows(con, select) for select in _GATHERED_FROM.values()]
    days = [today or settings.today(athlete.id) for athlete in settings.athletes]
    if days:
        # A clock that runs ahead: its run belongs to no day yet, and to its own once that has come.
        ((ahead,),) = con.execute(
            "select count(*) from landing.activities where start_at >= ?",
            [dt.datetime.combine(min(days) - dt.timedelta(days=1), dt.time(), dt.UTC)],
        ).fetchall()
        told.append([str(day) for day in days] if ahead else [])
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def stands(con: duckdb.DuckDBPyConnection, step: str, inputs: str) -> bool:
    """Return whether a step was last done with these inputs, and to its end."""
    con.execute("create table if not exists landing.standing (step varchar primary key, inputs varchar not null)")
    return con.execute("select inputs from landing.standing where step = ?", [step]).fetchall() == [(inputs,)]


def note(con: duckdb.DuckDBPyConnection, step: str, inputs: str) -> None:
    """Note with which inputs a step has been done to its end; "" before it begins."""
    con.execute("insert or replace into landing.standing values (?, ?)", [step, inputs])


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
    found = hashlib.sha256(repr((athlete_id, rules, _code())).encode())
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


def _rows(con: duckdb.DuckDBPyConnection, select: str) -> str:
    # A sum: in whichever order the rows lie, and two that are equal do not cancel each other.
    ((rows, total),) = con.execute(f"select count(*), sum(hash(r)::hugeint) from ({select}) r").fetchall()  # noqa: S608
    return f"{rows} {total}"


@cache
def _code() -> str:
    """Return a hash of the code that gathers and assesses: another one may do so differently."""
    found = hashlib.sha256(hamload.__version__.encode())
    package = Path(hamload.__file__).parent
    for folder in ("advice", "decode", "language", "load", "merging", "pipeline"):
        for path in sorted((package / folder).rglob("*.py")):
            found.update(path.read_bytes())
    return found.hexdigest()
