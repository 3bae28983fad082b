"""What stands in for a full recording: no altitude, a treadmill, a summary, a duration. Each says how far to trust it.

An estimate is never mixed in silently: it carries its basis, its confidence and a sentence for the runner.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hamload.load.confidence import estimate_grade
from hamload.load.demand import demand
from hamload.load.labels import Kinds, any_of, long_label
from hamload.load.parts import LoadParts
from hamload.load.session import Extent, Trust, assembled, on_treadmill, session_load
from hamload.records import Basis, Confidence, SessionLoad

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hamload.load.history import PastRun
    from hamload.parameters import LoadModel
    from hamload.records import Array, Athlete, Samples

#: What a load was measured from, as opposed to estimated: only such runs may scale an estimate.
_MEASURED = {Basis.STREAMS, Basis.STREAMS_FLAT, Basis.TREADMILL}


def without_altitude(samples: Samples) -> Samples:
    """Return the samples with every grade unknown: for altitude that must not be used."""
    return replace(samples, grade=np.full(len(samples), np.nan))


def flat_load(samples: Samples, athlete: Athlete, model: LoadModel, *, usable_share: float = 1.0) -> SessionLoad:
    """Compute the load of a run without usable altitude: G = 1, and whether it was hilly is unknown."""
    return session_load(without_altitude(samples), athlete, model, basis=Basis.STREAMS_FLAT, usable_share=usable_share)


def treadmill_load(
    samples: Samples,
    athlete: Athlete,
    model: LoadModel,
    *,
    incline: Array | float | None = None,
    usable_share: float = 1.0,
) -> SessionLoad:
    """Compute the load of a treadmill run from its speed and its incline, flat where none was entered."""
    return session_load(
        on_treadmill(samples, incline),
        athlete,
        model,
        basis=Basis.TREADMILL,
        usable_share=usable_share,
    )


def summary_load(
    distance_m: float, moving_time_s: float, athlete: Athlete, streams_to_summary: float | None, model: LoadModel
) -> SessionLoad:
    """Estimate the load of a run of which only distance and moving time are known.

    Parameters
    ----------
    distance_m
        Metres, above 0.
    moving_time_s
        Seconds, above 0.
    athlete
        What was known of the runner before this run.
    streams_to_summary
        The athlete's own ratio (function of the same name); None takes 1 and says so.
    model
        The shipped or the runner's own coefficients.

    Returns
    -------
    SessionLoad
        h(mean speed, level) * minutes * ratio. What lies beyond `long_factor` * T is its long part; hill and speed
        cannot be told apart: 0, with the labels None.

    Raises
    ------
    ValueError
        Where distance or time are not above 0.

    """
    _check_positive(distance_m=distance_m, moving_time_s=moving_time_s)
    ratio = 1.0 if streams_to_summary is None else streams_to_summary
    h = ratio * float(demand(distance_m / moving_time_s, 0.0, athlete.easy_speed_mps, model.demand))
    why = estimate_grade(Basis.SUMMARY, own_scale=streams_to_summary is not None)
    return _steady(Extent(moving_time_s, distance_m, h, None), Trust(Basis.SUMMARY, *why), athlete, model)


def duration_load(
    moving_time_s: float, rpe: float | None, efm_per_rpe_minute: float | None, athlete: Athlete, model: LoadModel
) -> SessionLoad:
    """Estimate the load of a run of which only the duration is known, and perhaps the effort.

    Parameters
    ----------
    moving_time_s
        Seconds, above 0.
    rpe
        The effort of the session out of 10; None takes `default_rpe` and says so.
    efm_per_rpe_minute
        The athlete's own regression (function of the same name); None takes the configured one and says so.
    athlete
        What was known of the runner before this run.
    model
        The shipped or the runner's own coefficients.

    Returns
    -------
    SessionLoad
        RPE * minutes * EFM per RPE-minute, its parts as in `summary_load`. `distance_m` is NaN: unknown.

    Raises
    ------
    ValueError
        Where the time is not above 0 or the effort not from 0 to 10.

    """
    _check_positive(moving_time_s=moving_time_s)
    if rpe is not None and not 0 <= rpe <= 10:  # noqa: PLR2004 - the scale's own ends
        raise ValueError(f"An effort is given from 0 to 10, not {rpe}.")
    scale = model.fallback.efm_per_rpe_minute if efm_per_rpe_minute is None else efm_per_rpe_minute
    h = scale * (model.fallback.default_rpe if rpe is None else rpe)
    why = estimate_grade(Basis.DURATION, own_scale=efm_per_rpe_minute is not None, rpe=rpe)
    return _steady(Extent(moving_time_s, math.nan, h, None), Trust(Basis.DURATION, *why), athlete, model)


def with_summary(own: SessionLoad, beside: SessionLoad, athlete: Athlete, model: LoadModel) -> SessionLoad:
    """Add to a recording's load that of another part of the same run, of which only a summary is known.

    Parameters
    ----------
    own
        The load of the recording.
    beside
        The load of the part without one, by `summary_load` or `duration_load`.
    athlete
        What was known of the runner before this run.
    model
        The shipped or the runner's own coefficients.

    Returns
    -------
    SessionLoad
        Loads, parts, time and way are summed. A label is True where the recording makes it so, and unknown where only
        the summary could tell; the basis and the confidence are those of the summary. Each part's tiredness counts from
        its own beginning: which of the two came first changes nothing.

    """
    time_s, distance_m = own.moving_time_s + beside.moving_time_s, own.distance_m + beside.distance_m
    kinds = Kinds(
        hill=any_of(own.is_hill, None),
        speed=any_of(own.is_speed, None),
        long=long_label(time_s, distance_m, athlete, model.labels),
    )
    minutes = (own.mean_demand * own.moving_time_s if own.moving_time_s else 0.0) + (
        beside.mean_demand * beside.moving_time_s
    )
    confidence = max(own.confidence, beside.confidence, key=tuple(Confidence).index)
    why = f"{own.confidence_why} Of {time_s / 60:.0f} minutes {beside.moving_time_s / 60:.0f} are known less well:"
    parts = LoadParts(
        hill=own.load_hill_efm + beside.load_hill_efm,
        speed=own.load_speed_efm + beside.load_speed_efm,
        long=own.load_long_efm + beside.load_long_efm,
        base=own.load_base_efm + beside.load_base_efm,
    )
    extent = Extent(time_s, distance_m, minutes / time_s, own.climb_m)
    trust = Trust(beside.basis, confidence, f"{why} {beside.confidence_why[0].lower()}{beside.confidence_why[1:]}")
    return assembled(parts, kinds, extent, trust, athlete)


def streams_to_summary(past: Iterable[PastRun], easy_speed_mps: float, model: LoadModel) -> float | None:
    """Return the athlete's own median ratio of a run's load from streams to what its summary alone would have given.

    Parameters
    ----------
    past
        Runs before the one to be estimated. Only those with a measured load, distance and time count.
    easy_speed_mps
        The easy speed with which their loads were computed.
    model
        `fallback.min_runs`: None with fewer.

    """
    rows = [
        (run.load_efm, run.features.distance_m, run.features.moving_time_s)
        for run in past
        if _is_measured(run) and run.features.distance_m and run.features.moving_time_s > 0
    ]
    if len(rows) < model.fallback.min_runs:
        return None
    load, distance, time = np.array(rows, dtype=np.float64).T
    return float(np.median(load / (demand(distance / time, 0.0, easy_speed_mps, model.demand) * time / 60)))


def efm_per_rpe_minute(past: Iterable[PastRun], model: LoadModel) -> float | None:
    """Return the slope of the athlete's own regression, through the origin, of load on RPE * minutes.

    Parameters
    ----------
    past
        Runs before the one to be estimated. Only those with a measured load and a reported effort above 0 count.
    model
        `fallback.min_runs`: None with fewer.

    """
    rows = [
        (run.load_efm, run.rpe * run.features.moving_time_s / 60)
        for run in past
        if _is_measured(run) and run.rpe and run.features.moving_time_s > 0
    ]
    if len(rows) < model.fallback.min_runs:
        return None
    load, effort = np.array(rows, dtype=np.float64).T
    return float((effort @ load) / (effort @ effort))


def _is_measured(run: PastRun) -> bool:
    return run.is_counted and run.basis in _MEASURED and run.load_efm is not None and run.load_efm > 0


def _steady(extent: Extent, trust: Trust, athlete: Athlete, model: LoadModel) -> SessionLoad:
    """Return the load of a run at its mean demand throughout."""
    time_s = extent.moving_time_s
    early_s = min(time_s, model.parts.long_factor * athlete.typical_time_s)
    late_efm, early_efm = extent.mean_demand * (time_s - early_s) / 60, extent.mean_demand * early_s / 60
    parts = LoadParts(hill=0.0, speed=0.0, long=late_efm, base=early_efm)
    kinds = Kinds(hill=None, speed=None, long=long_label(time_s, extent.distance_m, athlete, model.labels))
    return assembled(parts, kinds, extent, trust, athlete)


def _check_positive(**amounts: float) -> None:
    for name, amount in amounts.items():
        if not amount > 0:
            raise ValueError(f"{name} is {amount}; it must be above 0.")
