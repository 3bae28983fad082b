"""The curl programme of one runner, from the published tables: the plan, its calendar file, and the watch's workout."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hamload import journal, warehouse
from hamload.advice import CurlFacts, CurlPlan, CurlSession, Dose, curl_plan, stop_advice, wording
from hamload.advice.progression import Stage
from hamload.agenda import Appointment, calendar, is_of
from hamload.errors import HamloadError, WarehouseError
from hamload.language import text
from hamload.pipeline.counsel.withholding import logged_flags
from hamload.pipeline.intake.connecting import garmin_connection
from hamload.raw import Raw
from hamload.records import State
from hamload.sources.access import Access

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import duckdb

    from hamload.journal import Entry
    from hamload.parameters import Curls
    from hamload.settings import Settings
    from hamload.sources.garmin_workouts import WorkoutService

#: Done days that the calendar still shows.
_SHOWN_DAYS = 30
_PUSHED, _RECALLED = "pushed", "recalled"

__all__ = [
    "CurlPlan",
    "Pushed",
    "Stage",
    "calendar_path",
    "dose_told",
    "next_curls",
    "plan",
    "push",
    "push_to_garmin",
    "recall",
    "recall_from_garmin",
    "write_calendar",
]


@dataclass(frozen=True, slots=True)
class Pushed:
    """A curl session on its way to a watch: its day, its dose in words, its number there, and whether it is new."""

    date: dt.date
    dose: str
    workout_id: int
    is_new: bool


def plan(settings: Settings, athlete_id: str, today: dt.date) -> CurlPlan:
    """Return the next curls. A red flag withholds them, whatever the tables say.

    Raises
    ------
    WarehouseError
        Where this athlete has no history yet.

    """
    flags = logged_flags(settings, athlete_id)
    if flags:
        return CurlPlan(Stage.WITHHELD, None, (), stop_advice(flags))
    with warehouse.reader(settings.home) as con:
        facts = curl_facts(con, athlete_id, today, settings.alerts.curls)
    return curl_plan(facts, settings.alerts)


def curl_facts(con: duckdb.DuckDBPyConnection, athlete_id: str, today: dt.date, curls: Curls) -> CurlFacts:
    """Return what one runner's next curls follow from. Raises WarehouseError where there is no state yet."""
    rows = con.execute(
        "select date, state, is_new from marts.alerts where athlete_id = ? and date <= ? order by date",
        [athlete_id, today],
    ).fetchall()
    states = {date: State(state) for date, state, _ in rows}
    told = {date for date, _, is_new in rows if is_new}
    if not states:
        raise WarehouseError(f"There is nothing to say of {athlete_id} yet.", "Run: hamload import PATH.")
    newest = max(states)
    state, since = states[newest], newest
    if (today - newest).days > 1:
        # Nobody has looked at the days since: what the state is now is not known.
        state, since = State.UNKNOWN, newest + dt.timedelta(days=1)
    # Told anew, a deload begins anew: its 72 hours count from there.
    while since not in told and states.get(since - dt.timedelta(days=1)) is state:
        since -= dt.timedelta(days=1)
    said = _said(con, athlete_id, today)
    run_days, heavy_days = _habits(con, athlete_id, newest, curls)
    return CurlFacts(
        date=today,
        state=state,
        state_since=since,
        sessions=_sessions(con, athlete_id, states | {today: states.get(today, state)}, curls),
        soreness=_levels(said, "soreness"),
        tightness=_levels(said, "tightness"),
        massages=tuple(sorted({date for kind, date, _ in said if kind == "massage"})),
        run_days=run_days,
        heavy_days=heavy_days,
    )


def curl_log(
    con: duckdb.DuckDBPyConnection, athlete_id: str, states: Mapping[dt.date, State], curls: Curls
) -> CurlFacts | None:
    """Return all that was done and said of one runner's curls, up to its newest day; None where there is nothing."""
    said = _said(con, athlete_id, dt.date.max)
    sessions = _sessions(con, athlete_id, states, curls)
    if not said and not sessions:
        return None
    newest = max([date for _, date, _ in said] + [session.date for session in sessions])
    return CurlFacts(
        date=newest,
        state=State.UNKNOWN,
        state_since=newest,
        sessions=sessions,
        soreness=_levels(said, "soreness"),
        tightness=_levels(said, "tightness"),
        massages=tuple(sorted({date for kind, date, _ in said if kind == "massage"})),
    )


