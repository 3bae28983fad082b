"""Third step, first half: activities become sessions.

Says which recordings are of one run, what each gives, and which are doubted; makes one recording of several where a
copy holds running, altitude or heart rate that the best one lacks.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hamload import warehouse
from hamload.days import DaySource, LocalDay, local_day
from hamload.load import features
from hamload.merging import (
    Doubt,
    Gift,
    Measures,
    Profile,
    Record,
    Span,
    as_record,
    compose,
    doubts,
    doubts_of_composed,
    is_run_logged_as_ride,
    measures,
    merge,
)
from hamload.pipeline.decided import decided
from hamload.pipeline.reading import STRAVA, SUMMARIES
from hamload.pipeline.storing import read_samples, write_samples
from hamload.records import AltitudeSource, Sport

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from hamload.merging import Piece, Session
    from hamload.merging.decisions import Decisions, Verdict
    from hamload.parameters import Copies
    from hamload.settings import Settings

RUNNING = tuple(s.value for s in Sport if s.is_running)
#: A recording with streams before one without, and the device's own format before what services make of it.
_FORMATS = {"fit": 0, "tcx": 1, "gpx": 2, "strava": 3, "garmin": 4, "json": 5}
#: What services call a run that nobody named.
_UNNAMED = re.compile(
    r"((early )?(morning|lunch|afternoon|evening|night) )?(trail |treadmill )?(run|jog)|(.+ )?running", re.IGNORECASE
)
#: Whose title is the runner's own words, before that of a device or of a file.
_TITLED = {"strava": 0, "garmin": 1, "garmin_personal": 2}
_HIDDEN_START = dt.time(0, 0, 1)
_HIDING = frozenset({"strava", "json"})


@dataclass(frozen=True, slots=True, eq=False)
class _Activity:
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
        return self.samples > 0

    @property
    def moving_time_s(self) -> float:
        """Its own word on how long it was: a timer that never ran says nothing."""
        return self.timer_time_s if self.timer_time_s and self.timer_time_s > 0 else self.elapsed_time_s or 0.0

    @property
    def way_m(self) -> float | None:
        return self.distance_m or (self.measures.way_m if self.measures else None)

    @property
    def place(self) -> tuple[float, float] | None:
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
        local = self.start_at.astimezone(dt.timezone(dt.timedelta(seconds=self.day_offset_s)))
        return self.format in _HIDING and local.time().replace(microsecond=0) == _HIDDEN_START

    def span(self, own: _Judged) -> Span:
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
class _Judged:
    """What is wrong with one recording, and where its run ended, until the runner says that all of it was the run.

    `heard_s`: where its first long break begins; as a copy it gives nothing of what follows, though nobody cuts it.
    """

    doubts: list[Doubt]
    until_s: float | None
    heard_s: float | None


def _judged(activity: _Activity, told: Decisions, settings: Settings) -> _Judged:
    found = doubts(activity.record(), settings.merging.sanity)
    cut = next((doubt.until_s for doubt in found if doubt.until_s is not None), None)
    if told.verdict([activity.activity_id]) == "accepted whole":
        return _Judged(found, None, None)
    known = activity.measures
    is_broken = (
        known is not None and known.before is not None and known.gap_s >= 3600 * settings.merging.sanity.gap_hours
    )
    return _Judged(found, cut, known.gap_at_s if known is not None and is_broken else None)


def write_sessions(con: duckdb.DuckDBPyConnection, settings: Settings, today: dt.date | None) -> None:
    """Say which activities record the same run. Runs outside the calendar (a clock that was not set) belong to none."""
    con.execute("delete from landing.members")
    con.execute("delete from landing.sessions")
    con.execute("delete from landing.maybe_runs")
    wanted: set[str] = set()
    for athlete in settings.athletes:
        activities = [
            a
            for a in _activities(con, athlete.id)
            if is_possible(a.local_date, a.start_at, settings, athlete.id, today)
        ]
        told = decided(con, athlete.id, [a.activity_id for a in activities], settings)
        by_id = {a.activity_id: a for a in activities}
        judged = {a.activity_id: _judged(a, told, settings) for a in activities}
        spans = [a.span(own) for a, own in zip(activities, judged.values(), strict=True)]
        members: list[dict[str, Any]] = []
        sessions: list[dict[str, Any]] = []
        timeless = {a.activity_id for a in activities if not a.has_duration}
        pairs = replace(told.pairs, together=tuple(p for p in told.pairs.together if timeless.isdisjoint(p)))
        for session in merge(spans, settings.merging, athlete.id, pairs):
            own = [by_id[m.activity_id] for m in session.members]
            if not own[0].has_duration:
                # Nobody tells how long it was: it stays listed as one that could not be counted.
                continue
            gathered = _gathered(session, own, told, judged, settings.zone(athlete.id), settings)
            made = None
            if gathered.recording_id != session.primary_id:
                made = _compose(con, gathered, settings)
                if made is not None:
                    wanted.add(gathered.recording_id)
                else:
                    gathered.recording_id = session.primary_id
            gathered.unheard = _unheard(gathered, settings.merging.copies)
            gathered.doubts = _doubts(gathered, made, settings)
            sessions.append(gathered.row(athlete.id))
            members += gathered.member_rows(athlete.id)
        warehouse.append_rows(con, "landing.members", members)
        warehouse.append_rows(con, "landing.sessions", sessions)
        _write_maybe_runs(con, athlete.id, settings)
    _drop_composed(con, wanted)


def _write_maybe_runs(con: duckdb.DuckDBPyConnection, athlete_id: str, settings: Settings) -> None:
    """List the rides that may be runs. They count for nothing, and are told until the runner has decided."""
    rows = warehouse.rows(
        con,
        "select activity_id, local_date, title, name, measures"
        " from landing.activities where athlete_id = ? and sport = 'ride' and measures is not null"
        " order by activity_id",
        [athlete_id],
    )
    told = decided(con, athlete_id, [r["activity_id"] for r in rows], settings)
    found = [
        {"athlete_id": athlete_id, **{name: r[name] for name in ("activity_id", "local_date", "title", "name")}}
        for r in rows
        if not told.verdict([r["activity_id"]])
        and is_run_logged_as_ride(Measures.from_record(json.loads(r["measures"])), settings.merging.sanity)
    ]
    warehouse.append_rows(con, "landing.maybe_runs", found)


def is_possible(
    local_date: dt.date, start_at: dt.datetime, settings: Settings, athlete_id: str, today: dt.date | None
) -> bool:
    """Whether an activity can have begun then. On a journey its own day may be one later than the day at home."""
    began = start_at.astimezone(settings.zone(athlete_id)).date()
    return settings.imports.earliest <= local_date and began <= (today or settings.today(athlete_id))


def _activities(con: duckdb.DuckDBPyConnection, athlete_id: str) -> list[_Activity]:
    names = ", ".join(f"a.{f.name}" for f in fields(_Activity) if f.name != "facts_hash")
    rows = warehouse.rows(
        con,
        f"select {names}, d.facts_hash from landing.activities a"  # noqa: S608  # names of our own
        " join landing.decoded d on d.athlete_id = a.athlete_id and d.document_id = a.document_id"
        " where a.athlete_id = ? and list_contains(?, a.sport) order by a.activity_id",
        [athlete_id, list(RUNNING)],
    )
    return [_Activity(**row | {"measures": _measures(row["measures"])}) for row in rows]


def _measures(told: str | None) -> Measures | None:
    return Measures.from_record(json.loads(told)) if told else None


@dataclass(slots=True)
class _Gathered:
    """One session with all that its members give."""

    session: Session
    members: list[_Activity]
    verdict: Verdict
    judged: dict[str, _Judged]
    altitude: _Activity | None
    heart_rate: _Activity | None
    split_from: list[str]
    home: dt.tzinfo
    doubts: list[Doubt]
    recording_id: str = ""
    unheard: list[_Activity] = field(default_factory=list)

    @property
    def primary(self) -> _Activity:
        return self.members[0]

    @property
    def pieces(self) -> tuple[Piece, ...]:
        return self.session.pieces

    @property
    def parts(self) -> list[_Activity]:
        """The members that hold a part of the run each, the one that speaks first; no copies."""
        others = [a for a, m in zip(self.members, self.session.members, strict=True) if m.is_part and not m.shift_s]
        return [self.primary, *(a for a in others if a is not self.primary)]

    def until_s(self, activity: _Activity) -> float | None:
        """Return where a recording is cut: a watch that was left on."""
        return self.judged[activity.activity_id].until_s

    def end_at(self, activity: _Activity) -> dt.datetime:
        until_s = self.until_s(activity)
        return activity.end_at if until_s is None else activity.start_at + dt.timedelta(seconds=until_s)

    def moving_s(self, activity: _Activity) -> float:
        """Return the seconds of running that it tells of, up to where it is cut."""
        kept = activity.measures.before if self.until_s(activity) is not None and activity.measures else None
        return activity.moving_time_s if kept is None else kept.moving_s

    def way_m(self, activity: _Activity) -> float | None:
        kept = activity.measures.before if self.until_s(activity) is not None and activity.measures else None
        return activity.distance_m if kept is None else kept.way_m

    @property
    def shares(self) -> dict[str, float]:
        """What share of its own distance and time each member without seconds adds, and the one that speaks: 1."""
        return {self.primary.activity_id: 1.0} | {b.activity_id: b.share for b in self.session.beside}

    @property
    def beside(self) -> list[_Activity]:
        return [a for a in self.members[1:] if a.activity_id in self.shares]

    @property
    def begins(self) -> tuple[dt.datetime, _Activity]:
        """The moment at which the run begins, and the member with which it does."""
        if len(self.members) == 1:
            return self.primary.start_at, self.primary
        starts = {p.activity_id: p.from_s for p in reversed(self.pieces)} | dict.fromkeys(self.shares, 0.0)
        speaking = [a for a in self.members if a.activity_id in starts]
        found = [(a.start_at + dt.timedelta(seconds=starts[a.activity_id]), a) for a in speaking]
        return min(found, key=lambda pair: (pair[0], pair[1] is not self.primary))

    @property
    def start_at(self) -> dt.datetime:
        return self.begins[0]

    @property
    def ends(self) -> dt.datetime:
        """The moment at which the run ends, by all that counts of it."""
        by_id = {a.activity_id: a for a in self.members}
        ends = [self.end_at(by_id[activity_id]) for activity_id in self.shares]
        return max(ends + [by_id[p.activity_id].start_at + dt.timedelta(seconds=p.to_s) for p in self.pieces])

    @property
    def day(self) -> LocalDay:
        """The local day on which it began; where its own recording knows no place, a copy of it may."""
        start_at, first = self.begins
        if first.start_at == start_at and (first.place is not None or len(self.members) == 1):
            return LocalDay(first.local_date, first.day_offset_s, first.day_source)
        places = [a.place for a in self.members if a.place is not None]
        if first.place is None and places:
            is_service = first.format in (*SUMMARIES, STRAVA)
            return local_day(start_at, first.utc_offset_s, places[0], self.home, is_service=is_service)
        date = start_at.astimezone(dt.timezone(dt.timedelta(seconds=first.day_offset_s))).date()
        return LocalDay(date, first.day_offset_s, first.day_source)

    def shift_s(self, activity: _Activity) -> float:
        """Return what an activity's own seconds lack to those of the session."""
        return (activity.start_at - self.start_at).total_seconds()

    def counts(self) -> bool:
        if self.verdict:
            return self.verdict != "excluded"
        return all(d.counts for d in self.doubts)

    def unknown_dates(self) -> list[dt.date]:
        """Return the days that are not known because of this session, until the runner decides."""
        if self.verdict or not self.doubts:
            return []
        day = self.day
        zone = dt.timezone(dt.timedelta(seconds=day.offset_s))
        dates: set[dt.date] = set()
        if not self.counts():
            dates |= _dates(day.date, max(a.end_at for a in self.parts).astimezone(zone).date())
        for a in [*self.parts, *self.unheard]:
            last = a.end_at.astimezone(zone).date()
            if (until_s := self.until_s(a)) is not None:
                # What follows the break may have been a run: of its days nobody knows.
                gap_s = a.measures.gap_s if a.measures is not None else 0.0
                dates |= _dates((a.start_at + dt.timedelta(seconds=until_s + gap_s)).astimezone(zone).date(), last)
            elif a in self.unheard:
                dates |= _dates(min(day.date, a.start_at.astimezone(zone).date()), last)
        return sorted(dates)

    def row(self, athlete_id: str) -> dict[str, Any]:
        begin = self.start_at
        elapsed: float | None = (self.ends - begin).total_seconds()
        is_whole = self.recording_id == self.primary.activity_id and self.until_s(self.primary) is None
        if is_whole and not self.beside:
            elapsed = self.primary.elapsed_time_s
        beside_s = sum(self.shares[a.activity_id] * self.moving_s(a) for a in self.beside)
        beside_m = _total([(way := self.way_m(a)) and self.shares[a.activity_id] * way for a in self.beside])
        day = self.day
        return {
            "session_id": self.session.session_id,
            "athlete_id": athlete_id,
            "primary_id": self.primary.activity_id,
            "recording_id": self.recording_id,
            "start_at": begin,
            "local_date": day.date,
            "day_source": day.source,
            "elapsed_time_s": elapsed,
            "moving_time_s": self.moving_s(self.primary) + beside_s,
            "distance_m": _total([self.way_m(self.primary), beside_m]),
            "beside_time_s": beside_s,
            "beside_distance_m": beside_m if self.beside else None,
            "title": self.titled.title if self.titled else "",
            "rpe": self.rated.rpe if self.rated else None,
            "flags": [d.name for d in self.doubts],
            "flags_why": [d.sentence for d in self.doubts],
            "verdict": self.verdict,
            "counts": self.counts(),
            "is_usual": self.counts() and (not self.doubts or bool(self.verdict)),
            "unknown_dates": self.unknown_dates(),
            "split_from": self.split_from,
            "is_hour_known": not self.primary.is_hidden,
        }

    @property
    def titled(self) -> _Activity | None:
        """The member whose title counts: the runner's own words on a service before those of a device or a file."""
        if len(self.members) == 1:
            return self.primary if self.primary.title else None
        named = [a for a in self.members if a.title]
        return min(
            named,
            key=lambda a: (_UNNAMED.fullmatch(a.title.strip()) is not None, _TITLED.get(a.source, len(_TITLED))),
            default=None,
        )

    @property
    def rated(self) -> _Activity | None:
        return next((a for a in self.members if a.rpe is not None), None)

    def member_rows(self, athlete_id: str) -> list[dict[str, Any]]:
        return [
            {
                "activity_id": m.activity_id,
                "athlete_id": athlete_id,
                "session_id": self.session.session_id,
                "is_primary": m.is_primary,
                "gives": self._gives(a),
                "shift_s": m.shift_s,
                "why": m.why,
            }
            for m, a in zip(self.session.members, self.members, strict=True)
        ]

    def _gives(self, activity: _Activity) -> list[str]:
        given = []
        if activity is self.primary:
            given.append("streams" if activity.has_samples else "summary")
        minutes = sum(p.to_s - p.from_s for p in self.pieces if p.activity_id == activity.activity_id) / 60
        if minutes:
            given.append(f"{minutes:.0f} min that only it holds")
        if activity in self.beside:
            share = self.shares[activity.activity_id]
            given.append("distance and time" + ("" if share == 1 else f", {share:.0%} of them"))
        for what, giver in (
            ("altitude", self.altitude),
            ("heart rate", self.heart_rate),
            ("title", self.titled),
            ("effort", self.rated),
        ):
            if giver is activity:
                given.append(what)
        return given


