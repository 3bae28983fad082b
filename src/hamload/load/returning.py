"""How long ago the last run was: after two weeks a ratio compares with nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hamload.load.daily import alike, check_days, happened, held

if TYPE_CHECKING:
    from hamload.load.daily import Days
    from hamload.records import Array


def days_since_run(daily_load: Any) -> Any:
    """Return for every day how many days ago the last run was: 0 on a day with running.

    Parameters
    ----------
    daily_load
        EFM a day, shape (..., days), no day left out: 0 is a day without running, NaN an unknown one. An array, a list,
        or a pandas Series (then a Series with the same index comes back).

    Returns
    -------
    Array or Series
        NaN before the first run, on an unknown day, and from there until the next run: somebody may have run that day.

    Raises
    ------
    ValueError
        For negative or infinite loads, or a Series with missing dates.

    """
    return alike(_days_since_run, daily_load)


def is_returning(daily_load: Any, returning_days: int, chronic_days: int) -> Any:
    """Return for every day whether a break lies in its chronic window, so that no ratio is to be shown.

    Parameters
    ----------
    daily_load
        As in `days_since_run`.
    returning_days
        Days without running in a row that make a break.
    chronic_days
        The window, today included, that must hold no whole break.

    Returns
    -------
    Array or Series of bool
        True from the break's `returning_days`-th day until fewer than that many of its days are left in the window. An
        unknown day is no rest: it ends the count, and its own windows have no ratio anyway. A break longer than the
        window counts while it lasts.

    Raises
    ------
    ValueError
        For windows that are no whole days from 1 on, negative or infinite loads, or a Series with missing dates.

    """
    check_days(returning_days=returning_days, chronic_days=chronic_days)
    return alike(lambda load: break_within(load, returning_days, chronic_days), daily_load)


def _days_since_run(load: Array) -> Array:
    day = np.arange(load.shape[-1], dtype=np.float64)
    last_run = np.maximum.accumulate(np.where(load > 0, day, -1), axis=-1)
    last_unknown = np.maximum.accumulate(np.where(np.isnan(load), day, -1), axis=-1)
    return np.where((last_run >= 0) & (last_run > last_unknown), day - last_run, np.nan)


def break_within(load: Array, returning_days: int, chronic_days: int) -> Days:
    """Return `is_returning` of checked daily loads."""
    # Where a break is complete, it lies whole in the windows of that day and of the next few.
    return happened(held(load == 0, returning_days), max(chronic_days - returning_days, 0) + 1)
