"""The simulated watch: what it makes of what really happened, with its noise, its gaps and its resolution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hamload.records import Streams
from hamload.simulator.athlete import Purpose, dice
from hamload.simulator.workouts import TREADMILL_INCLINE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from hamload.records import Array
    from hamload.simulator.athlete import PlannedRun, SimulatedRunner
    from hamload.simulator.truth import Truth

#: Degrees in one semicircle unit, FIT's resolution of a position (about 1 cm).
SEMICIRCLE_DEG = 180 / 2**31

_METRES_A_DEGREE = 111_195.0
_OUTDOOR_SCALE = 0.004
_INDOOR_SCALE = 0.02
_SPEED_NOISE_MPS = 0.05
_BAROMETER_OFFSET_M = 4.0
_BAROMETER_DRIFT_M = 0.02  # each second's step of a random walk: about 1 m in 45 min
_BAROMETER_NOISE_M = 0.12
_GPS_NOISE_M = 2.5
_GPS_MEMORY_S = 40
_FIX_S = 8
_FAILURE_CHANCE = 0.06
_STRAP_S = (40, 180)
_TUNNEL_S = (20, 60)
_FROZEN_S = (12, 22)
_SMART_GAP_S = (1, 8)
#: Smallest steps that a FIT record can hold.
_ALTITUDE_STEP_M, _SPEED_STEP_MPS, _DISTANCE_STEP_M, _CADENCE_STEP_SPM = 0.2, 0.001, 0.01, 2 / 128


def recorded(runner: SimulatedRunner, run: PlannedRun, truth: Truth) -> Streams:
    """Return what the watch wrote: once a second, or thinned out by smart recording on some runs.

    Now and then the strap is lost (no heart rate), the sky (no position) or the watch itself for a few seconds (no
    records, although the timer runs). On a treadmill there is neither position nor altitude.
    """
    rng = dice(runner, run, Purpose.DEVICE)
    n, is_outdoors = len(truth.time_s), run.kind != "treadmill"
    scale = rng.normal(1.0, _OUTDOOR_SCALE if is_outdoors else _INDOOR_SCALE)
    speed_noise = np.convolve(rng.normal(0.0, _SPEED_NOISE_MPS, n + 2), np.full(3, 1 / np.sqrt(3)), mode="valid")
    drift = rng.normal(0.0, _BAROMETER_OFFSET_M) + np.cumsum(rng.normal(0.0, _BAROMETER_DRIFT_M, n))
    altitude = truth.altitude_m + drift + rng.normal(0.0, _BAROMETER_NOISE_M, n)
    north_m, east_m = _wander(n, rng), _wander(n, rng)
    latitude = truth.latitude_deg + north_m / _METRES_A_DEGREE
    longitude = truth.longitude_deg + east_m / _METRES_A_DEGREE / np.cos(np.radians(runner.home.latitude_deg))
    heart_rate = truth.heart_rate_bpm.copy()

    no_sky = _failure(n, _TUNNEL_S, rng)
    no_sky[: int(rng.integers(0, _FIX_S))] = True
    latitude[no_sky], longitude[no_sky] = np.nan, np.nan
    heart_rate[_failure(n, _STRAP_S, rng)] = np.nan
    kept = _kept(truth, is_smart=rng.random() < runner.smart_share, rng=rng) & ~_failure(n, _FROZEN_S, rng)
    kept |= _edges(truth)

    return Streams.of(
        truth.time_s[kept],
        speed_mps=_stepped(np.maximum(truth.speed_mps * scale + speed_noise, 0.0)[kept], _SPEED_STEP_MPS),
        distance_m=_stepped((truth.distance_m * scale)[kept], _DISTANCE_STEP_M),
        altitude_m=_stepped(altitude[kept], _ALTITUDE_STEP_M),
        latitude_deg=_stepped(latitude[kept], SEMICIRCLE_DEG),
        longitude_deg=_stepped(longitude[kept], SEMICIRCLE_DEG),
        heart_rate_bpm=np.rint(heart_rate[kept]),
        cadence_spm=_stepped(truth.cadence_spm[kept], _CADENCE_STEP_SPM),
        incline=None if is_outdoors else np.full(np.count_nonzero(kept), TREADMILL_INCLINE),
        pauses=truth.pauses,
    )


def _stepped(values: Array, step: float) -> Array:
    return np.rint(values / step) * step


def _wander(n: int, rng: np.random.Generator) -> Array:
    """Return a position error (m) that moves slowly about nought."""
    memory = np.exp(-np.arange(4 * _GPS_MEMORY_S) / _GPS_MEMORY_S)
    noise = rng.normal(0.0, _GPS_NOISE_M, n + len(memory) - 1)
    return np.convolve(noise, memory / np.sqrt(np.sum(memory**2)), mode="valid")


def _failure(n: int, lasting_s: tuple[int, int], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return where something has failed: mostly nowhere, now and then for one stretch."""
    fails, begins, lasts = rng.random() < _FAILURE_CHANCE, int(rng.integers(0, n)), int(rng.integers(*lasting_s))
    failed = np.zeros(n, dtype=np.bool_)
    if fails:
        failed[begins : begins + lasts] = True
    return failed


def _kept(truth: Truth, *, is_smart: bool, rng: np.random.Generator) -> NDArray[np.bool_]:
    n = len(truth.time_s)
    if not is_smart:
        return np.ones(n, dtype=np.bool_)
    rows = np.cumsum(rng.integers(_SMART_GAP_S[0], _SMART_GAP_S[1] + 1, size=n))
    kept = np.zeros(n, dtype=np.bool_)
    kept[rows[rows < n]] = True
    return kept


def _edges(truth: Truth) -> NDArray[np.bool_]:
    """Return the records that every watch writes: first and last, and both sides of a timer stop."""
    edges = np.zeros(len(truth.time_s), dtype=np.bool_)
    edges[[0, -1]] = True
    for stopped_s, _ in truth.pauses:
        before = int(np.searchsorted(truth.time_s, stopped_s))
        edges[[before, before + 1]] = True
    return edges
