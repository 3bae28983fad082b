"""Third step, second half: each session gets its load, parts, labels and confidence.

Sessions are assessed in the order of their days, each against its own past alone. What has not changed since the last
run is not computed again: from the first session that is new, gone or different, everything later is.

Nearly all that a recording is compared with, earlier recordings say by themselves: so they are measured side by side,
by workers where there are many, and only what rests on earlier loads is decided one after the other.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, fields, replace
from functools import partial
from itertools import batched, chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from hamload import warehouse
from hamload.load import (
    EasySpeedFound,
    History,
    PastRun,
    RunFeatures,
    athlete_before,
    duration_load,
    easy_speed,
    efm_per_rpe_minute,
    judged,
    streams_to_summary,
    summary_features,
    summary_load,
    with_loads_before,
    with_summary,
)
from hamload.pipeline.documents import cluster
from hamload.pipeline.documents.readers import compute_here
from hamload.pipeline.documents.storing import read_channels
from hamload.pipeline.loads.courses import keep_courses
from hamload.pipeline.loads.measuring import CHANNELS, Recorded, load_of, measured
from hamload.pipeline.noting.progress import silent
from hamload.records import AltitudeSource, Basis, Confidence, SessionLoad, Sport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import duckdb

    from hamload.pipeline.loads.measuring import Measured
    from hamload.pipeline.noting.progress import Progress
    from hamload.records import Array, Athlete
    from hamload.settings import Settings

_BATCH = 64
#: How many of them one worker measures at a time.
_PART = 16


@dataclass(frozen=True, slots=True)
class _Run:
    """A session, as assessing needs it: its recording and what its members say."""

    session_id: str
    recording_id: str
    start_at: dt.datetime
    local_date: dt.date
    sport: Sport
    altitude_source: AltitudeSource
    usable: float
    distance_m: float | None
    moving_time_s: float
    rpe: float | None
    #: Of its time and distance, what lies beside its recording: known from summaries alone.
    beside_time_s: float
    beside_distance_m: float | None
    has_features: bool
    inputs: str
    #: Whether it shapes what is usual, and what is wrong with it: then its load is trusted less.
    is_usual: bool
    doubts: str
    #: Where its samples lie; None where there are none.
    chunk: int | None
    #: Its row of session_loads from the time when its recording had to go; None: it is assessed from what is here.
    frozen: dict[str, Any] | None

    @property
    def kept(self) -> dict[str, Any] | None:
        """The frozen row, where it is the whole session's: nothing of it is computed again."""
        return None if self.beside_time_s else self.frozen


def write_loads(
    con: duckdb.DuckDBPyConnection, settings: Settings, today: dt.date | None, progress: Progress = silent
) -> None:
    """Assess the sessions of every athlete, from the first one that changed on."""
    former = {row["athlete_id"]: row for row in warehouse.rows(con, "select * from landing.athletes")}
    con.execute("delete from landing.athletes")
    con.execute(
        "delete from landing.session_loads where not list_contains(?, athlete_id)", [[a.id for a in settings.athletes]]
    )
    for athlete in settings.athletes:
        runs = _runs(con, athlete.id)
        day = today or settings.today(athlete.id)
        zone = settings.zone(athlete.id)
        found = _easy_speed(con, athlete.id, runs, former.get(athlete.id), settings, day)
        mps = athlete.easy_speed_mps or found.mps
        last = max((run.local_date for run in runs), default=day)
        con.execute(
            "insert into landing.athletes values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                athlete.id,
                athlete.name,
                zone.key,
                day,
                # Today may still bring a run: it belongs to the series only once it has one.
                max(day - dt.timedelta(days=1), last) if runs else day - dt.timedelta(days=1),
                mps,
                found.mps,
                found.until,
                settings.model.version,
            ],
        )
        _assess(con, athlete.id, runs, mps, settings, progress)


