"""Roads of known slope and shape: the grade of every metre of the way out, and where it lies on the map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from hamload.records import Array
    from hamload.simulator.athlete import Place, Road

#: Slopes of the climbs and descents (rise over run) and their lengths (m), each from-to, for each kind of road.
SLOPES: dict[Road, tuple[float, float]] = {"flat": (0.0, 0.004), "rolling": (0.005, 0.025), "hilly": (0.045, 0.07)}
_LENGTHS_M: dict[Road, tuple[float, float]] = {"flat": (200, 600), "rolling": (120, 350), "hilly": (250, 450)}
_LEVEL_START_M = 200
_METRES_A_DEGREE = 111_195.0  # of a great circle on a sphere of 6,371 km
_BEND_EVERY_M = 100.0
_BEND_RAD = 0.35


def way_out(road: Road, length_m: int, rng: np.random.Generator) -> Array:
    """Return the grade of each metre: level at first, then climb, level, descent, level, and so on."""
    pieces = [np.zeros(_LEVEL_START_M)]
    total, turn = _LEVEL_START_M, 0
    while total < length_m:
        steepness, length = rng.uniform(*SLOPES[road]), int(rng.uniform(*_LENGTHS_M[road]))
        sign = (1.0, 0.0, -1.0, 0.0)[turn % 4]
        pieces.append(np.full(length, sign * steepness))
        total, turn = total + length, turn + 1
    return np.concatenate(pieces)[:length_m]


def map_position(home: Place, along_m: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return latitude and longitude (degrees) of points so many metres along one winding road that starts at home."""
    reach = int(np.max(along_m)) + 2
    knots = np.arange(0.0, reach + 2 * _BEND_EVERY_M, _BEND_EVERY_M)
    heading = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0.0, _BEND_RAD, len(knots)))
    metres = np.arange(reach, dtype=np.float64)
    heading = np.interp(metres, knots, heading)
    north, east = np.cumsum(np.cos(heading)), np.cumsum(np.sin(heading))
    narrowing = np.cos(np.radians(home.latitude_deg))
    latitude = home.latitude_deg + np.interp(along_m, metres, north) / _METRES_A_DEGREE
    longitude = home.longitude_deg + np.interp(along_m, metres, east) / _METRES_A_DEGREE / narrowing
    return latitude, longitude
