"""What one instant of running asks of the hamstrings: h(speed, grade), 1 for easy flat running. No time in here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hamload.load.energy import LEVEL_COST, energy_cost

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from hamload.parameters import Demand
    from hamload.records import Array


def level_equivalent_speed(speed_mps: ArrayLike, grade: ArrayLike) -> Array:
    """Return the level speed that costs the same power: v * C(i) / 3.6.

    Parameters
    ----------
    speed_mps
        Speed along the ground, m/s.
    grade
        Rise over run, broadcast against the speed. NaN (altitude unknown) counts as level.

    Returns
    -------
    Array
        m/s. Less than the speed on moderate descents, more on climbs. NaN where the speed is.

    Notes
    -----
    C is Minetti et al. 2002; see `energy_cost` for its limits.

    """
    return np.asarray(np.asarray(speed_mps, dtype=np.float64) * energy_cost(_level_if_unknown(grade)) / LEVEL_COST)


def uphill_factor(grade: ArrayLike, model: Demand) -> Array:
    """Return G, by how much a climb multiplies the demand of the same speed on the level.

    Parameters
    ----------
    grade
        Rise over run, any shape. Beyond `grade_limit` it is taken as the limit.
    model
        `grade_dead_band`, `grade_limit`, `grade_exponent`.

    Returns
    -------
    Array
        (C(min(i, limit) - dead band) / 3.6) ** q above the dead band, else 1: never below 1 and without a step at the
        dead band. Level and downhill are 1 (measurements of downhill conflict), and so is an unknown grade (NaN).

    """
    climb = np.clip(_level_if_unknown(grade), model.grade_dead_band, model.grade_limit) - model.grade_dead_band
    return np.asarray((energy_cost(climb) / LEVEL_COST) ** model.grade_exponent)


def demand(speed_mps: ArrayLike, grade: ArrayLike, easy_speed_mps: float, model: Demand) -> Array:
    """Return h, the hamstring demand of an instant relative to easy flat running.

    Parameters
    ----------
    speed_mps
        m/s, any shape; 0 gives 0. A negative or unknown speed gives NaN.
    grade
        Rise over run, broadcast against the speed; NaN counts as level.
    easy_speed_mps
        The athlete's own easy speed, m/s, above 0.
    model
        The exponents and the knee between them.

    Returns
    -------
    Array
        Dimensionless, 1 at the easy speed on the level; continuous and rising with speed and, uphill, with grade.

    Raises
    ------
    ValueError
        Where `easy_speed_mps` is not above 0.

    Notes
    -----
    h = [min(v, 5) / v_easy]^1.9 * [max(v, 5) / 5]^3.0 * G(i) with the shipped coefficients. The exponents are fitted to
    published muscle activity and work; that uphill demand follows energy cost is an assumption (`config/model.toml`).

    """
    if not easy_speed_mps > 0:
        raise ValueError(f"The easy speed is {easy_speed_mps} m/s; it must be above 0.")
    speed = np.asarray(speed_mps, dtype=np.float64)
    speed = np.where(speed >= 0, speed, np.nan)
    below = np.minimum(speed, model.knee_mps) / easy_speed_mps
    beyond = np.maximum(speed, model.knee_mps) / model.knee_mps
    return np.asarray(below**model.easy_exponent * beyond**model.fast_exponent * uphill_factor(grade, model))


def _level_if_unknown(grade: ArrayLike) -> Array:
    values = np.asarray(grade, dtype=np.float64)
    return np.where(np.isnan(values), 0.0, values)