def _total(amounts: Sequence[float | None]) -> float | None:
    """Return a sum, None where one of its parts is not known."""
    return None if None in amounts else sum(amount for amount in amounts if amount is not None)


def _dates(first: dt.date, last: dt.date) -> set[dt.date]:
    return {first + dt.timedelta(days=n) for n in range((last - first).days + 1)}


def _gathered(
    session: Session,
    members: list[_Activity],
    told: Decisions,
    judged: dict[str, _Judged],
    home: dt.tzinfo,
    settings: Settings,
) -> _Gathered:
    primary = members[0]
    verdict = told.verdict(a.activity_id for a in members)
    own = {a.activity_id for a in members}
    split_from = sorted({i for pair in told.pairs.apart if pair & own for i in pair - own})
    gathered = _Gathered(session, members, verdict, judged, None, None, split_from, home, [])
    if primary.has_samples and primary.profile is not None:
        at_the_same_time = [
            a
            for a, m in zip(members, session.members, strict=True)
            if a is not primary and a.profile is not None and not m.shift_s and not a.is_hidden
        ]
        gathered.altitude = _better_altitude(primary, at_the_same_time, settings)
        gathered.heart_rate = _better_heart_rate(primary, at_the_same_time, settings)
    is_made = session.pieces or gathered.altitude or gathered.heart_rate or gathered.until_s(primary) is not None
    # Where a summary's part comes first, the seconds of the recording count from there.
    is_made = is_made or (primary.has_samples and primary.profile is not None and gathered.start_at != primary.start_at)
    gathered.recording_id = _made_id(gathered, settings) if is_made else primary.activity_id
    return gathered


