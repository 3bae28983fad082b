"""What one run contributes to the history of later runs. Depends on this run alone, never on any history."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from hamload.load.histogram import histogram
from hamload.load.moving import moving_samples, run_distance
from hamload.load.terrain import terrain
from hamload.load.windows import centred_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hamload.load.moving import Moving
    from hamload.parameters import LoadModel
    from hamload.records import Array, Samples

_BEST_S = 10.0
_ROUNDING_S = 1e-6
_HISTOGRAMS = ("fast_s", "flat_s", "ungraded_s")


@dataclass(frozen=True, slots=True, eq=False)
class RunFeatures:
    """One run in the numbers that later runs are compared with. None: this run does not say.

    Attributes
    ----------
    moving_time_s
        Seconds at or above the moving speed.
    distance_m
        Metres; None where only a duration is known.
    climb_m, climb_m_per_km
        See `Terrain`.
    hill_distance_share
        Share (0-1) of the distance at or above the hill grade; a lower bound where altitude has gaps.
    ungraded_distance_share
        Share (0-1) of the distance whose grade is unknown.
    best_10s_mps
        Fastest 10 s of uninterrupted moving, m/s.
    fast_s
        Histogram of the 30-s mean of level-equivalent speed while moving.
    flat_s
        Histogram of moving speed where the grade is known and flat.
    ungraded_s
        Histogram of moving speed where the grade is unknown.

    """

    moving_time_s: float
    distance_m: float | None
    climb_m: float | None
    climb_m_per_km: float | None
    hill_distance_share: float | None
    ungraded_distance_share: float
    best_10s_mps: float | None
    fast_s: Array
    flat_s: Array
    ungraded_s: Array

    def as_record(self) -> dict[str, Any]:
        """Return plain numbers and lists, ready for JSON; `from_record` gives the same features back."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: v.tolist() if name in _HISTOGRAMS else v for name, v in values.items()}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Build from what `as_record` gave. Raises KeyError or TypeError where a name is missing or unknown."""
        values: dict[str, Any] = dict(record)
        for name in _HISTOGRAMS:
            values[name] = np.asarray(record[name], dtype=np.float64)
        return cls(**values)


def features(samples: Samples, model: LoadModel) -> RunFeatures:
    """Reduce a run to what later runs need of it.

    Parameters
    ----------
    samples
        The cleaned run, as later given to `session_load`: for a treadmill with its incline as grade, for a run whose
        altitude is not to be used with the grade unknown.
    model
        The shipped or the runner's own coefficients.

    Returns
    -------
    RunFeatures
        A run without a moving sample has empty histograms and no best speed.

    """
    moving = moving_samples(samples, model)
    ungraded = np.isnan(moving.grade)
    flat = np.abs(moving.grade) < model.easy_speed.flat_grade
    hilliness = terrain(moving, model)
    return RunFeatures(
        moving_time_s=moving.time_total_s,
        distance_m=run_distance(samples),
        climb_m=hilliness.climb_m,
        climb_m_per_km=hilliness.climb_m_per_km,
        hill_distance_share=hilliness.hill_share,
        ungraded_distance_share=hilliness.ungraded_share,
        best_10s_mps=_best(moving),
        fast_s=histogram(moving.sustained_mps, moving.dt_s),
        flat_s=histogram(moving.speed_mps[flat], moving.dt_s[flat]),
        ungraded_s=histogram(moving.speed_mps[ungraded], moving.dt_s[ungraded]),
    )


def summary_features(moving_time_s: float, distance_m: float | None) -> RunFeatures:
    """Return what a run without streams contributes: its duration and, where known, its distance; nothing else."""
    empty = np.empty(0)
    return RunFeatures(moving_time_s, distance_m, None, None, None, 1.0, None, empty, empty, empty)


def _best(moving: Moving) -> float | None:
    mean, covered_s = centred_mean(moving.speed_mps, moving.time_s, moving.dt_s, _BEST_S)
    full = covered_s > _BEST_S - _ROUNDING_S
    return float(mean[full].max()) if full.any() else None
