"""The coefficients and thresholds that the model and the advice take, as types.

Their values and provenance live in `config/model.toml`, `alerts.toml` and `merging.toml`; `settings` brings both
together.
"""

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


@dataclass(frozen=True, slots=True)
class Signal:
    """How raw streams become clean samples."""

    median_s: float
    mean_s: float
    max_speed_mps: float
    max_speed_factor: float
    max_sustained_mps: float
    runner_min_mps: float
    runner_max_mps: float
    max_acceleration_mps2: float
    interpolate_s: float
    bridge_s: float
    grade_window_barometer_m: float
    grade_window_gps_m: float
    advance_mps: float
    device_agreement: float
    altitude_step_m: float


@dataclass(frozen=True, slots=True)
class Deload:
    """When to back off, and when that is over."""

    spike: float
    spike_days: int
    uncoupled: float
    ewma: float
    own_quantile: float
    heavy_uncoupled: float
    ratio_min_runs: int
    heavy_sessions: int
    tightness: float
    tightness_ewma: float
    clear_uncoupled: float
    clear_ewma: float
    hold_unknown_days: int
    spike_min_runs: int
    worse_factor: float
    worse_days: int
    continuation_days: int
    remind_days: int


@dataclass(frozen=True, slots=True)
class Caution:
    """When to be careful."""

    spike: float
    spike_days: int
    ewma: float
    heavy_hours: float
    monotony: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What a deload week may hold."""

    days: int
    longest_factor: float
    no_heavy_hours: float
    min_cut: float
    max_usual: float


@dataclass(frozen=True, slots=True)
class Windows:
    """The load model's windows, in days, as rules and plan see them; equal to `hamload.parameters.Series`."""

    acute_days: int
    chronic_days: int
    baseline_days: int
    longest_days: int
    returning_days: int
    own_days: int


@dataclass(frozen=True, slots=True)
class Reasons:
    """How the runs behind a reason are chosen."""

    cause_share: float


@dataclass(frozen=True, slots=True)
class History:
    """How the athlete's own percentiles are found."""

    quantile_days: int
    quantile_min_days: int


@dataclass(frozen=True, slots=True)
class Curls:
    """How curls are spaced and grow."""

    per_10_days: int
    min_gap_hours: float
    quiet_hours_after: float
    gap_days: int
    gap_factor: float
    max_rpe: int
    start_sets: int
    start_repetitions: int
    deload_wait_hours: float
    deload_factor: float
    step_sessions: int
    step_repetitions: int
    full_sets: int
    most_repetitions: int
    lowering_s: int
    lowering_most_s: int
    hold_rpe: float
    cut_rpe: float
    cut_factor: float
    sore_good: float
    sore_cut: float
    sore_peak_hours: float
    sore_clear_hours: float
    sore_clinician_days: int
    worse_sessions: int
    restart_days: int
    maintenance_gap_days: int
    chronic_tightness: float
    chronic_entries: int
    chronic_days: int
    massages: int
    stretch_share: float
    habit_days: int
    habit_share: float
    horizon_days: int


@dataclass(frozen=True, slots=True)
class Backtest:
    """How the rules are held against the runner's own words."""

    tightness: float
    calm_days: int
    horizon_days: int
    shuffles: int
    margin: float


@dataclass(frozen=True, slots=True)
class AlertRules:
    """All thresholds of the alerts, the deload and the curls."""

    deload: Deload
    caution: Caution
    plan: Plan
    windows: Windows
    reasons: Reasons
    history: History
    curls: Curls
    backtest: Backtest


@dataclass(frozen=True, slots=True)
class Copies:
    """When two recordings are of one run."""

    min_shared: float
    overlap_s: float
    nearly_whole: float
    id_minutes: float


@dataclass(frozen=True, slots=True)
class Clocks:
    """When recordings at different hours are of one run: clocks that are whole quarters of an hour apart."""

    step_minutes: float
    max_hours: float
    start_tolerance_s: float
    duration_share: float
    duration_s: float
    distance_share: float
    position_m: float
    position_share: float
    heart_rate_bpm: float
    speed_mps: float
    correlation: float


@dataclass(frozen=True, slots=True)
class Extras:
    """What a copy adds to the recording that speaks for the run."""

    min_s: float
    min_mps: float
    altitude_share: float
    heart_rate_share: float


@dataclass(frozen=True, slots=True)
class Sanity:
    """Which recordings are doubted."""

    gap_hours: float
    left_on_minutes: float
    left_on_mps: float
    left_on_moving_share: float
    vehicle_mps: float
    ride_mps: float
    ride_minutes: float
    typing_error_mps: float
    run_min_mps: float
    run_fastest_mps: float
    straight_share: float
    turns_per_km: float
    stepless_minutes: float
    unit_share: float
    unit_min_m: float


@dataclass(frozen=True, slots=True)
class MergingRules:
    """Which recordings are of one run, and which are doubted."""

    copies: Copies
    clocks: Clocks
    extras: Extras
    sanity: Sanity
