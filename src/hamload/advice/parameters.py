"""The thresholds that advice takes, as types. Their values and provenance live in `config/alerts.toml`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deload:
    """When to back off, and when that is over."""

    spike: float
    spike_days: int
    uncoupled: float
    ewma: float
    own_quantile: float
    heavy_uncoupled: float
    heavy_sessions: int
    tightness: float
    tightness_ewma: float
    clear_uncoupled: float
    clear_ewma: float
    hold_unknown_days: int
    spike_min_runs: int
    worse_factor: float
    continuation_days: int


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


@dataclass(frozen=True, slots=True)
class Windows:
    """The load model's windows, in days, as rules and plan see them; equal to `hamload.load.parameters.Series`."""

    acute_days: int
    chronic_days: int
    baseline_days: int
    longest_days: int
    returning_days: int


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
