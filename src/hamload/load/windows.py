"""Centred means over samples whose spacing varies. Time in seconds; knows nothing of running."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from hamload.records import Array


class CentredMean(NamedTuple):
    """A mean around each sample (NaN where nothing known lies in its window) and the seconds that it rests on."""

    mean: Array
    covered_s: Array


def centred_mean(values: Array, time_s: Array, dt_s: Array, window_s: float) -> CentredMean:
    """Average over the `window_s` seconds of clock time around the middle of each sample.

    Parameters
    ----------
    values
        One value a sample, shape (n,); NaN (unknown, or not to be counted) leaves its seconds out of the mean.
    time_s
        When each sample begins, shape (n,), never decreasing. Gaps are allowed and count for nothing.
    dt_s
        How long each sample stands, shape (n,), at least 0. A sample reaches at most to the next one's beginning.
    window_s
        Length of the window, above 0. At either end of the recording it holds what there is.

    Returns
    -------
    CentredMean
        Both of shape (n,).

    Notes
    -----
    Exact for values constant within each sample: two prefix sums read at the window's edges, whatever the spacing.

    """
    if len(values) == 0:
        return CentredMean(np.empty(0), np.empty(0))
    known = ~np.isnan(values)
    length = np.diff(time_s, append=np.inf)
    length = np.minimum(dt_s, length)
    edges = np.empty(2 * len(values))
    edges[0::2] = time_s
    edges[1::2] = time_s + length
    seconds = np.where(known, length, 0.0)
    covered = _prefix(seconds)
    total = _prefix(np.where(known, values, 0.0) * seconds)
    middle = time_s + length / 2
    first, last = middle - window_s / 2, middle + window_s / 2
    covered_s = np.interp(last, edges, covered) - np.interp(first, edges, covered)
    sums = np.interp(last, edges, total) - np.interp(first, edges, total)
    # Differences of prefix sums leave rounding where nothing was: a billionth of a second is not a sample.
    covered_s = np.where(covered_s > 1e-9 * max(1.0, float(covered[-1])), covered_s, 0.0)
    mean = np.divide(sums, covered_s, out=np.full(len(values), np.nan), where=covered_s > 0)
    return CentredMean(mean, covered_s)


def _prefix(amounts: Array) -> Array:
    """Return the running sum at each sample's beginning and end, shape (2n,)."""
    ends = np.cumsum(amounts)
    return np.column_stack((np.concatenate(([0.0], ends[:-1])), ends)).ravel()
