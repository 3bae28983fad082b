"""Numbers, days and durations as a reader meets them. Pure: one value in, one string out, in no one's locale.

Every function takes None (and NaN) for unknown and then returns `missing`, an en dash unless told otherwise: never 0.
A number and its unit are joined by a no-break space.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime as dt
    from zoneinfo import ZoneInfo

#: How an unknown value shows in a table, and in a sentence.
DASH, UNKNOWN = "\N{EN DASH}", "unknown"
NBSP = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MOST_DIGITS = 4


def number(value: float | None, digits: int = 0, missing: str = DASH) -> str:
    """Return a number with a fixed count of decimals; thousands are grouped by a comma, infinity is named."""
    if value is None or math.isnan(value):
        return missing
    if math.isinf(value):
        return "infinite" if value > 0 else f"{MINUS}infinite"
    text = f"{abs(value):,.{digits}f}"
    return f"{MINUS}{text}" if value < 0 and text.strip("0.,") else text


def efm(load_efm: float | None, digits: int = 0, missing: str = DASH) -> str:
    """Return a load without its unit. What would round to a zero that it is not shows as less than one step."""
    text = number(load_efm, digits, missing)
    if load_efm is not None and load_efm > 0 and not text.strip("0."):
        return f"<{10**-digits:.{digits}f}"
    return text


def km(distance_m: float | None, missing: str = DASH) -> str:
    """Return a distance in kilometres, one decimal: "12.3 km"."""
    text = number(None if distance_m is None else distance_m / 1000, 1, missing)
    return text if text == missing else f"{text}{NBSP}km"


def duration(time_s: float | None, missing: str = DASH) -> str:
    """Return minutes below an hour ("52 min"), hours and minutes from there on ("1:43 h")."""
    if time_s is None or math.isnan(time_s):
        return missing
    hours, minutes = divmod(round(time_s / 60), 60)
    return f"{hours}:{minutes:02d}{NBSP}h" if hours else f"{minutes}{NBSP}min"


def pace(speed_mps: float | None, missing: str = DASH) -> str:
    """Return minutes per kilometre: 2.8 m/s is "5:57 min/km". Standing has no pace."""
    if speed_mps is None or math.isnan(speed_mps) or speed_mps <= 0:
        return missing
    minutes, seconds = divmod(round(1000 / speed_mps), 60)
    return f"{minutes}:{seconds:02d}{NBSP}min/km"


def percent(share: float | None, missing: str = DASH) -> str:
    """Return a share (0-1) in whole percent."""
    text = number(None if share is None else share * 100, 0, missing)
    return text if text == missing else f"{text}{NBSP}%"


def change(now: float | None, before: float | None, missing: str = DASH) -> str:
    """Return by how many percent `now` differs from `before`, signed. Against nothing (0) there is no percentage."""
    if now is None or before is None or math.isnan(now) or math.isnan(before) or before <= 0:
        return missing
    difference = number((now / before - 1) * 100)
    if difference == "0":
        return f"\N{PLUS-MINUS SIGN}0{NBSP}%"
    return f"{'' if difference.startswith(MINUS) else '+'}{difference}{NBSP}%"


def told_apart(value: float, threshold: float) -> tuple[str, str]:
    """Return two numbers with as many decimals (two, at most four) as it takes to see that they differ.

    Whole numbers stay whole: tightness 5 against 4, but 1.304 against 1.300.
    """
    if float(value).is_integer() and float(threshold).is_integer():
        return number(value), number(threshold)
    for digits in range(2, _MOST_DIGITS + 1):
        pair = number(value, digits), number(threshold, digits)
        if pair[0] != pair[1]:
            break
    return pair


def day(date: dt.date | None, today: dt.date | None = None, missing: str = UNKNOWN) -> str:
    """Return "Mon 24 Nov"; the year follows unless it is that of `today`."""
    if date is None:
        return missing
    text = f"{_WEEKDAYS[date.weekday()]}{NBSP}{date.day}{NBSP}{_MONTHS[date.month - 1]}"
    return text if today is not None and today.year == date.year else f"{text}{NBSP}{date.year}"


def ago(date: dt.date | None, today: dt.date, missing: str = UNKNOWN) -> str:
    """Return a day and how long ago it was: "Mon 24 Nov (3 days ago)"."""
    if date is None:
        return missing
    days = (today - date).days
    words = {0: "today", 1: "yesterday", -1: "tomorrow"}.get(
        days, f"{days} days ago" if days > 0 else f"in {-days} days"
    )
    return f"{day(date, today)} ({words})"


def moment(at: dt.datetime | None, zone: ZoneInfo, today: dt.date, missing: str = UNKNOWN) -> str:
    """Return a moment on the athlete's clock: "Mon 24 Nov, 03:10 (today)". `at` carries its own zone.

    A night's digest speaks of the day before it: that its sources answered "tomorrow" is not worth saying.
    """
    if at is None:
        return missing
    local = at.astimezone(zone)
    date, _, how_long = ago(local.date(), today).partition(" (")
    clock = f"{date}, {local:%H:%M}"
    return clock if local.date() > today else f"{clock} ({how_long}"


#: The international mile of 1959.
METRES_PER_MILE = 1609.344


@dataclass(frozen=True, slots=True)
class Shown:
    """The same formats with distances as this runner reads them; everything else is this module's own."""

    is_miles: bool = False

    def __getattr__(self, name: str) -> Any:
        """Return the module's own format."""
        if name not in globals():
            raise AttributeError(name)
        return globals()[name]

    def km(self, distance_m: float | None, missing: str = DASH) -> str:
        """Return a distance in kilometres or miles, one decimal."""
        if not self.is_miles:
            return km(distance_m, missing)
        text = number(None if distance_m is None else distance_m / METRES_PER_MILE, 1, missing)
        return text if text == missing else f"{text}{NBSP}mi"

    def pace(self, speed_mps: float | None, missing: str = DASH) -> str:
        """Return minutes per kilometre or mile."""
        if not self.is_miles or speed_mps is None:
            return pace(speed_mps, missing)
        return pace(speed_mps * 1000 / METRES_PER_MILE, missing).replace("min/km", "min/mi")
