"""Every daily metric at once, for one runner or for a squad: what `marts.daily_load` holds beside the loads."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hamload.load.acwr import mean_of_sum, smoothed
from hamload.load.daily import check_days, daily_values, earlier, held, trailing_sums
from hamload.load.monotony import WEEK, monotony_strain
from hamload.load.returning import break_within

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    from hamload.load.daily import Days
    from hamload.parameters import Series
    from hamload.records import Array

#: Days of load that one block holds: many runners, for whom a day of the EWMA costs little more than for one, yet few
#: enough to leave most of what is made of them in a processor's cache.
_BLOCK_DAYS = 1 << 18

#: Nearly the 32 MiB up to which glibc takes note of what is freed. What is larger than anything noted goes back to the
#: system when it is freed, and each block would have to fetch its memory anew, page by page.
_NOTED_BYTES = 31 << 20


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
    # Days outermost in memory: then each day's step is one stretch of the block, side by side.
    load = np.asfortranarray(daily_values(load_efm))
    total = load if total_efm is load_efm else np.asfortranarray(daily_values(total_efm))
    acute_days, chronic_days, before_days = series.acute_days, series.chronic_days, _before_days(series)
    back = np.broadcast_to(break_within(total, series.returning_days, chronic_days), load.shape)
    known = ~np.isnan(load)
    sums = trailing_sums(load, acute_days, chronic_days, before_days, WEEK)
    acute, chronic = mean_of_sum(sums[acute_days], acute_days), mean_of_sum(sums[chronic_days], chronic_days)
    before = np.empty_like(load)
    before[..., :acute_days] = np.nan
    mean_of_sum(earlier(sums[before_days], acute_days), before_days, out=before[..., acute_days:])
    acute_ewma, chronic_ewma = smoothed(load, acute_days, chronic_days, has_unknown=not known.all())
    # The EWMA, which never forgets, starts anew after an unknown day.
    is_anew = ~held(known, series.min_days)

    def ratio(over: Array, under: Array, *, is_withheld: Days) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.divide(over, under)
        np.copyto(found, np.nan, where=is_withheld | (under == 0))
        found[..., : series.min_days - 1] = np.nan
        return found

    evenness, strain = monotony_strain(load, week_sum=sums[WEEK])
    return DailyMetrics(
        is_returning=back,
        acute_rolling=acute,
        chronic_rolling=chronic,
        acwr_coupled=ratio(acute, chronic, is_withheld=back),
        acwr_uncoupled=ratio(acute, before, is_withheld=back),
        acute_ewma=acute_ewma,
        chronic_ewma=chronic_ewma,
        acwr_ewma=ratio(acute_ewma, chronic_ewma, is_withheld=back | is_anew),
        monotony=evenness,
        strain=strain,
    )


def _before_days(series: Series) -> int:
    """Return the days of the chronic window that lie before the acute one. Raises ValueError where there are none."""
    check_days(acute_days=series.acute_days, chronic_days=series.chronic_days, min_days=series.min_days)
    check_days(returning_days=series.returning_days, days_before=series.chronic_days - series.acute_days)
    return series.chronic_days - series.acute_days


def squad_metrics(
    load_efm: Array, total_efm: Array, series: Series, block_days: int = _BLOCK_DAYS, workers: int = 1
) -> Iterator[tuple[slice, DailyMetrics]]:
    """Yield the metrics of a squad, a block of runners at a time: which runners, and what `daily_metrics` is of them.

    Parameters
    ----------
    load_efm, total_efm
        EFM a day, both of shape (runners, days), or `load_efm` (runners, series, days); NaN is an unknown day.
    series
        The windows.
    block_days
        About how many days of load one worker works on at once: with `workers`, what is needed of memory, whatever the
        squad's size.
    workers
        Threads, each on a block of its own: NumPy lets others work while it computes. `os.process_cpu_count()` for all
        processors.

    Yields
    ------
    tuple of slice and DailyMetrics
        The runners' places, and metrics of the block's shape.

    """
    loads = np.asarray(load_efm, dtype=np.float64)
    totals = loads if total_efm is load_efm else np.asarray(total_efm, dtype=np.float64)
    days = max(int(np.prod(loads.shape[1:])), 1)
    step = max(block_days // days, 1)

    def block(runners: slice) -> DailyMetrics:
        load = loads[runners]
        total = load if totals is loads else totals[runners]
        return daily_metrics(load, total if load.ndim == total.ndim else total[:, None], series)

    np.empty(_NOTED_BYTES, dtype=np.uint8)  # allocated and freed, never touched
    blocks = [slice(first, first + step) for first in range(0, len(loads), step)]
    workers = min(workers, len(blocks))
    if workers <= 1:
        yield from ((runners, block(runners)) for runners in blocks)
        return
    with ThreadPoolExecutor(workers) as pool:
        under_way: deque[tuple[slice, Future[DailyMetrics]]] = deque()
        for runners in blocks:
            under_way.append((runners, pool.submit(block, runners)))
            if len(under_way) > workers:
                first, found = under_way.popleft()
                yield first, found.result()
        for first, found in under_way:
            yield first, found.result()