def _easy_speed(
    con: duckdb.DuckDBPyConnection,
    athlete_id: str,
    runs: Sequence[_Run],
    former: dict[str, Any] | None,
    settings: Settings,
    day: dt.date,
) -> EasySpeedFound:
    """Return the easy speed: the one found before, where its weeks are over and their runs are what they were."""
    zone = settings.zone(athlete_id)
    is_same_model = former is not None and (former["model_version"], former["time_zone"]) == (
        settings.model.version,
        zone.key,
    )
    if former is not None and is_same_model and (until := former["easy_speed_until"]) is not None and until < day:
        stored = con.execute(
            "select session_id, inputs, start_at from landing.session_loads where athlete_id = ?", [athlete_id]
        ).fetchall()
        before = {(name, inputs) for name, inputs, at in stored if at.astimezone(zone).date() <= until}
        if before == {(r.session_id, r.inputs) for r in runs if r.start_at.astimezone(zone).date() <= until}:
            return EasySpeedFound(former["found_easy_speed_mps"], is_final=True, until=until, flat_s=math.nan)
    model = settings.model.easy_speed

    def found_in(some: Sequence[_Run]) -> EasySpeedFound:
        known = _features(con, some)
        return easy_speed([_past(run, known.get(run.recording_id), None, zone) for run in some], model, day)

    # It is decided within weeks: of ten years, the runs of the first months nearly always say it.
    soon = runs[0].start_at + dt.timedelta(weeks=3 * model.weeks) if runs else None
    first = [run for run in runs if run.start_at < soon] if soon else []
    early = found_in(first)
    return early if early.is_final or len(first) == len(runs) else found_in(runs)


def _assess(
    con: duckdb.DuckDBPyConnection,
    athlete_id: str,
    runs: Sequence[_Run],
    easy_mps: float,
    settings: Settings,
    progress: Progress,
) -> None:
    kept = _unchanged(con, athlete_id, runs, easy_mps, settings.model.version)
    stored = _stored(con, athlete_id)
    keep = {run.session_id for run in runs[:kept]}
    con.executemany(
        "delete from landing.session_loads where session_id = ?", [[s] for s in stored if s not in keep] or [[""]]
    )
    todo = runs[kept:]
    if not todo:
        return
    zone, known = settings.zone(athlete_id), _known_before(con, runs[:kept], todo[0], settings)
    past = History(_past(run, known.get(run.recording_id), stored[run.session_id], zone) for run in runs[:kept])
    batches = _Batches(con, History(past), easy_mps, zone, settings)
    for found in _shared(batches.asked(todo), settings, is_few=len(todo) <= _BATCH):
        batch = batches.under_way.popleft()
        results = dict(zip(batch.recorded, chain.from_iterable(found), strict=True))
        rows, kept_courses = [], []
        for run in batch.runs:
            features = batch.known.get(run.recording_id)
            if run.kept is not None:
                rows.append(_frozen_row(run, run.kept))
                past.add(_past(run, features, _frozen_load(run.kept), zone))
                continue
            athlete = with_loads_before(batch.athletes[run.session_id], run.start_at, past, settings.model)
            own = None
            if (now := results.get(run.recording_id)) is not None:
                own = now.load
                kept_courses.append(_made_of(run, athlete, settings.model.version) | now.course)
            load = _doubted(run, _load(run, own, athlete, past, settings))
            rows.append(_row(run, athlete_id, athlete, load, settings.model.version))
            past.add(_past(run, features, load, zone))
        warehouse.append_rows(con, "landing.session_loads", rows)
        keep_courses(con, kept_courses)
        progress("assessing", len(past) - kept, len(todo))


@dataclass(frozen=True, slots=True)
class _Batch:
    """Runs whose recordings are being measured. `recorded` are these recordings, in the order of the results."""

    runs: Sequence[_Run]
    known: dict[str, RunFeatures]
    athletes: dict[str, Athlete]
    recorded: Sequence[str]


