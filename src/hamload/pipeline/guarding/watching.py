"""Looks from outside whether the nights happen: where none has run to its end for too long, the runner is told, once.

Depends on no night, no warehouse and no lock: on the settings, the ledger of nights and the outbox alone, and where
even the ledger cannot be read, it says that. What a night itself has told (a source that fails) is not repeated.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hamload import post, warehouse
from hamload.digest.outage import Outage, outage_subject, outage_text
from hamload.errors import HamloadError
from hamload.pipeline.noting import nights
from hamload.pipeline.showing import withdrawing
from hamload.raw import Raw

if TYPE_CHECKING:
    from hamload.settings import Settings

_SOURCE, _NOBODY = "watch", ""
#: A machine that wakes after days runs its night and this look at once: the night is given time to end.
_AT_WORK = dt.timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Watched:
    """What a look at the nights found.

    `is_idle`: nothing is set up that a night would ask. `since` is the end of the last good night or, without
    `had_night`, when hamload began to wait for the first. `outage` where that is too long ago; `told` counts the
    messages that are new, `problems` are what kept them from being sent.
    """

    since: dt.datetime | None
    outage: Outage | None = None
    is_idle: bool = False
    had_night: bool = False
    told: int = 0
    problems: tuple[str, ...] = ()


def watch(settings: Settings, now: dt.datetime) -> Watched:
    """Look, and tell every runner where no night has run to its end for `[doctor] max_night_age_h` hours."""
    if not settings.accounts and not settings.folders:
        return Watched(None, is_idle=True)
    since, had_night, outage = _looked(settings, now)
    if outage is None:
        return Watched(since, had_night=had_night)
    key = f"no night since {since.isoformat(timespec='seconds')}"
    language = settings.language(now.date())
    told = 0
    for athlete in settings.athletes:
        there = _on_clock(outage, settings, athlete.id)
        subject = outage_subject(there, language)
        body = outage_text(there, athlete.name or athlete.id, language)
        told += post.tell(settings, athlete.id, key, "failure", subject, body, now=now)
    return Watched(since, outage, had_night=had_night, told=told, problems=tuple(_delivered(settings, now)))


def _looked(settings: Settings, now: dt.datetime) -> tuple[dt.datetime, bool, Outage | None]:
    limit = dt.timedelta(hours=settings.doctor.max_night_age_h)
    try:
        found = nights.nights(settings)
        good = _last_good(settings, found)
        since = good or _waiting_since(settings, now)
    except HamloadError as error:
        # A time that changes with the next night, and with nothing else: the outage has its name from it.
        path = settings.home / warehouse.PUBLISHED
        since = dt.datetime.fromtimestamp(path.stat().st_mtime if path.is_file() else 0, dt.UTC)
        return since, path.is_file(), Outage(since, _hours(now - since), path.is_file(), unreadable=str(error))
    is_at_work = found.last is not None and found.last.outcome == "running" and now - found.last.began_at < _AT_WORK
    if now - since <= limit or is_at_work:
        return since, good is not None, None
    last = found.last if found.last is not None and found.last.began_at > since else None
    return (
        since,
        good is not None,
        Outage(
            since,
            _hours(now - since),
            had_night=good is not None,
            tried_at=last.began_at if last else None,
            error=last.error if last else "",
        ),
    )


def _last_good(settings: Settings, found: nights.Nights) -> dt.datetime | None:
    if found.good is not None:
        return found.good.ended_at
    # Nights before this ledger left nothing but what sources answered.
    asked = {(a.athlete, a.service.value) for a in settings.accounts}
    asked |= {(settings.athlete(f.athlete).id, f"folder:{f.path}") for f in settings.folders}
    with Raw(settings.home) as raw:
        answers = [r.reported_at for r in raw.reports() if (r.athlete_id, r.source) in asked and not r.is_failure]
    return max(answers, default=None)


def _waiting_since(settings: Settings, now: dt.datetime) -> dt.datetime:
    """Return when hamload first looked for a night in vain; the first time, that is now."""
    with Raw(settings.home) as raw:
        told = raw.cursor(_SOURCE, _NOBODY).get("since")
        if told:
            return dt.datetime.fromisoformat(told)
        with raw.batch(_SOURCE, _NOBODY, now) as batch:
            batch.cursor({"since": now.isoformat()})
    return now


def _on_clock(outage: Outage, settings: Settings, athlete_id: str) -> Outage:
    zone = settings.zone(athlete_id)
    tried = outage.tried_at and outage.tried_at.astimezone(zone)
    return replace(outage, since=outage.since.astimezone(zone), tried_at=tried)


def _delivered(settings: Settings, now: dt.datetime) -> list[str]:
    """Send what waits. Where a warning sign cannot be looked up, only what holds no advice."""
    left: list[str] = []
    kinds: frozenset[post.Kind] | None = None
    try:
        for athlete in settings.athletes:
            left += withdrawing.withdraw_mail(settings, athlete.id)
    except HamloadError as error:
        left.append(str(error))
        kinds = frozenset({"failure"})
    return [*left, *post.deliver(settings, now, kinds).problems]


def _hours(age: dt.timedelta) -> int:
    return int(age.total_seconds() // 3600)
