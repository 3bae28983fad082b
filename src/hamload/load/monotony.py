"""Foster's monotony and strain: how alike the days of a week are, and how much the week weighs with that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hamload.load.daily import alike, trailing

if TYPE_CHECKING:
    from hamload.records import Array

_WEEK = 7


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
    return alike(lambda load: _monotony(load, ddof), daily_load)


def strain(daily_load: Any, ddof: int = 1) -> Any:
    """Return the sum of the last seven days times their monotony, EFM; parameters and edges are those of `monotony`."""
    return alike(lambda load: _weeks(load).sum(axis=-1) * _monotony(load, ddof), daily_load)


def _weeks(load: Array) -> Array:
    weeks = trailing(load, _WEEK).copy()
    weeks[..., : _WEEK - 1, :] = np.nan
    return weeks


def _monotony(load: Array, ddof: int) -> Array:
    weeks = _weeks(load)
    mean = weeks.mean(axis=-1)
    spread = weeks.std(axis=-1, ddof=ddof)
    # Equality is asked of the loads: the deviation of seven equal numbers need not round to 0.
    equal = (weeks == weeks[..., :1]).all(axis=-1)
    ratio = np.divide(mean, spread, out=np.full(mean.shape, np.nan), where=spread > 0)
    return np.where(equal & (mean > 0), np.inf, ratio)
