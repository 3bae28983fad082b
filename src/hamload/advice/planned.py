"""Runs that are not run yet: what "sun long 100min" means, and what it would ask, from the runner's own runs. Pure."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hamload.advice.logbook import weekday_of
from hamload.advice.rules import known
from hamload.errors import ConfigurationError
from hamload.language import METRES_PER_KM, METRES_PER_MILE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hamload.parameters import AlertRules
    from hamload.records import SessionFact

KINDS = ("easy", "long", "hill", "speed", "race")
_EXAMPLE = 'For instance: --add "sun long 100min" or --add "2026-11-29 hill 60min 11km" (or 7mi).'
_MINUTES = re.compile(r"(\d{1,4})(?:min|m)?", re.ASCII)
_HOURS = re.compile(r"(\d{1,2})h(\d{1,2})?", re.ASCII)
_DISTANCE = re.compile(r"(\d{1,3}(?:[.,]\d{1,3})?)(km|mi|miles?)", re.ASCII)
_LONGEST_MIN = 24 * 60
#: How many own runs of a kind say what the next one asks.
_ENOUGH = 2


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """A run that the runner thinks of: its day, kind and minutes; its distance where they say."""

    date: dt.date
    kind: str
    minutes: float
    distance_m: float | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a planned run would ask, and on how many own runs of what kind that rests."""

    run: PlannedRun
    load_efm: float
    distance_m: float | None
    runs: int
    is_own_kind: bool


def coming_day(text: str, today: dt.date, option: str) -> dt.date:
    """Read a day from today on: YYYY-MM-DD, today, tomorrow, or a weekday (the next one, today included).

    Raises ConfigurationError.
    """
    word = text.strip().lower()
    if word in {"today", "tomorrow"}:
        return today + dt.timedelta(days=word == "tomorrow")
    if (weekday := weekday_of(word)) is not None:
        return today + dt.timedelta(days=(weekday - today.weekday()) % 7)
    try:
        date = dt.date.fromisoformat(word)
    except ValueError:
        raise ConfigurationError(
            f"{option} {text}: this is no day.", "Write YYYY-MM-DD, today, tomorrow, or a weekday such as sun."
        ) from None
    if date < today:
        raise ConfigurationError(f"{option} {text}: that day is over.", "A plan is for days to come.")
    return date


def planned_run(text: str, today: dt.date) -> PlannedRun:
    """Read "DAY KIND MINUTES [DISTANCE]". Raises ConfigurationError for anything else, with an example."""
    words = text.lower().split()
    lengths = (3, 4)
    if len(words) not in lengths:
        raise ConfigurationError(
            f"--add {text!r}: a run is DAY KIND MINUTES, and its distance where you know it.", _EXAMPLE
        )
    date = coming_day(words[0], today, "--add")
    if words[1] not in KINDS:
        raise ConfigurationError(f"--add {text!r}: {words[1]} is no kind.", f"Choose one of: {', '.join(KINDS)}.")
    minutes = _minutes(words[2])
    if minutes is None:
        raise ConfigurationError(f"--add {text!r}: {words[2]} is no duration.", _EXAMPLE)
    metres = None
    if len(words) == lengths[1]:
        found = _DISTANCE.fullmatch(words[3])
        number = float(found[1].replace(",", ".")) if found else 0.0
        if found is None or not number:
            raise ConfigurationError(f"--add {text!r}: {words[3]} is no distance.", _EXAMPLE)
        metres = number * (METRES_PER_KM if found[2] == "km" else METRES_PER_MILE)
    return PlannedRun(date, words[1], minutes, metres)


def _minutes(word: str) -> float | None:
    if found := _MINUTES.fullmatch(word):
        minutes = float(found[1])
    elif found := _HOURS.fullmatch(word):
        minutes = 60 * float(found[1]) + float(found[2] or 0)
    else:
        return None
    return minutes if 0 < minutes <= _LONGEST_MIN else None


_OF_KIND: dict[str, Callable[[SessionFact], bool]] = {
    "easy": lambda s: s.is_heavy is False,
    "long": lambda s: s.is_long is True,
    "hill": lambda s: s.is_hill is True,
    "speed": lambda s: s.is_speed is True,
    "race": lambda s: s.is_speed is True,
}


def estimate(run: PlannedRun, sessions: Sequence[SessionFact], rules: AlertRules) -> Estimate | None:
    """Return what a run would ask: its minutes times what a minute of the runner's own runs of that kind asks.

    The runs are those of the last 90 days, of that kind (a race counts as speed); with fewer than two, all runs,
    and the estimate says so: for hills, speed and races it is then likely too low. None without any run.
    """
    first = run.date - dt.timedelta(days=rules.windows.own_days)
    recent = [s for s in sessions if first <= s.local_date <= run.date and s.moving_time_s > 0]
    alike = [s for s in recent if _OF_KIND[run.kind](s)]
    is_own_kind = len(alike) >= _ENOUGH
    chosen = alike if is_own_kind else recent
    if not chosen:
        return None
    seconds = sum(s.moving_time_s for s in chosen)
    with_distance = [(m, s.moving_time_s) for s in chosen if (m := known(s.distance_m)) is not None and m > 0]
    metres = run.distance_m
    if metres is None and with_distance:
        metres = 60 * run.minutes * sum(m for m, _ in with_distance) / sum(s for _, s in with_distance)
    load = 60 * run.minutes * sum(s.load_efm for s in chosen) / seconds
    return Estimate(run, load, metres, len(chosen), is_own_kind)
