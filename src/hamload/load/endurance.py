"""How the same demand weighs more late in a long run: F(t) over moving time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from hamload.parameters import Session
    from hamload.records import Array


def endurance_factor(moving_s: ArrayLike, typical_time_s: float, model: Session) -> Array:
    """Return F(t) = 1 + gain * clip((t/T - 1) / span, 0, 1).

    Parameters
    ----------
    moving_s
        t, moving time so far, seconds, any shape.
    typical_time_s
        T, the athlete's typical moving time, seconds, above 0.
    model
        `long_gain` and `long_span`.

    Returns
    -------
    Array
        1 up to T, rising in a straight line to 1 + gain at (1 + span) * T, level from there.

    """
    late = _lateness(moving_s, typical_time_s, model)
    return np.asarray(1 + model.long_gain * np.clip(late, 0, 1))


def mean_endurance_factor(dt_s: Array, typical_time_s: float, model: Session) -> Array:
    """Return the mean of F over each of a run's moving samples, which follow one another without a gap.

    Integrated exactly over every sample, not read at its middle or end, so that how finely a run was sampled changes
    nothing: not even at the two kinks.

    Parameters
    ----------
    dt_s
        Seconds of each moving sample, shape (n,), each above 0.
    typical_time_s
        T, seconds, above 0.
    model
        `long_gain` and `long_span`.

    Returns
    -------
    Array
        Shape (n,), from 1 to 1 + gain.

    """
    ends = np.cumsum(dt_s)
    late = _lateness(np.concatenate(([0.0], ends)), typical_time_s, model)
    # The integral of clip(x, 0, 1), in units of (span * T) seconds.
    area = np.where(late > 1, late - 0.5, np.clip(late, 0, 1) ** 2 / 2)
    return np.asarray(1 + model.long_gain * np.diff(area) * (model.long_span * typical_time_s) / dt_s)


def _lateness(moving_s: ArrayLike, typical_time_s: float, model: Session) -> Array:
    if not typical_time_s > 0:
        raise ValueError(f"The typical moving time is {typical_time_s} s; it must be above 0.")
    t = np.asarray(moving_s, dtype=np.float64)
    return np.asarray((t / typical_time_s - 1) / model.long_span)
