"""What is new on Strava, newest first, within what Strava allows.

One request lists 200 activities and one more gives all streams of a run; other sports and manual entries are taken as
they are listed. Nothing here sleeps or retries: what fails is raised with its remedy, what must wait is said in the
last page, and the cursor of the last page that was put is where the next run goes on. How Strava is reached, and how a
runner signs in, lies in `strava_access`; its names are offered here too.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from dataclasses import dataclass, field
from itertools import batched, count
from typing import TYPE_CHECKING, Any

from hamload.errors import HamloadError
from hamload.numbers import number
from hamload.records import Sport
from hamload.sources import quota as quotas
from hamload.sources.pages import Document, Page
from hamload.sources.strava_access import (
    HIDDEN,
    LATER,
    SIGN_IN,
    AppRefusedError,
    Host,
    LoginNeededError,
    NotThereError,
    NotUnderstoodError,
    RefusedForNowError,
    ServiceDownError,
    Session,
    StravaError,
    SubscriptionLapsedError,
    answered,
    authorization_url,
    client,
    exchange,
    read_callback,
    refresh_here,
    refreshed,
    revoke,
    sees_everything,
    session,
)
from hamload.sources.tokens import App

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from stravalib import Client

    from hamload.sources.quota import Quota

__all__ = [
    "HIDDEN",
    "AnotherRunnerError",
    "App",
    "AppRefusedError",
    "Host",
    "LoginNeededError",
    "NotUnderstoodError",
    "Pace",
    "ServiceDownError",
    "Session",
    "StravaError",
    "SubscriptionLapsedError",
    "authorization_url",
    "client",
    "exchange",
    "facts_of",
    "fetch",
    "read_callback",
    "refresh_here",
    "refreshed",
    "revoke",
    "sees_everything",
    "session",
    "sport_of",
]

#: One request brings all of these that an activity has.
STREAMS = "time,latlng,distance,altitude,velocity_smooth,heartrate,cadence,temp,moving,grade_smooth"

_FORMAT = "strava"
_DAY_S = 86_400
#: Lists may be in the order of local or of universal time: between the two lies a day at most.
_CLOCKS_APART_S = 2 * _DAY_S
#: What makes a new version of an activity. Kudos, comments and achievements do not.
_EDITED = (
    "name",
    "sport_type",
    "type",
    "start_date",
    "utc_offset",
    "elapsed_time",
    "moving_time",
    "distance",
    "total_elevation_gain",
    "trainer",
    "manual",
    "flagged",
    "upload_id",
)


class AnotherRunnerError(StravaError):
    """The account signed in belongs to somebody else than the activities fetched so far."""


class _LimitError(Exception):
    """Nothing more may be asked before `resumes_at`."""

    def __init__(self, resumes_at: dt.datetime, note: str) -> None:
        super().__init__(note)
        self.resumes_at, self.note = resumes_at, note


@dataclass(frozen=True, slots=True)
class Pace:
    """How far a night goes.

    Attributes
    ----------
    overlap_days
        Read again every night, for late uploads, edits and deletions; everything older is backfill.
    sweep_days
        After so many days the whole list is read again, which costs a request for 200 activities.
    backfill_share
        Of the day's limit, the most that backfill may spend (0 to 1).
    page_size
        Activities a list; Strava's maximum is 200.
    batch
        Documents a page: what a kill may lose.
    confirmations
        Activities missing from the list that are asked for, at most, before they count as gone.
    failures
        Failures in a row after which Strava counts as down.
    give_up_days
        How long streams that Strava fails to give are asked for again.
    absent_days
        How long they are where Strava says that an uploaded run has none: it may still be at work on the upload.

    """

    overlap_days: int = 30
    sweep_days: int = 7
    backfill_share: float = 0.5
    page_size: int = 200
    batch: int = 10
    confirmations: int = 20
    failures: int = 3
    give_up_days: int = 14
    absent_days: int = 3


class _Asker:
    """Asks within the limits. Reads them from every answer; counts what backfill spends."""

    def __init__(self, client: Client, place: _Place, now: dt.datetime, pace: Pace) -> None:
        self._client, self._place, self._now, self._pace = client, place, now, pace
        client.protocol.rate_limiter = self._note

    def activities(self, page: int, *, before: int | None, is_backfill: bool) -> list[dict[str, Any]]:
        """Return one page of the list, newest first; empty behind the last one."""
        where = {"page": page, "per_page": self._pace.page_size} | ({"before": before} if before is not None else {})
        try:
            rows = self._get("/athlete/activities", is_backfill=is_backfill, **where)
        except NotThereError:
            rows = None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise NotUnderstoodError("Strava's list of activities is no list of activities.", LATER)
        return rows

    def streams(self, activity_id: str, *, is_backfill: bool) -> dict[str, Any] | None:
        """Return all streams of an activity; None where it has none."""
        try:
            found = self._get(
                f"/activities/{activity_id}/streams", is_backfill=is_backfill, keys=STREAMS, key_by_type="true"
            )
        except NotThereError:
            return None
        if not isinstance(found, dict) or not all(
            isinstance(stream, dict) and isinstance(stream.get("data"), list) for stream in found.values()
        ):
            raise NotUnderstoodError("Strava's streams of an activity are none.", LATER)
        return found or None

    def activity(self, activity_id: str) -> dict[str, Any] | None:
        """Return one activity in detail; None where it is gone."""
        try:
            found = self._get(f"/activities/{activity_id}", is_backfill=False)
        except NotThereError:
            return None
        if not isinstance(found, dict) or str(found.get("id")) != activity_id:
            raise NotUnderstoodError("Strava's answer is not the activity that was asked for.", LATER)
        return found

    def _get(self, path: str, *, is_backfill: bool, **where: Any) -> Any:
        self._permit(is_backfill=is_backfill)
        at = self._at()
        if is_backfill:
            self._place.spend(at)
        if self._place.quota:
            self._place.quota = self._place.quota.asked(at)
        try:
            return answered(lambda: self._client.protocol.get(path, **where))
        except RefusedForNowError:
            known = self._place.quota
            resumes_at = (known.resumes_at(self._at()) if known else None) or quotas.quarter_end(self._at())
        raise _LimitError(resumes_at, "Strava refused a request because its limit is used up.")

    def _permit(self, *, is_backfill: bool) -> None:
        at, known = self._at(), self._place.quota
        if known and (resumes_at := known.resumes_at(at)):
            raise _LimitError(resumes_at, "Strava's limit is used up.")
        if is_backfill:
            left = quotas.backfill_left(known, self._pace.backfill_share, self._place.spent(at))
            if left is not None and left <= 0:
                raise _LimitError(quotas.day_end(at), "Today's share of Strava's limit for older activities is spent.")

    def _at(self) -> dt.datetime:
        """Return the time by Strava's clock as far as it is known: a long run must not stand still in its window."""
        now = self._now.astimezone(dt.UTC)
        return max(now, self._place.quota.at) if self._place.quota else now

    def _note(self, headers: Mapping[str, str], _method: str) -> None:
        announced = quotas.read(headers, self._now)
        if announced is not None:
            self._place.quota = announced


