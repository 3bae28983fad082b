"""Quantiles of few values, and of windows that move along a series. Pure arithmetic; knows nothing of running."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def moving_quantile(
    values: Sequence[float], windows: Iterable[tuple[int, int]], q: float, least: int
) -> list[float | None]:
    """Return the quantile of each window of a series.

    Parameters
    ----------
    values
        The series; NaN is unknown and left out.
    windows
        First place and the place after the last, of each window; neither ever goes back.
    q
        From 0 to 1, interpolated linearly between neighbours: type 7 of Hyndman and Fan 1996, `numpy.quantile`'s own.
    least
        None where a window holds fewer known values than this, which is at least 1.

    Notes
    -----
    Kept in order while the window moves: a day costs two searches, not a sort.

    """
    ordered: list[float] = []
    first = after = 0
    found: list[float | None] = []
    for begin, end in windows:
        for value in values[after:end]:
            if not math.isnan(value):
                insort(ordered, value)
        for value in values[first:begin]:
            if not math.isnan(value):
                del ordered[bisect_left(ordered, value)]
        first, after = begin, end
        found.append(quantile(ordered, q) if len(ordered) >= max(least, 1) else None)
    return found


def quantile(ordered: Sequence[float], q: float) -> float:
    """Return the quantile of values in ascending order, at least one of them.

    Interpolated as in `moving_quantile`; `numpy.quantile` gives the same to the last bit, and takes ten times as long
    for the few dozen values of a runner's season.
    """
    place = q * (len(ordered) - 1)
    below = min(int(place), len(ordered) - 1)
    share = place - below
    low, high = ordered[below], ordered[min(below + 1, len(ordered) - 1)]
    # From the nearer end, as NumPy does: the two agree to the last bit.
    return low + (high - low) * share if share < 0.5 else high - (high - low) * (1 - share)  # noqa: PLR2004  # the middle
