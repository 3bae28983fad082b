"""What the runner decides about recordings: read from the tables, written to the journal, and taken back again.

Each decision names the activities that it is made about, so that it holds when copies arrive or sessions change.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from hamload import journal, warehouse
from hamload.errors import ConfigurationError
from hamload.merging.decisions import KIND
from hamload.pipeline.joining.decided import refs
from hamload.raw import Raw

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

    from hamload.merging.decisions import Action
    from hamload.settings import Settings


@dataclass(frozen=True, slots=True)
class Run:
    """A run that was decided about, as it was called then."""

    date: dt.date
    title: str
    distance_m: float | None


@dataclass(frozen=True, slots=True)
class Made:
    """A decision: its entry in the journal, what it does, what it was made about, and when."""

    entry_id: str
    action: Action
    sentence: str
    logged_at: dt.datetime
    what: str = ""
    runs: tuple[Run, ...] = ()


def shown(settings: Settings, athlete_id: str, session_id: str) -> dict[str, Any]:
    """Return one session, counted or set aside, with its members. `session_id` may be the beginning of it.

    Raises
    ------
    ConfigurationError
        Where there is none, or several begin so.

    """
    with warehouse.reader(settings.home) as con:
        found = _session(con, athlete_id, session_id)
        members = warehouse.rows(
            con,
            "select * from marts.session_members where session_id = ? order by is_primary desc, start_at, activity_id",
            [found],
        )
        (row,) = warehouse.rows(con, "select * from staging.all_sessions where session_id = ?", [found])
    return {**row, "members": members}


def set_aside(settings: Settings, athlete_id: str) -> list[dict[str, Any]]:
    """Return the runs that do not count, newest first."""
    with warehouse.reader(settings.home) as con:
        return warehouse.rows(
            con, "select * from marts.set_aside where athlete_id = ? order by start_at desc, session_id", [athlete_id]
        )


def split(settings: Settings, athlete_id: str, session_id: str, activity_ids: Sequence[str], now: dt.datetime) -> Made:
    """Decide that recordings of one session are of several runs: the named ones of one, or each of its own.

    Raises
    ------
    ConfigurationError
        Where the session has one recording only, or does not have the named ones.

    """
    session = shown(settings, athlete_id, session_id)
    members = session["members"]
    if len(members) == 1:
        raise ConfigurationError(
            f"The session {session['session_id']} has one recording only.", "See: hamload sessions show ID."
        )
    named = [_one_of([m["activity_id"] for m in members], a, "recording of this session") for a in activity_ids]
    if len(set(named)) == len(members):
        raise ConfigurationError("These are all of its recordings.", "Name those that are of another run.")
    if named:
        groups = [
            [m for m in members if m["activity_id"] in named],
            [m for m in members if m["activity_id"] not in named],
        ]
    else:
        groups = [[m] for m in members]
    with warehouse.reader(settings.home) as con:
        named_refs = [_refs(con, [m["activity_id"] for m in group]) for group in groups]
    return _write(settings, athlete_id, "split", named_refs, [_run_of(session)], now)


def join(settings: Settings, athlete_id: str, session_ids: Sequence[str], now: dt.datetime) -> Made:
    """Decide that sessions are one run. Raises ConfigurationError where they are fewer than two, or days apart."""
    sessions = sorted((shown(settings, athlete_id, s) for s in session_ids), key=lambda s: s["start_at"])
    if len({s["session_id"] for s in sessions}) < 2:  # noqa: PLR2004  # two make a pair
        raise ConfigurationError("These are one session already.", "Name two sessions.")
    for one, other in pairwise(sessions):
        ended_at = one["start_at"] + dt.timedelta(seconds=one["elapsed_time_s"] or 0)
        if other["start_at"] - ended_at > dt.timedelta(hours=settings.merging.clocks.max_hours):
            raise ConfigurationError(
                f"{other['session_id']} begins {(other['start_at'] - ended_at).total_seconds() / 3600:.0f} hours after"
                f" {one['session_id']} ended: no run pauses, and no clock errs, by so much.",
                "Where one is a copy with a wrong date, exclude that.",
            )
    with warehouse.reader(settings.home) as con:
        named_refs = [_refs(con, [m["activity_id"] for m in s["members"]]) for s in sessions]
    return _write(settings, athlete_id, "join", named_refs, [_run_of(session) for session in sessions], now)


def judge(settings: Settings, athlete_id: str, any_id: str, action: Action, now: dt.datetime) -> Made:
    """Decide that a run is right ("accept"; "whole": what follows a break too), or does not count ("exclude").

    An activity of another sport that was a run after all is accepted by its own id.

    Raises
    ------
    ConfigurationError
        Where the id names neither a session nor such an activity, or begins several.

    """
    with warehouse.reader(settings.home) as con:
        session_ids = [s for s in _session_ids(con, athlete_id) if any_id and s.startswith(any_id)]
        others = _others(con, athlete_id, any_id) if any_id else []
        # What begins the ids of several, sessions or activities, decides on none of them.
        if any_id not in session_ids and len(session_ids) + len(others) > 1:
            raise ConfigurationError(f"{len(session_ids) + len(others)} ids begin with {any_id}.", "Name more of it.")
        if session_ids or not others:
            session_id = _session(con, athlete_id, any_id)
        else:
            activity_id, date, title, distance_m = others[0]
            done: Action = "exclude" if action == "exclude" else "run"
            return _write(settings, athlete_id, done, [_refs(con, [activity_id])], [Run(date, title, distance_m)], now)
        members = con.execute(
            "select activity_id from marts.session_members where session_id = ?", [session_id]
        ).fetchall()
        named_refs = _refs(con, [m[0] for m in members])
        (session,) = warehouse.rows(con, "select * from staging.all_sessions where session_id = ?", [session_id])
    return _write(settings, athlete_id, action, [named_refs], [_run_of(session)], now)


def _run_of(session: Mapping[str, Any]) -> Run:
    title = session["title"] or session["name"].rpartition("/")[2]
    return Run(session["local_date"], title, session["distance_m"])


def made(settings: Settings, athlete_id: str) -> list[Made]:
    """Return the decisions that hold, oldest first."""
    if not (settings.home / "raw").is_dir():
        return []
    with Raw(settings.home) as raw:
        return [_made(e) for e in journal.logged(raw, athlete_id) if e.kind == KIND]


def undo(settings: Settings, athlete_id: str, entry_id: str, now: dt.datetime) -> Made:
    """Take a decision back, the newest where none is named. Raises ConfigurationError where there is none."""
    with Raw(settings.home) as raw:
        known = [e for e in journal.logged(raw, athlete_id) if e.kind == KIND]
        found = [e for e in known if e.entry_id.startswith(entry_id)] if entry_id else known[-1:]
        if len(found) != 1:
            what = f"{len(found)} decisions begin with {entry_id}" if found else "there is no such decision"
            raise ConfigurationError(f"undo: {what}.", "See: hamload sessions decisions.")
        with raw.batch(journal.SOURCE, athlete_id, now) as batch:
            journal.undo(batch, found[0], now)
    return _made(found[0])


def _made(entry: journal.Entry) -> Made:
    names = [[ref.get("name") or ref["activity_id"] for ref in group] for group in entry.content["groups"]]
    told = " | ".join(", ".join(group) for group in names)
    action: Action = entry.content["action"]
    runs = tuple(
        Run(dt.date.fromisoformat(run["date"]), run["title"], run["distance_m"])
        for run in entry.content.get("runs", ())
    )
    sentence = f"{_WORDS[action]} {entry.date}: {told}"
    return Made(entry.entry_id, action, sentence, entry.logged_at, _WORDS[action].rstrip(","), runs)


_WORDS: dict[Action, str] = {
    "split": "not one run,",
    "join": "one run,",
    "accept": "is right,",
    "whole": "is right, and whole,",
    "exclude": "does not count,",
    "run": "was a run,",
}


def _write(
    settings: Settings,
    athlete_id: str,
    action: Action,
    groups: Sequence[Sequence[dict[str, Any]]],
    runs: Sequence[Run],
    now: dt.datetime,
) -> Made:
    told = [{"date": run.date.isoformat(), "title": run.title, "distance_m": run.distance_m} for run in runs]
    content = {"action": action, "groups": [list(group) for group in groups], "runs": told}
    date = min(run.date for run in runs)
    with Raw(settings.home) as raw, raw.batch(journal.SOURCE, athlete_id, now) as batch:
        entry_id = journal.append(batch, KIND, date, now, content)
    return _made(journal.Entry(entry_id, athlete_id, KIND, date, now, content))


def _refs(con: duckdb.DuckDBPyConnection, activity_ids: Sequence[str]) -> list[dict[str, Any]]:
    return [ref.as_record() for ref in refs(con, activity_ids)]


def _session(con: duckdb.DuckDBPyConnection, athlete_id: str, session_id: str) -> str:
    return _one_of(_session_ids(con, athlete_id), session_id, "session")


def _session_ids(con: duckdb.DuckDBPyConnection, athlete_id: str) -> list[str]:
    known = con.execute("select session_id from landing.sessions where athlete_id = ?", [athlete_id]).fetchall()
    return [row[0] for row in known]


def _others(
    con: duckdb.DuckDBPyConnection, athlete_id: str, activity_id: str
) -> list[tuple[str, dt.date, str, float | None]]:
    return con.execute(
        "select activity_id, local_date, coalesce(nullif(title, ''), split_part(name, '/', -1)), distance_m"
        " from marts.activities"
        " where athlete_id = ? and session_id is null and starts_with(activity_id, ?)",
        [athlete_id, activity_id],
    ).fetchall()


def _one_of(known: Sequence[str], named: str, what: str) -> str:
    found = [name for name in known if named and name.startswith(named)]
    if len(found) == 1 or named in found:
        return named if named in found else found[0]
    if found:
        raise ConfigurationError(f"{len(found)} ids begin with {named}.", "Name more of it.")
    raise ConfigurationError(f"There is no {what} {named!r}.", "See: hamload sessions.")
