"""The thresholds that cleaning takes, as a type. Their values and provenance live in `config/model.toml`, [signal]."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signal:
    """How raw streams become clean samples."""

    median_s: float
    mean_s: float
    max_speed_mps: float
    max_speed_factor: float
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