class _Batches:
    """What is to be measured, ahead of what is decided: `ahead` knows of each run all but its load."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, ahead: History, easy_mps: float, zone: ZoneInfo, settings: Settings
    ) -> None:
        self._con, self._ahead, self._easy_mps, self._zone, self._settings = con, ahead, easy_mps, zone, settings
        self.under_way: deque[_Batch] = deque()

    def asked(self, todo: Sequence[_Run]) -> Iterator[list[Callable[[], list[Measured]]]]:
        """Return what is to be computed of each batch of runs."""
        for runs in batched(todo, _BATCH, strict=False):
            known = _features(self._con, runs, _COMPARED)
            athletes = {}
            for run in runs:
                athletes[run.session_id] = athlete_before(
                    run.start_at, self._ahead, self._easy_mps, self._settings.model
                )
                self._ahead.add(_past(run, known.get(run.recording_id), None, self._zone))
            live = [run for run in runs if run.has_features and run.frozen is None]
            channels = read_channels(self._con, [run.recording_id for run in live], CHANNELS)
            recorded = {
                run.recording_id: _recorded(run, channels[run.recording_id], athletes[run.session_id])
                for run in live
                if run.recording_id in channels
            }
            self.under_way.append(_Batch(runs, known, athletes, tuple(recorded)))
            parts = batched(recorded.values(), _PART, strict=False)
            yield [partial(measured, part, self._settings.signal, self._settings.model) for part in parts]


def _shared(
    batches: Iterator[list[Callable[[], list[Measured]]]], settings: Settings, *, is_few: bool
) -> Iterator[list[list[Measured]]]:
    """Return what came of each batch: computed by workers, or here where that is sooner done than sent."""
    if is_few:
        return ([work() for work in batch] for batch in batches)
    return (cluster.compute if settings.imports.cluster else compute_here)(batches, settings)


def _recorded(run: _Run, channels: dict[str, Array], athlete: Athlete) -> Recorded:
    basis = Basis.TREADMILL if run.sport is Sport.TREADMILL else Basis.STREAMS
    return Recorded(channels, athlete, basis, run.altitude_source, run.usable)


def _made_of(run: _Run, athlete: Athlete, version: str) -> dict[str, Any]:
    """Return what a course rests on, as its row names it."""
    return {
        "activity_id": run.recording_id,
        "chunk": run.chunk,
        "easy_speed_mps": athlete.easy_speed_mps,
        "model_version": version,
    }


def loads_of_copies(
    con: duckdb.DuckDBPyConnection, settings: Settings, athlete_id: str, activity_ids: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Return what the load of their session would be if these copies spoke for it, as rows of `session_loads`.

    For the day on which a copy is all that is left of a run: its own samples may be gone by then.
    """
    copies = warehouse.rows(
        con,
        "select m.activity_id, m.session_id, a.altitude_source, a.usable_share"
        " from landing.members m join landing.activities a using (activity_id)"
        " join landing.sessions s on s.session_id = m.session_id"
        # What a session has beside its recording is no part of that recording's own load.
        " where (not m.is_primary or s.beside_time_s > 0) and a.samples > 0 and list_contains(?, m.activity_id)",
        [list(activity_ids)],
    )
    if not copies:
        return {}
    runs, stored, zone = _runs(con, athlete_id), _stored(con, athlete_id), settings.zone(athlete_id)
    places = {run.session_id: place for place, run in enumerate(runs)}
    known = _features(con, runs)
    past = [_past(run, known.get(run.recording_id), stored.get(run.session_id), zone) for run in runs]
    ((easy_mps,),) = con.execute(
        "select easy_speed_mps from landing.athletes where athlete_id = ?", [athlete_id]
    ).fetchall()
    channels = read_channels(con, [copy["activity_id"] for copy in copies], CHANNELS)
    found = {}
    for copy in copies:
        place = places.get(copy["session_id"])
        if place is None or copy["activity_id"] not in channels:
            continue
        altitude = AltitudeSource(copy["altitude_source"])
        run = replace(
            runs[place],
            altitude_source=altitude,
            usable=copy["usable_share"],
            beside_time_s=0.0,
            beside_distance_m=None,
            frozen=None,
        )
        before = past[:place]
        athlete = athlete_before(run.start_at, before, easy_mps, settings.model)
        own = load_of(_recorded(run, channels[copy["activity_id"]], athlete), settings.signal, settings.model)
        load = _doubted(run, _load(run, own, athlete, before, settings))
        found[copy["activity_id"]] = _row(run, athlete_id, athlete, load, settings.model.version)
    return found


