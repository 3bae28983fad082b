"""The hamstring load of one run from its samples: demand times time, its four parts, its labels, its confidence."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hamload.load.confidence import grade
from hamload.load.demand import demand
from hamload.load.endurance import mean_endurance_factor
from hamload.load.labels import Kinds, easy_label, heavy_label, hill_label, long_label, speed_label
from hamload.load.moving import moving_samples, run_distance
from hamload.load.parts import load_parts
from hamload.load.terrain import terrain
from hamload.records import AltitudeSource, Basis, SessionLoad

if TYPE_CHECKING:
    from hamload.load.parts import LoadParts
    from hamload.parameters import LoadModel
    from hamload.records import Array, Athlete, Confidence, Samples


def on_treadmill(samples: Samples, incline: Array | float | None = None) -> Samples:
    """Return the samples of a treadmill run with the incline as their grade, flat where it is unknown.

    Parameters
    ----------
    samples
        The cleaned run.
    incline
        Rise over run as entered: one number, or one a sample, shape (n,). None takes the samples' own grade, which for
        a treadmill is the incline that the machine recorded.

    """
    grade = samples.grade if incline is None else np.broadcast_to(np.float64(incline), len(samples))
    return replace(samples, grade=np.where(np.isnan(grade), 0.0, grade))


def session_load(
    samples: Samples,
    athlete: Athlete,
    model: LoadModel,
    *,
    basis: Basis = Basis.STREAMS,
    altitude_source: AltitudeSource = AltitudeSource.NONE,
    usable_share: float = 1.0,
) -> SessionLoad:
    """Compute H = sum of h * F(t) * dt / 60 over a run's moving samples, and what it was made of.

    Parameters
    ----------
    samples
        The cleaned run. Speeds implausible for this athlete are the caller's to drop.
    athlete
        What was known of the runner before this run.
    model
        The shipped or the runner's own coefficients.
    basis
        STREAMS, or TREADMILL where the grade is the machine's incline: unknown, the belt is taken as flat. A run on
        STREAMS none of whose moving samples has a grade is STREAMS_FLAT by itself.
    altitude_source
        What the grade rests on; the default says that this is not known.
    usable_share
        Share (0-1) of the running time that these samples are (`confidence.usable_share`).

    Returns
    -------
    SessionLoad
        `load_efm` is the exact sum of its parts. A part that cannot be told apart is 0 and its label None: the label
        says that it is not known. A run in which nobody moves has load 0 and a NaN `mean_demand`.

    Raises
    ------
    ValueError
        Where no sample has a known speed: then nothing is known of the load; use `summary_load` or `duration_load`.

    Notes
    -----
    t is moving time so far; F is integrated exactly within each sample, so thinner or denser sampling of the same
    speeds changes nothing.

    """
    if not (samples.speed_mps >= 0).any():
        raise ValueError("No sample has a known speed, so this run's load cannot be computed from streams.")
    moving = moving_samples(on_treadmill(samples) if basis is Basis.TREADMILL else samples, model)
    if basis is Basis.STREAMS and np.isnan(moving.grade).all():
        basis = Basis.STREAMS_FLAT
    easy_minutes = demand(moving.speed_mps, moving.grade, athlete.easy_speed_mps, model.demand) * moving.dt_s / 60
    loads = easy_minutes * mean_endurance_factor(moving.dt_s, athlete.typical_time_s, model.session)
    hilliness = terrain(moving, model)
    distance_m = run_distance(samples)
    kinds = Kinds(
        hill=hill_label(hilliness, athlete, model.labels),
        speed=speed_label(moving, athlete, model.labels),
        long=long_label(moving.time_total_s, distance_m, athlete, model.labels),
    )
    extent = Extent(
        moving_time_s=moving.time_total_s,
        distance_m=distance_m,
        mean_demand=float(easy_minutes.sum() * 60 / moving.dt_s.sum()) if len(moving) else math.nan,
        climb_m=hilliness.climb_m,
    )
    graded_share = 1 - hilliness.ungraded_share
    confidence, why = grade(basis, altitude_source, usable_share, graded_share, model.fallback)
    return assembled(
        load_parts(loads, moving, athlete, model.parts), kinds, extent, Trust(basis, confidence, why), athlete
    )


class Extent(NamedTuple):
    """How long, how far, how hard on average and how far up; NaN or None where unknown."""

    moving_time_s: float
    distance_m: float
    mean_demand: float
    climb_m: float | None


class Trust(NamedTuple):
    """What a load rests on and how far it can be trusted."""

    basis: Basis
    confidence: Confidence
    why: str


def assembled(parts: LoadParts, kinds: Kinds, extent: Extent, trust: Trust, athlete: Athlete) -> SessionLoad:
    """Put a session's load together: the sum of its parts, and the two labels that follow from the rest."""
    load = SessionLoad(
        load_efm=sum(parts),
        load_hill_efm=parts.hill,
        load_speed_efm=parts.speed,
        load_long_efm=parts.long,
        load_base_efm=parts.base,
        moving_time_s=extent.moving_time_s,
        distance_m=extent.distance_m,
        mean_demand=extent.mean_demand,
        climb_m=extent.climb_m,
        is_hill=kinds.hill,
        is_speed=kinds.speed,
        is_long=kinds.long,
        is_heavy=None,
        is_easy=None,
        basis=trust.basis,
        confidence=trust.confidence,
        confidence_why=trust.why,
    )
    return judged(load, athlete)


def judged(load: SessionLoad, athlete: Athlete) -> SessionLoad:
    """Say anew whether a session was heavy or easy: all that compares its load with the loads of earlier runs.

    Parameters
    ----------
    load
        A session's load, whatever its two labels say so far.
    athlete
        What was known of the runner before it; of it only `high_load_efm` and `median_demand` are looked at.

    """
    is_heavy = heavy_label(Kinds(load.is_hill, load.is_speed, load.is_long), load.load_efm, athlete)
    return replace(load, is_heavy=is_heavy, is_easy=easy_label(is_heavy, load.mean_demand, athlete))