type _Said = list[tuple[str, dt.date, Mapping[str, Any]]]


def _said(con: duckdb.DuckDBPyConnection, athlete_id: str, today: dt.date) -> _Said:
    rows = con.execute(
        "select kind, date, content from staging.journal where athlete_id = ? and date <= ?"
        " and kind in ('soreness', 'tightness', 'massage')",
        [athlete_id, today],
    ).fetchall()
    return [(kind, date, json.loads(content)) for kind, date, content in rows]


def _levels(said: _Said, kind: str) -> dict[dt.date, float]:
    """Return the highest level logged for each day."""
    levels: dict[dt.date, float] = {}
    for told, date, content in said:
        if told == kind:
            levels[date] = max(levels.get(date, 0.0), float(content["level"]))
    return levels


def _sessions(
    con: duckdb.DuckDBPyConnection, athlete_id: str, states: Mapping[dt.date, State], curls: Curls
) -> tuple[CurlSession, ...]:
    rows = con.execute(
        "select local_date, sets, repetitions, rpe, is_single_leg, lowering_s from staging.curl_sessions"
        " where athlete_id = ? order by local_date",
        [athlete_id],
    ).fetchall()
    done: list[CurlSession] = []
    for date, sets, repetitions, rpe, is_single_leg, lowering_s in rows:
        each = round(repetitions / sets) if repetitions and sets else None
        if each:
            dose = Dose(int(sets), each, lowering_s, bool(is_single_leg))
        else:
            # A watch that counted no repetitions: the dose is taken for the last one that is known.
            dose = done[-1].dose if done else Dose(curls.start_sets, curls.start_repetitions)
        done.append(CurlSession(date, dose, rpe, states.get(date)))
    return tuple(done)


def _habits(
    con: duckdb.DuckDBPyConnection, athlete_id: str, newest: dt.date, curls: Curls
) -> tuple[frozenset[int], frozenset[int]]:
    """Return the weekdays on which the runner usually runs, and usually runs hard, over the last six weeks."""
    rows = con.execute(
        "select local_date, coalesce(bool_or(is_heavy), false) from staging.sessions"
        " where athlete_id = ? and local_date > ? and local_date <= ? group by local_date",
        [athlete_id, newest - dt.timedelta(days=curls.habit_days), newest],
    ).fetchall()
    least = curls.habit_share * curls.habit_days / 7
    ran = Counter(date.weekday() for date, _ in rows)
    hard = Counter(date.weekday() for date, is_heavy in rows if is_heavy)
    return (
        frozenset(weekday for weekday, times in ran.items() if times >= least),
        frozenset(weekday for weekday, times in hard.items() if times >= least),
    )


def _done_told(sets: int, repetitions: int | None) -> str:
    if not repetitions:
        return "Curls done"
    each, rest = divmod(repetitions, sets)
    return f"Curls done: {sets} x {each}" if not rest else f"Curls done: {repetitions} repetitions in {sets} sets"


def dose_told(dose: Dose) -> str:
    """Return a dose in words."""
    return wording.dose(dose.sets, dose.repetitions, dose.lowering_s, is_single_leg=dose.is_single_leg)


def calendar_path(settings: Settings, athlete_id: str) -> Path:
    """Return where a runner's calendar file lies; a home of several runners has one for each."""
    return settings.home / ("curls.ics" if len(settings.athletes) == 1 else f"curls-{athlete_id}.ics")