# Fetching


@dataclass(slots=True)
class _Place:
    """Where the reading of one runner's activities stands: the cursor.

    `known`: per activity its start (epoch seconds), the fingerprint of what was fetched, and since when Strava has
    failed to give its streams (epoch seconds; negative: since when it says that there are none; 0: they are here, or
    are not asked for). `unlisted`: not in the list, and
    still there when asked for. `floor`: start of the oldest activity before which nothing newer was left out.
    """

    known: dict[str, list[Any]] = field(default_factory=dict)
    unlisted: list[str] = field(default_factory=list)
    runner: str = ""
    floor: int | None = None
    is_whole: bool = False
    read_at: dt.datetime | None = None
    swept_at: dt.datetime | None = None
    spent_on: str = ""
    spent_requests: int = 0
    quota: Quota | None = None

    @classmethod
    def of(cls, cursor: Mapping[str, Any]) -> _Place:
        return cls(
            known={key: list(entry) for key, entry in cursor.get("known", {}).items()},
            unlisted=list(cursor.get("unlisted", ())),
            runner=str(cursor.get("runner", "")),
            floor=cursor.get("floor"),
            is_whole=bool(cursor.get("is_whole")),
            read_at=_moment(cursor.get("read_at")),
            swept_at=_moment(cursor.get("swept_at")),
            spent_on=str(cursor.get("spent_on", "")),
            spent_requests=int(cursor.get("spent_requests", 0)),
            quota=quotas.Quota.from_json(cursor.get("quota")),
        )

    def cursor(self) -> dict[str, Any]:
        return {
            "known": {key: list(entry) for key, entry in self.known.items()},
            "unlisted": list(self.unlisted),
            "runner": self.runner,
            "floor": self.floor,
            "is_whole": self.is_whole,
            "read_at": self.read_at and self.read_at.isoformat(),
            "swept_at": self.swept_at and self.swept_at.isoformat(),
            "spent_on": self.spent_on,
            "spent_requests": self.spent_requests,
            "quota": self.quota and self.quota.as_json(),
        }

    def spent(self, at: dt.datetime) -> int:
        return self.spent_requests if self.spent_on == at.date().isoformat() else 0

    def spend(self, at: dt.datetime) -> None:
        self.spent_on, self.spent_requests = at.date().isoformat(), self.spent(at) + 1


