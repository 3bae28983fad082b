"""Third step, first half: activities become sessions.

Says which recordings are of one run, what each gives, and which are doubted; makes one recording of several where a
copy holds running, altitude or heart rate that the best one lacks.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from dataclasses import asdict, dataclass, fields, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from hamload import warehouse
from hamload.load import features
from hamload.merging import (
    Doubt,
    Gift,
    Measures,
    Profile,
    Record,
    Span,
    compose,
    doubts,
    is_run_logged_as_ride,
    merge,
)
from hamload.merging.decisions import KIND, Ref, decisions
from hamload.pipeline.storing import read_samples, write_samples
from hamload.records import AltitudeSource, Sport

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from hamload.merging import Piece, Session
    from hamload.merging.decisions import Decisions, Verdict
    from hamload.parameters import Sanity
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
#: What may be kept for seven days only lends nothing to recordings that stay.
_LENT = "strava"
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
    day_source: str
    day_offset_s: int
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
    measures: str | None
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
    def held_s(self) -> float:
        """How much running it holds: lying still at home after the run makes no recording the better one."""
        if not self.has_samples:
            return self.moving_time_s
        return float(json.loads(self.measures)["moving_s"]) if self.measures else self.used_s

    @property
    def way_m(self) -> float | None:
        return self.distance_m or (json.loads(self.measures)["way_m"] if self.measures else None)

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

    def span(self, rules: Sanity) -> Span:
        return Span(
            activity_id=self.activity_id,
            start_at=self.start_at,
            end_at=self.end_at,
            held_s=self.held_s,
            rank=(float(not self.has_samples), float(_FORMATS.get(self.format, len(_FORMATS)))),
            distance_m=self.way_m,
            duration_s=(self.end_at - self.start_at).total_seconds(),
            writer=self.writer,
            file=self.name if self.source.startswith("folder:") else "",
            is_hidden=self.is_hidden,
            is_summary=not self.has_samples,
            is_doubted=not all(doubt.counts for doubt in doubts(self.record(), rules)),
            local_date=self.local_date,
            offset_s=self.day_offset_s,
            read_profile=cache(partial(_profile, self.profile)) if self.profile else None,
        )

    def record(self) -> Record:
        return Record(
            distance_m=self.distance_m,
            moving_time_s=self.moving_time_s,
            elapsed_s=self.elapsed_time_s or 0.0,
            speed_source=self.speed_source,
            measures=Measures.from_record(json.loads(self.measures)) if self.measures else None,
            is_treadmill=self.sport == Sport.TREADMILL,
        )


def _profile(told: str) -> Profile:
    return Profile.from_record(json.loads(told))


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
        told = decided(con, athlete.id, activities)
        by_id = {a.activity_id: a for a in activities}
        found = merge([a.span(settings.merging.sanity) for a in activities], settings.merging, athlete.id, told.pairs)
        members: list[dict[str, Any]] = []
        sessions: list[dict[str, Any]] = []
        for session in found:
            own = [by_id[m.activity_id] for m in session.members]
            gathered = _gathered(session, own, told, settings)
            if gathered.recording_id != session.primary_id:
                if _compose(con, gathered, settings):
                    wanted.add(gathered.recording_id)
                else:
                    gathered.recording_id = session.primary_id
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
        "select activity_id, document_id, source, external_id, part, local_date, title, name, measures"
        " from landing.activities where athlete_id = ? and sport = 'ride' and measures is not null"
        " order by activity_id",
        [athlete_id],
    )
    refs = [Ref(r["activity_id"], r["document_id"], r["source"], r["external_id"], r["part"]) for r in rows]
    told = decisions(_entries(con, athlete_id), refs)
    found = [
        {"athlete_id": athlete_id, **{name: r[name] for name in ("activity_id", "local_date", "title", "name")}}
        for r in rows
        if is_run_logged_as_ride(Measures.from_record(json.loads(r["measures"])), settings.merging.sanity)
        and not told.verdict([r["activity_id"]])
    ]
    warehouse.append_rows(con, "landing.maybe_runs", found)


def is_possible(
    local_date: dt.date, start_at: dt.datetime, settings: Settings, athlete_id: str, today: dt.date | None
) -> bool:
    """Whether an activity can have begun then. On a journey its own day may be one later than the day at home."""
    began = start_at.astimezone(settings.zone(athlete_id)).date()
    return settings.imports.earliest <= local_date and began <= (today or settings.today(athlete_id))


def decided(con: duckdb.DuckDBPyConnection, athlete_id: str, activities: Sequence[_Activity]) -> Decisions:
    """Return what the runner has decided about the activities that are here."""
    refs = [Ref(a.activity_id, a.document_id, a.source, a.external_id, a.part) for a in activities]
    return decisions(_entries(con, athlete_id), refs)


def _entries(con: duckdb.DuckDBPyConnection, athlete_id: str) -> list[dict[str, Any]]:
    rows = con.execute(
        "select content from landing.journal where athlete_id = ? and kind = ? order by logged_at, entry_id",
        [athlete_id, KIND],
    ).fetchall()
    return [json.loads(content) for (content,) in rows]


def _activities(con: duckdb.DuckDBPyConnection, athlete_id: str) -> list[_Activity]:
    names = ", ".join(f"a.{f.name}" for f in fields(_Activity) if f.name != "facts_hash")
    rows = warehouse.rows(
        con,
        f"select {names}, d.facts_hash from landing.activities a"  # noqa: S608  # names of our own
        " join landing.decoded d on d.athlete_id = a.athlete_id and d.document_id = a.document_id"
        " where a.athlete_id = ? and list_contains(?, a.sport) and a.elapsed_time_s > 0 order by a.activity_id",
        [athlete_id, list(RUNNING)],
    )
    return [_Activity(**row) for row in rows]


@dataclass(slots=True)
class _Gathered:
    """One session with all that its members give."""

    session: Session
    members: list[_Activity]
    verdict: Verdict
    doubts: list[Doubt]
    pieces: tuple[Piece, ...]
    altitude: _Activity | None
    heart_rate: _Activity | None
    is_split: bool
    recording_id: str = ""

    @property
    def primary(self) -> _Activity:
        return self.members[0]

    @property
    def until_s(self) -> float | None:
        """Where the recording is cut: a watch that was left on."""
        if self.verdict == "accepted whole":
            return None
        return next((d.until_s for d in self.doubts if d.until_s is not None), None)

    @property
    def first(self) -> _Activity:
        """The member with which the run begins."""
        starts = {p.activity_id: p.from_s for p in reversed(self.pieces)}
        speaking = [a for a in self.members if a is self.primary or a.activity_id in starts]
        return min(
            speaking,
            key=lambda a: (a.start_at + dt.timedelta(seconds=starts.get(a.activity_id, 0.0)), a is not self.primary),
        )

    @property
    def start_at(self) -> dt.datetime:
        if self.first is self.primary:
            return self.primary.start_at
        from_s = min(p.from_s for p in self.pieces if p.activity_id == self.first.activity_id)
        return self.first.start_at + dt.timedelta(seconds=from_s)

    @property
    def beside(self) -> list[_Activity]:
        return [a for a in self.members if a.activity_id in self.session.beside]

    def shift_s(self, activity: _Activity) -> float:
        """Return what an activity's own seconds lack to those of the session."""
        return (activity.start_at - self.start_at).total_seconds()

    def counts(self) -> bool:
        if self.verdict:
            return self.verdict != "excluded"
        return all(d.counts for d in self.doubts)

    def unknown_dates(self) -> list[dt.date]:
        """Return the days that are not known because of this session, until the runner decides."""
        if self.verdict:
            return []
        zone = dt.timezone(dt.timedelta(seconds=self.primary.day_offset_s))
        first, last = self.first.local_date, self.primary.end_at.astimezone(zone).date()
        if self.counts():
            if self.until_s is None:
                return []
            # What follows the break may have been a run: of its days nobody knows.
            found = self.primary.record().measures
            gap_s = found.gap_s if found is not None else 0.0
            first = (self.primary.start_at + dt.timedelta(seconds=self.until_s + gap_s)).astimezone(zone).date()
        return [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]

    def row(self, athlete_id: str) -> dict[str, Any]:
        speaking = [self.primary, *self.beside]
        distances = [a.distance_m for a in speaking]
        ends = [a.end_at for a in speaking] + [
            a.start_at + dt.timedelta(seconds=p.to_s)
            for p in self.pieces
            for a in self.members
            if a.activity_id == p.activity_id
        ]
        is_simple = self.recording_id == self.primary.activity_id and not self.beside
        elapsed = self.primary.elapsed_time_s if is_simple else (max(ends) - self.start_at).total_seconds()
        return {
            "session_id": self.session.session_id,
            "athlete_id": athlete_id,
            "primary_id": self.primary.activity_id,
            "recording_id": self.recording_id,
            "start_at": self.start_at,
            "local_date": self.first.local_date,
            "day_source": self.first.day_source,
            "elapsed_time_s": self.until_s if self.until_s is not None else elapsed,
            "moving_time_s": sum(a.moving_time_s for a in speaking),
            "distance_m": None if None in distances else sum(d for d in distances if d is not None),
            "title": self.titled.title if self.titled else "",
            "rpe": self.rated.rpe if self.rated else None,
            "flags": [d.name for d in self.doubts],
            "flags_why": [d.sentence for d in self.doubts],
            "verdict": self.verdict,
            "counts": self.counts(),
            "is_usual": self.counts() and (not self.doubts or bool(self.verdict)),
            "unknown_dates": self.unknown_dates(),
            "is_split": self.is_split,
            "is_hour_known": not self.primary.is_hidden,
        }

    @property
    def titled(self) -> _Activity | None:
        """The member whose title counts: the runner's own words on a service before those of a device or a file."""
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
            given.append("distance and time")
        for what, giver in (
            ("altitude", self.altitude),
            ("heart rate", self.heart_rate),
            ("title", self.titled),
            ("effort", self.rated),
        ):
            if giver is activity:
                given.append(what)
        return given


