"""The coefficients that the load model takes, as types. Their values and provenance live in `config/model.toml`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Demand:
    """Coefficients of h(v, i), the demand of one instant."""

    easy_exponent: float
    fast_exponent: float
    knee_mps: float
    grade_exponent: float
    grade_dead_band: float
    grade_limit: float


@dataclass(frozen=True, slots=True)
class Session:
    """Coefficients of the sum over one run and of T, its typical moving time."""

    long_gain: float
    long_span: float
    typical_time_min_s: float
    typical_time_max_s: float
    typical_time_default_s: float
    moving_speed_mps: float


@dataclass(frozen=True, slots=True)
class Parts:
    """Where the hill, speed and long parts of a session begin."""

    hill_grade: float
    fast_quantile: float
    very_fast_quantile: float
    fast_window_s: float
    long_factor: float


@dataclass(frozen=True, slots=True)
class Labels:
    """What makes a hill, speed, long or heavy session, against the athlete's own history."""

    history_days: int
    min_runs: int
    hill_distance_share: float
    hill_climb_quantile: float
    hill_climb_min_m_per_km: float
    speed_min_s: float
    speed_share: float
    speed_bouts: int
    speed_bout_s: float
    long_time_quantile: float
    long_time_factor: float
    long_distance_factor: float
    longest_days: int
    heavy_load_quantile: float


@dataclass(frozen=True, slots=True)
class EasySpeed:
    """How the athlete's easy speed is found."""

    weeks: int
    flat_grade: float
    min_flat_s: float
    default_mps: float


@dataclass(frozen=True, slots=True)
class Fallback:
    """What stands in where a recording has no streams, and when incomplete streams are trusted less."""

    efm_per_rpe_minute: float
    default_rpe: float
    min_runs: int
    full_share: float
    poor_share: float


@dataclass(frozen=True, slots=True)
class Series:
    """Windows of the daily series."""

    acute_days: int
    chronic_days: int
    min_days: int
    spike_days: int
    returning_days: int


@dataclass(frozen=True, slots=True)
class LoadModel:
    """The whole load model's coefficients, and the version that is stored with every number they make."""

    demand: Demand
    session: Session
    parts: Parts
    labels: Labels
    easy_speed: EasySpeed
    fallback: Fallback
    series: Series
    version: str
