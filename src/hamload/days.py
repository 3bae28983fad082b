"""On which calendar day a run began: the runner's own, at the place of the run. Pure: no files, no clock.

The borders of the time zones come with tzfpy; what the zones were on a day, from the machine's own tables.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

type DaySource = Literal["recording", "place", "service", "home"]


@dataclass(frozen=True, slots=True)
class LocalDay:
    """The local day of a start, the clock's offset from UTC there, and what told it."""

    date: dt.date
    offset_s: int
    source: DaySource


def local_day(
    start_at: dt.datetime,
    own_offset_s: int | None,
    place: tuple[float, float] | None,
    home: dt.tzinfo,
    *,
    is_service: bool = False,
) -> LocalDay:
    """Return the calendar day of a start.

    Parameters
    ----------
    start_at
        The start, aware.
    own_offset_s
        What the recording (or, with `is_service`, the service's account of it) says of its clock; None: nothing.
    place
        Latitude and longitude of the start in degrees; None where the recording has no positions.
    home
        The athlete's home zone.

    Notes
    -----
    The recording's own clock tells, unless it shows what a clock shows that nobody has set: UTC, from a device that
    writes no other time, or the time at home, from a watch that was not set after a flight. Where the place of the run
    has another time then, the place is right. Where no place is known, as on a treadmill, a clock that shows UTC is
    taken for one that nobody has set, and the home zone serves; a service knows its clock.

    """
    at_home = _offset(start_at, home)
    there = zone_at(*place) if place is not None else None
    at_place = _offset(start_at, there) if there is not None else None
    is_unset = own_offset_s in {0, at_home} and at_place not in {None, own_offset_s}
    is_unset |= own_offset_s == 0 and place is None and not is_service
    if own_offset_s is not None and not is_unset:
        return _day(start_at, own_offset_s, "service" if is_service else "recording")
    if at_place is not None:
        return _day(start_at, at_place, "place")
    return _day(start_at, at_home, "home")


@cache
def zone_at(latitude_deg: float, longitude_deg: float) -> ZoneInfo | None:
    """Return the time zone of a place, None at sea and where none is known."""
    from tzfpy import get_tz  # noqa: PLC0415  # its borders take a moment to unpack, and most commands ask for none

    if not (-90 <= latitude_deg <= 90 and -180 <= longitude_deg <= 180):  # noqa: PLR2004  # the globe's own ends
        return None
    name = get_tz(longitude_deg, latitude_deg)
    if not name or name.startswith("Etc/"):
        return None
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:
        return None


def _offset(at: dt.datetime, zone: dt.tzinfo) -> int:
    away = at.astimezone(zone).utcoffset()
    return round(away.total_seconds()) if away is not None else 0


def _day(start_at: dt.datetime, offset_s: int, source: DaySource) -> LocalDay:
    return LocalDay(start_at.astimezone(dt.timezone(dt.timedelta(seconds=offset_s))).date(), offset_s, source)
