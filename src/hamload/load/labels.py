"""What kind of session a run was: hill, speed, long, heavy, easy; each True, False, or None where that is not known.

Three-valued: a label that one sufficient rule makes True is True whatever else is unknown; it is False only where every
rule is known to fail. So a runner's first steep run is a hill session, while nobody's first run is *not* a long one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from hamload.load.moving import Moving
    from hamload.load.terrain import Terrain
    from hamload.parameters import Labels
    from hamload.records import Array, Athlete

type Rows = np.ndarray[Any, np.dtype[np.intp]]

_ROUNDING_S = 1e-6


class Kinds(NamedTuple):
    """Whether a session was a hill, a speed and a long one; several may hold at once. None: not known."""

    hill: bool | None
    speed: bool | None
    long: bool | None


def any_of(*rules: bool | None) -> bool | None:
    """Return True where one rule holds, None where none does but one is unknown, else False."""
    if any(rule is True for rule in rules):
        return True
    return None if any(rule is None for rule in rules) else False


def all_of(*rules: bool | None) -> bool | None:
    """Return False where one rule fails, None where none does but one is unknown, else True."""
    if any(rule is False for rule in rules):
        return False
    return None if any(rule is None for rule in rules) else True


def opposite(rule: bool | None) -> bool | None:  # noqa: FBT001 - a three-valued operand, not a switch
    """Return the opposite; the opposite of unknown is unknown."""
    return None if rule is None else not rule


def at_least(value: float | None, threshold: float | None) -> bool | None:
    """Return whether a value reaches a threshold; None where either is unknown."""
    return None if value is None or threshold is None or np.isnan(value) else bool(value >= threshold)


def hill_label(terrain: Terrain, athlete: Athlete, model: Labels) -> bool | None:
    """Return whether it was a hill session: a tenth of the distance at the hill grade, or much climb for this athlete.

    Where some of the distance has no grade, "less than a tenth" is known only if it holds even with all of that uphill.
    """
    share = terrain.hill_share
    steep: bool | None = None
    if share is not None:
        if share >= model.hill_distance_share:
            steep = True
        elif share + terrain.ungraded_share < model.hill_distance_share:
            steep = False
    climbing = all_of(
        at_least(terrain.climb_m_per_km, athlete.climb_m_per_km),
        at_least(terrain.climb_m_per_km, model.hill_climb_min_m_per_km),
    )
    return any_of(steep, climbing)


def speed_label(moving: Moving, athlete: Athlete, model: Labels) -> bool | None:
    """Return whether it was a speed session: long enough above the own P90, or enough bouts above the own P98.

    Both are quantiles of the 30-s mean of level-equivalent speed, so it is the 30-s mean that is compared with them:
    the speed of single seconds scatters wider and would find bouts in many an easy run. A stride of 10 s still stands
    out of its 30 s, unless the athlete runs fast for more than a fiftieth of their time.
    """
    sustained: bool | None = None
    if athlete.fast_mps is not None:
        above_s = float(moving.dt_s[moving.sustained_mps > athlete.fast_mps].sum())
        sustained = above_s >= max(model.speed_min_s, model.speed_share * moving.time_total_s)
    strides: bool | None = None
    if athlete.very_fast_mps is not None:
        bouts_s = _bouts(np.flatnonzero(moving.sustained_mps > athlete.very_fast_mps), moving)
        strides = int((bouts_s >= model.speed_bout_s - _ROUNDING_S).sum()) >= model.speed_bouts
    return any_of(sustained, strides)


def long_label(moving_time_s: float, distance_m: float | None, athlete: Athlete, model: Labels) -> bool | None:
    """Return whether it was a long session: in time for this athlete, or further than the 30-day longest by a tenth."""
    median = athlete.median_time_s
    in_time = all_of(
        at_least(moving_time_s, athlete.long_time_s),
        at_least(moving_time_s, None if median is None else model.long_time_factor * median),
    )
    longest = athlete.longest_30d_m
    further = None
    if distance_m is not None and longest is not None and not np.isnan(distance_m):
        further = distance_m > model.long_distance_factor * longest
    return any_of(in_time, further)


def heavy_label(kinds: Kinds, load_efm: float, athlete: Athlete) -> bool | None:
    """Return whether it was a heavy session: hill, speed or long, or a load above the own P80.

    Above and not at: a runner whose runs are all alike would otherwise only ever run heavy ones.
    """
    return any_of(*kinds, opposite(at_least(athlete.high_load_efm, load_efm)))


def easy_label(is_heavy: bool | None, mean_demand: float, athlete: Athlete) -> bool | None:  # noqa: FBT001 - an operand
    """Return whether it was an easy session: not heavy, and a mean demand of at most the own median."""
    gentle = at_least(athlete.median_demand, None if np.isnan(mean_demand) else mean_demand)
    return all_of(opposite(is_heavy), gentle)


def _bouts(fast: Rows, moving: Moving) -> Array:
    """Return the seconds of each unbroken stretch of the given samples."""
    if len(fast) == 0:
        return np.empty(0)
    time_s, dt_s = moving.time_s[fast], moving.dt_s[fast]
    # A pause breaks a bout; one sample's worth of missing time does not.
    paused = np.diff(time_s) > dt_s[:-1] + dt_s[1:]
    breaks = np.flatnonzero((np.diff(fast) > 1) | paused) + 1
    return np.add.reduceat(dt_s, np.concatenate(([0], breaks)))