def _load(
    run: _Run, own: SessionLoad | None, athlete: Athlete, past: Iterable[PastRun], settings: Settings
) -> SessionLoad:
    """Return a run's load: its recording's own, with what is known from summaries alone added; else its summary's."""
    model = settings.model
    if run.frozen is not None:
        own = _thawed(run.frozen)
    if own is None:
        return _of_summary(run.distance_m, run.moving_time_s, run, athlete, past, settings)
    if not run.beside_time_s:
        return judged(own, athlete)
    return with_summary(
        own, _of_summary(run.beside_distance_m, run.beside_time_s, run, athlete, past, settings), athlete, model
    )


def _of_summary(
    distance_m: float | None,
    moving_time_s: float,
    run: _Run,
    athlete: Athlete,
    past: Iterable[PastRun],
    settings: Settings,
) -> SessionLoad:
    model = settings.model
    if distance_m and distance_m <= settings.signal.max_speed_mps * moving_time_s:
        ratio = streams_to_summary(past, athlete.easy_speed_mps, model)
        return summary_load(distance_m, moving_time_s, athlete, ratio, model)
    return duration_load(moving_time_s, run.rpe, efm_per_rpe_minute(past, model), athlete, model)


def _runs(con: duckdb.DuckDBPyConnection, athlete_id: str) -> list[_Run]:
    rows = warehouse.rows(
        con,
        "select s.session_id, s.recording_id, s.start_at, s.local_date, a.sport,"
        " coalesce(c.usable_share, a.usable_share) as usable,"
        " s.distance_m, s.moving_time_s, s.rpe, s.beside_time_s, s.beside_distance_m, s.is_usual, z.load as frozen,"
        " f.activity_id is not null as has_features, f.chunk,"
        " coalesce(c.altitude_source, a.altitude_source) as altitude_source,"
        " case when starts_with(s.verdict, 'accepted') then '' else array_to_string(s.flags_why, '; ') end as doubts,"
        " d.facts_hash"
        " from landing.sessions s join landing.activities a on a.activity_id = s.primary_id"
        " join landing.decoded d on d.athlete_id = a.athlete_id and d.document_id = a.document_id"
        " left join landing.composed c on c.recording_id = s.recording_id"
        " left join landing.features f on f.activity_id = s.recording_id"
        " left join landing.frozen_loads z on z.activity_id = a.activity_id"
        " where s.athlete_id = ? order by s.start_at, s.session_id",
        [athlete_id],
    )
    return [_run(row) for row in rows]


def _run(row: dict[str, Any]) -> _Run:
    made_of = [row.pop("facts_hash")] + [str(row[name]) for name in _INPUTS]
    return _Run(
        **row
        | {
            # DuckDB's own UTC is slow to compare.
            "start_at": row["start_at"].astimezone(dt.UTC),
            "sport": Sport(row["sport"]),
            "altitude_source": AltitudeSource(row["altitude_source"]),
            "frozen": json.loads(row["frozen"]) if row["frozen"] else None,
            "inputs": hashlib.sha256("/".join(made_of).encode()).hexdigest()[:12],
        }
    )


def _with_beside(known: RunFeatures, run: _Run) -> RunFeatures:
    """Return what later runs are compared with: how long and how far the whole run was."""
    if not run.beside_time_s:
        return known
    is_far = known.distance_m is not None and run.beside_distance_m is not None
    return replace(
        known,
        moving_time_s=known.moving_time_s + run.beside_time_s,
        distance_m=(known.distance_m or 0.0) + (run.beside_distance_m or 0.0) if is_far else None,
    )


#: What runs leave behind, without what only the easy speed is found by: two of three histograms, and half the reading.
_COMPARED = """json_merge_patch(features, '{"flat_s": [], "ungraded_s": []}')"""


def _features(
    con: duckdb.DuckDBPyConnection, runs: Sequence[_Run], of_them: str = "features"
) -> dict[str, RunFeatures]:
    """Return what runs leave behind for later ones, by the ids of their recordings."""
    found = con.execute(
        f"select activity_id, {of_them} from landing.features where list_contains(?, activity_id)",  # noqa: S608
        [[run.recording_id for run in runs if run.has_features]],
    ).fetchall()
    return {name: RunFeatures.from_record(json.loads(told)) for name, told in found}