def _unheard(gathered: _Gathered, rules: Copies) -> list[_Activity]:
    """Return the copies that are silenced though they may hold more: doubted, without a duration, or left on.

    A minute of recording must not make known the day of an hour that nobody could count.
    """
    found = []
    for m, a in zip(gathered.session.members[1:], gathered.members[1:], strict=True):
        if m.is_part or m.shift_s or a.is_hidden:
            continue
        is_doubted = not a.has_duration or not all(d.counts for d in gathered.judged[a.activity_id].doubts)
        goes_on = gathered.until_s(a) is not None and a.end_at > gathered.ends
        if goes_on or (is_doubted and not _holds(gathered, a, rules)):
            found.append(a)
    return found


def _holds(gathered: _Gathered, a: _Activity, rules: Copies) -> bool:
    """Whether a session has a copy nearly whole, by distance or by time."""
    way, told = gathered.primary.way_m, a.way_m
    if way and told and way >= rules.nearly_whole * told:
        return True
    if not a.has_duration:
        return False
    # Of two recordings the running that only the copy holds was taken: what is left of it is a drive.
    share = rules.min_shared if gathered.primary.profile and a.profile else rules.nearly_whole
    shared_s = (min(gathered.ends, a.end_at) - max(gathered.start_at, a.start_at)).total_seconds()
    return shared_s >= share * (a.end_at - a.start_at).total_seconds()


