"""The slope underfoot: a local straight line through altitude over distance. One phenomenon, no cleaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from hamload.records import Array

type Index = np.ndarray[Any, np.dtype[np.signedinteger[Any]]]

#: Minetti et al. 2002, J Appl Physiol 93:1039: the cost of running is known from -45 % to +45 %.
GRADE_LIMIT = 0.45
_FEWEST_POINTS = 3
#: Samples whose sums are taken about one common centre; short enough to keep ten digits of the slope.
_BLOCK = 4096


def grade(altitude_m: ArrayLike, distance_m: ArrayLike, window_m: float) -> Array:
    """Return the slope around each sample: the least-squares line of altitude against distance within the window.

    Parameters
    ----------
    altitude_m
        Metres above sea level, shape (n,); NaN where unknown.
    distance_m
        Metres along the way, shape (n,), never decreasing, no NaN; standing still repeats a value.
    window_m
        Length of the window, metres, centred on the sample: `window_m / 2` before and after, ends included.

    Returns
    -------
    Array
        Rise over run, shape (n,), from -0.45 to 0.45. NaN where fewer than 3 samples with altitude lie in the window,
        or where these cover less than half of its length.

    Notes
    -----
    Between neighbours with altitude that lie further apart than half a window nothing is covered: a shorter hole is
    bridged by the line itself, a longer one would let two far ends decide the slope of what nobody measured.
    The sums run over prefix sums, block by block about the block's own centre, so that 50 km lose no digits; O(n).

    """
    altitude = np.asarray(altitude_m, dtype=np.float64)
    distance = np.asarray(distance_m, dtype=np.float64)
    slope = np.full(len(altitude), np.nan)
    known = np.flatnonzero(np.isfinite(altitude))
    if len(known) < _FEWEST_POINTS:
        return slope
    x, y = distance[known], altitude[known]
    first = np.searchsorted(x, distance - window_m / 2, side="left")
    last = np.searchsorted(x, distance + window_m / 2, side="right")
    steps = np.diff(x)
    covered = np.concatenate([[0.0], np.cumsum(np.where(steps <= window_m / 2, steps, 0.0))])
    reach = covered[np.maximum(last - 1, first).clip(max=len(x) - 1)] - covered[first.clip(max=len(x) - 1)]
    is_fit = (last - first >= _FEWEST_POINTS) & (reach >= window_m / 2)
    for start in range(0, len(altitude), _BLOCK):
        block = slice(start, start + _BLOCK)
        rows = np.flatnonzero(is_fit[block]) + start
        if len(rows):
            slope[rows] = _slopes(x, y, first[rows], last[rows])
    return np.asarray(np.clip(slope, -GRADE_LIMIT, GRADE_LIMIT))


def _slopes(x: Array, y: Array, first: Index, last: Index) -> Array:
    low, high = int(first.min()), int(last.max())
    u = x[low:high] - x[low:high].mean()
    v = y[low:high] - y[low:high].mean()
    a, b = first - low, last - low
    n = (b - a).astype(np.float64)
    sums = np.zeros((4, high - low + 1))
    np.cumsum(np.stack([u, v, u * u, u * v]), axis=1, out=sums[:, 1:])
    su, sv, suu, suv = sums[:, b] - sums[:, a]
    spread = suu - su * su / n
    return np.asarray(np.divide(suv - su * sv / n, spread, out=np.full(len(n), np.nan), where=spread > 0))