def fetch(client: Client, cursor: Mapping[str, Any], now: dt.datetime, pace: Pace | None = None) -> Iterator[Page]:
    """Fetch what is new, page by page, newest first.

    Parameters
    ----------
    client
        From `client`, with an access token that lasts (`refreshed`).
    cursor
        Of the last page that was put, empty at first. It may be passed over only as a whole.
    now
        Aware, in the runner's own time zone: the days before it are over.
    pace
        How far to go.

    Yields
    ------
    Page
        `documents` in format "strava": `{"summary": …, "streams": … or null, "note": …}`. One with an `external_id`
        that came before replaces the former. `covered_until` is yesterday, once nothing newer is missing.

    Raises
    ------
    StravaError
        After what could still be had was yielded.

    """
    place, pace = _Place.of(cursor), pace or Pace()
    reading = _Reading(_Asker(client, place, now, pace), place, now, pace)
    try:
        yield from reading.newest()
        yield from reading.older()
    except _LimitError as limit:
        yield reading.page(resumes_at=limit.resumes_at, note=f"{limit.note} It goes on at {_clock(limit.resumes_at)}.")


class _Reading:
    """One run over the list."""

    def __init__(self, ask: _Asker, place: _Place, now: dt.datetime, pace: Pace) -> None:
        self._ask, self._place, self._now, self._pace = ask, place, now, pace
        overlap = dt.timedelta(days=pace.overlap_days)
        self._horizon = int((min(now, place.read_at or now) - overlap).timestamp())
        self._is_sweep = place.is_whole and (
            place.swept_at is None or now - place.swept_at >= dt.timedelta(days=pace.sweep_days)
        )
        # On the very first run each page reaches from now on without a gap; later only once the newest part is done.
        self._is_covered = place.floor is None
        self._listed: dict[str, int] = {}
        self._next_page = 1
        self._is_at_end = False
        self._failures = 0
        self._unnamed = self._undated = 0
        self._without_streams = 0
        self._gone: list[str] = []

    def page(
        self,
        documents: Sequence[Document] = (),
        *,
        resumes_at: dt.datetime | None = None,
        note: str = "",
    ) -> Page:
        # A row that cannot be understood may be a run of any day: then no day is vouched for.
        is_covered = self._is_covered and self._listed_any() and not (self._unnamed or self._undated)
        covered = self._now.date() - dt.timedelta(days=1) if is_covered else None
        if covered:
            self._place.read_at = self._now
        gone, self._gone = tuple(self._gone), []
        return Page(tuple(documents), self._place.cursor(), covered, gone, resumes_at, note)

    def _listed_any(self) -> bool:
        return bool(self._listed) or self._is_at_end

    def newest(self) -> Iterator[Page]:
        """Read the list down to the horizon, or to its end where that is due or not farther."""
        oldest = None
        for page in count(1):
            rows = self._list(page, before=None, is_backfill=self._is_older(oldest))
            if not rows:
                self._is_at_end = True
                break
            yield from self._wanted(rows)
            oldest = min(self._listed.values())
            self._next_page = page + 1
            if self._is_older(oldest) and not self._is_sweep:
                break
        self._is_covered = True
        yield from self._missing(0 if self._is_at_end else oldest or 0)
        if self._is_at_end:
            self._place.is_whole, self._place.swept_at = True, self._now
        note = f"Strava lists {self._unnamed} activities without a number: no day can be vouched for."
        yield self.page(note=note if self._unnamed else "")

    def older(self) -> Iterator[Page]:
        """Go on with the history where it was left, to its end."""
        if self._place.is_whole:
            return
        before = None
        first = self._next_page
        if self._place.floor is not None and self._listed and self._place.floor < min(self._listed.values()):
            before, first = self._place.floor + _CLOCKS_APART_S, 1
            self._listed = {}
        for page in count(first):
            rows = self._list(page, before=before, is_backfill=True)
            if not rows:
                break
            yield from self._wanted(rows)
        self._place.is_whole, self._place.swept_at = True, self._now
        yield self.page(note="The whole history is read.")

    def _is_older(self, start: int | None) -> bool:
        return start is not None and start < self._horizon

    def _list(self, number: int, *, before: int | None, is_backfill: bool) -> list[dict[str, Any]]:
        rows = self._ask.activities(number, before=before, is_backfill=is_backfill)
        usable = [row for row in rows if isinstance(row.get("id"), int)]
        self._undated += sum(_start(row) is None for row in usable)
        self._unnamed += len(rows) - len(usable)
        if rows and not any(str(row["id"]) not in self._listed for row in usable):
            raise NotUnderstoodError("Strava's list of activities does not go on.", LATER)
        self._check_runner(usable)
        return usable

    def _check_runner(self, rows: Sequence[dict[str, Any]]) -> None:
        for row in rows:
            athlete = row.get("athlete")
            runner = str(athlete.get("id", "")) if isinstance(athlete, dict) else ""
            if self._place.runner and runner and runner != self._place.runner:
                raise AnotherRunnerError(
                    "The Strava account that is signed in is another one than before.",
                    f"{SIGN_IN} with the former one, or begin anew: hamload forget strava",
                )
            self._place.runner = self._place.runner or runner

    def _wanted(self, rows: Sequence[dict[str, Any]]) -> Iterator[Page]:
        """Fetch those of a list's rows that are new, were edited, or still lack their streams."""
        last = min(self._listed.values(), default=int(self._now.timestamp()))
        fresh = []
        for row in rows:
            key = str(row["id"])
            # A row whose start cannot be read keeps its place in the list.
            last = start if (start := _start(row)) is not None else last
            is_repeated = key in self._listed
            self._listed[key] = last
            if not is_repeated:
                fresh.append((last, key, row))
        fresh.sort(key=lambda found: -found[0])
        for batch in batched(fresh, self._pace.batch, strict=False):
            yield from self._fetched(batch)

    def _fetched(self, rows: Sequence[tuple[int, str, dict[str, Any]]], *, is_listed: bool = True) -> Iterator[Page]:
        documents: list[Document] = []
        stopped: Exception | None = None
        for start, key, row in rows:
            try:
                if self._is_wanted(key, row) and (document := self._document(key, row, start)):
                    documents.append(document)
            except (_LimitError, HamloadError) as error:
                stopped = error
                break
            if is_listed:
                self._place.floor = min(start, start if self._place.floor is None else self._place.floor)
                self._is_covered = self._is_covered or self._is_older(start)
        if documents:
            yield self.page(documents, note=self._note())
        if stopped is not None:
            raise stopped

    def _note(self) -> str:
        without, self._without_streams = self._without_streams, 0
        runs = "a run" if without == 1 else f"{without} runs"
        return f"Strava failed to give the recording of {runs}: it is asked for again." if without else ""

    def _since(self, key: str, row: Mapping[str, Any]) -> int:
        """Return since when this version of an activity has had no streams."""
        entry = self._place.known.get(key)
        is_same = entry is not None and entry[1] == _fingerprint(row) and entry[2]
        return abs(int(entry[2])) if entry is not None and is_same else int(self._now.timestamp())

    def _is_wanted(self, key: str, row: Mapping[str, Any]) -> bool:
        entry = self._place.known.get(key)
        if entry is None or entry[1] != _fingerprint(row):
            return True
        failing_since, is_absent = abs(int(entry[2])), int(entry[2]) < 0
        days = self._pace.absent_days if is_absent else self._pace.give_up_days
        return bool(failing_since) and self._now.timestamp() - failing_since < days * _DAY_S

    def _document(self, key: str, row: Mapping[str, Any], start: int) -> Document | None:
        """Fetch one activity's streams where it has some; None where that failed again. Raises where Strava is down."""
        failing_since, streams, note = 0, None, _why_without_streams(row)
        if not note:
            try:
                streams = self._ask.streams(key, is_backfill=self._is_older(start))
                self._failures = 0
                if not streams:
                    note, failing_since = "Strava has no streams of it", -self._since(key, row)
            except (ServiceDownError, NotUnderstoodError):
                self._failures += 1
                # One run whose streams Strava cannot give must not hide all that lie behind it.
                if self._failures >= self._pace.failures:
                    raise
                # What is here already, perhaps with streams, is better than a summary; it is wanted again next time.
                if key in self._place.known:
                    return None
                failing_since, note = self._since(key, row), "Strava failed to give its streams"
                self._without_streams += 1
        self._place.known[key] = [start, _fingerprint(row), failing_since]
        return Document(_content(row, streams, note), _FORMAT, f"strava/activities/{key}", key, facts_of(row))

    def _missing(self, since: int) -> Iterator[Page]:
        """Ask for activities that the list should hold and does not: gone are those that Strava denies."""
        if self._is_sweep:
            self._place.unlisted = []
        self._place.unlisted = [key for key in self._place.unlisted if key not in self._listed]
        missing = [
            (entry[0], key)
            for key, entry in self._place.known.items()
            if entry[0] > since and key not in self._listed and key not in self._place.unlisted
        ]
        for _, key in sorted(missing, reverse=True)[: self._pace.confirmations]:
            row = self._ask.activity(key)
            if row is None:
                del self._place.known[key]
                self._gone.append(key)
                continue
            self._place.unlisted.append(key)
            if (start := _start(row)) is not None:
                yield from self._fetched([(start, key, row)], is_listed=False)


