"""The runner's journal as the command line meets it: one entry in, one taken back, a list; and what counts of it.

What the words mean is `hamload.advice.logbook`'s; that they are kept is `hamload.journal`'s.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hamload import journal
from hamload.advice import FLAGS, FlagEntry, open_flags, stop_advice
from hamload.advice.logbook import KINDS, capacity_test, curls, curls_line, day, flag, note, soreness, tightness, told
from hamload.errors import ConfigurationError
from hamload.raw import Raw

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hamload.journal import Entry
    from hamload.settings import Settings


__all__ = [
    "FLAGS",
    "Logged",
    "capacity_test",
    "curls",
    "curls_line",
    "day",
    "entries",
    "flag",
    "flags",
    "log",
    "note",
    "soreness",
    "tightness",
    "told",
    "undo",
]


@dataclass(frozen=True, slots=True)
class Logged:
    """What became of an entry: its id, whether it is new, and what must be said at once (of a red flag)."""

    entry_id: str
    is_new: bool
    advice: tuple[str, ...] = ()


def log(
    settings: Settings, athlete_id: str, kind: str, date: dt.date, content: Mapping[str, Any], now: dt.datetime
) -> Logged:
    """Write an entry. Logged twice for one day in the same words it changes nothing: it was said already.

    Raises
    ------
    ConfigurationError
        Where a flag is cleared that is not open.

    """
    with Raw(settings.home) as raw:
        known = _entries(raw, athlete_id)
        if kind == "cleared" and content["name"] not in open_flags(_flags(known), date):
            still = open_flags(_flags(known), date)
            raise ConfigurationError(
                f"{content['name']} is not open on {date}.",
                f"Open: {', '.join(still)}." if still else "No red flag is open.",
            )
        same = [e for e in known if (e.kind, e.date, e.content) == (kind, date, dict(content))]
        is_again = same and kind not in _OPENING
        if is_again or (kind == "flag" and _is_open(known, content["name"], date)):
            entry_id, is_new = (same[-1].entry_id if same else ""), False
        else:
            with raw.batch(journal.SOURCE, athlete_id, now) as batch:
                entry_id, is_new = journal.append(batch, kind, date, now, content), True
        flags = open_flags(_flags(_entries(raw, athlete_id)), dt.date.max)
    return Logged(entry_id, is_new, stop_advice(flags) if flags else ())


#: Kinds whose second entry on a day may mean something new: a flag opened, cleared and opened again.
_OPENING = frozenset({"flag", "cleared"})


def undo(settings: Settings, athlete_id: str, entry_id: str, now: dt.datetime) -> Entry:
    """Take an entry back, the newest where none is named.

    Raises
    ------
    ConfigurationError
        Where there is none, or the id names none or several.

    """
    with Raw(settings.home) as raw:
        known = [e for e in _entries(raw, athlete_id) if e.kind in KINDS]
        found = [e for e in known if e.entry_id.startswith(entry_id)] if entry_id else known[-1:]
        if len(found) != 1:
            what = f"{len(found)} entries begin with {entry_id}" if found else "there is no such entry"
            raise ConfigurationError(f"undo: {what}.", "See: hamload log list.")
        with raw.batch(journal.SOURCE, athlete_id, now) as batch:
            journal.undo(batch, found[0], now)
    return found[0]


def entries(settings: Settings, athlete_id: str) -> list[Entry]:
    """Return what the runner logged and did not take back, oldest first by when it was written."""
    if not (settings.home / "raw").is_dir():
        return []
    with Raw(settings.home) as raw:
        return [e for e in _entries(raw, athlete_id) if e.kind in KINDS]


def flags(settings: Settings, athlete_id: str) -> tuple[str, ...]:
    """Return the red flags that are open now, straight from the journal: no build stands between.

    Everything that shows advice asks here first; see `hamload.pipeline.counsel.withholding`.
    """
    if not (settings.home / "raw").is_dir():
        return ()
    with Raw(settings.home) as raw:
        return open_flags(_flags(_entries(raw, athlete_id)), dt.date.max)


def _is_open(known: Sequence[Entry], name: str, date: dt.date) -> bool:
    """Return whether a flag was open on a day and is so still: saying it again would add nothing."""
    return all(name in open_flags(_flags(known), day) for day in (date, dt.date.max))


def _entries(raw: Raw, athlete_id: str) -> list[Entry]:
    return journal.logged(raw, athlete_id)


def _flags(known: Sequence[Entry]) -> list[FlagEntry]:
    return [
        FlagEntry(e.content["name"], e.date, e.logged_at, e.kind == "cleared")
        for e in known
        if e.kind in _OPENING and e.content["name"] in FLAGS
    ]
