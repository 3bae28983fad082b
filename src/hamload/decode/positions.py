"""Positions on the globe: which are real, and how far apart they lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from hamload.records import Array

#: Mean radius of the earth, metres (IUGG).
_EARTH_M = 6371008.8
#: Around (0, 0) lies open sea: receivers without a fix say so. A thousandth of a degree is 111 m.
_NULL_ISLAND_DEG = 0.001


def known_positions(latitude_deg: Array, longitude_deg: Array) -> tuple[Array, Array]:
    """Return latitude and longitude with NaN in both where either is missing, off the globe, or at (0, 0)."""
    with np.errstate(invalid="ignore"):
        is_known = (np.abs(latitude_deg) <= 90) & (np.abs(longitude_deg) <= 180)  # noqa: PLR2004
        is_known &= (np.abs(latitude_deg) > _NULL_ISLAND_DEG) | (np.abs(longitude_deg) > _NULL_ISLAND_DEG)
    return np.where(is_known, latitude_deg, np.nan), np.where(is_known, longitude_deg, np.nan)


def metres_between(latitude_deg: Array, longitude_deg: Array) -> Array:
    """Return the great-circle distance from each position to the next, metres (haversine); n - 1 values for n.

    NaN where either end is. Accurate to 0.5 % (the earth is no sphere).
    """
    latitude, longitude = np.radians(latitude_deg), np.radians(longitude_deg)
    half = np.sin(np.diff(latitude) / 2) ** 2
    half = half + np.cos(latitude[:-1]) * np.cos(latitude[1:]) * np.sin(np.diff(longitude) / 2) ** 2
    return np.asarray(2 * _EARTH_M * np.arcsin(np.sqrt(np.minimum(half, 1.0))))
