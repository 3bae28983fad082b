"""One recording in short: half-minute means, and the few measures by which recordings are compared and doubted."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from hamload.records import Samples

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hamload.records import Array

#: Half a minute: short enough to see a stop, long enough that two receivers agree.
BIN_S = 30.0
_MOVING_MPS = 0.5
#: Half-minutes faster than this are run, or ridden; fewer steps a minute than the next are no running. Real runs that
#: count steps have 143-181 at the median of their half-minutes, and not one minute on end below 100.
_RUN_MPS = 2.0
_STEPS_SPM = 100.0
_STRAIGHT_S = 30.0
_TURN_S = 10.0
_BREAK_S = 3600.0
#: A shorter way in ten seconds points nowhere.
_STEP_M = 2.0
_LONG_S = 300.0
_METRES_PER_DEGREE = 111_195.0
_DECIMALS = {"latitude_deg": 6, "longitude_deg": 6}
_BINS = ("covered_s", "speed_mps", "heart_rate_bpm", "latitude_deg", "longitude_deg")


@dataclass(frozen=True, slots=True)
class Measures:
    """What one recording is doubted by. None: not known.

    Attributes
    ----------
    recorded_s, moving_s
        Seconds of samples, and of those in which the runner moves.
    way_m
        The way that its speeds add up to, metres.
    median_mps, top_mps
        Median speed while moving, and the fastest mean over five minutes, m/s.
    fastest_mps
        The fastest half-minute, m/s.
    gap_s, gap_at_s
        The longest time without a sample, and where it begins.
    before
        The same of what lies before that gap; None where it is shorter than an hour.
    straight_share
        The way in straight lines of 30 s against the way counted in them; None without positions.
    turns_per_km
        How often the way of ten seconds points back against that of the ten before; None without positions.
    position_share
        The way from position to position against the way counted; None without positions.
    stepless_s
        Seconds at a runner's speed in which the recorder, which counts steps elsewhere, counted none; None where it
        counts none at all.

    """

    recorded_s: float
    moving_s: float
    way_m: float
    median_mps: float | None = None
    top_mps: float | None = None
    fastest_mps: float | None = None
    gap_s: float = 0.0
    gap_at_s: float = 0.0
    straight_share: float | None = None
    turns_per_km: float | None = None
    position_share: float | None = None
    stepless_s: float | None = None
    before: Measures | None = None

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Build from what `as_record` gave."""
        before = record.get("before")
        return cls(**{**record, "before": cls.from_record(before) if before else None})


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """Half-minute means of one recording from its start on, each of shape (bins,), NaN where nothing is known."""

    covered_s: Array
    speed_mps: Array
    heart_rate_bpm: Array
    latitude_deg: Array
    longitude_deg: Array

    def until(self, until_s: float | None) -> Profile:
        """Return what lies before a moment, all of it where that is None."""
        if until_s is None:
            return self
        after = int(np.ceil(until_s / BIN_S))
        return Profile(*(getattr(self, name)[:after] for name in _BINS))

    def as_record(self) -> dict[str, Any]:
        """Return plain lists, ready for JSON; `from_record` gives the same profile back."""
        return {name: _listed(getattr(self, name), _DECIMALS.get(name, 3)) for name in _BINS}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Build from what `as_record` gave."""
        return cls(**{name: np.array(record[name], dtype=np.float64) for name in _BINS})


def profile(samples: Samples) -> Profile:
    """Return the half-minute means of a cleaned recording."""
    if not len(samples):
        return Profile(*(np.empty(0) for _ in _BINS))
    index = np.floor(samples.time_s / BIN_S).astype(int)
    covered = np.bincount(index, weights=samples.dt_s, minlength=int(index[-1]) + 1)
    return Profile(
        covered,
        _mean(samples.speed_mps, samples, index),
        _mean(samples.heart_rate_bpm, samples, index),
        _mean(samples.latitude_deg, samples, index),
        _mean(samples.longitude_deg, samples, index),
    )


def _mean(values: Array, samples: Samples, index: np.ndarray[Any, np.dtype[np.int_]]) -> Array:
    length = int(index[-1]) + 1
    known = np.isfinite(values)
    seconds = np.bincount(index[known], weights=samples.dt_s[known], minlength=length)
    total = np.bincount(index[known], weights=(values * samples.dt_s)[known], minlength=length)
    return np.asarray(np.divide(total, seconds, out=np.full(length, np.nan), where=seconds > 0))


def _stepless(samples: Samples) -> float | None:
    index = np.floor(samples.time_s / BIN_S).astype(int)
    steps = _mean(samples.cadence_spm, samples, index)
    # A missing count is none: what a pod that fell silent did not count, nobody knows.
    if not (steps >= _STEPS_SPM).any():
        return None
    covered = np.bincount(index, weights=samples.dt_s, minlength=len(steps))
    return float(covered[(steps < _STEPS_SPM) & (_mean(samples.speed_mps, samples, index) >= _RUN_MPS)].sum())


def measures(samples: Samples) -> Measures:
    """Return what a cleaned recording is doubted by."""
    steps = np.nan_to_num(samples.speed_mps * samples.dt_s)
    moving = samples.speed_mps >= _MOVING_MPS
    if not len(samples):
        return Measures(0.0, 0.0, 0.0)
    ends = samples.time_s + samples.dt_s
    gaps = samples.time_s[1:] - ends[:-1]
    widest = int(np.argmax(gaps)) if len(gaps) else -1
    has_break = widest >= 0 and gaps[widest] >= _BREAK_S
    before = (
        Samples(**{name: getattr(samples, name)[: widest + 1] for name in Samples.__slots__}) if has_break else None
    )
    halves = profile(samples).speed_mps
    return Measures(
        recorded_s=float(samples.dt_s.sum()),
        moving_s=float(samples.dt_s[moving].sum()),
        way_m=float(steps.sum()),
        median_mps=float(np.median(samples.speed_mps[moving])) if moving.any() else None,
        top_mps=_top(samples.time_s, ends, steps),
        fastest_mps=float(np.nanmax(halves)) if np.isfinite(halves).any() else None,
        gap_s=float(gaps[widest]) if widest >= 0 and gaps[widest] > 0 else 0.0,
        gap_at_s=float(ends[widest]) if widest >= 0 and gaps[widest] > 0 else 0.0,
        straight_share=_beeline(samples, steps, _STRAIGHT_S),
        turns_per_km=_turns(samples, steps),
        position_share=_beeline(samples, steps, 1.0),
        stepless_s=_stepless(samples),
        before=measures(before) if before is not None else None,
    )


def as_record(found: Measures) -> dict[str, Any]:
    """Return the measures ready for JSON; `Measures.from_record` gives them back."""
    told: dict[str, Any] = {f.name: _rounded(getattr(found, f.name)) for f in fields(found) if f.name != "before"}
    return told | {"before": as_record(found.before) if found.before is not None else None}


def _top(time_s: Array, ends: Array, steps: Array) -> float | None:
    """Return the fastest mean over five minutes of the clock, None where the recording is shorter."""
    way = np.concatenate([[0.0], np.cumsum(steps)])
    until = np.searchsorted(time_s, time_s + _LONG_S)
    full = time_s + _LONG_S <= ends[-1]
    if not full.any():
        return None
    return float(((way[until] - way[:-1])[full] / _LONG_S).max())


@dataclass(frozen=True, slots=True, eq=False)
class _Lines:
    """Straight lines between positions so many seconds apart; rows with a gap in them or a position missing are out."""

    north_m: Array
    east_m: Array
    counted_m: Array
    is_known: np.ndarray[Any, np.dtype[np.bool_]]


def _lines(samples: Samples, steps: Array, seconds: float) -> _Lines:
    known = np.isfinite(samples.latitude_deg) & np.isfinite(samples.longitude_deg)
    way = np.concatenate([[0.0], np.cumsum(steps)])
    count = round(seconds)
    first = np.arange(0, len(samples) - count, count)
    last = first + count
    whole = np.abs(samples.time_s[last] - samples.time_s[first] - seconds) < 0.5  # noqa: PLR2004  # no gap in between
    latitude = samples.latitude_deg
    north = _METRES_PER_DEGREE * (latitude[last] - latitude[first])
    east = _METRES_PER_DEGREE * (samples.longitude_deg[last] - samples.longitude_deg[first])
    return _Lines(
        north, east * np.cos(np.radians(latitude[first])), way[last] - way[first], whole & known[first] & known[last]
    )


def _beeline(samples: Samples, steps: Array, seconds: float) -> float | None:
    """Return the way in straight lines of so many seconds, against the way counted in them."""
    lines = _lines(samples, steps, seconds)
    counted = float(lines.counted_m[lines.is_known].sum())
    if counted <= 0:
        return None
    return float(np.hypot(lines.north_m, lines.east_m)[lines.is_known].sum()) / counted


def _turns(samples: Samples, steps: Array) -> float | None:
    lines = _lines(samples, steps, _TURN_S)
    counted = float(lines.counted_m[lines.is_known].sum())
    if counted <= 0:
        return None
    ahead = lines.north_m[1:] * lines.north_m[:-1] + lines.east_m[1:] * lines.east_m[:-1]
    is_step = lines.is_known & (np.hypot(lines.north_m, lines.east_m) > _STEP_M)
    return float((is_step[1:] & is_step[:-1] & (ahead < 0)).sum()) / (counted / 1000)


def _listed(values: Array, decimals: int) -> list[float | None]:
    return [None if np.isnan(v) else round(float(v), decimals) for v in values]


def _rounded(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else round(value, 4)
