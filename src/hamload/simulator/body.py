"""The runner's body: how fast an effort is on a slope, and what heart and legs do meanwhile.

Plain shapes with round numbers, chosen to look like a recreational runner; nothing here is taken from the load model,
which is to be tested against it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from hamload.records import Array
    from hamload.simulator.athlete import SimulatedRunner

_CLIMB_COST = 4.5  # speed at an equal effort falls to 1 / (1 + 4.5 x grade) uphill: to 74 % at +8 %
_DESCENT_GAIN = 1.5
_DESCENT_GAIN_LIMIT = 1.10
_HEART_LAG_S = 35.0
_HEART_DRIFT_PER_S = 0.05 / 3600  # of the heart rate reserve
_CADENCE_SPM = 168.0
_CADENCE_PER_MPS = 7.0
_STANDING_MPS = 0.5


def speed_of(runner: SimulatedRunner, effort: Array | float, grade: Array) -> Array:
    """Return the speed (m/s) of an effort, of which 1 is easy: slower uphill, hardly faster downhill."""
    uphill = 1 / (1 + _CLIMB_COST * np.maximum(grade, 0))
    downhill = np.minimum(1 + _DESCENT_GAIN * np.maximum(-grade, 0), _DESCENT_GAIN_LIMIT)
    speed: Array = runner.easy_speed_mps * effort * uphill * downhill
    return speed


def heart_rate_of(runner: SimulatedRunner, speed_mps: Array, grade: Array, rng: np.random.Generator) -> Array:
    """Return beats a minute, second by second: it follows the effort late, and drifts upward over the hours."""
    level_speed = speed_mps * (1 + _CLIMB_COST * np.maximum(grade, 0)) / (1 + _DESCENT_GAIN * np.maximum(-grade, 0))
    asked = 0.18 + 0.5 * level_speed / runner.easy_speed_mps + _HEART_DRIFT_PER_S * np.arange(len(speed_mps))
    memory = np.exp(-np.arange(6 * int(_HEART_LAG_S)) / _HEART_LAG_S)
    padded = np.concatenate([np.full(len(memory) - 1, 0.30), asked])
    followed = np.convolve(padded, memory / memory.sum(), mode="valid")
    reserve = runner.max_bpm - runner.resting_bpm
    beats = runner.resting_bpm + reserve * np.minimum(followed, 0.97) + rng.normal(0.0, 0.8, len(followed))
    return np.clip(beats, runner.resting_bpm, runner.max_bpm)


def cadence_of(runner: SimulatedRunner, speed_mps: Array, rng: np.random.Generator) -> Array:
    """Return steps a minute, 0 when standing."""
    steps = _CADENCE_SPM + _CADENCE_PER_MPS * (speed_mps - runner.easy_speed_mps) + rng.normal(0.0, 1.0, len(speed_mps))
    return np.where(speed_mps < _STANDING_MPS, 0.0, steps)
