"""Acute against chronic load: rolling means, EWMA, their ratios. Days along the last axis; NaN is an unknown day."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np

from hamload.load.daily import check_days, daily_values, held, like, trailing_sum

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from hamload.records import Array

type Method = Literal["coupled", "uncoupled", "ewma"]


class AcuteChronic(NamedTuple):
    """What a ratio is made of, EFM a day, each of the shape of the loads."""

    acute: Array
    chronic: Array


def acwr(
    daily_load: Any,
    method: Method = "coupled",
    acute_days: int = 7,
    chronic_days: int = 28,
    min_days: int = 28,
) -> Any:
    """Return the acute-to-chronic workload ratio of every day.

    Parameters
    ----------
    daily_load
        EFM a day, shape (..., days), no day left out: 0 is a day without running, NaN an unknown one. An array, a list,
        or a pandas Series (then a Series with the same index comes back).
    method
        "coupled": the mean of the last 7 days over that of the last 28; at most 4. "uncoupled": over the 21 days before
        these 7. "ewma": Williams et al. 2017, lambda = 2/(N + 1), started at the first load.
    acute_days, chronic_days
        The two windows; the acute one is the shorter.
    min_days
        No ratio before this day of the series. With less than `chronic_days` the first ones rest on the days present.

    Returns
    -------
    Array or Series
        NaN before `min_days`, where the chronic load is 0, and in every window that holds an unknown day; the EWMA,
        which never forgets, starts anew after one and needs `min_days` known days again.

    Raises
    ------
    ValueError
        For an unknown method, windows that are no whole days from 1 on or not in order, negative or infinite loads, a
        Series with missing dates.

    Notes
    -----
    Hulin et al. 2014, BJSM 48:708; Gabbett 2016, BJSM 50:273 (rolling). Williams et al. 2017, BJSM 51:209 (EWMA).
    Coupling alone correlates the two means (Lolli et al. 2019, BJSM 53:921): read the ratio as one sign among several.

    """
    acute, chronic = acute_chronic(daily_values(daily_load), method, acute_days, chronic_days, min_days)
    return like(daily_load, np.divide(acute, chronic, out=np.full(acute.shape, np.nan), where=chronic > 0))


def acute_chronic(
    daily_load: Any,
    method: Method = "coupled",
    acute_days: int = 7,
    chronic_days: int = 28,
    min_days: int = 28,
) -> AcuteChronic:
    """Return the acute and the chronic load behind `acwr`, as arrays; parameters and errors are those of `acwr`."""
    if method not in get_args(Method.__value__):
        raise ValueError(f"There is no method {method!r}; there are: {', '.join(get_args(Method.__value__))}.")
    check_days(acute_days=acute_days, chronic_days=chronic_days, min_days=min_days)
    if acute_days >= chronic_days:
        raise ValueError(f"The acute window ({acute_days} days) must be shorter than the chronic one ({chronic_days}).")
    load = daily_values(daily_load)
    if method == "ewma":
        return AcuteChronic(ewma(load, acute_days, min_days), ewma(load, chronic_days, min_days))
    acute = rolling_mean(load, acute_days, min_days)
    if method == "coupled":
        return AcuteChronic(acute, rolling_mean(load, chronic_days, min_days))
    before = rolling_mean(load, chronic_days - acute_days)[..., : max(load.shape[-1] - acute_days, 0)]
    chronic = np.concatenate((np.full_like(load[..., :acute_days], np.nan), before), axis=-1)
    return AcuteChronic(acute, np.where(_day(load) >= min_days, chronic, np.nan))


def rolling_mean(daily_load: Any, days: int, min_days: int = 1) -> Array:
    """Return the mean of the last `days` days, today included.

    Parameters
    ----------
    daily_load
        Shape (..., days of the series); NaN is an unknown day.
    days
        The window. Earlier in the series than this, the mean is over the days present.
    min_days
        NaN before this day of the series.

    Returns
    -------
    Array
        NaN where the window holds an unknown day.

    """
    check_days(days=days, min_days=min_days)
    load = daily_values(daily_load)
    mean = mean_of_sum(trailing_sum(load, days), days)
    mean[..., : min_days - 1] = np.nan
    return mean


def mean_of_sum(total: Array, days: int, out: Array | None = None) -> Array:
    """Return the means whose trailing sums these are."""
    return np.asarray(np.divide(total, np.minimum(_day(total), days), out=out))


def ewma(daily_load: Any, days: int, min_days: int = 1) -> Array:
    """Return the exponentially weighted mean E_t = w * L_t + (1 - w) * E_(t-1), w = 2/(days + 1), E_1 = L_1.

    Parameters
    ----------
    daily_load
        Shape (..., days of the series); NaN is an unknown day.
    days
        N. Not a half-life, and not the 1 - exp(-1/N) convention.
    min_days
        NaN until this many days in a row are known.

    Returns
    -------
    Array
        NaN on an unknown day; after one it starts anew with the next known load.

    Notes
    -----
    Williams et al. 2017, BJSM 51:209.

    """
    check_days(days=days, min_days=min_days)
    load = daily_values(daily_load)
    known = ~np.isnan(load)
    (mean,) = smoothed(load, days, has_unknown=not known.all())
    np.copyto(mean, np.nan, where=~held(known, min_days))
    return mean


def smoothed(load: Array, *windows: int, has_unknown: bool) -> list[Array]:
    """Return `ewma` of checked daily loads from their first day on, for each window."""
    loads = load.T
    weights = np.array([2 / (days + 1) for days in windows]).reshape(-1, *(1,) * (load.ndim - 1))
    means = weights * loads[:, None]
    means[:1] = loads[:1, None]
    # One stretch of memory a day, all runners and windows side by side, and two calls for it.
    kept = np.broadcast_to(1 - weights, means.shape[1:]).copy()
    carried = np.empty_like(kept)
    for day, (before, now) in enumerate(pairwise(means), 1):
        np.multiply(before, kept, carried)
        np.add(now, carried, now)
        if has_unknown:
            np.copyto(now, loads[day], where=np.isnan(before))
    return [means[:, window].T for window in range(len(windows))]


def known_days(daily_load: Any) -> Array:
    """Return how many days in a row, up to each day, are known; 0 on an unknown day."""
    load = daily_values(daily_load)
    day = np.broadcast_to(_day(load), load.shape)
    unknown = np.maximum.accumulate(np.where(np.isnan(load), day, 0), axis=-1)
    return np.asarray(day - unknown, dtype=np.float64)


def coupled_to_uncoupled(ratio: ArrayLike, acute_days: int = 7, chronic_days: int = 28) -> Array:
    """Return the uncoupled ratio that belongs to a coupled one: 3r/(4 - r) with windows of 7 and 28 days.

    Parameters
    ----------
    ratio
        Coupled ratios, any shape, from 0 to below chronic/acute (4); NaN elsewhere.
    acute_days, chronic_days
        The windows of both ratios.

    Notes
    -----
    An identity of full windows: C = (a*A + (c - a)*C_u) / c. A coupled 1.5 is an uncoupled 1.8.

    """
    most = chronic_days / acute_days
    coupled = np.asarray(ratio, dtype=np.float64)
    possible = (coupled >= 0) & (coupled < most)
    return np.asarray(
        np.divide((most - 1) * coupled, most - coupled, out=np.full_like(coupled, np.nan), where=possible)
    )


def _day(load: Array) -> Array:
    """Return the number of each day of the series, from 1 on, shape (days,)."""
    return np.arange(1.0, load.shape[-1] + 1)
