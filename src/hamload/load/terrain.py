"""How hilly a run was: its climb, and how much of it was steep, from the grade of its moving samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from hamload.load.moving import Moving
    from hamload.parameters import LoadModel


@dataclass(frozen=True, slots=True)
class Terrain:
    """How hilly a run was; None where that is not known.

    Attributes
    ----------
    climb_m, climb_m_per_km
        Metres climbed, and per km of graded distance. None where as much of the distance lacks a grade as would make a
        hill session.
    hill_share
        Share (0-1) of the distance at or above the hill grade; a lower bound with grades missing, None without any.
    ungraded_share
        Share (0-1) of the distance whose grade is unknown.

    """

    climb_m: float | None
    climb_m_per_km: float | None
    hill_share: float | None
    ungraded_share: float


def terrain(moving: Moving, model: LoadModel) -> Terrain:
    """Measure how hilly a run was.

    Notes
    -----
    The climb is the sum of grade times distance where the grade is above the demand's dead band. The grade is a
    straight-line fit over tens of metres; adding up raw altitude steps instead would turn every wobble of the sensor
    into climb, and so would the positive half of the grade's noise on the flat, which the dead band keeps out. The
    price: a slope of under 1 % is no climb here, as it is no uphill in the demand. A watch's own ascent differs for
    such reasons; what counts here is that all of a runner's runs are measured alike.

    """
    step_m = moving.step_m
    graded = ~np.isnan(moving.grade)
    total_m, known_m = float(step_m.sum()), float(step_m[graded].sum())
    if not known_m > 0:
        return Terrain(None, None, None, 1.0)
    ungraded = float(step_m[~graded].sum()) / total_m
    hill = float(step_m[moving.grade >= model.parts.hill_grade].sum()) / total_m
    if ungraded >= model.labels.hill_distance_share:
        return Terrain(None, None, hill, ungraded)
    up = moving.grade > model.demand.grade_dead_band
    climb_m = float((moving.grade[up] * step_m[up]).sum())
    return Terrain(climb_m, climb_m / (known_m / 1000), hill, ungraded)