def _doubts(gathered: _Gathered, made: Measures | None, settings: Settings) -> list[Doubt]:
    """Return what is wrong with a session: with its parts, with what copies give, and with what was made of them."""
    found = _doubts_of_counted(gathered, made, settings)
    known = {doubt.name for doubt in found}
    # What is silenced takes away nothing of what counts; its days stay unknown.
    for a in gathered.unheard:
        own = [d for d in gathered.judged[a.activity_id].doubts if not d.counts or d.until_s is not None]
        for doubt in own or [Doubt("no duration", counts=True, sentence=_TIMELESS)]:
            if doubt.name not in known:
                found = [*found, replace(doubt, counts=True)]
                known.add(doubt.name)
    return found


_TIMELESS = "another recording of it tells of more, and of no duration"


def _doubts_of_counted(gathered: _Gathered, made: Measures | None, settings: Settings) -> list[Doubt]:
    if len(gathered.members) == 1:
        return gathered.judged[gathered.primary.activity_id].doubts
    own = [gathered.judged[a.activity_id].doubts for a in gathered.parts]
    given = {p.activity_id for p in gathered.pieces}
    # Of a copy that drove home later only the running was taken; what it counts twice is in the running too.
    lent = [
        [d for d in gathered.judged[a.activity_id].doubts if d.name == "distance"]
        for a in gathered.members
        if a.activity_id in given
    ]
    record = replace(gathered.primary.record(), measures=made if gathered.pieces else None)
    return doubts_of_composed(record, [*own, *lent], settings.merging.sanity)


