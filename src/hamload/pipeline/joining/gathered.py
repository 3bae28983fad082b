"""One session with all that its members give: what speaks, what is added, its day, its doubts, its rows."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hamload.days import LocalDay, local_day
from hamload.merging import Doubt, doubts_of_composed
from hamload.pipeline.documents.reading import STRAVA, SUMMARIES
from hamload.records import AltitudeSource, Sport

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hamload.merging import Measures, Piece, Session
    from hamload.merging.decisions import Decisions, Verdict
    from hamload.parameters import Copies
    from hamload.pipeline.joining.activities import Activity, Judged
    from hamload.settings import Settings

#: What services call a run that nobody named.
_UNNAMED = re.compile(
    r"((early )?(morning|lunch|afternoon|evening|night) )?(trail |treadmill )?(run|jog)|(.+ )?running", re.IGNORECASE
)
#: Whose title is the runner's own words, before that of a device or of a file.
_TITLED = {"strava": 0, "garmin": 1, "garmin_personal": 2}


@dataclass(slots=True)
class Gathered:
    """One session with all that its members give."""

    session: Session
    members: list[Activity]
    verdict: Verdict
    judged: dict[str, Judged]
    altitude: Activity | None
    heart_rate: Activity | None
    split_from: list[str]
    home: dt.tzinfo
    doubts: list[Doubt]
    recording_id: str = ""
    unheard: list[Activity] = field(default_factory=list)

    @property
    def primary(self) -> Activity:
        """The one that speaks."""
        return self.members[0]

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The stretches of running that only copies hold."""
        return self.session.pieces

    @property
    def parts(self) -> list[Activity]:
        """The members that hold a part of the run each, the one that speaks first; no copies."""
        others = [a for a, m in zip(self.members, self.session.members, strict=True) if m.is_part and not m.shift_s]
        return [self.primary, *(a for a in others if a is not self.primary)]

    def until_s(self, activity: Activity) -> float | None:
        """Return where a recording is cut: a watch that was left on."""
        return self.judged[activity.activity_id].until_s

    def end_at(self, activity: Activity) -> dt.datetime:
        """Return the moment at which a recording ends, or is cut."""
        until_s = self.until_s(activity)
        return activity.end_at if until_s is None else activity.start_at + dt.timedelta(seconds=until_s)

    def moving_s(self, activity: Activity) -> float:
        """Return the seconds of running that it tells of, up to where it is cut."""
        kept = activity.measures.before if self.until_s(activity) is not None and activity.measures else None
        return activity.moving_time_s if kept is None else kept.moving_s

    def way_m(self, activity: Activity) -> float | None:
        """Return the distance that it tells of, up to where it is cut."""
        kept = activity.measures.before if self.until_s(activity) is not None and activity.measures else None
        return activity.distance_m if kept is None else kept.way_m

    @property
    def shares(self) -> dict[str, float]:
        """What share of its own distance and time each member without seconds adds, and the one that speaks: 1."""
        return {self.primary.activity_id: 1.0} | {b.activity_id: b.share for b in self.session.beside}

    @property
    def beside(self) -> list[Activity]:
        """The members that add distance and time, and no seconds."""
        return [a for a in self.members[1:] if a.activity_id in self.shares]

    @property
    def begins(self) -> tuple[dt.datetime, Activity]:
        """The moment at which the run begins, and the member with which it does."""
        if len(self.members) == 1:
            return self.primary.start_at, self.primary
        starts = {p.activity_id: p.from_s for p in reversed(self.pieces)} | dict.fromkeys(self.shares, 0.0)
        speaking = [a for a in self.members if a.activity_id in starts]
        found = [(a.start_at + dt.timedelta(seconds=starts[a.activity_id]), a) for a in speaking]
        return min(found, key=lambda pair: (pair[0], pair[1] is not self.primary))

    @property
    def start_at(self) -> dt.datetime:
        """The moment at which the run begins."""
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

    def shift_s(self, activity: Activity) -> float:
        """Return what an activity's own seconds lack to those of the session."""
        return (activity.start_at - self.start_at).total_seconds()

    def counts(self) -> bool:
        """Whether its load counts: as the runner says, else as the doubts do."""
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
        """Return its row of `landing.sessions`."""
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
    def titled(self) -> Activity | None:
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
    def rated(self) -> Activity | None:
        """The member that tells the effort."""
        return next((a for a in self.members if a.rpe is not None), None)

    def member_rows(self, athlete_id: str) -> list[dict[str, Any]]:
        """Return the rows of its members for `landing.members`."""
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

    def _gives(self, activity: Activity) -> list[str]:
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


def gather(
    session: Session,
    members: list[Activity],
    told: Decisions,
    judged: dict[str, Judged],
    home: dt.tzinfo,
    settings: Settings,
) -> Gathered:
    """Say what each member gives. `unheard` and `doubts` are still to be found: they need what was made of them."""
    primary = members[0]
    verdict = told.verdict(a.activity_id for a in members)
    own = {a.activity_id for a in members}
    split_from = sorted({i for pair in told.pairs.apart if pair & own for i in pair - own})
    gathered = Gathered(session, members, verdict, judged, None, None, split_from, home, [])
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
    gathered.recording_id = made_id(gathered, settings) if is_made else primary.activity_id
    return gathered


def unheard(gathered: Gathered, rules: Copies) -> list[Activity]:
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


def _holds(gathered: Gathered, a: Activity, rules: Copies) -> bool:
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


def doubts_of(gathered: Gathered, made: Measures | None, settings: Settings) -> list[Doubt]:
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


def _doubts_of_counted(gathered: Gathered, made: Measures | None, settings: Settings) -> list[Doubt]:
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


def _better_altitude(primary: Activity, others: Sequence[Activity], settings: Settings) -> Activity | None:
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


def _better_heart_rate(primary: Activity, others: Sequence[Activity], settings: Settings) -> Activity | None:
    enough = settings.merging.extras.heart_rate_share
    better = [a for a in others if a.heart_rate_coverage > enough]
    if primary.heart_rate_coverage >= enough:
        return None
    return max(better, key=lambda a: a.heart_rate_coverage, default=None)


def made_id(gathered: Gathered, settings: Settings) -> str:
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


def usable_share(gathered: Gathered, seconds: float) -> float:
    """Return how much of the run could be used: of a recording that was cut, of what is left of it."""
    whole, until_s = gathered.primary.usable_share, gathered.until_s(gathered.primary)
    return whole if until_s is None else min(max(whole, seconds / max(until_s, 1.0)), 1.0)
