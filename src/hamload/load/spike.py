"""The single-session spike: a run against the largest one in the days before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from hamload.records import Array

type Rows = np.ndarray[Any, np.dtype[np.intp]]


def spike(values: ArrayLike, start_at_days: ArrayLike, days: float = 30) -> Array:
    """Return each session divided by the largest session of the `days` before it.

    Parameters
    ----------
    values
        Distance or load of each session, shape (n,), from 0 on; NaN where unknown.
    start_at_days
        When each began, in days from any origin, shape (n,), never decreasing.
    days
        How far back to look, above 0. A session exactly this long ago still counts; one that began at the same moment
        does not.

    Returns
    -------
    Array
        1.34 is 34 % beyond the largest. NaN where there was no known session in those days, where the largest is 0, and
        where the session itself is unknown. An unknown session is left out of the others' windows: leaving their spikes
        out as well would silence thirty days of warnings.

    Raises
    ------
    ValueError
        For sessions out of order, negative or infinite values, unequal lengths, or `days` not above 0.

    Notes
    -----
    Frandsen et al. 2025, BJSM 59:1203. O(n log n): the largest of every stretch of 1, 2, 4, ... sessions, two of which
    cover any window.

    """
    sizes, starts = np.asarray(values, dtype=np.float64), np.asarray(start_at_days, dtype=np.float64)
    if sizes.ndim != 1 or sizes.shape != starts.shape:
        raise ValueError(f"One start a session: there are {sizes.shape} values and {starts.shape} starts.")
    if not days > 0:
        raise ValueError(f"days is {days}; it must be above 0.")
    if np.isnan(starts).any() or (np.diff(starts) < 0).any():
        raise ValueError("The sessions are not in order of their start.")
    if (sizes < 0).any() or np.isinf(sizes).any():
        raise ValueError("A session's size is a finite number from 0 on, or NaN where it is unknown.")
    first = np.searchsorted(starts, starts - days, side="left")
    last = np.searchsorted(starts, starts, side="left")
    largest = _range_max(np.where(np.isnan(sizes), 0.0, sizes), first, last)
    return np.asarray(np.divide(sizes, largest, out=np.full(len(sizes), np.nan), where=largest > 0))


def _range_max(values: Array, first: Rows, last: Rows) -> Array:
    """Return the largest of values[first:last] for each pair, 0 for an empty stretch; values are from 0 on."""
    largest = np.zeros(len(first))
    stretch, reach = values, 1
    length = last - first
    while reach <= len(values):
        # Every window of `reach` to 2 * reach - 1 sessions is the union of two stretches of `reach`.
        here = (length >= reach) & (length < 2 * reach)
        largest[here] = np.maximum(stretch[first[here]], stretch[last[here] - reach])
        stretch = np.maximum(stretch[:-reach], stretch[reach:])
        reach *= 2
    return largest