def sport_of(summary: Mapping[str, Any]) -> Sport:
    """Return the family of sport of a summary. Names that Strava may yet invent are looked through for a run."""
    name = summary.get("sport_type") or summary.get("type") or ""
    words = set(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", str(name)).lower().split())
    if not words:
        return Sport.UNKNOWN
    if "run" in words or "treadmill" in words:
        return Sport.TREADMILL if words & {"virtual", "treadmill"} or _is_indoors(summary) else Sport.RUN
    return next((sport for sport, names in _WORDS.items() if words & names), Sport.OTHER)


_WORDS = {
    Sport.WALK: {"walk", "hike"},
    Sport.RIDE: {"ride"},
    Sport.SWIM: {"swim"},
    Sport.STRENGTH: {"weight", "strength"},
}


def _is_indoors(summary: Mapping[str, Any]) -> bool:
    return bool(summary.get("trainer")) and not summary.get("start_latlng")


def facts_of(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return what Strava itself says of an activity; what it does not say is left out."""
    start = _start(summary)
    facts = {
        "title": summary.get("name"),
        "type": summary.get("sport_type") or summary.get("type"),
        "sport": sport_of(summary).value,
        "start_at": None if start is None else dt.datetime.fromtimestamp(start, dt.UTC).isoformat(),
        "utc_offset_s": number(summary.get("utc_offset")),
        "elapsed_time_s": number(summary.get("elapsed_time")),
        "moving_time_s": number(summary.get("moving_time")),
        "distance_m": number(summary.get("distance")) or None,
        "rpe": number(summary.get("perceived_exertion")),
        "is_manual": summary.get("manual") is True or None,
        "recorded_as": summary.get("external_id"),
    }
    return {name: value for name, value in facts.items() if value is not None}


def _why_without_streams(row: Mapping[str, Any]) -> str:
    """Return why an activity's streams are not asked for; "" where they are."""
    if row.get("manual") is True:
        return "entered by hand"
    if _start(row) is None:
        return "its start cannot be read"
    sport = sport_of(row)
    return "" if sport.is_running or sport is Sport.UNKNOWN else "no run"


def _content(row: Mapping[str, Any], streams: Mapping[str, Any] | None, note: str) -> bytes:
    whole = {"summary": row, "streams": streams, "note": note}
    return json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _fingerprint(row: Mapping[str, Any]) -> str:
    # 0 and 0.0 are the same to Strava, which writes now the one and now the other.
    told = [float(v) if isinstance(v := row.get(name), int) else v for name in _EDITED]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:12]


def _start(row: Mapping[str, Any]) -> int | None:
    try:
        start = dt.datetime.fromisoformat(row["start_date"])
    except (KeyError, TypeError, ValueError):
        return None
    return int((start if start.tzinfo else start.replace(tzinfo=dt.UTC)).timestamp())


def _moment(text: Any) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if text else None


def _clock(at: dt.datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