def _known_before(
    con: duckdb.DuckDBPyConnection, runs: Sequence[_Run], first: _Run, settings: Settings
) -> dict[str, RunFeatures]:
    """Return what runs leave behind for the assessment from `first` on.

    Of runs that no window reaches any more, only what is asked of all the past: their distance, time and best speed.
    Reading every histogram of ten years would cost more than the night itself.
    """
    labels = settings.model.labels
    since = first.start_at - dt.timedelta(days=max(labels.history_days, labels.longest_days))
    place = bisect_left(runs, since, key=attrgetter("start_at"))
    old = con.execute(
        "select activity_id, cast(features->>'moving_time_s' as double), cast(features->>'distance_m' as double),"
        " cast(features->>'best_10s_mps' as double) from landing.features where list_contains(?, activity_id)",
        [[run.recording_id for run in runs[:place] if run.has_features]],
    ).fetchall()
    brief = {name: replace(summary_features(time_s, way_m), best_10s_mps=best) for name, time_s, way_m, best in old}
    return brief | _features(con, runs[place:], _COMPARED)


#: What a session's load depends on, besides its primary document, the model and what came before it.
_INPUTS = (
    "session_id",
    "recording_id",
    "start_at",
    "local_date",
    "sport",
    "distance_m",
    "moving_time_s",
    "rpe",
    "beside_time_s",
    "beside_distance_m",
    "is_usual",
    "doubts",
)


def _doubted(run: _Run, load: SessionLoad) -> SessionLoad:
    """Return the load of a doubted recording as what it is: known with low confidence only."""
    if not run.doubts:
        return load
    why = f"{load.confidence_why}; {run.doubts}" if load.confidence_why else run.doubts
    is_low = load.confidence in {Confidence.LOW, Confidence.VERY_LOW}
    return replace(load, confidence=load.confidence if is_low else Confidence.LOW, confidence_why=why)


def _past(
    run: _Run, known: RunFeatures | None, load: SessionLoad | tuple[float, float | None, str] | None, zone: ZoneInfo
) -> PastRun:
    efm: float | None = None
    mean: float | None = None
    basis = Basis.STREAMS
    if isinstance(load, SessionLoad):
        efm, mean, basis = load.load_efm, _known(load.mean_demand), load.basis
    elif load is not None:
        efm, mean, basis = load[0], load[1], Basis(load[2])
    return PastRun(
        start_at=run.start_at.astimezone(zone),
        features=_with_beside(known, run) if known else summary_features(run.moving_time_s, run.distance_m),
        load_efm=efm,
        mean_demand=mean,
        is_counted=run.is_usual,
        basis=basis,
        rpe=run.rpe,
    )


def _stored(con: duckdb.DuckDBPyConnection, athlete_id: str) -> dict[str, tuple[float, float | None, str]]:
    rows = con.execute(
        "select session_id, load_efm, mean_demand, basis from landing.session_loads where athlete_id = ?", [athlete_id]
    ).fetchall()
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def _unchanged(
    con: duckdb.DuckDBPyConnection, athlete_id: str, runs: Sequence[_Run], easy_mps: float, version: str
) -> int:
    """Return how many of the first sessions stand as they were assessed before."""
    rows = con.execute(
        "select l.session_id, l.inputs, l.model_version, l.easy_speed_mps from landing.session_loads l"
        " where l.athlete_id = ? order by l.start_at, l.session_id",
        [athlete_id],
    ).fetchall()
    same = 0
    for run, row in zip(runs, rows, strict=False):
        made = (run.kept["model_version"], run.kept["easy_speed_mps"]) if run.kept else (version, easy_mps)
        if row != (run.session_id, run.inputs, *made):
            break
        same += 1
    return same