def write_calendar(settings: Settings, athlete_id: str, today: dt.date, now: dt.datetime) -> Path:
    """Bring the calendar file up to date: planned, done and cancelled days. Written only if it changed."""
    found = plan(settings, athlete_id, today)
    with warehouse.reader(settings.home) as con:
        done = con.execute(
            "select local_date, sets, repetitions from staging.curl_sessions"
            " where athlete_id = ? and local_date > ? and local_date <= ? order by local_date",
            [athlete_id, today - dt.timedelta(days=_SHOWN_DAYS), today],
        ).fetchall()
    appointments = [Appointment(date, _done_told(sets, repetitions), is_done=True) for date, sets, repetitions in done]
    if found.dose is not None:
        told = dose_told(found.dose)
        about = "\n".join((*found.reasons, *found.notes))
        appointments += [Appointment(date, f"Curls: {told}", about) for date in found.dates[:1]]
        later = "The dose follows from how the session before it went."
        appointments += [Appointment(date, "Curls", later) for date in found.dates[1:]]
    path = calendar_path(settings, athlete_id)
    for file in (path, *_other_calendars(settings, athlete_id)):
        _bring_up_to_date(file, appointments, athlete_id, today, now)
    if found.stage is not Stage.WITHHELD and logged_flags(settings, athlete_id):
        # Logged while this was being written.
        return write_calendar(settings, athlete_id, today, now)
    return path


def _other_calendars(settings: Settings, athlete_id: str) -> list[Path]:
    """Return the runner's calendar under another name, from when the home had fewer or more runners.

    A phone may be subscribed to it still.
    """
    path, shared = calendar_path(settings, athlete_id), settings.home / "curls.ics"
    own = settings.home / f"curls-{athlete_id}.ics"
    is_theirs = {own: own.is_file(), shared: shared.is_file() and is_of(shared.read_bytes(), athlete_id)}
    return [file for file, holds in is_theirs.items() if holds and file != path]


def _bring_up_to_date(
    path: Path, appointments: Sequence[Appointment], athlete_id: str, today: dt.date, now: dt.datetime
) -> None:
    previous = path.read_bytes() if path.is_file() else None
    try:
        content = calendar(previous, appointments, athlete_id, today, now)
    except HamloadError:
        # Somebody wrote over a file that hamload derives: it is derived anew.
        content = calendar(None, appointments, athlete_id, today, now)
    if content != previous:
        part = path.with_suffix(".part")
        part.write_bytes(content)
        part.replace(path)


def push_to_garmin(settings: Settings, athlete_id: str, today: dt.date, now: dt.datetime) -> Pushed:
    """Send the next curl session through a runner's own account at Garmin Connect; see `push`."""
    left = recall_from_garmin(settings, athlete_id, today, now)
    if left:
        raise HamloadError("Nothing is sent beside an outdated session.", " ".join(left))
    _sendable(settings, athlete_id, today)
    with garmin_connection(settings, Access.of(settings.home, athlete_id)) as connection:
        return push(settings, athlete_id, today, now, connection)


def recall_from_garmin(settings: Settings, athlete_id: str, today: dt.date, now: dt.datetime) -> list[str]:
    """Delete at Garmin Connect what holds no longer; see `recall`. Returns in sentences what could not be deleted."""
    outdated = _outdated(settings, athlete_id, today)
    if not outdated:
        return []
    try:
        with garmin_connection(settings, Access.of(settings.home, athlete_id)) as connection:
            recall(settings, athlete_id, today, now, connection)
    except HamloadError as error:
        return [
            text(
                "On your watch stays, and holds no longer: {dose} on {date:short}. Delete it in Garmin Connect's"
                " training calendar, then sync the watch. ({error})",
                dose=entry.content["dose"],
                date=entry.date,
                error=str(error),
            )
            for entry in outdated
        ]
    return []


def recall(settings: Settings, athlete_id: str, today: dt.date, now: dt.datetime, service: WorkoutService) -> int:
    """Delete the coming sessions at Garmin Connect that the plan names no longer. Returns how many."""
    from hamload.sources.garmin_workouts import delete  # noqa: PLC0415  # as in `push`

    outdated = _outdated(settings, athlete_id, today)
    for entry in outdated:
        delete(service, int(entry.content["workout_id"]))
        with Raw(settings.home) as raw, raw.batch(journal.SOURCE, athlete_id, now) as batch:
            journal.append(batch, _RECALLED, entry.date, now, {"workout_id": entry.content["workout_id"]})
    return len(outdated)


