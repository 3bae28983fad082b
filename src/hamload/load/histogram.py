"""Time-weighted histograms of speed: small enough to store with every run, pooled to find the athlete's own quantiles.

A histogram is a dense float64 array of seconds. Bin k holds speeds from k to k + 1 hundredths of a metre per second; it
ends with the last bin that holds any time, so an empty array is a run that contributes nothing. Its list of numbers is
all that a database needs to keep.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hamload.records import Array

#: Width of a bin, m/s: also the bound of a quantile's error. A storage resolution, no coefficient of the model.
BIN_MPS = 0.01

#: Speeds from here on share the last bin, m/s.
MOST_MPS = 12.0

_LAST_BIN = round(MOST_MPS / BIN_MPS) - 1


def histogram(speed_mps: Array, dt_s: Array) -> Array:
    """Count seconds by speed.

    Parameters
    ----------
    speed_mps
        m/s, shape (n,), not negative; NaN counts nowhere.
    dt_s
        Seconds, shape (n,).

    Returns
    -------
    Array
        Seconds a bin, shape (bins,), no longer than needed.

    """
    known = ~np.isnan(speed_mps)
    bins = np.clip(np.floor(speed_mps[known] / BIN_MPS), 0, _LAST_BIN).astype(np.intp)
    return np.trim_zeros(np.bincount(bins, weights=dt_s[known]).astype(np.float64), "b")


def pooled(histograms: Iterable[Array]) -> Array:
    """Add histograms of any lengths."""
    found = list(histograms)
    total = np.zeros(max((len(h) for h in found), default=0))
    for one in found:
        total[: len(one)] += one
    return total


def quantile_of(histogram: Array, q: float) -> float | None:
    """Return the speed below which the fraction `q` of the time was spent, m/s.

    Interpolated within its bin, so it lies within 0.01 m/s of the quantile of the samples themselves (up to
    `MOST_MPS`). None for an empty histogram.

    Raises
    ------
    ValueError
        Where `q` is not from 0 to 1.

    """
    if not 0 <= q <= 1:
        raise ValueError(f"A quantile is asked for from 0 to 1, not {q}.")
    below = np.cumsum(histogram)
    if len(below) == 0 or not below[-1] > 0:
        return None
    wanted = q * below[-1]
    k = int(np.searchsorted(below, wanted, side="left" if wanted > 0 else "right"))
    part = (wanted - (below[k] - histogram[k])) / histogram[k]
    return float((k + min(max(part, 0.0), 1.0)) * BIN_MPS)
