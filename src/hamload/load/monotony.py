"""Foster's monotony and strain: how alike the days of a week are, and how much the week weighs with that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hamload.load.daily import alike, earlier, held, trailing_sum

if TYPE_CHECKING:
    from hamload.load.daily import Days
    from hamload.records import Array

WEEK = 7


def monotony(daily_load: Any, ddof: int = 1) -> Any:
    """Return mean / standard deviation of the last seven days, for every day.

    Parameters
    ----------
    daily_load
        EFM a day, shape (..., days), no day left out: 0 is a day without running, NaN an unknown one. An array, a list,
        or a pandas Series (then a Series with the same index comes back).
    ddof
        1: sample standard deviation, as hamload reports it; 0: population.

    Returns
    -------
    Array or Series
        Infinite where seven loads are equal and not 0; NaN for seven days of rest, on the first six days and where one
        of the seven is unknown.

    Raises
    ------
    ValueError
        For negative or infinite loads, or a Series with missing dates.

    Notes
    -----
    Foster 1998, Med Sci Sports Exerc 30:1164-1168.

    """
    return alike(lambda load: monotony_strain(load, ddof)[0], daily_load)


def strain(daily_load: Any, ddof: int = 1) -> Any:
    """Return the sum of the last seven days times their monotony, EFM; parameters and edges are those of `monotony`."""
    return alike(lambda load: monotony_strain(load, ddof)[1], daily_load)


def monotony_strain(load: Array, ddof: int = 1, week_sum: Array | None = None) -> tuple[Array, Array]:
    """Return both of checked daily loads at once; `week_sum` is their `trailing_sum` of `WEEK` days, where known."""
    week = trailing_sum(load, WEEK) if week_sum is None else week_sum
    mean = week / WEEK
    mean[..., : WEEK - 1] = np.nan
    square = load - mean
    square *= square
    away = np.empty_like(load)
    for days in range(1, WEEK):
        of_day = np.subtract(earlier(load, days), mean[..., days:], out=away[..., days:])
        of_day *= of_day
        square[..., days:] += of_day
    square /= WEEK - ddof
    spread = np.sqrt(square, out=square)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.divide(mean, spread, out=spread)
    # Equality is asked of the loads: the deviation of seven equal numbers need not round to 0.
    np.copyto(ratio, np.inf, where=_is_equal(load) & (mean > 0))
    return ratio, np.multiply(week, ratio, out=mean)


def _is_equal(load: Array) -> Days:
    """Return where the seven loads of the week that ends on a day are one number."""
    same = np.zeros_like(load, dtype=np.bool_)
    np.equal(load[..., 1:], load[..., :-1], out=same[..., 1:])
    return held(same, WEEK - 1)