def _outdated(settings: Settings, athlete_id: str, today: dt.date) -> list[Entry]:
    """Return the sessions that were sent, lie ahead, and are not the plan's next one."""
    if not (settings.home / "raw").is_dir():
        return []
    with Raw(settings.home) as raw:
        coming = [entry for entry in _sent(raw, athlete_id) if entry.date >= today]
    if not coming:
        return []
    found = plan(settings, athlete_id, today)
    wanted = (found.dates[0], dose_told(found.dose)) if found.dose is not None and found.dates else None
    return [entry for entry in coming if (entry.date, entry.content["dose"]) != wanted]


def _sent(raw: Raw, athlete_id: str) -> list[Entry]:
    known = journal.logged(raw, athlete_id)
    recalled = {entry.content["workout_id"] for entry in known if entry.kind == _RECALLED}
    return [e for e in known if e.kind == _PUSHED and e.content["workout_id"] not in recalled]


def _sendable(settings: Settings, athlete_id: str, today: dt.date) -> tuple[dt.date, Dose, str]:
    found = plan(settings, athlete_id, today)
    if found.dose is None or not found.dates:
        raise HamloadError(f"There are no curls to send: {found.stage}.", " ".join(found.reasons[:2]))
    return found.dates[0], found.dose, found.notes[0]


def next_curls(con: duckdb.DuckDBPyConnection, settings: Settings, athlete_id: str, today: dt.date) -> str:
    """Return the next curls in a sentence, empty where there are none or they are withheld."""
    if logged_flags(settings, athlete_id):
        return ""
    found = curl_plan(curl_facts(con, athlete_id, today, settings.alerts.curls), settings.alerts)
    if found.dose is None or not found.dates:
        return ""
    # That the last curls were too much the day's own advice has said.
    reason = "" if found.stage is Stage.CUT else found.reasons[0]
    return wording.next_curls(dose_told(found.dose), found.dates[:2], reason)


def coming_curls(
    con: duckdb.DuckDBPyConnection, settings: Settings, athlete_id: str, today: dt.date
) -> dict[dt.date, str]:
    """Return the curls of the coming days: the next dose, and after it only that there are some."""
    if logged_flags(settings, athlete_id):
        return {}
    found = curl_plan(curl_facts(con, athlete_id, today, settings.alerts.curls), settings.alerts)
    if found.dose is None:
        return {}
    doses = [dose_told(found.dose), *(wording.curls_later() for _ in found.dates[1:])]
    return dict(zip(found.dates, doses, strict=False))


def push(settings: Settings, athlete_id: str, today: dt.date, now: dt.datetime, service: WorkoutService) -> Pushed:
    """Send the next curl session to Garmin Connect, on its day, in place of an outdated one. It is sent once.

    Raises
    ------
    HamloadError
        Where there is no session to send: a red flag, soreness that has not settled, massage first.

    """
    from hamload.sources.garmin_workouts import curl_workout  # noqa: PLC0415  # who pushes nothing need not load it
    from hamload.sources.garmin_workouts import push as send  # noqa: PLC0415

    recall(settings, athlete_id, today, now, service)
    date, dose, note = _sendable(settings, athlete_id, today)
    told = dose_told(dose)
    content = {"sets": dose.sets, "repetitions": dose.repetitions, "dose": told}
    with Raw(settings.home) as raw:
        for entry in _sent(raw, athlete_id):
            if entry.date == date and entry.content["dose"] == told:
                return Pushed(date, told, int(entry.content["workout_id"]), is_new=False)
        workout = curl_workout(
            f"Curls {dose.sets} x {dose.repetitions}",
            dose.sets,
            dose.repetitions,
            note,
            lowering_s=dose.lowering_s,
            is_single_leg=dose.is_single_leg,
        )
        workout_id = send(service, workout, date)
        with raw.batch(journal.SOURCE, athlete_id, now) as batch:
            journal.append(batch, _PUSHED, date, now, {**content, "workout_id": workout_id})
    return Pushed(date, told, workout_id, is_new=True)
