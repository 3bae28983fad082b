"""The curl days as a calendar file that phones subscribe to (RFC 5545), through `icalendar`.

Every day has an id of its own that never changes. What changes (a dose, a day that a deload takes away) keeps its id
and counts up its SEQUENCE; what no longer holds is cancelled, not dropped, so that a phone removes it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from icalendar import Calendar, Event

from hamload.errors import HamloadError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: Cancelled and past days are kept this long, so that a phone that slept has time to see them.
_KEPT_DAYS = 60
_PRODUCT = "-//hamload//curls//EN"


@dataclass(frozen=True, slots=True)
class Appointment:
    """One day: what is planned, or was done, on it."""

    date: dt.date
    summary: str
    description: str = ""
    is_done: bool = False


@dataclass(frozen=True, slots=True)
class _Entry:
    date: dt.date
    summary: str
    description: str
    status: str
    sequence: int
    changed_at: dt.datetime


def calendar(
    previous: bytes | None,
    appointments: Sequence[Appointment],
    athlete_id: str,
    today: dt.date,
    now: dt.datetime,
) -> bytes:
    """Return the calendar file after one more night; the same bytes where nothing changed.

    Parameters
    ----------
    previous
        The file as it was, None where there is none.
    appointments
        Every planned and done day, at most one a day.
    athlete_id
        Whose curls these are; part of every id.
    today, now
        The runner's day, and the moment (UTC) that changes are stamped with.

    Raises
    ------
    HamloadError
        Where the previous file is no calendar.

    """
    known = _read(previous) if previous else {}
    wanted = {_uid(athlete_id, a.date): a for a in appointments}
    entries: dict[str, _Entry] = {}
    for uid, a in wanted.items():
        entries[uid] = _next(known.get(uid), a.date, a.summary, a.description, "CONFIRMED", now)
    for uid, was in known.items():
        if uid in wanted or (today - was.date).days > _KEPT_DAYS:
            continue
        # A day that has passed without curls is cancelled as well: what is past and not done is no appointment. How
        # to do them goes with it: some phones show cancelled days.
        entries[uid] = _next(was, was.date, was.summary, "", "CANCELLED", now)
    if entries == known and previous:
        return previous
    return _written(entries)


def is_of(content: bytes, athlete_id: str) -> bool:
    """Return whether a calendar file holds a day of this runner's; one that cannot be read holds nobody's."""
    try:
        known = _read(content)
    except HamloadError:
        return False
    return any(uid == _uid(athlete_id, entry.date) for uid, entry in known.items())


def _uid(athlete_id: str, date: dt.date) -> str:
    return f"curls-{athlete_id}-{date}@hamload"


def _next(was: _Entry | None, date: dt.date, summary: str, description: str, status: str, now: dt.datetime) -> _Entry:
    if was is None:
        return _Entry(date, summary, description, status, 0, now)
    if (was.summary, was.description, was.status) == (summary, description, status):
        return was
    return _Entry(date, summary, description, status, was.sequence + 1, now)


def _read(previous: bytes) -> Mapping[str, _Entry]:
    try:
        told = Calendar.from_ical(previous)
        return {str(event["UID"]): _entry(event) for event in told.walk("VEVENT")}
    except (ValueError, KeyError, AttributeError) as error:
        raise HamloadError(
            f"The calendar file of the curls cannot be read: {error!r}.", "Delete it; the next night writes it anew."
        ) from error


def _entry(event: Any) -> _Entry:
    return _Entry(
        date=event["DTSTART"].dt,
        summary=str(event["SUMMARY"]),
        description=str(event.get("DESCRIPTION", "")),
        status=str(event["STATUS"]),
        sequence=int(event["SEQUENCE"]),
        changed_at=event["DTSTAMP"].dt,
    )


def _written(entries: Mapping[str, _Entry]) -> bytes:
    told = Calendar()
    told.add("PRODID", _PRODUCT)
    told.add("VERSION", "2.0")
    told.add("METHOD", "PUBLISH")
    told.add("X-WR-CALNAME", "hamload curls")
    for event in _events(entries):
        told.add_component(event)
    content: bytes = told.to_ical()
    return content


def _events(entries: Mapping[str, _Entry]) -> Iterable[Event]:
    for uid, entry in sorted(entries.items(), key=lambda item: item[1].date):
        event = Event()
        event.add("UID", uid)
        event.add("DTSTAMP", entry.changed_at.replace(microsecond=0))
        event.add("LAST-MODIFIED", entry.changed_at.replace(microsecond=0))
        event.add("DTSTART", entry.date)
        event.add("DTEND", entry.date + dt.timedelta(days=1))
        event.add("SEQUENCE", entry.sequence)
        event.add("STATUS", entry.status)
        event.add("TRANSP", "TRANSPARENT")
        event.add("SUMMARY", entry.summary)
        if entry.description:
            event.add("DESCRIPTION", entry.description)
        yield event
