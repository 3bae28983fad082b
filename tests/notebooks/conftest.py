"""The simulated home that the notebooks open where the user has none, made once; and Chromium."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hamload import demonstration

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def cache(once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """Return a cache folder in which the simulated home lies."""
    return once("cache", lambda folder: demonstration.simulated_home(folder / "hamload" / "simulated"))


@pytest.fixture(scope="session")
def nothing_of_ones_own(cache: Path) -> dict[str, str]:
    """Return the environment of somebody who has no home yet."""
    return os.environ | {"XDG_CACHE_HOME": str(cache), "HAMLOAD_HOME": str(cache / "nothing")}


@pytest.fixture(scope="session")
def simulated(cache: Path) -> Path:
    """Return the simulated home. Read it only."""
    return cache / "hamload" / "simulated"
