"""Running activities as gathering needs them, and what is wrong with each by itself."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from hamload import warehouse
from hamload.merging import Doubt, Measures, Profile, Record, Span, doubts
from hamload.records import Sport

if TYPE_CHECKING:
    import duckdb

    from hamload.days import DaySource
    from hamload.merging.decisions import Decisions
    from hamload.settings import Settings

RUNNING = tuple(s.value for s in Sport if s.is_running)
#: A recording with streams before one without, and the device's own format before what services make of it.
_FORMATS = {"fit": 0, "tcx": 1, "gpx": 2, "strava": 3, "garmin": 4, "json": 5}
_HIDDEN_START = dt.time(0, 0, 1)
_HIDING = frozenset({"strava", "json"})


@dataclass(frozen=True, slots=True, eq=False)
class Activity:
    """A running activity, as gathering needs it: a row of `landing.activities`."""

    activity_id: str
    document_id: str
    part: int
    source: str
    external_id: str
    name: str
    format: str
    sport: str
    title: str
    device: str
    start_at: dt.datetime
    end_at: dt.datetime
    local_date: dt.date
    day_source: DaySource
    day_offset_s: int
    utc_offset_s: int | None
    place_latitude_deg: float | None
    place_longitude_deg: float | None
    elapsed_time_s: float | None
    timer_time_s: float | None
    distance_m: float | None
    rpe: float | None
    samples: int
    speed_source: str
    altitude_source: str
    used_s: float
    usable_share: float
    heart_rate_coverage: float
    altitude_coverage: float
    measures: Measures | None
    profile: str | None
    facts_hash: str

    @property
    def has_samples(self) -> bool:
        """Whether there are seconds, not a summary alone."""
        return self.samples > 0

    @property
    def moving_time_s(self) -> float:
        """Its own word on how long it was: a timer that never ran says nothing."""
        return self.timer_time_s if self.timer_time_s and self.timer_time_s > 0 else self.elapsed_time_s or 0.0

    @property
    def way_m(self) -> float | None:
        """How far it went, by its own word or else by its samples."""
        return self.distance_m or (self.measures.way_m if self.measures else None)

    @property
    def place(self) -> tuple[float, float] | None:
        """Latitude and longitude of its first position, degrees."""
        if self.place_latitude_deg is None or self.place_longitude_deg is None:
            return None
        return self.place_latitude_deg, self.place_longitude_deg

    def held_s(self, until_s: float | None) -> float:
        """Return how much running it holds: lying still at home after the run makes no recording the better one."""
        if not self.has_samples:
            return self.moving_time_s
        if self.measures is None:
            return self.used_s
        before = self.measures.before if until_s is not None else None
        return (before or self.measures).moving_s

    @property
    def writer(self) -> str:
        """What wrote it; where no device is named, the source of a summary, and of a recording nobody knows."""
        if self.device:
            return f"{self.format}/{self.device}"
        return "" if self.has_samples else f"{self.source}/{self.format}"

    @property
    def is_hidden(self) -> bool:
        """Whether its start time is hidden: services write the first second of the day."""
        local = self.start_at.astimezone(dt.timezone(dt.timedelta(seconds=self.day_offset_s)))
        return self.format in _HIDING and local.time().replace(microsecond=0) == _HIDDEN_START

    def span(self, own: Judged) -> Span:
        """Return it as merging sees it."""
        profile, found, until_s = self.profile, own.doubts, own.until_s
        end_at = self.end_at if until_s is None else self.start_at + dt.timedelta(seconds=until_s)
        run = self.measures.before if until_s is not None and self.measures else None
        return Span(
            activity_id=self.activity_id,
            start_at=self.start_at,
            end_at=end_at,
            held_s=self.held_s(until_s),
            rank=(float(not self.has_samples), float(_FORMATS.get(self.format, len(_FORMATS)))),
            distance_m=self.way_m if run is None else run.way_m,
            duration_s=(end_at - self.start_at).total_seconds(),
            whole_m=self.way_m,
            writer=self.writer,
            is_hidden=self.is_hidden,
            is_summary=not self.has_samples,
            is_doubted=not self.has_duration or not all(doubt.counts for doubt in found),
            is_timeless=not self.has_duration,
            local_date=self.local_date,
            offset_s=self.day_offset_s,
            read_profile=_Once(profile, own.heard_s) if profile else None,
        )

    def record(self) -> Record:
        """Return it as the doubts see it."""
        return Record(
            distance_m=self.distance_m,
            moving_time_s=self.moving_time_s,
            elapsed_s=self.elapsed_time_s or 0.0,
            speed_source=self.speed_source,
            measures=self.measures,
            is_treadmill=self.sport == Sport.TREADMILL,
        )

    @property
    def has_duration(self) -> bool:
        """Whether it tells how long it was."""
        return bool(self.elapsed_time_s and self.elapsed_time_s > 0)


class _Once:
    """Reads a profile when it is first asked for: most never are."""

    __slots__ = ("_found", "_told", "_until_s")

    def __init__(self, told: str, until_s: float | None) -> None:
        self._told, self._until_s = told, until_s
        self._found: Profile | None = None

    def __call__(self) -> Profile:
        if self._found is None:
            self._found = Profile.from_record(json.loads(self._told)).until(self._until_s)
        return self._found


@dataclass(frozen=True, slots=True)
class Judged:
    """What is wrong with one recording, and where its run ended, until the runner says that all of it was the run.

    `heard_s`: where its first long break begins; as a copy it gives nothing of what follows, though nobody cuts it.
    """

    doubts: list[Doubt]
    until_s: float | None
    heard_s: float | None


def judge(activity: Activity, told: Decisions, settings: Settings) -> Judged:
    """Say what is wrong with a recording by itself, and where it is cut, as far as the runner has not decided."""
    found = doubts(activity.record(), settings.merging.sanity)
    cut = next((doubt.until_s for doubt in found if doubt.until_s is not None), None)
    if told.verdict([activity.activity_id]) == "accepted whole":
        return Judged(found, None, None)
    known = activity.measures
    is_broken = (
        known is not None and known.before is not None and known.gap_s >= 3600 * settings.merging.sanity.gap_hours
    )
    return Judged(found, cut, known.gap_at_s if known is not None and is_broken else None)


def activities(con: duckdb.DuckDBPyConnection, athlete_id: str) -> list[Activity]:
    """Return one athlete's running activities, in the order of their ids."""
    names = ", ".join(f"a.{f.name}" for f in fields(Activity) if f.name != "facts_hash")
    rows = warehouse.rows(
        con,
        f"select {names}, d.facts_hash from landing.activities a"  # noqa: S608  # names of our own
        " join landing.decoded d on d.athlete_id = a.athlete_id and d.document_id = a.document_id"
        " where a.athlete_id = ? and list_contains(?, a.sport) order by a.activity_id",
        [athlete_id, list(RUNNING)],
    )
    return [Activity(**row | {"measures": measures_of(row["measures"])}) for row in rows]


def measures_of(told: str | None) -> Measures | None:
    """Read measures from a row."""
    return Measures.from_record(json.loads(told)) if told else None
