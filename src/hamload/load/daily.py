"""What a series of daily loads must look like, and the courtesy that a pandas Series in gives a pandas Series out."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from hamload.records import Array

type Days = np.ndarray[Any, np.dtype[np.bool_]]


def daily_values(daily_load: Any) -> Array:
    """Return checked daily loads.

    Parameters
    ----------
    daily_load
        Load a day, the days along the last axis and none left out; 0 is a day without running, NaN (or a null) an
        unknown one. An array, a list, or a pandas Series, whose dates must then follow one another.

    Raises
    ------
    ValueError
        For a negative or infinite load, a single number, a table, or dates with gaps or out of order.

    """
    values = _float_values(daily_load)
    if values.ndim == 0:
        raise ValueError("Daily loads are a series of days, not a single number.")
    if (values < 0).any() or np.isinf(values).any():
        raise ValueError("A daily load is a finite number from 0 on, or NaN where the day is unknown.")
    return values


def like(daily_load: Any, values: Array) -> Any:
    """Return values as a Series with the index and name of `daily_load` where that is one, else as they are."""
    if not _is_series(daily_load):
        return values
    return type(daily_load)(values, index=daily_load.index, name=daily_load.name)


def alike(metric: Callable[[Array], Any], daily_load: Any) -> Any:
    """Apply a metric to checked daily loads and return it in the form in which they came."""
    return like(daily_load, metric(daily_values(daily_load)))


def trailing_sum(values: Array, days: int) -> Array:
    """Return the sum of each day's last `days` days; before the first day stand zeros.

    Sums of 1, 2, 4, ... days make any window, so that nothing is ever subtracted: a sum has no memory of what lies
    before its window, and costs two passes for each doubling of its length.
    """
    return trailing_sums(values, days)[days]


def trailing_sums(values: Array, *windows: int) -> dict[int, Array]:
    """Return `trailing_sum` of each window, by its days: what several windows are made of is summed once.

    Write into none of them: two may be one array.
    """
    totals: dict[int, Array] = {}
    covered = dict.fromkeys(windows, 0)
    stretch, reach = values, 1
    while True:
        for days in covered:
            if days & reach:
                so_far = totals.get(days)
                totals[days] = stretch if so_far is None else _with_earlier(np.add, so_far, stretch, covered[days])
                covered[days] += reach
        if all(days == done for days, done in covered.items()):
            return totals
        stretch = _with_earlier(np.add, stretch, stretch, reach)
        reach *= 2


def held(is_so: Days, days: int) -> Days:
    """Return where something was so on each of the last `days` days; before the first day nothing was."""
    found = _over_last(np.logical_and, is_so, days)
    found[..., : days - 1] = False
    return found


def happened(is_so: Days, days: int) -> Days:
    """Return where something was so on one of the last `days` days."""
    return _over_last(np.logical_or, is_so, days)


def _over_last(operation: np.ufunc, values: Days, days: int) -> Days:
    """Return and/or over the last `days` days, those present: stretches may overlap, for a day may count twice."""
    found, reach = values, 1
    while reach < days:
        step = min(reach, days - reach)
        found = _with_earlier(operation, found, found, step)
        reach += step
    return found


def _with_earlier[Values: (Array, Days)](operation: np.ufunc, values: Values, other: Values, days: int) -> Values:
    """Return the operation on values and those that `other` has so many days earlier; the first ones as they are."""
    found = np.empty_like(values)
    found[..., :days] = values[..., :days]
    operation(values[..., days:], earlier(other, days), out=found[..., days:])
    return found


def earlier[Values: (Array, Days)](values: Values, days: int) -> Values:
    """Return the values that stand so many days before those from that day on: of `values[..., days:]`."""
    return values[..., : max(values.shape[-1] - days, 0)]


def check_days(**windows: int) -> None:
    """Raise ValueError where a window is not a whole number of days from 1 on."""
    for name, days in windows.items():
        if days != int(days) or days < 1:
            raise ValueError(f"{name} is {days}; it must be a whole number of days from 1 on.")


def _is_series(daily_load: Any) -> bool:
    return hasattr(daily_load, "to_numpy") and hasattr(daily_load, "index") and hasattr(daily_load, "name")


def _float_values(daily_load: Any) -> Array:
    if not hasattr(daily_load, "to_numpy"):
        return np.asarray(daily_load, dtype=np.float64)
    if not _is_series(daily_load):
        raise ValueError("Give one column of daily loads (a Series), or an array with the days along its last axis.")
    _check_consecutive(daily_load.index)
    return np.asarray(daily_load.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)


def _check_consecutive(index: Any) -> None:
    """Hold an index of dates to one row a day: a rest day left out would silently stretch every window."""
    if getattr(index, "tz", None) is not None:
        index = index.tz_localize(None)
    labels = np.asarray(index)
    if labels.dtype == np.object_ and len(labels) and isinstance(labels[0], dt.date):
        labels = labels.astype("datetime64[D]")
    if labels.dtype.kind != "M":
        return
    if (np.diff(labels.astype("datetime64[D]")) != np.timedelta64(1, "D")).any():
        raise ValueError(
            "The dates of the series are not consecutive days. Give every day a row: 0 where nobody ran, NaN where it "
            "is not known."
        )