_ALTITUDES = {AltitudeSource.BAROMETER.value: 0, AltitudeSource.GPS.value: 1, AltitudeSource.NONE.value: 2}


def _better_altitude(primary: _Activity, others: Sequence[_Activity], settings: Settings) -> _Activity | None:
    """Return the copy whose altitude is better, barometer before GPS before none; a treadmill's incline is its own."""
    if primary.sport == Sport.TREADMILL:
        return None
    enough = settings.merging.extras.altitude_share
    own = _ALTITUDES[primary.altitude_source] if primary.altitude_coverage >= enough else 2
    better = [
        a
        for a in others
        if a.sport != Sport.TREADMILL
        and a.altitude_coverage >= enough
        and _ALTITUDES[a.altitude_source] < own
        and a.used_s >= settings.merging.copies.nearly_whole * primary.used_s
    ]
    return min(better, key=lambda a: _ALTITUDES[a.altitude_source], default=None)


def _better_heart_rate(primary: _Activity, others: Sequence[_Activity], settings: Settings) -> _Activity | None:
    enough = settings.merging.extras.heart_rate_share
    better = [a for a in others if a.heart_rate_coverage > enough]
    if primary.heart_rate_coverage >= enough:
        return None
    return max(better, key=lambda a: a.heart_rate_coverage, default=None)


