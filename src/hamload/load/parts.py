"""Where the load of a run came from: each moving sample belongs to hill, speed, long or base, in this order."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from hamload.load.moving import Moving
    from hamload.parameters import Parts
    from hamload.records import Array, Athlete


class LoadParts(NamedTuple):
    """The four parts of a session's load, EFM, in the order in which a sample is claimed."""

    hill: float
    speed: float
    long: float
    base: float


def load_parts(load_efm: Array, moving: Moving, athlete: Athlete, model: Parts) -> LoadParts:
    """Split the load of a run's moving samples.

    A part that cannot be told gets 0 and its samples go to the next in order: without a grade there is no hill part,
    without the athlete's own P90 no speed part. The session's label, None then, says that it is not known.

    Parameters
    ----------
    load_efm
        Load of each moving sample, shape (n,).
    moving
        The samples. What lies beyond `long_factor` * T is told by a sample's middle.
    athlete
        `fast_mps` (None: unknown) and `typical_time_s`.
    model
        Where each part begins.

    """
    middle_s = np.cumsum(moving.dt_s) - moving.dt_s / 2
    hill = moving.grade >= model.hill_grade
    fast = np.zeros_like(hill) if athlete.fast_mps is None else moving.sustained_mps > athlete.fast_mps
    late = middle_s > model.long_factor * athlete.typical_time_s
    chosen = np.select([hill, fast, late], [0, 1, 2], default=3)
    sums = np.bincount(chosen, weights=load_efm, minlength=4)
    return LoadParts(*(float(s) for s in sums))
