"""Whether sessions would be gathered anew as they stand: a step whose every input is what it was is not done again."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

import hamload
from hamload.merging.decisions import KIND

if TYPE_CHECKING:
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
    told: list[object] = [duckdb.__version__, code(), repr(settings.merging), settings.model.version]
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


def _rows(con: duckdb.DuckDBPyConnection, select: str) -> str:
    # A sum: in whichever order the rows lie, and two that are equal do not cancel each other.
    ((rows, total),) = con.execute(f"select count(*), sum(hash(r)::hugeint) from ({select}) r").fetchall()  # noqa: S608
    return f"{rows} {total}"


@cache
def code() -> str:
    """Return a hash of the code that gathers and assesses: another one may do so differently."""
    found = hashlib.sha256(hamload.__version__.encode())
    package = Path(hamload.__file__).parent
    for folder in ("advice", "decode", "language", "load", "merging", "pipeline"):
        for path in sorted((package / folder).rglob("*.py")):
            found.update(path.read_bytes())
    return found.hexdigest()