def _made_id(gathered: _Gathered, settings: Settings) -> str:
    """Return the name of a recording made of several: it says of what, so that it is made once."""
    givers = {p.activity_id for p in gathered.pieces} | {
        a.activity_id for a in (gathered.altitude, gathered.heart_rate) if a is not None
    }
    made_of = [
        settings.model.version,
        [(a.activity_id, a.facts_hash) for a in gathered.members if a is gathered.primary or a.activity_id in givers],
        [asdict(p) for p in gathered.pieces],
        gathered.altitude and gathered.altitude.activity_id,
        gathered.heart_rate and gathered.heart_rate.activity_id,
        gathered.until_s(gathered.primary),
        gathered.shift_s(gathered.primary),
    ]
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:12]


def _compose(con: duckdb.DuckDBPyConnection, gathered: _Gathered, settings: Settings) -> Measures | None:
    """Make the recording, where it is not made yet. Returns its measures, None where a frozen record has no samples."""
    made = gathered.recording_id
    if known := con.execute("select measures from landing.composed where recording_id = ?", [made]).fetchall():
        return _measures(known[0][0])
    by_id = {a.activity_id: a for a in gathered.members}
    givers = [gathered.primary, *(by_id[p.activity_id] for p in gathered.pieces)]
    givers += [a for a in (gathered.altitude, gathered.heart_rate) if a is not None]
    found = read_samples(con, sorted({a.activity_id for a in givers}))
    for a in givers:
        if a.activity_id in found and (a.measures is None or a.measures.stepless_s is None):
            # Beside one that counts steps, a recorder without a counter must not seem to have counted none.
            silent = np.full(len(found[a.activity_id]), np.nan)
            found[a.activity_id] = replace(found[a.activity_id], cadence_spm=silent)
    if any(a.activity_id not in found for a in givers):
        return None
    shift = gathered.shift_s(gathered.primary)

    def gift(activity: _Activity | None, piece: Piece | None = None) -> Gift | None:
        if activity is None:
            return None
        away = gathered.shift_s(activity) - shift
        return Gift(found[activity.activity_id], away, piece.from_s if piece else None, piece.to_s if piece else None)

    pieces = [gift(by_id[p.activity_id], p) for p in gathered.pieces]
    whole = compose(
        found[gathered.primary.activity_id],
        [p for p in pieces if p is not None],
        gift(gathered.altitude),
        gift(gathered.heart_rate),
        gathered.until_s(gathered.primary),
    )
    whole = replace(whole, time_s=whole.time_s + shift)
    source = (gathered.altitude or gathered.primary).altitude_source
    seconds = max(float(whole.dt_s.sum()), 1e-9)
    # As it comes back from its row: what is doubted must not depend on the night on which it was made.
    measured = Measures.from_record(as_record(measures(whole)))
    with warehouse.transaction(con):
        chunk = write_samples(con, [(made, whole)])
        told = json.dumps(features(whole, settings.model).as_record())
        warehouse.append_rows(con, "landing.features", [{"activity_id": made, "chunk": chunk, "features": told}])
        row = {
            "recording_id": made,
            "altitude_source": source,
            "heart_rate_coverage": float(whole.dt_s[np.isfinite(whole.heart_rate_bpm)].sum()) / seconds,
            "altitude_coverage": float(whole.dt_s[np.isfinite(whole.altitude_m)].sum()) / seconds,
            "usable_share": _usable(gathered, seconds),
            "samples": len(whole),
            "measures": json.dumps(as_record(measured)),
        }
        warehouse.append_rows(con, "landing.composed", [row])
    return measured


def _usable(gathered: _Gathered, seconds: float) -> float:
    """Return how much of the run could be used: of a recording that was cut, of what is left of it."""
    whole, until_s = gathered.primary.usable_share, gathered.until_s(gathered.primary)
    return whole if until_s is None else min(max(whole, seconds / max(until_s, 1.0)), 1.0)


def _drop_composed(con: duckdb.DuckDBPyConnection, wanted: set[str]) -> None:
    kept = con.execute("select recording_id from landing.composed").fetchall()
    for (made,) in kept:
        if made in wanted:
            continue
        with warehouse.transaction(con):
            for table, column in (
                ("samples", "activity_id"),
                ("features", "activity_id"),
                ("composed", "recording_id"),
            ):
                con.execute(f"delete from landing.{table} where {column} = ?", [made])  # noqa: S608
