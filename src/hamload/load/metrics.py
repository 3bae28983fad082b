"""Every daily metric at once, for one runner or for a squad: what `marts.daily_load` holds beside the loads."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hamload.load.acwr import ewma, known_days, rolling_mean
from hamload.load.daily import check_days, daily_values, earlier
from hamload.load.monotony import monotony_strain
from hamload.load.returning import is_returning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hamload.load.returning import Days
    from hamload.parameters import Series
    from hamload.records import Array

#: Days of load that one block holds: its dozen arrays stay in a processor's cache.
_BLOCK_DAYS = 1 << 18


class DailyMetrics(NamedTuple):
    """Metrics of every day, each of the loads' shape; EFM a day but for the ratios, monotony and `is_returning`.

    The fields bear the names of the columns of `marts.daily_load`.
    """

    is_returning: Days
    acute_rolling: Array
    chronic_rolling: Array
    acwr_coupled: Array
    acwr_uncoupled: Array
    acute_ewma: Array
    chronic_ewma: Array
    acwr_ewma: Array
    monotony: Array
    strain: Array


def daily_metrics(load_efm: Array, total_efm: Array, series: Series) -> DailyMetrics:
    """Return every daily metric of one runner's series.

    Parameters
    ----------
    load_efm
        EFM a day, shape (..., days), no day left out; NaN is an unknown day.
    total_efm
        The load of all running on these days, of the same shape or one that broadcasts to it: a break is a break from
        all running, and while a break of `returning_days` lies in the chronic window every ratio is withheld.
    series
        The windows.

    Raises
    ------
    ValueError
        As `acwr`, `monotony` and `is_returning` do, whose values these are.

    """
    load = daily_values(load_efm)
    check_days(acute_days=series.acute_days, chronic_days=series.chronic_days, min_days=series.min_days)
    back = np.broadcast_to(is_returning(total_efm, series.returning_days, series.chronic_days), load.shape)
    acute, chronic = rolling_mean(load, series.acute_days), rolling_mean(load, series.chronic_days)
    before = np.full_like(load, np.nan)
    before[..., series.acute_days :] = earlier(
        rolling_mean(load, series.chronic_days - series.acute_days), series.acute_days
    )
    acute_ewma, chronic_ewma = ewma(load, series.acute_days), ewma(load, series.chronic_days)
    long_known = chronic_ewma
    if np.isnan(load).any():
        long_known = np.where(known_days(load) >= series.min_days, chronic_ewma, np.nan)
    young = slice(0, series.min_days - 1)

    def ratio(over: Array, under: Array) -> Array:
        found = np.full_like(load, np.nan)
        np.divide(over, under, out=found, where=(under > 0) & ~back)
        found[..., young] = np.nan
        return found

    evenness, strain = monotony_strain(load)
    return DailyMetrics(
        is_returning=back,
        acute_rolling=acute,
        chronic_rolling=chronic,
        acwr_coupled=ratio(acute, chronic),
        acwr_uncoupled=ratio(acute, before),
        acute_ewma=acute_ewma,
        chronic_ewma=chronic_ewma,
        acwr_ewma=ratio(acute_ewma, long_known),
        monotony=evenness,
        strain=strain,
    )


def squad_metrics(
    load_efm: Array, total_efm: Array, series: Series, block_days: int = _BLOCK_DAYS
) -> Iterator[tuple[slice, DailyMetrics]]:
    """Yield the metrics of a squad, a block of runners at a time: which runners, and what `daily_metrics` is of them.

    Parameters
    ----------
    load_efm, total_efm
        EFM a day, both of shape (runners, days), or `load_efm` (runners, series, days); NaN is an unknown day.
    series
        The windows.
    block_days
        About how many days of load are worked on at once: what is needed of memory, whatever the squad's size.

    Yields
    ------
    tuple of slice and DailyMetrics
        The runners' places, and metrics of the block's shape.

    """
    loads, totals = np.asarray(load_efm, dtype=np.float64), np.asarray(total_efm, dtype=np.float64)
    days = max(int(np.prod(loads.shape[1:])), 1)
    step = max(block_days // days, 1)
    for first in range(0, len(loads), step):
        runners = slice(first, first + step)
        # Days outermost in memory: then each day's step is one stretch of the block, side by side.
        total = np.asfortranarray(totals[runners])
        load = np.asfortranarray(loads[runners])
        yield runners, daily_metrics(load, total if load.ndim == total.ndim else total[:, None], series)
