"""Third step, second half: each session gets its load, parts, labels and confidence.

Sessions are assessed in the order of their days, each against its own past alone. What has not changed since the last
run is not computed again: from the first session that is new, gone or different, everything later is.

Nearly all that a recording is compared with, earlier recordings say by themselves: so they are measured side by side,
by workers where there are many, and only what rests on earlier loads is decided one after the other.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import deque
from dataclasses import dataclass, replace
from functools import partial
from itertools import batched, chain
from typing import TYPE_CHECKING, Any

from hamload import warehouse
from hamload.load import (
    EasySpeedFound,
    History,
    PastRun,
    RunFeatures,
    duration_load,
    easy_speed,
    efm_per_rpe_minute,
    judged,
    streams_to_summary,
    summary_load,
    thresholds_before,
    with_loads_before,
    with_summary,
)
from hamload.pipeline.documents.computing import clear, compute
from hamload.pipeline.documents.storing import read_channels
from hamload.pipeline.loads.courses import keep_courses
from hamload.pipeline.loads.measuring import CHANNELS, Recorded, measured, measured_file, packed
from hamload.pipeline.loads.runs import (
    COMPARED,
    Run,
    features_of,
    frozen_load,
    frozen_row,
    known_before,
    past_run,
    row_of,
    runs_of,
    stored_loads,
    thawed,
)
from hamload.pipeline.noting.progress import silent
from hamload.records import Basis, Confidence, SessionLoad, Sport

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from zoneinfo import ZoneInfo

    import duckdb

    from hamload.pipeline.documents.storing import Channel
    from hamload.pipeline.loads.measuring import Measured
    from hamload.pipeline.noting.progress import Progress
    from hamload.records import Athlete
    from hamload.settings import Settings

#: How many runs are assessed together, at least and at most: their samples are read chunk by chunk.
_FEW, _MANY = 64, 192
#: How many of them one worker measures at a time.
_PART = 32


def write_loads(
    con: duckdb.DuckDBPyConnection, settings: Settings, today: dt.date | None, progress: Progress = silent
) -> None:
    """Assess the sessions of every athlete, from the first one that changed on."""
    former = {row["athlete_id"]: row for row in warehouse.rows(con, "select * from landing.athletes")}
    con.execute(
        "delete from landing.session_loads where not list_contains(?, athlete_id)", [[a.id for a in settings.athletes]]
    )
    clear(settings)
    runs: dict[str, list[Run]] = {}
    easy: dict[str, float] = {}
    rows = []
    for athlete in settings.athletes:
        mine = runs[athlete.id] = runs_of(con, athlete.id)
        day = today or settings.today(athlete.id)
        found = _easy_speed(con, athlete.id, mine, former.get(athlete.id), settings, day)
        mps = easy[athlete.id] = athlete.easy_speed_mps or found.mps
        # Today may still bring a run: it belongs to the series only once it has one.
        until = max([day - dt.timedelta(days=1), *(run.local_date for run in mine)])
        zone = settings.zone(athlete.id).key
        rows.append([athlete.id, athlete.name, zone, day, until, mps, found.mps, found.until, settings.model.version])
    with warehouse.transaction(con):
        con.execute("delete from landing.athletes")
        con.executemany("insert into landing.athletes values (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    for athlete_id, mine in runs.items():
        _assess(con, athlete_id, mine, easy[athlete_id], settings, progress)


def _easy_speed(
    con: duckdb.DuckDBPyConnection,
    athlete_id: str,
    runs: Sequence[Run],
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

    def found_in(some: Sequence[Run]) -> EasySpeedFound:
        known = features_of(con, some)
        return easy_speed([past_run(run, known.get(run.recording_id), None, zone) for run in some], model, day)

    # It is decided within weeks: of ten years, the runs of the first months nearly always say it.
    soon = runs[0].start_at + dt.timedelta(weeks=3 * model.weeks) if runs else None
    first = [run for run in runs if run.start_at < soon] if soon else []
    early = found_in(first)
    return early if early.is_final or len(first) == len(runs) else found_in(runs)


def _assess(
    con: duckdb.DuckDBPyConnection,
    athlete_id: str,
    runs: Sequence[Run],
    easy_mps: float,
    settings: Settings,
    progress: Progress,
) -> None:
    same = _unchanged(con, athlete_id, runs, easy_mps, settings.model.version)
    stored = stored_loads(con, athlete_id)
    stand = {run.session_id for run in runs[:same]}
    con.executemany(
        "delete from landing.session_loads where session_id = ?", [[s] for s in stored if s not in stand] or [[""]]
    )
    todo = runs[same:]
    if not todo:
        return
    zone, known = settings.zone(athlete_id), known_before(con, runs[:same], todo[0], settings)
    past = History(past_run(run, known.get(run.recording_id), stored[run.session_id], zone) for run in runs[:same])
    batches = _Batches(con, History(past), easy_mps, zone, settings)
    for found in batches.measured(todo):
        batch = batches.under_way.popleft()
        results = dict(zip(batch.measured, found, strict=True))
        rows, made = [], []
        for run in batch.runs:
            features = batch.known.get(run.recording_id)
            if run.kept is not None:
                rows.append(frozen_row(run, run.kept))
                past.add(past_run(run, features, frozen_load(run.kept), zone))
                continue
            athlete = with_loads_before(batch.athletes[run.session_id], run.start_at, past, settings.model)
            now = results.get(run.session_id)
            load = decided_load(run, now and now.load, athlete, past, settings)
            rows.append(row_of(run, athlete_id, athlete, load, settings.model.version))
            past.add(past_run(run, features, load, zone))
            if now is not None:
                made.append(_made_of(run, athlete, settings.model.version) | now.course)
        warehouse.append_rows(con, "landing.session_loads", rows)
        keep_courses(con, made)
        progress("assessing", len(past) - same, len(todo))


@dataclass(frozen=True, slots=True)
class _Batch:
    """Runs whose recordings are being measured, and what was known before each; `measured` are those that have one."""

    runs: Sequence[Run]
    known: dict[str, RunFeatures]
    athletes: dict[str, Athlete]
    measured: Sequence[str]


class _Batches:
    """What is to be measured, ahead of what is decided: `ahead` knows all of a run but its load."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, ahead: History, easy_mps: float, zone: ZoneInfo, settings: Settings
    ) -> None:
        self._con, self._ahead, self._easy_mps, self._zone, self._settings = con, ahead, easy_mps, zone, settings
        self.under_way: deque[_Batch] = deque()

    def measured(self, todo: Sequence[Run]) -> Iterator[list[Measured]]:
        """Measure the recordings of runs: by workers, or here where that is sooner done than sent."""
        signal, model = self._settings.signal, self._settings.model
        asked = self._asked(todo)
        if sum(run.is_measured for run in todo) <= _FEW:
            return (measured(recorded, signal, model) for recorded in asked)
        files = ([packed(part) for part in batched(recorded, _PART, strict=False)] for recorded in asked)
        found = compute(files, partial(measured_file, signal=signal, model=model), self._settings)
        return (list(chain.from_iterable(parts)) for parts in found)

    def _asked(self, todo: Sequence[Run]) -> Iterator[list[Recorded]]:
        for runs in by_chunk(todo):
            known = features_of(self._con, runs, COMPARED)
            channels = read_channels(self._con, [run.recording_id for run in runs if run.is_measured], CHANNELS)
            athletes, recorded = {}, {}
            for run in runs:
                if run.kept is None:
                    athlete = thresholds_before(run.start_at, self._ahead, self._easy_mps, self._settings.model)
                    athletes[run.session_id] = athlete
                    if run.is_measured and run.recording_id in channels:
                        recorded[run.session_id] = recorded_of(run, channels[run.recording_id], athlete)
                self._ahead.add(past_run(run, known.get(run.recording_id), None, self._zone))
            self.under_way.append(_Batch(runs, known, athletes, tuple(recorded)))
            yield list(recorded.values())


