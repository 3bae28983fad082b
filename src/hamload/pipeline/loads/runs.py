"""A session, as assessing needs it: what its recording and its members say, what it leaves behind, and its row."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from bisect import bisect_left
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from hamload import warehouse
from hamload.load import (
    PastRun,
    RunFeatures,
    summary_features,
)
from hamload.records import AltitudeSource, Basis, Confidence, SessionLoad, Sport

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    import duckdb

    from hamload.records import Athlete
    from hamload.settings import Settings


@dataclass(frozen=True, slots=True)
class Run:
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
    def is_measured(self) -> bool:
        """Whether its load is that of samples that are here."""
        return self.chunk is not None and self.frozen is None

    @property
    def kept(self) -> dict[str, Any] | None:
        """The frozen row, where it is the whole session's: nothing of it is computed again."""
        return None if self.beside_time_s else self.frozen


def runs_of(con: duckdb.DuckDBPyConnection, athlete_id: str) -> list[Run]:
    """Return an athlete's sessions, oldest first."""
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


def _run(row: dict[str, Any]) -> Run:
    made_of = [row.pop("facts_hash")] + [str(row[name]) for name in _INPUTS]
    return Run(
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


def _with_beside(known: RunFeatures, run: Run) -> RunFeatures:
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
COMPARED = """json_merge_patch(features, '{"flat_s": [], "ungraded_s": []}')"""


def features_of(
    con: duckdb.DuckDBPyConnection, runs: Sequence[Run], of_them: str = "features"
) -> dict[str, RunFeatures]:
    """Return what runs leave behind for later ones, by the ids of their recordings."""
    found = con.execute(
        f"select activity_id, {of_them} from landing.features where list_contains(?, activity_id)",  # noqa: S608
        [[run.recording_id for run in runs if run.has_features]],
    ).fetchall()
    return {name: RunFeatures.from_record(json.loads(told)) for name, told in found}


def known_before(
    con: duckdb.DuckDBPyConnection, runs: Sequence[Run], first: Run, settings: Settings
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
    return brief | features_of(con, runs[place:], COMPARED)


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


def past_run(
    run: Run, known: RunFeatures | None, load: SessionLoad | tuple[float, float | None, str] | None, zone: ZoneInfo
) -> PastRun:
    """Return a run as later ones see it. `load` is what it was assessed as, what is stored of that, or None so far."""
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


def stored_loads(con: duckdb.DuckDBPyConnection, athlete_id: str) -> dict[str, tuple[float, float | None, str]]:
    """Return load, mean demand and basis of each of an athlete's sessions as they were assessed before."""
    rows = con.execute(
        "select session_id, load_efm, mean_demand, basis from landing.session_loads where athlete_id = ?", [athlete_id]
    ).fetchall()
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def row_of(run: Run, athlete_id: str, athlete: Athlete, load: SessionLoad, version: str) -> dict[str, Any]:
    """Return a session's row of `landing.session_loads`."""
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


def frozen_load(frozen: dict[str, Any]) -> tuple[float, float | None, str]:
    """Return of a frozen row what `stored_loads` returns of others."""
    return frozen["load_efm"], frozen["mean_demand"], frozen["basis"]


def thawed(frozen: dict[str, Any]) -> SessionLoad:
    """Return the load that was frozen; what is null in its row is NaN where a load is unknown."""
    told = {f.name: frozen[f.name] for f in fields(SessionLoad)}
    told |= {name: math.nan if told[name] is None else told[name] for name in ("distance_m", "mean_demand")}
    return SessionLoad(**told | {"basis": Basis(told["basis"]), "confidence": Confidence(told["confidence"])})


def frozen_row(run: Run, frozen: dict[str, Any]) -> dict[str, Any]:
    """Return the row that was frozen: nothing of it is computed again, its samples are gone."""
    return {**frozen, "session_id": run.session_id, "start_at": run.start_at, "inputs": run.inputs}


def _known(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value