def _row(run: _Run, athlete_id: str, athlete: Athlete, load: SessionLoad, version: str) -> dict[str, Any]:
    row: dict[str, Any] = {f.name: getattr(load, f.name) for f in fields(load)}
    row |= {name: _known(row[name]) for name in ("distance_m", "mean_demand", "climb_m")}
    return row | {
        "session_id": run.session_id,
        "athlete_id": athlete_id,
        "start_at": run.start_at,
        "inputs": run.inputs,
        "basis": load.basis.value,
        "confidence": load.confidence.value,
        "easy_speed_mps": athlete.easy_speed_mps,
        "typical_time_s": athlete.typical_time_s,
        "fast_mps": athlete.fast_mps,
        "very_fast_mps": athlete.very_fast_mps,
        "history_runs": athlete.runs,
        "model_version": version,
    }


def _frozen_load(frozen: dict[str, Any]) -> tuple[float, float | None, str]:
    return frozen["load_efm"], frozen["mean_demand"], frozen["basis"]


def _thawed(frozen: dict[str, Any]) -> SessionLoad:
    """Return the load that was frozen; what is null in its row is NaN where a load is unknown."""
    told = {f.name: frozen[f.name] for f in fields(SessionLoad)}
    told |= {name: math.nan if told[name] is None else told[name] for name in ("distance_m", "mean_demand")}
    return SessionLoad(**told | {"basis": Basis(told["basis"]), "confidence": Confidence(told["confidence"])})


def _frozen_row(run: _Run, frozen: dict[str, Any]) -> dict[str, Any]:
    """Return the row that was frozen: nothing of it is computed again, its samples are gone."""
    return {**frozen, "session_id": run.session_id, "start_at": run.start_at, "inputs": run.inputs}


def _known(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value


@dataclass(frozen=True, slots=True)
class Recordings:
    """One athlete's runs with their recordings in memory, to be assessed again as if. Nothing is written.

    `runs` are all of them, oldest first; those before `first` keep the load that they have, and so do runs of which no
    samples are left.
    """

    runs: tuple[_Run, ...]
    known: dict[str, RunFeatures]
    stored: dict[str, tuple[float, float | None, str]]
    channels: dict[str, dict[str, Array]]
    easy_mps: float
    zone: ZoneInfo
    first: dt.date


def recordings(
    con: duckdb.DuckDBPyConnection, settings: Settings, athlete_id: str, time_zone: str, first: dt.date
) -> Recordings:
    """Read what `reassessed` needs, from the working tables or the published ones."""
    runs = _runs(con, athlete_id)
    wanted = [r.recording_id for r in runs if r.local_date >= first and r.has_features and r.frozen is None]
    ((easy_mps,),) = con.execute(
        "select easy_speed_mps from landing.athletes where athlete_id = ?", [athlete_id]
    ).fetchall()
    return Recordings(
        runs=tuple(runs),
        known=_features(con, runs),
        stored=_stored(con, athlete_id),
        channels=read_channels(con, wanted, CHANNELS),
        easy_mps=easy_mps or settings.model.easy_speed.default_mps,
        zone=ZoneInfo(time_zone),
        first=first,
    )


def reassessed(held: Recordings, settings: Settings) -> list[dict[str, Any]]:
    """Assess every run from `first` on as the settings have it, against its own past as that comes out.

    Returns rows of `session_loads` in order, each with `is_reassessed`: False where the stored load had to stay. The
    easy speed stays as it is stored.
    """
    past = History()
    rows: list[dict[str, Any]] = []
    for run in held.runs:
        stored, known = held.stored[run.session_id], held.known.get(run.recording_id)
        if run.local_date < held.first:
            past.add(_past(run, known, stored, held.zone))
            continue
        channels = held.channels.get(run.recording_id)
        if channels is None:
            rows.append({"session_id": run.session_id, "load_efm": stored[0], "is_reassessed": False})
            past.add(_past(run, known, stored, held.zone))
            continue
        athlete = athlete_before(run.start_at, past, held.easy_mps, settings.model)
        own = load_of(_recorded(run, channels, athlete), settings.signal, settings.model)
        load = _doubted(run, _load(run, own, athlete, past, settings))
        rows.append(_row(run, "", athlete, load, settings.model.version) | {"is_reassessed": True})
        past.add(_past(run, known, load, held.zone))
    return rows