def by_chunk(runs: Iterable[Run]) -> Iterator[Sequence[Run]]:
    """Return runs in batches that end where a chunk of samples does, where that makes them neither small nor large."""
    batch: list[Run] = []
    for run in runs:
        if len(batch) >= _MANY or (len(batch) >= _FEW and run.chunk != batch[-1].chunk):
            yield batch
            batch = []
        batch.append(run)
    if batch:
        yield batch


def recorded_of(run: Run, channels: dict[str, Channel], athlete: Athlete) -> Recorded:
    """Return what is to be measured of a run: the channels of its recording, and what was known before it."""
    basis = Basis.TREADMILL if run.sport is Sport.TREADMILL else Basis.STREAMS
    return Recorded(channels, athlete, basis, run.altitude_source, run.usable)


def _made_of(run: Run, athlete: Athlete, version: str) -> dict[str, Any]:
    """Return what a course rests on, as its row names it."""
    return {
        "activity_id": run.recording_id,
        "chunk": run.chunk,
        "easy_speed_mps": athlete.easy_speed_mps,
        "model_version": version,
    }


def decided_load(
    run: Run, own: SessionLoad | None, athlete: Athlete, past: Iterable[PastRun], settings: Settings
) -> SessionLoad:
    """Return a run's load: its recording's own, with what is known from summaries alone added; else its summary's.

    `own` is what its recording was measured to be, None where there is none; `athlete` and `past` are what was known
    before it, loads included. That of a doubted recording is known with low confidence only.
    """
    return _doubted(run, _load(run, own, athlete, past, settings))


def _load(
    run: Run, own: SessionLoad | None, athlete: Athlete, past: Iterable[PastRun], settings: Settings
) -> SessionLoad:
    model = settings.model
    if run.frozen is not None:
        own = thawed(run.frozen)
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
    run: Run,
    athlete: Athlete,
    past: Iterable[PastRun],
    settings: Settings,
) -> SessionLoad:
    model = settings.model
    if distance_m and distance_m <= settings.signal.max_speed_mps * moving_time_s:
        ratio = streams_to_summary(past, athlete.easy_speed_mps, model)
        return summary_load(distance_m, moving_time_s, athlete, ratio, model)
    return duration_load(moving_time_s, run.rpe, efm_per_rpe_minute(past, model), athlete, model)


def _doubted(run: Run, load: SessionLoad) -> SessionLoad:
    """Return the load of a doubted recording as what it is: known with low confidence only."""
    if not run.doubts:
        return load
    why = f"{load.confidence_why}; {run.doubts}" if load.confidence_why else run.doubts
    is_low = load.confidence in {Confidence.LOW, Confidence.VERY_LOW}
    return replace(load, confidence=load.confidence if is_low else Confidence.LOW, confidence_why=why)


def _unchanged(
    con: duckdb.DuckDBPyConnection, athlete_id: str, runs: Sequence[Run], easy_mps: float, version: str
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