def _gathered(session: Session, members: list[_Activity], told: Decisions, settings: Settings) -> _Gathered:
    primary = members[0]
    verdict = told.verdict(a.activity_id for a in members)
    found = doubts(primary.record(), settings.merging.sanity)
    split = {activity_id for pair in told.pairs.apart for activity_id in pair}
    is_split = any(a.activity_id in split for a in members)
    gathered = _Gathered(session, members, verdict, found, session.pieces, None, None, is_split)
    if primary.has_samples and primary.profile is not None:
        at_the_same_time = [
            a
            for a, m in zip(members, session.members, strict=True)
            if a is not primary and a.profile is not None and not m.shift_s and not a.is_hidden
        ]
        gathered.altitude = _better_altitude(primary, at_the_same_time, settings)
        gathered.heart_rate = _better_heart_rate(primary, at_the_same_time, settings)
    is_made = session.pieces or gathered.altitude or gathered.heart_rate or gathered.until_s is not None
    gathered.recording_id = _made_id(gathered, settings) if is_made else primary.activity_id
    return gathered


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
        gathered.until_s,
    ]
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:12]


def _compose(con: duckdb.DuckDBPyConnection, gathered: _Gathered, settings: Settings) -> bool:
    """Make the recording, where it is not made yet. Returns whether it is there: a frozen record has no samples."""
    made = gathered.recording_id
    if con.execute("select 1 from landing.composed where recording_id = ?", [made]).fetchall():
        return True
    by_id = {a.activity_id: a for a in gathered.members}
    givers = [gathered.primary, *(by_id[p.activity_id] for p in gathered.pieces)]
    givers += [a for a in (gathered.altitude, gathered.heart_rate) if a is not None]
    found = read_samples(con, sorted({a.activity_id for a in givers}))
    if any(a.activity_id not in found for a in givers):
        return False
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
        gathered.until_s,
    )
    whole = replace(whole, time_s=whole.time_s + shift)
    source = (gathered.altitude or gathered.primary).altitude_source
    seconds = max(float(whole.dt_s.sum()), 1e-9)
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
        }
        warehouse.append_rows(con, "landing.composed", [row])
    return True


def _usable(gathered: _Gathered, seconds: float) -> float:
    """Return how much of the run could be used: of a recording that was cut, of what is left of it."""
    whole = gathered.primary.usable_share
    return whole if gathered.until_s is None else min(max(whole, seconds / max(gathered.until_s, 1.0)), 1.0)


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
