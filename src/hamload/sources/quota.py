"""How much Strava still allows, as its answers' headers announce it: limits, what is used, when a window ends.

Pure: headers and a clock in, numbers and moments out. No limit is written down here: what no answer has announced is
unknown, and unknown forbids nothing. Strava counts all requests (`X-RateLimit-*`) and reads (`X-ReadRateLimit-*`), each
over a quarter of an hour, from :00, :15, :30 and :45, and over a day, from midnight UTC; a refused request counts too.
Source: developers.strava.com/docs/rate-limits.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

_QUARTER = dt.timedelta(minutes=15)
_DAY = dt.timedelta(days=1)
#: In the order in which the two numbers of each header stand.
_SPANS = (_QUARTER, _DAY)
_KINDS = ("ratelimit", "readratelimit")


@dataclass(frozen=True, slots=True)
class Window:
    """One announced limit: `limit` requests until `ends_at` (UTC), of which `used` are gone; `used` may lie above."""

    limit: int
    used: int
    ends_at: dt.datetime
    is_day: bool

    def left(self, at: dt.datetime) -> int:
        """Return how many requests this window still allows at a moment.

        Once it has ended, all of them, and one at least: whether the limit has changed is known only by asking.
        """
        return max(self.limit, 1) if at >= self.ends_at else max(self.limit - self.used, 0)


@dataclass(frozen=True, slots=True)
class Quota:
    """Every limit of one answer, and the moment of that answer by Strava's own clock."""

    at: dt.datetime
    windows: tuple[Window, ...]

    @classmethod
    def from_json(cls, stored: Any) -> Self | None:
        """Read what `as_json` wrote; None where there is nothing, or nothing that can be understood."""
        try:
            windows = tuple(
                Window(int(limit), int(used), dt.datetime.fromisoformat(ends_at), bool(is_day))
                for limit, used, ends_at, is_day in stored["windows"]
            )
            return cls(dt.datetime.fromisoformat(stored["at"]), windows)
        except (KeyError, TypeError, ValueError):
            return None

    def as_json(self) -> dict[str, Any]:
        """Return this as JSON, for a cursor."""
        windows = [[w.limit, w.used, w.ends_at.isoformat(), w.is_day] for w in self.windows]
        return {"at": self.at.isoformat(), "windows": windows}

    def left(self, at: dt.datetime) -> int | None:
        """Return how many requests the tightest window still allows; None where no limit is known."""
        return min((window.left(at) for window in self.windows), default=None)

    def resumes_at(self, at: dt.datetime) -> dt.datetime | None:
        """Return when the next request may be made; None where that is now."""
        full = [window.ends_at for window in self.windows if not window.left(at)]
        return max(full, default=None)

    def daily_limit(self) -> int | None:
        """Return how many requests a whole day allows; None where that is not known."""
        return min((window.limit for window in self.windows if window.is_day), default=None)

    def asked(self, at: dt.datetime) -> Self:
        """Return the quota after one more request whose answer announced nothing, or that got no answer."""
        counted = tuple(
            replace(w, used=w.used + 1)
            if at < w.ends_at
            else Window(w.limit, 1, _end(at, _DAY if w.is_day else _QUARTER), w.is_day)
            for w in self.windows
        )
        return replace(self, at=max(at, self.at), windows=counted)


def read(headers: Mapping[str, str], now: dt.datetime) -> Quota | None:
    """Return what an answer's headers announce.

    Parameters
    ----------
    headers
        Of one answer, in any case. Its `Date` tells the moment by Strava's clock, which is what the windows run by.
    now
        Taken for that moment where the answer has no readable date. Aware.

    Returns
    -------
    Quota | None
        None where no limit is announced. A limit without its usage, or one that is no number, is passed over.

    """
    named = {name.lower(): value for name, value in headers.items()}
    at = _date(named.get("date", "")) or now.astimezone(dt.UTC)
    windows = []
    for kind in _KINDS:
        limits, usages = _numbers(named.get(f"x-{kind}-limit")), _numbers(named.get(f"x-{kind}-usage"))
        for span, limit, used in zip(_SPANS, limits, usages, strict=False):
            if limit is not None and used is not None:
                windows.append(Window(limit, used, _end(at, span), is_day=span == _DAY))
    return Quota(at, tuple(windows)) if windows else None


def quarter_end(at: dt.datetime) -> dt.datetime:
    """Return the end of the quarter of an hour that holds a moment, in UTC."""
    return _end(at, _QUARTER)


def day_end(at: dt.datetime) -> dt.datetime:
    """Return the midnight UTC that ends the day of a moment."""
    return _end(at, _DAY)


def backfill_left(quota: Quota | None, share: float, spent: int) -> int | None:
    """Return how many requests of today's budget backfill may still spend.

    Parameters
    ----------
    quota
        As last announced.
    share
        Of the day's limit, 0 to 1.
    spent
        Requests that backfill has made since midnight UTC.

    Returns
    -------
    int | None
        None where no daily limit is known. Never negative.

    """
    limit = quota.daily_limit() if quota else None
    return None if limit is None else max(int(limit * share) - spent, 0)


def _end(at: dt.datetime, span: dt.timedelta) -> dt.datetime:
    at = at.astimezone(dt.UTC)
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + ((at - midnight) // span + 1) * span


def _numbers(value: str | None) -> list[int | None]:
    return [int(part) if part.strip().isdecimal() else None for part in (value or "").split(",")]


def _date(value: str) -> dt.datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
